// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { DealProgress, DealTerms, Effects, Outcome, Tally } from "../types/Deals.sol";

/// @title Settlement of deals
/// @notice Every task of a deal is closed exactly once: by a receipt, by the module of the deal's mode (for mode 0 that is
/// Batches, for mode 5 Channels), or by a refund after a deadline.
interface IDeals {
    /// @notice A task was settled by a receipt, which the deal's work, `outcome` and the effects make up; without the event
    /// `TaskEffects` these are zero. Signature: EIP-2098.
    event TaskSettled(bytes32 indexed dealId, address indexed enclave, Outcome outcome, bytes32 r, bytes32 vs);
    /// @notice The rest of the receipt of a task that did more than write an output.
    event TaskEffects(
        bytes32 indexed dealId,
        uint32 indexed index,
        bytes32 callbackHash,
        bytes32 stateBefore,
        bytes32 stateAfter,
        uint64 deltaIndex
    );
    /// @notice Tasks from `first` on were closed by the module of the deal's mode.
    event TasksClosed(bytes32 indexed dealId, uint32 indexed first, Tally tally);
    /// @notice `count` tasks among those from `first` to `last` missed a deadline; their price went back to the payer.
    event TasksRefunded(bytes32 indexed dealId, uint32 indexed first, uint32 last, uint32 count);
    /// @notice The pool works on the deal; its tasks have until the deadline.
    event DealStarted(bytes32 indexed dealId);
    /// @notice The contract that a request names was told the result.
    event CallbackCalled(bytes32 indexed dealId, uint32 indexed index, address target, bool success);
    /// @notice The owner of pools lets somebody start and settle its deals, or no longer.
    event OperatorSet(address indexed poolOwner, address indexed operator, bool allowed);
    /// @notice Deals of this mode are settled by this contract.
    event ModuleSet(uint8 indexed mode, address module);

    /// @notice There is no such deal.
    error DealUnknown(bytes32 dealId);
    /// @notice The terms given are not those of the deal.
    error TermsMismatch(bytes32 dealId, bytes24 expected, bytes24 given);
    /// @notice The deal has fewer tasks, or none were named.
    error IndexOutOfRange(uint256 first, uint256 count, uint256 volume);
    /// @notice The task is closed already.
    error TaskClosed(bytes32 dealId, uint256 index);
    /// @notice The receipt is not signed by an enclave that is granted now.
    error EnclaveNotGranted(address enclave);
    /// @notice Receipts are no longer taken.
    error DeadlinePassed(bytes32 dealId, uint256 deadline);
    /// @notice The pool still has time.
    error DeadlineNotReached(bytes32 dealId, uint256 deadline);
    /// @notice Nothing settles deals of this mode.
    error ModeNotSupported(uint8 mode);
    /// @notice Deals of this mode are settled in another way.
    error WrongMode(uint8 mode);
    /// @notice Only the module of the deal's mode may do this.
    error NotModule(address caller, address module);
    /// @notice A mode's module is set once and never replaced.
    error ModuleFixed(uint8 mode, address module);
    /// @notice Only the pool's owner at the time of the match, or an operator of that owner, may do this.
    error NotPoolOperator(address caller, address poolOwner);
    /// @notice An output needs a CID with codec 0x55 or 0x70; without an output there is none.
    error BadOutputCid(bytes32 output, bytes32 outputCid, uint8 outputCodec);
    /// @notice A task has at most one set of effects.
    error TooManyEffects(uint256 given);
    /// @notice The bytes for the callback are not those of the receipt.
    error CallbackMismatch(bytes32 expected, bytes32 given);
    /// @notice The transaction has too little gas for the callback.
    error CallbackGasMissing(uint256 available, uint256 needed);
    /// @notice One transaction executes a request for one task.
    error VolumeNotOne(uint32 volume);

    /// @notice Closes a task by a receipt and pays by its status. Only the pool: its owner at the time of the match, or an
    /// operator of that owner. The receipt does not cover the output's CID; sent by others, it could make a paid
    /// output unfindable.
    /// @param terms What was agreed.
    /// @param outcome What the receipt says beyond the deal.
    /// @param r Signature by the enclave, EIP-2098.
    /// @param vs Signature by the enclave, EIP-2098.
    /// @param effects Rest of the receipt: empty, or one for a task with a callback or a state.
    function settle(
        DealTerms calldata terms,
        Outcome calldata outcome,
        bytes32 r,
        bytes32 vs,
        Effects[] calldata effects
    ) external;

    /// @notice Lets somebody start and settle the deals of the caller's pools. Gives no right to money or tokens.
    /// @param operator Who.
    /// @param allowed Whether.
    function setOperator(address operator, bool allowed) external;

    /// @notice Says that the pool can do the deal's work and works on it. Without it, tasks can be refunded shortly after
    /// the match; with it, the pool's stake answers for them. Only the pool, as in `settle`.
    /// @param terms What was agreed.
    function start(DealTerms calldata terms) external;

    /// @notice Refunds the tasks in a range that are open after their deadline. If the pool had started the deal, it loses
    /// its stake for them. Anybody may send it.
    /// @param terms What was agreed.
    /// @param first Index of the first task.
    /// @param count Length of the range; closed tasks in it are skipped.
    function claim(DealTerms calldata terms, uint32 first, uint32 count) external;

    /// @notice Closes tasks that follow each other and are all open. Only the module of the deal's mode.
    /// @param terms What was agreed.
    /// @param first Index of the first task.
    /// @param tally How they ended; the sum is their number.
    function closeFor(DealTerms calldata terms, uint32 first, Tally calldata tally) external;

    /// @notice Lets a contract settle deals of a mode that has none yet. Only the governor.
    /// @param mode Mode.
    /// @param module The contract.
    function setModule(uint8 mode, address module) external;

    /// @notice Whether somebody may start and settle the deals of an owner's pools.
    /// @param poolOwner Owner of pools.
    /// @param operator Who is asked about.
    /// @return Whether it is the owner itself or an operator of it.
    function isOperator(address poolOwner, address operator) external view returns (bool);

    /// @notice How far a deal is; all zero when there is no such deal. A deal of a whole request is forgotten when its
    /// last task is closed, and one that was executed in one transaction leaves no record: their events stay, and the
    /// request's salt is used up.
    /// @param dealId Deal.
    /// @return What is stored of it.
    function deal(bytes32 dealId) external view returns (DealProgress memory);

    /// @notice Whether there is such a task and it is not closed.
    /// @param dealId Deal.
    /// @param index Which task of the deal, from 0.
    /// @return Whether the task can still be settled or refunded.
    function isOpen(bytes32 dealId, uint32 index) external view returns (bool);

    /// @notice The contract that settles deals of a mode, for mode 0 beside `settle`; zero for unknown modes.
    /// @param mode Mode.
    /// @return Address of the contract.
    function moduleOf(uint8 mode) external view returns (address);
}
