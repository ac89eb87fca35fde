// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { TypedHash } from "../../src/libraries/TypedHash.sol";
import { Batch, DealTerms, Effects, Outcome, Receipt } from "../../src/types/Deals.sol";
import { AppOrder, DatasetOrder, PoolOrder, RequestOrder } from "../../src/types/Orders.sol";
import { Grant, LogHead, RecipientCertificate, Voucher } from "../../src/types/Statements.sol";

/// @dev What signers sign, for structures in memory.
contract Hasher {
    bytes32 private immutable _separator;

    constructor(address market) {
        _separator = TypedHash.domainSeparator(market);
    }

    function appOrder(AppOrder calldata order) external view returns (bytes32) {
        return TypedHash.digest(_separator, TypedHash.hash(order));
    }

    function datasetOrder(DatasetOrder calldata order) external view returns (bytes32) {
        return TypedHash.digest(_separator, TypedHash.hash(order));
    }

    function poolOrder(PoolOrder calldata order) external view returns (bytes32) {
        return TypedHash.digest(_separator, TypedHash.hash(order));
    }

    function requestOrder(RequestOrder calldata order) external view returns (bytes32) {
        return TypedHash.digest(_separator, TypedHash.hash(order));
    }

    function receipt(Receipt calldata message) external view returns (bytes32) {
        return TypedHash.digest(_separator, TypedHash.hash(message));
    }

    function batch(Batch calldata message) external view returns (bytes32) {
        return TypedHash.digest(_separator, TypedHash.hash(message));
    }

    function voucher(Voucher calldata message) external view returns (bytes32) {
        return TypedHash.digest(_separator, TypedHash.hash(message));
    }

    /// @dev Structure hash: the leaf of a batch.
    function receiptHash(Receipt calldata message) external pure returns (bytes32) {
        return TypedHash.hash(message);
    }

    /// @dev Structure hash of a receipt in the two parts that a settlement carries.
    function parts(bytes32 work_, bytes32 dealId, Outcome calldata outcome, Effects[] calldata effects)
        external
        pure
        returns (bytes32)
    {
        return TypedHash.hash(work_, dealId, outcome, effects);
    }

    /// @dev Structure hash: what the Market keeps 24 bytes of.
    function terms(DealTerms calldata message) external pure returns (bytes32) {
        return TypedHash.hash(message);
    }

    /// @dev Structure hash: stands in terms.
    function work(RequestOrder calldata order, bytes32 input) external pure returns (bytes32) {
        return TypedHash.workHash(order, input);
    }

    function grant(Grant calldata message) external view returns (bytes32) {
        return TypedHash.digest(_separator, TypedHash.hash(message));
    }

    function logHead(LogHead calldata head) external view returns (bytes32) {
        return TypedHash.digest(_separator, TypedHash.hash(head));
    }

    function recipientCertificate(RecipientCertificate calldata certificate) external view returns (bytes32) {
        return TypedHash.digest(_separator, TypedHash.hash(certificate));
    }
}
