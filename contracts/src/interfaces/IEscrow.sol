// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { Account, Payment } from "../types/Records.sol";

/// @title Money of the network
/// @notice Holds one ERC-20. For all accounts together, available + locked + withdrawing never exceeds the token balance.
interface IEscrow {
    /// @notice An account got money. `amount` is what arrived.
    event Deposited(address indexed account, address indexed payer, uint256 amount);
    /// @notice An account asked for `amount` more; all that it asked for can be taken from `withdrawableAt` on.
    event WithdrawalRequested(address indexed account, uint256 amount, uint64 withdrawableAt);
    /// @notice An account took its money.
    event Withdrawn(address indexed account, uint256 amount);
    /// @notice A deal locked money: first available money, then money on its way out.
    event Locked(address indexed account, bytes32 indexed deal, uint256 amount);
    /// @notice Locked money went back to its account.
    event Released(address indexed account, bytes32 indexed deal, uint256 amount);
    /// @notice Locked money went to another account.
    event Paid(address indexed from, address indexed to, bytes32 indexed deal, uint256 amount);

    /// @notice The account does not have enough.
    error InsufficientFunds(address account, uint256 available, uint256 needed);
    /// @notice The delay is not over.
    error WithdrawalNotReady(address account, uint64 withdrawableAt);
    /// @notice Nothing was asked for.
    error NothingToWithdraw(address account);
    /// @notice Only Market may lock and only Tasks may pay out.
    error NotController(address caller);
    /// @notice The token did not move.
    error TransferFailed(address token);
    /// @notice Accounts count in 128 bits.
    error AmountTooLarge(uint256 amount);

    /// @notice The ERC-20 that is held.
    function token() external view returns (address);

    /// @notice Takes tokens from the caller, who has approved them.
    /// @param amount Tokens to take; what arrives is credited.
    function deposit(uint256 amount) external;

    /// @notice Takes tokens from the caller for somebody else.
    /// @param account Who is credited.
    /// @param amount Tokens to take; what arrives is credited.
    function depositFor(address account, uint256 amount) external;

    /// @notice Takes tokens that the caller has approved by an EIP-2612 signature.
    /// @param amount Tokens approved and taken.
    /// @param deadline Last second of the approval.
    /// @param v Signature.
    /// @param r Signature.
    /// @param s Signature.
    function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Starts a withdrawal. The delay counts from the latest request, for all of it; until the money is taken it
    /// still covers a match.
    /// @param amount Available money to withdraw.
    function requestWithdrawal(uint256 amount) external;

    /// @notice Takes the money whose delay is over.
    function withdraw() external;

    /// @notice An escrow account.
    /// @param owner Whose.
    function account(address owner) external view returns (Account memory);

    /// @notice Locks money for a deal. Only Market.
    /// @param owner Who pays.
    /// @param deal For what.
    /// @param amount Price of all tasks.
    function lock(address owner, bytes32 deal, uint256 amount) external;

    /// @notice Pays out locked money. Only Tasks.
    /// @param payer Whose locked money.
    /// @param deal For what.
    /// @param payments Who gets how much; zero amounts are skipped.
    /// @param refund What goes back to the payer.
    function distribute(address payer, bytes32 deal, Payment[] calldata payments, uint256 refund) external;
}
