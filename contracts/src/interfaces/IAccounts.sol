// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { Account } from "../types/Records.sol";

/// @title Money of the network
/// @notice Holds one ERC-20. What is available and withdrawing in all accounts, what open deals hold and the kitty never
/// exceed the token balance together.
interface IAccounts {
    /// @notice An account got money from outside. `amount` is what arrived.
    event Deposited(address indexed account, address indexed payer, uint256 amount);
    /// @notice An account asked for `amount` more; all that it asked for can be taken from `withdrawableAt` on.
    event WithdrawalRequested(address indexed account, uint256 amount, uint64 withdrawableAt);
    /// @notice An account took its money.
    event Withdrawn(address indexed account, uint256 amount);
    /// @notice The owner of a pool got a share of the kitty.
    event KittyDrawn(address indexed account, uint256 amount);

    /// @notice The account does not have enough.
    error InsufficientFunds(address account, uint256 available, uint256 needed);
    /// @notice The delay is not over.
    error WithdrawalNotReady(address account, uint64 withdrawableAt);
    /// @notice Nothing was asked for.
    error NothingToWithdraw(address account);
    /// @notice The token did not move.
    error TransferFailed(address token);
    /// @notice The kitty is empty, or the caller has no merit.
    error NothingToDraw(uint256 kitty, uint256 merit);
    /// @notice Accounts count in 112 bits.
    error AmountTooLarge(uint256 amount);

    /// @notice The ERC-20 that is held.
    /// @return Address of the token.
    function token() external view returns (address);

    /// @notice Takes tokens from the caller, who has approved them.
    /// @param amount Tokens to take; what arrives is credited.
    function deposit(uint256 amount) external;

    /// @notice Takes tokens from the caller for somebody else.
    /// @param owner Who is credited.
    /// @param amount Tokens to take; what arrives is credited.
    function depositFor(address owner, uint256 amount) external;

    /// @notice Takes tokens that the caller has approved by an EIP-2612 signature.
    /// @param amount Tokens approved and taken.
    /// @param deadline Last second of the approval.
    /// @param v Signature.
    /// @param r Signature.
    /// @param s Signature.
    function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Starts a withdrawal. The delay counts from the latest request, for all of it; until the money is taken it
    /// still covers a deal.
    /// @param amount Available money to withdraw.
    function requestWithdrawal(uint256 amount) external;

    /// @notice Takes the money whose delay is over.
    function withdraw() external;

    /// @notice An account.
    /// @param owner Whose.
    /// @return What it has; all zero for one that was never used.
    function account(address owner) external view returns (Account memory);

    /// @notice Pays the caller a share of the kitty for its merit, which is used up: a tenth of the kitty or the least draw,
    /// whichever is more, but at most the merit.
    /// @return amount What was paid.
    function drawKitty() external returns (uint256 amount);

    /// @notice Stakes that pools lost, which pools without a fault share.
    /// @return What is in the kitty.
    function kitty() external view returns (uint256);
}
