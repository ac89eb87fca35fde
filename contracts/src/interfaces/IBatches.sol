// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { DealTerms, Tally } from "../types/Deals.sol";

/// @title Batches of receipts
/// @notice Settles many tasks of a deal of mode 0 by one enclave signature, and keeps what proves each single receipt.
interface IBatches {
    /// @notice Tasks that follow each other were settled by one signature. The receipts lie in storage at the CIDv1 with
    /// SHA-256 digest `receiptsCid` and codec `receiptsCodec`, which is the pool's word.
    event BatchSettled(
        bytes32 indexed dealId,
        address indexed enclave,
        uint32 indexed first,
        Tally tally,
        bytes32 root,
        bytes32 receiptsCid,
        uint8 receiptsCodec,
        bytes32 r,
        bytes32 vs
    );

    /// @notice Deals of this mode have no batches.
    error NotBatchable(uint8 mode);
    /// @notice Deals with a callback are settled task by task.
    error BatchWithCallback(bytes32 dealId);
    /// @notice The receipts need a root and a CID with codec 0x55 or 0x70.
    error BadReceipts(bytes32 root, bytes32 receiptsCid, uint8 receiptsCodec);

    /// @notice Closes tasks that follow each other by one signature over the Merkle root of their receipts. Only the pool,
    /// as in `settle`.
    /// @param terms What was agreed.
    /// @param first Index of the first task.
    /// @param tally How they ended; the sum is their number.
    /// @param root Merkle root over the structure hashes of the receipts, pairs sorted.
    /// @param receiptsCid SHA-256 digest of the CIDv1 of the receipts.
    /// @param receiptsCodec Codec of that CID: 0x55 raw, 0x70 dag-pb.
    /// @param r Signature by the enclave over `Batch`, EIP-2098.
    /// @param vs Signature by the enclave over `Batch`, EIP-2098.
    function settleBatch(
        DealTerms calldata terms,
        uint32 first,
        Tally calldata tally,
        bytes32 root,
        bytes32 receiptsCid,
        uint8 receiptsCodec,
        bytes32 r,
        bytes32 vs
    ) external;

    /// @notice Merkle root of a batch; zero when there is none.
    /// @param dealId Deal.
    /// @param first Index of the batch's first task.
    /// @return The root.
    function batchRoot(bytes32 dealId, uint32 first) external view returns (bytes32);

    /// @notice Whether a receipt belongs to a settled batch.
    /// @param dealId Deal.
    /// @param first Index of the batch's first task.
    /// @param receiptHash Structure hash of the receipt.
    /// @param path Sibling hashes from the leaf to the root.
    /// @return Whether the path leads from the receipt to the root of the batch.
    function provesReceipt(bytes32 dealId, uint32 first, bytes32 receiptHash, bytes32[] calldata path)
        external
        view
        returns (bool);
}
