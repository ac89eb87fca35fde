// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { Batch, DatasetShare, DealTerms, Effects, Outcome, Receipt, Tally, Work } from "../types/Deals.sol";
import { AppOrder, DatasetOrder, PoolOrder, RequestOrder } from "../types/Orders.sol";
import { Grant, LogHead, RecipientCertificate, Voucher } from "../types/Statements.sol";

/// @title EIP-712 hashes of everything that is signed
/// @dev Orders are hashed as they lie in calldata, without decoding each field: their fields are words in the order of
/// the type. A caller who sets bits that a narrow type does not have gets a hash that nobody signs by mistake; the code
/// that reads such a field reverts.
library TypedHash {
    /// @dev Type of the domain.
    bytes32 internal constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    /// @dev Hash of an empty array.
    bytes32 private constant EMPTY_HASH = keccak256("");
    /// @dev Name in the domain.
    bytes32 internal constant NAME_HASH = keccak256("Sealwork");
    /// @dev Version in the domain.
    bytes32 internal constant VERSION_HASH = keccak256("1");

    /// @dev Type `AppOrder`.
    bytes32 internal constant APP_ORDER_TYPEHASH = keccak256(
        "AppOrder(bytes32 app,uint96 price,uint32 volume,bytes32 tag,bytes32 datasetRestrict,bytes32 poolRestrict,"
        "bytes32 requesterRestrict,uint64 expiry,uint64 nonce,bytes32 salt)"
    );
    /// @dev Type `DatasetOrder`.
    bytes32 internal constant DATASET_ORDER_TYPEHASH = keccak256(
        "DatasetOrder(bytes32 dataset,uint96 price,uint32 volume,bytes32 tag,bytes32 appRestrict,bytes32 poolRestrict,"
        "bytes32 requesterRestrict,uint64 expiry,uint64 nonce,bytes32 salt)"
    );
    /// @dev Type `PoolOrder`.
    bytes32 internal constant POOL_ORDER_TYPEHASH = keccak256(
        "PoolOrder(bytes32 pool,uint96 price,uint96 stake,uint32 volume,bytes32 tag,uint16 category,uint16 trust,"
        "uint8 modes,bytes32 offer,bytes32 appRestrict,bytes32 datasetRestrict,bytes32 requesterRestrict,uint64 expiry,"
        "uint64 nonce,bytes32 salt)"
    );
    /// @dev Type `RequestOrder`.
    bytes32 internal constant REQUEST_ORDER_TYPEHASH = keccak256(
        "RequestOrder(bytes32 app,bytes32 codeHash,bytes32 policyHash,uint96 appMaxPrice,bytes32[] datasets,"
        "uint96 datasetMaxPrice,bytes32 poolRestrict,uint96 poolMaxPrice,uint96 minStake,address requester,"
        "address sponsor,bytes32 outputRecipient,uint32 volume,bytes32 tag,uint16 category,uint16 trust,uint8 mode,"
        "address callback,uint32 callbackGas,bytes params,bytes32 requirements,uint64 expiry,uint64 nonce,bytes32 salt)"
    );
    /// @dev Type `Work`.
    bytes32 internal constant WORK_TYPEHASH =
        keccak256("Work(bytes32 app,bytes32 codeHash,bytes32 policyHash,bytes32 input)");
    /// @dev Type `DatasetShare`.
    bytes32 internal constant DATASET_SHARE_TYPEHASH = keccak256("DatasetShare(address owner,uint96 price)");
    /// @dev Type `DealTerms`.
    bytes32 internal constant DEAL_TERMS_TYPEHASH = keccak256(
        "DealTerms(bytes32 requestHash,uint32 firstTask,bytes32 workHash,address payer,address appOwner,"
        "address poolOwner,uint96 appPrice,uint96 poolPrice,uint96 stake,uint16 feeBps,uint8 mode,uint64 startedAt,"
        "address callback,uint32 callbackGas,DatasetShare[] datasets)DatasetShare(address owner,uint96 price)"
    );
    /// @dev Type `Receipt`.
    bytes32 internal constant RECEIPT_TYPEHASH = keccak256(
        "Receipt(Work work,bytes32 dealId,uint32 index,uint16 status,uint64 fuel,uint32 keyEpoch,bytes32 output,"
        "bytes32 callbackHash,bytes32 stateBefore,bytes32 stateAfter,uint64 deltaIndex)"
        "Work(bytes32 app,bytes32 codeHash,bytes32 policyHash,bytes32 input)"
    );
    /// @dev Type `Tally`.
    bytes32 internal constant TALLY_TYPEHASH =
        keccak256("Tally(uint32 paid,uint32 poolOnly,uint32 refunded,uint32 slashed)");
    /// @dev Type `Batch`.
    bytes32 internal constant BATCH_TYPEHASH = keccak256(
        "Batch(Work work,bytes32 dealId,uint32 first,Tally tally,bytes32 root)"
        "Tally(uint32 paid,uint32 poolOnly,uint32 refunded,uint32 slashed)"
        "Work(bytes32 app,bytes32 codeHash,bytes32 policyHash,bytes32 input)"
    );
    /// @dev Type `Voucher`.
    bytes32 internal constant VOUCHER_TYPEHASH = keccak256("Voucher(bytes32 dealId,uint32 count)");
    /// @dev Type `Grant`.
    bytes32 internal constant GRANT_TYPEHASH =
        keccak256("Grant(address enclave,bytes32 measurement,uint8 tee,bytes32 hardwareId,uint64 expiry)");
    /// @dev Type `LogHead`.
    bytes32 internal constant LOG_HEAD_TYPEHASH = keccak256("LogHead(uint64 size,bytes32 root,uint64 timestamp)");
    /// @dev Type `RecipientCertificate`.
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
    function digest(bytes32 separator, bytes32 structHash) internal pure returns (bytes32 result) {
        // The free memory pointer, which the last word overwrites, is put back.
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(0x00, hex"1901")
            mstore(0x02, separator)
            mstore(0x22, structHash)
            result := keccak256(0x00, 0x42)
            mstore(0x40, free)
        }
    }

    /// @notice Structure hash of an app order.
    function hash(AppOrder calldata order) internal pure returns (bytes32) {
        uint256 place;
        assembly ("memory-safe") {
            place := order
        }
        return _hashWords(APP_ORDER_TYPEHASH, place, 10);
    }

    /// @notice Structure hash of a dataset order.
    function hash(DatasetOrder calldata order) internal pure returns (bytes32) {
        uint256 place;
        assembly ("memory-safe") {
            place := order
        }
        return _hashWords(DATASET_ORDER_TYPEHASH, place, 10);
    }

    /// @notice Structure hash of a pool order.
    function hash(PoolOrder calldata order) internal pure returns (bytes32) {
        uint256 place;
        assembly ("memory-safe") {
            place := order
        }
        return _hashWords(POOL_ORDER_TYPEHASH, place, 15);
    }

    /// @notice Structure hash of a request order.
    function hash(RequestOrder calldata order) internal pure returns (bytes32 result) {
        bytes32 typeHash = REQUEST_ORDER_TYPEHASH;
        bytes32 datasets = keccak256(abi.encodePacked(order.datasets));
        bytes32 params = keccak256(order.params);
        assembly ("memory-safe") {
            let words := mload(0x40)
            mstore(words, typeHash)
            calldatacopy(add(words, 0x20), order, 0x300)
            // Fields 4 and 19 are offsets in calldata; their place is taken by the hashes of what they point to.
            mstore(add(words, 0xa0), datasets)
            mstore(add(words, 0x280), params)
            result := keccak256(words, 0x320)
        }
    }

    /// @notice Structure hash of a request's work.
    /// @param order The request.
    /// @param input SHA-256 of the sealed input.
    function workHash(RequestOrder calldata order, bytes32 input) internal pure returns (bytes32) {
        return keccak256(abi.encode(WORK_TYPEHASH, order.app, order.codeHash, order.policyHash, input));
    }

    /// @notice Terms in memory, word by word. Narrow fields may have bits that they should not: compare the hash before
    /// anything else is done with them.
    /// @param given Terms in calldata.
    function load(DealTerms calldata given) internal pure returns (DealTerms memory terms) {
        assembly ("memory-safe") {
            calldatacopy(terms, given, 0x1c0)
        }
        if (given.datasets.length != 0) terms.datasets = given.datasets;
    }

    /// @notice Structure hash of terms.
    function hash(DealTerms memory terms) internal pure returns (bytes32 result) {
        bytes32 typeHash = DEAL_TERMS_TYPEHASH;
        bytes32 datasets = _hash(terms.datasets);
        assembly ("memory-safe") {
            let words := mload(0x40)
            mstore(words, typeHash)
            mcopy(add(words, 0x20), terms, 0x1c0)
            mstore(add(words, 0x1e0), datasets)
            result := keccak256(words, 0x200)
        }
    }

    /// @notice Id of a deal (request hash, volume used before) or of a task (deal, index).
    /// @param parent What it belongs to.
    /// @param position Where it stands in there.
    function id(bytes32 parent, uint256 position) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            mstore(0x00, parent)
            mstore(0x20, position)
            result := keccak256(0x00, 0x40)
        }
    }

    /// @notice Structure hash of a receipt.
    function hash(Receipt calldata receipt) internal pure returns (bytes32) {
        Work calldata work = receipt.work;
        bytes32 workHash_ = keccak256(abi.encode(WORK_TYPEHASH, work.app, work.codeHash, work.policyHash, work.input));
        return keccak256(
            abi.encode(
                RECEIPT_TYPEHASH,
                workHash_,
                receipt.dealId,
                receipt.index,
                receipt.status,
                receipt.fuel,
                receipt.keyEpoch,
                receipt.output,
                receipt.callbackHash,
                receipt.stateBefore,
                receipt.stateAfter,
                receipt.deltaIndex
            )
        );
    }

    /// @notice Structure hash of the receipt that an outcome belongs to.
    /// @param workHash_ Structure hash of the work.
    /// @param deal Deal of the task.
    /// @param outcome Part of the receipt.
    /// @param effects Rest of the receipt: empty, or one.
    function hash(bytes32 workHash_, bytes32 deal, Outcome calldata outcome, Effects[] calldata effects)
        internal
        pure
        returns (bytes32 result)
    {
        bytes32 typeHash = RECEIPT_TYPEHASH;
        bool more = effects.length != 0;
        Effects calldata rest;
        assembly ("memory-safe") {
            rest := 0
        }
        if (more) rest = effects[0];
        assembly ("memory-safe") {
            let words := mload(0x40)
            mstore(words, typeHash)
            mstore(add(words, 0x20), workHash_)
            mstore(add(words, 0x40), deal)
            calldatacopy(add(words, 0x60), outcome, 0xa0)
            switch more
            // Behind the end of calldata there are zeros.
            case 0 { calldatacopy(add(words, 0x100), calldatasize(), 0x80) }
            default {
                // Word by word, as every other reader of the effects: an offset may be negative, and at the end of the
                // address space a load wraps to the start of calldata while a copy gives zeros.
                mstore(add(words, 0x100), calldataload(rest))
                mstore(add(words, 0x120), calldataload(add(rest, 0x20)))
                mstore(add(words, 0x140), calldataload(add(rest, 0x40)))
                mstore(add(words, 0x160), calldataload(add(rest, 0x60)))
            }
            result := keccak256(words, 0x180)
        }
    }

    /// @notice Structure hash of a batch.
    /// @param workHash_ Structure hash of the work.
    /// @param deal Deal of the tasks.
    /// @param first Index of the first task.
    /// @param tally Ends of the tasks.
    /// @param root Merkle root over the receipts.
    function hash(bytes32 workHash_, bytes32 deal, uint32 first, Tally calldata tally, bytes32 root)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(BATCH_TYPEHASH, workHash_, deal, first, hash(tally), root));
    }

    /// @notice Structure hash of a batch.
    function hash(Batch calldata batch) internal pure returns (bytes32) {
        Work calldata work = batch.work;
        bytes32 workHash_ = keccak256(abi.encode(WORK_TYPEHASH, work.app, work.codeHash, work.policyHash, work.input));
        return hash(workHash_, batch.dealId, batch.first, batch.tally, batch.root);
    }

    /// @notice Structure hash of a tally.
    function hash(Tally calldata tally) internal pure returns (bytes32) {
        return keccak256(abi.encode(TALLY_TYPEHASH, tally));
    }

    /// @notice Structure hash of a voucher.
    function hash(Voucher memory voucher) internal pure returns (bytes32) {
        return keccak256(abi.encode(VOUCHER_TYPEHASH, voucher));
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

    /// @dev Hash of a type and of words that lie in calldata in the type's order.
    function _hashWords(bytes32 typeHash, uint256 place, uint256 count) private pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let words := mload(0x40)
            let length := shl(5, count)
            mstore(words, typeHash)
            calldatacopy(add(words, 0x20), place, length)
            result := keccak256(words, add(length, 0x20))
        }
    }

    function _hash(DatasetShare[] memory shares) private pure returns (bytes32) {
        if (shares.length == 0) return EMPTY_HASH;
        bytes32[] memory hashes = new bytes32[](shares.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = keccak256(abi.encode(DATASET_SHARE_TYPEHASH, shares[i]));
        }
        return keccak256(abi.encodePacked(hashes));
    }
}
