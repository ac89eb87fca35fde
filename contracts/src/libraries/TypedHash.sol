// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { Receipt } from "../types/Deals.sol";
import { AppOrder, DatasetOrder, PoolOrder, RequestOrder } from "../types/Orders.sol";
import { Grant, LogHead, RecipientCertificate } from "../types/Statements.sol";

/// @title EIP-712 hashes of everything that is signed
library TypedHash {
    bytes32 internal constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 internal constant NAME_HASH = keccak256("Sealwork");
    bytes32 internal constant VERSION_HASH = keccak256("1");

    bytes32 internal constant APP_ORDER_TYPEHASH = keccak256(
        "AppOrder(bytes32 app,uint96 price,uint32 volume,bytes32 tag,bytes32 datasetRestrict,bytes32 poolRestrict,"
        "bytes32 requesterRestrict,uint64 expiry,uint64 nonce,bytes32 salt)"
    );
    bytes32 internal constant DATASET_ORDER_TYPEHASH = keccak256(
        "DatasetOrder(bytes32 dataset,uint96 price,uint32 volume,bytes32 tag,bytes32 appRestrict,bytes32 poolRestrict,"
        "bytes32 requesterRestrict,uint64 expiry,uint64 nonce,bytes32 salt)"
    );
    bytes32 internal constant POOL_ORDER_TYPEHASH = keccak256(
        "PoolOrder(bytes32 pool,uint96 price,uint32 volume,bytes32 tag,uint16 category,uint16 trust,uint8 modes,"
        "bytes32 offer,bytes32 appRestrict,bytes32 datasetRestrict,bytes32 requesterRestrict,uint64 expiry,uint64 nonce,"
        "bytes32 salt)"
    );
    bytes32 internal constant REQUEST_ORDER_TYPEHASH = keccak256(
        "RequestOrder(bytes32 app,uint96 appMaxPrice,bytes32[] datasets,uint96 datasetMaxPrice,bytes32 poolRestrict,"
        "uint96 poolMaxPrice,address requester,address sponsor,bytes32 outputRecipient,uint32 volume,bytes32 tag,"
        "uint16 category,uint16 trust,uint8 mode,address callback,uint32 callbackGas,bytes params,bytes32 requirements,"
        "uint64 expiry,uint64 nonce,bytes32 salt)"
    );
    bytes32 internal constant RECEIPT_TYPEHASH = keccak256(
        "Receipt(bytes32 taskId,bytes32 dealId,bytes32 app,bytes32 codeHash,bytes32 policyHash,bytes32 input,"
        "bytes32 output,uint16 status,uint64 fuel,bytes32 callbackHash,bytes32 stateBefore,bytes32 stateAfter,"
        "uint64 deltaIndex,uint32 keyEpoch)"
    );
    bytes32 internal constant GRANT_TYPEHASH =
        keccak256("Grant(address enclave,bytes32 measurement,uint8 tee,bytes32 hardwareId,uint64 expiry)");
    bytes32 internal constant LOG_HEAD_TYPEHASH = keccak256("LogHead(uint64 size,bytes32 root,uint64 timestamp)");
    bytes32 internal constant RECIPIENT_CERTIFICATE_TYPEHASH =
        keccak256("RecipientCertificate(bytes32 app,bytes32 policyHash,uint32 keyEpoch,bytes32 recipient)");

    /// @notice Domain separator of a deployment on this chain.
    /// @param market Address of its Market.
    function domainSeparator(address market) internal view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, block.chainid, market));
    }

    /// @notice What a signer signs.
    /// @param separator Domain separator.
    /// @param structHash Hash of the structure.
    function digest(bytes32 separator, bytes32 structHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }

    /// @notice Structure hash of an app order.
    function hash(AppOrder calldata order) internal pure returns (bytes32) {
        return keccak256(abi.encode(APP_ORDER_TYPEHASH, order));
    }

    /// @notice Structure hash of a dataset order.
    function hash(DatasetOrder calldata order) internal pure returns (bytes32) {
        return keccak256(abi.encode(DATASET_ORDER_TYPEHASH, order));
    }

    /// @notice Structure hash of a pool order.
    function hash(PoolOrder calldata order) internal pure returns (bytes32) {
        return keccak256(abi.encode(POOL_ORDER_TYPEHASH, order));
    }

    /// @notice Structure hash of a request order.
    function hash(RequestOrder calldata order) internal pure returns (bytes32) {
        bytes memory head = abi.encode(
            REQUEST_ORDER_TYPEHASH,
            order.app,
            order.appMaxPrice,
            keccak256(abi.encodePacked(order.datasets)),
            order.datasetMaxPrice,
            order.poolRestrict,
            order.poolMaxPrice,
            order.requester,
            order.sponsor,
            order.outputRecipient,
            order.volume
        );
        bytes memory tail = abi.encode(
            order.tag,
            order.category,
            order.trust,
            order.mode,
            order.callback,
            order.callbackGas,
            keccak256(order.params),
            order.requirements,
            order.expiry,
            order.nonce,
            order.salt
        );
        return keccak256(bytes.concat(head, tail));
    }

    /// @notice Structure hash of a receipt.
    function hash(Receipt calldata receipt) internal pure returns (bytes32) {
        return keccak256(abi.encode(RECEIPT_TYPEHASH, receipt));
    }

    /// @notice Structure hash of a grant.
    function hash(Grant calldata grant) internal pure returns (bytes32) {
        return keccak256(abi.encode(GRANT_TYPEHASH, grant));
    }

    /// @notice Structure hash of a log head.
    function hash(LogHead calldata head) internal pure returns (bytes32) {
        return keccak256(abi.encode(LOG_HEAD_TYPEHASH, head));
    }

    /// @notice Structure hash of a recipient certificate.
    function hash(RecipientCertificate calldata certificate) internal pure returns (bytes32) {
        return keccak256(abi.encode(RECIPIENT_CERTIFICATE_TYPEHASH, certificate));
    }
}
