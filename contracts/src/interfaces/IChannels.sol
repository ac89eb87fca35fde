// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { DealTerms } from "../types/Deals.sol";

/// @title Prepaid channels
/// @notice A deal of mode 5 is a channel: its price is paid in advance, its tasks are named and proven off chain, and the
/// payer signs vouchers with the number of tasks to pay for. The pool redeems the latest whenever it wants; nothing else
/// touches the chain.
interface IChannels {
    /// @notice Tasks up to `count` are paid.
    event Redeemed(bytes32 indexed dealId, uint32 count);
    /// @notice The payer wants the rest back; vouchers are taken until `closableAt`.
    event ClosingStarted(bytes32 indexed dealId, uint64 closableAt);
    /// @notice The channel is closed; `refunded` tasks were not used.
    event ChannelClosed(bytes32 indexed dealId, uint32 refunded);

    /// @notice The deal is no channel.
    error NotChannel(uint8 mode);
    /// @notice The voucher is not signed by the payer.
    error BadVoucher(bytes32 dealId, address payer);
    /// @notice No tasks are left to pay or refund beyond those that are closed.
    error NothingNew(bytes32 dealId, uint32 closed);
    /// @notice Only the payer or the pool may do this.
    error NotParty(address caller);
    /// @notice The payer has not asked, or the pool still has time to bring a voucher.
    error NotClosable(bytes32 dealId, uint64 closableAt);

    /// @notice Pays the tasks that a voucher covers and that are not paid yet. Anybody may send it.
    /// @param terms What was agreed.
    /// @param count Tasks, from the first on, that the payer acknowledges.
    /// @param signature By the payer over `Voucher`: 65 bytes, 64 bytes or ERC-1271.
    function redeem(DealTerms calldata terms, uint32 count, bytes calldata signature) external;

    /// @notice Asks for the rest of the money. Only the payer. Asking again changes nothing.
    /// @param terms What was agreed.
    function startClosing(DealTerms calldata terms) external;

    /// @notice Refunds the tasks that no voucher covered: anybody after the dispute window, the pool at any time.
    /// @param terms What was agreed.
    function close(DealTerms calldata terms) external;

    /// @notice When a channel can be closed by anybody; zero when its payer has not asked.
    /// @param dealId Deal.
    /// @return In seconds since 1970.
    function closableAt(bytes32 dealId) external view returns (uint64);
}
