// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { Params } from "../generated/Params.sol";
import { Status } from "../generated/Status.sol";
import { DealTerms, Tally } from "../types/Deals.sol";

/// @notice What the end of some tasks of a deal pays, but for the owners of datasets.
/// @param pool To the pool's owner: price and stakes given back.
/// @param stake The part of `pool` that are stakes of tasks that the pool is paid for.
/// @param app To the app's owner.
/// @param fee Protocol fee, that on datasets included.
/// @param refund Back to the payer.
/// @param kitty Stakes that the pool lost.
struct Payout {
    uint256 pool;
    uint256 stake;
    uint256 app;
    uint256 fee;
    uint256 refund;
    uint256 kitty;
}

/// @title Who gets the price and the stake of tasks
/// @dev For every tally: pool + app + datasets + fee + refund + kitty = (price + stake) * number of tasks, and the payout of
/// many tasks is the sum of theirs. Nothing here overflows: prices and stakes have 96 bits, a deal at most 2^24 tasks.
library Settlement {
    uint256 private constant BPS = 10_000;

    /// @notice Price of one task.
    /// @param terms What was agreed.
    function price(DealTerms memory terms) internal pure returns (uint256 total) {
        return uint256(terms.appPrice) + terms.poolPrice + datasetsPrice(terms);
    }

    /// @notice Price of all datasets for one task.
    /// @param terms What was agreed.
    function datasetsPrice(DealTerms memory terms) internal pure returns (uint256 total) {
        for (uint256 i = 0; i < terms.datasets.length; ++i) {
            total += terms.datasets[i].price;
        }
    }

    /// @notice How one task counts.
    /// @param status Row of the status table.
    function tally(uint16 status) internal pure returns (Tally memory one) {
        if (Status.paysDeveloper(status)) one.paid = 1;
        else if (Status.paysWorker(status)) one.poolOnly = 1;
        else if (Status.slashesWorker(status)) one.slashed = 1;
        else one.refunded = 1;
    }

    /// @notice Number of tasks in a tally.
    /// @param tasks The tally.
    function count(Tally memory tasks) internal pure returns (uint256) {
        return uint256(tasks.paid) + tasks.poolOnly + tasks.refunded + tasks.slashed;
    }

    /// @notice Splits price and stake of tasks. The fee is cut from each payment of each task, rounded down.
    /// @param terms What was agreed.
    /// @param tasks How they ended.
    function payout(DealTerms memory terms, Tally memory tasks) internal pure returns (Payout memory result) {
        unchecked {
            uint256 paid = tasks.paid;
            uint256 worked = paid + tasks.poolOnly;
            uint256 unpaid = uint256(tasks.refunded) + tasks.slashed;
            uint256 stake = terms.stake;
            (uint256 net, uint256 cut) = _split(terms.poolPrice, terms.feeBps);
            result.stake = stake * worked;
            result.pool = net * worked + result.stake + stake * tasks.refunded;
            result.fee = cut * worked;
            result.kitty = stake * tasks.slashed;
            if (paid != 0) {
                (net, cut) = _split(terms.appPrice, terms.feeBps);
                result.app = net * paid;
                result.fee += cut * paid;
                for (uint256 i = 0; i < terms.datasets.length; ++i) {
                    result.fee += fee(terms.datasets[i].price, terms.feeBps) * paid;
                }
            }
            if (worked != paid || unpaid != 0) {
                uint256 others = uint256(terms.appPrice) + datasetsPrice(terms);
                result.refund = others * (unpaid + worked - paid) + uint256(terms.poolPrice) * unpaid;
            }
        }
    }

    /// @notice Protocol fee on one payment.
    /// @param amount The payment.
    /// @param bps Hundredths of a percent.
    function fee(uint256 amount, uint256 bps) internal pure returns (uint256) {
        unchecked {
            return amount * bps / BPS;
        }
    }

    /// @notice What a pool may draw from the kitty.
    /// @param kitty What is in it.
    /// @param merit Stakes of the tasks that the pool brought to an end.
    function draw(uint256 kitty, uint256 merit) internal pure returns (uint256 amount) {
        amount = kitty / Params.KITTY_SHARE;
        if (amount < Params.KITTY_LEAST_DRAW) amount = Params.KITTY_LEAST_DRAW;
        if (amount > kitty) amount = kitty;
        if (amount > merit) amount = merit;
    }

    function _split(uint256 amount, uint256 bps) private pure returns (uint256 net, uint256 cut) {
        unchecked {
            cut = amount * bps / BPS;
            net = amount - cut;
        }
    }
}
