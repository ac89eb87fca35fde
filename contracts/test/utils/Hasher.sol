// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { TypedHash } from "../../src/libraries/TypedHash.sol";
import { Receipt } from "../../src/types/Deals.sol";
import { AppOrder, DatasetOrder, PoolOrder, RequestOrder } from "../../src/types/Orders.sol";
import { Grant, LogHead, RecipientCertificate } from "../../src/types/Statements.sol";

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
