// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { DealTerms, Effects, Outcome } from "../types/Deals.sol";
import { Orders, RequestOrder } from "../types/Orders.sol";
import { IAccounts } from "./IAccounts.sol";
import { IDeals } from "./IDeals.sol";
import { IOrders } from "./IOrders.sol";

/// @title The market
/// @notice Matches orders that their parties signed, holds the money and settles the deals. Its address is the verifying
/// contract of every Sealwork signature.
interface IMarket is IDeals, IOrders, IAccounts {
    /// @notice Orders were matched.
    event Matched(
        bytes32 indexed dealId,
        bytes32 indexed app,
        bytes32 indexed pool,
        uint32 volume,
        DealTerms terms,
        RequestOrder request,
        bytes requestSignature
    );
    /// @notice Orders were matched and their one task settled in the same transaction; `TaskSettled` follows.
    event Executed(bytes32 indexed dealId, bytes32 indexed app, bytes32 indexed pool, bytes32 requestHash);
    /// @notice Later deals pay another protocol fee.
    event FeeChanged(uint16 feeBps);

    /// @notice Only the governor may do this.
    error NotGovernor(address caller);
    /// @notice The protocol fee has an upper bound.
    error FeeTooHigh(uint256 given, uint256 maximum);

    /// @notice Makes a deal of as many tasks as all orders have left, and takes their price and the pool's stake.
    /// @param orders The orders.
    /// @return dealId keccak256(abi.encode(request order hash, volume of the request used before)).
    function matchOrders(Orders calldata orders) external returns (bytes32 dealId);

    /// @notice Makes a deal of one task and settles it at once. Only the pool's owner or an operator of that owner. No
    /// stake is put up. A sponsor must have approved the request on chain.
    /// @param orders The orders; the request is for one task in mode 0.
    /// @param outcome What the receipt says beyond the deal; index 0.
    /// @param r Signature by the enclave, EIP-2098.
    /// @param vs Signature by the enclave, EIP-2098.
    /// @param effects Rest of the receipt: empty, or one for a task with a callback or a state.
    /// @return dealId keccak256(abi.encode(request order hash, 0)).
    function execute(
        Orders calldata orders,
        Outcome calldata outcome,
        bytes32 r,
        bytes32 vs,
        Effects[] calldata effects
    ) external returns (bytes32 dealId);

    /// @notice Makes several calls to this contract in one transaction, all or none: for example deposit and match.
    /// @param calls Encoded calls.
    /// @return results Their encoded answers.
    function multicall(bytes[] calldata calls) external payable returns (bytes[] memory results);

    /// @notice Sets the protocol fee of later deals. Only the governor.
    /// @param feeBps Hundredths of a percent of each payment.
    function setFee(uint16 feeBps) external;

    /// @notice Protocol fee of new deals, in hundredths of a percent of each payment.
    /// @return At most the cap of the protocol.
    function fee() external view returns (uint16);
}
