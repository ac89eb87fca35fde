// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { DealProgress, DealTerms, Receipt } from "../types/Deals.sol";

/// @title Settlement of tasks
/// @notice Every task of a deal is closed exactly once: by a receipt, or by a refund after the deadline.
interface ITasks {
    /// @notice A task was settled by a receipt. `outputCid` is the pool's word and not covered by the receipt; the
    /// bytes behind it must have the digest `receipt.output`.
    event TaskSettled(
        bytes32 indexed dealId,
        bytes32 indexed taskId,
        address indexed enclave,
        uint32 index,
        uint16 status,
        Receipt receipt,
        bytes signature,
        bytes outputCid
    );
    /// @notice A task missed its deadline and its price went back to the payer.
    event TaskRefunded(bytes32 indexed dealId, bytes32 indexed taskId, uint32 index, uint256 amount);

    /// @notice There is no such deal.
    error DealUnknown(bytes32 dealId);
    /// @notice The terms given are not those of the deal.
    error TermsMismatch(bytes32 dealId, bytes32 expected, bytes32 given);
    /// @notice The deal has fewer tasks.
    error IndexOutOfRange(uint32 index, uint32 volume);
    /// @notice The task is settled or refunded already.
    error TaskClosed(bytes32 taskId);
    /// @notice The receipt is about something else. Field: position in Receipt, from 0.
    error ReceiptMismatch(uint8 field, bytes32 expected, bytes32 given);
    /// @notice The receipt is not signed by an enclave that is granted now.
    error EnclaveNotGranted(address enclave);
    /// @notice Receipts are no longer taken.
    error DeadlinePassed(bytes32 dealId, uint64 deadline);
    /// @notice Receipts are still taken.
    error DeadlineNotReached(bytes32 dealId, uint64 deadline);
    /// @notice This version settles mode 0 (tee) only.
    error ModeNotSupported(uint8 mode);
    /// @notice Only Market opens deals.
    error NotMarket(address caller);
    /// @notice Only the pool's owner at the time of the match, or whom that owner approved in the Registry, may settle.
    error NotPoolOperator(address caller, address poolOwner);
    /// @notice The output's binary CID has 36 bytes; without an output in the receipt there is none.
    error OutputCidLength(uint256 given, uint256 expected);

    /// @notice Closes a task by a receipt and pays by its status. Only the pool: its owner at the time of the match, or
    /// an ERC-721 operator or approved address of that owner's pool token. The receipt does not cover `outputCid`; sent
    /// by others, it could make a paid output unfindable.
    /// @param terms What was agreed.
    /// @param index Which task of the deal, from 0.
    /// @param receipt The enclave's statement.
    /// @param signature By the enclave, 65 or 64 bytes.
    /// @param outputCid Binary CID of the sealed output, 36 bytes; empty exactly when `receipt.output` is zero.
    function settle(
        DealTerms calldata terms,
        uint32 index,
        Receipt calldata receipt,
        bytes calldata signature,
        bytes calldata outputCid
    ) external;

    /// @notice Closes a task that missed its deadline and refunds it. Anybody may send it.
    /// @param dealId Deal.
    /// @param terms What was agreed.
    /// @param index Which task of the deal, from 0.
    function claim(bytes32 dealId, DealTerms calldata terms, uint32 index) external;

    /// @notice Opens a deal. Only Market, which has locked the money.
    /// @param dealId Deal.
    /// @param termsHash keccak256(abi.encode(terms)).
    /// @param volume Tasks in the deal.
    /// @param mode Trust mode.
    function open(bytes32 dealId, bytes32 termsHash, uint32 volume, uint8 mode) external;

    /// @notice How far a deal is; all zero when there is no such deal.
    /// @param dealId Deal.
    function deal(bytes32 dealId) external view returns (DealProgress memory);

    /// @notice Whether a task is settled or refunded.
    /// @param dealId Deal.
    /// @param index Which task of the deal, from 0.
    function isClosed(bytes32 dealId, uint32 index) external view returns (bool);
}
