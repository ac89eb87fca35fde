// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../src/generated/Params.sol";
import { Status } from "../../src/generated/Status.sol";
import { Payout, Settlement } from "../../src/libraries/Settlement.sol";
import { DatasetShare, DealTerms, Tally } from "../../src/types/Deals.sol";
import { vm } from "../utils/Vm.sol";

// Numbers are drawn from the bits of seeds, or counted in tests.
// forge-lint: disable-start(unsafe-typecast)

contract SettlementTest {
    // forge-lint: disable-next-line(mixed-case-variable)
    bool public constant IS_TEST = true;

    function _make(uint96[4] memory prices, uint96[] memory datasets, uint16 fee)
        private
        pure
        returns (DealTerms memory terms)
    {
        (terms.appPrice, terms.poolPrice, terms.stake) = (prices[0], prices[1], prices[2]);
        terms.feeBps = uint16(fee % (Params.PROTOCOL_FEE_CAP_BPS + 1));
        uint256 count = datasets.length < Params.MAX_DATASETS ? datasets.length : Params.MAX_DATASETS;
        terms.datasets = new DatasetShare[](count);
        for (uint256 i = 0; i < count; ++i) {
            terms.datasets[i].price = datasets[i];
        }
    }

    function _datasets(DealTerms memory terms, uint256 paid) private pure returns (uint256 total) {
        for (uint256 i = 0; i < terms.datasets.length; ++i) {
            uint256 price = terms.datasets[i].price;
            total += (price - Settlement.fee(price, terms.feeBps)) * paid;
        }
    }

    function _total(DealTerms memory terms, Tally memory tally, Payout memory payout) private pure returns (uint256) {
        return payout.pool + payout.app + payout.fee + payout.refund + payout.kitty + _datasets(terms, tally.paid);
    }

    /// @dev Tallies of a module count at most the tasks of a deal, but nothing may overflow before that.
    function testFuzz_PayoutsAreExactlyPriceAndStake(
        uint96[4] memory prices,
        uint96[] memory datasets,
        uint16 fee,
        Tally memory tally
    ) public pure {
        DealTerms memory terms = _make(prices, datasets, fee);
        Payout memory payout = Settlement.payout(terms, tally);
        uint256 tasks = Settlement.count(tally);
        vm.assertEq(_total(terms, tally, payout), (Settlement.price(terms) + terms.stake) * tasks);
        vm.assertEq(payout.stake, uint256(terms.stake) * (uint256(tally.paid) + tally.poolOnly));
        vm.assertEq(payout.kitty, uint256(terms.stake) * tally.slashed);
    }

    function testFuzz_BatchIsTheSumOfItsTasks(
        uint96[4] memory prices,
        uint96[] memory datasets,
        uint16 fee,
        uint8[] memory statuses
    ) public pure {
        DealTerms memory terms = _make(prices, datasets, fee);
        Tally memory all;
        Payout memory sum;
        for (uint256 i = 0; i < statuses.length; ++i) {
            Tally memory one = Settlement.tally(statuses[i] % 120);
            vm.assertEq(Settlement.count(one), 1);
            (all.paid, all.poolOnly) = (all.paid + one.paid, all.poolOnly + one.poolOnly);
            (all.refunded, all.slashed) = (all.refunded + one.refunded, all.slashed + one.slashed);
            _add(sum, Settlement.payout(terms, one));
        }
        vm.assertEq(keccak256(abi.encode(Settlement.payout(terms, all))), keccak256(abi.encode(sum)));
    }

    function _add(Payout memory sum, Payout memory one) private pure {
        sum.pool += one.pool;
        sum.stake += one.stake;
        sum.app += one.app;
        sum.fee += one.fee;
        sum.refund += one.refund;
        sum.kitty += one.kitty;
    }

    function testFuzz_FeeNeverExceedsItsShare(uint96[4] memory prices, uint96[] memory datasets, uint16 fee)
        public
        pure
    {
        DealTerms memory terms = _make(prices, datasets, fee);
        Payout memory payout = Settlement.payout(terms, Tally(1, 0, 0, 0));
        vm.assertEq(payout.refund, 0);
        vm.assertTrue(payout.fee <= Settlement.price(terms) * terms.feeBps / 10_000);
        vm.assertTrue(payout.fee <= Settlement.price(terms) * Params.PROTOCOL_FEE_CAP_BPS / 10_000);
    }

    function testFuzz_StatusDecidesWhoIsPaid(uint96[4] memory prices, uint16 fee, uint16 status) public pure {
        DealTerms memory terms = _make(prices, new uint96[](0), fee);
        Payout memory payout = Settlement.payout(terms, Settlement.tally(status));
        if (!Status.paysWorker(status)) vm.assertEq(payout.refund, uint256(terms.appPrice) + terms.poolPrice);
        else if (!Status.paysDeveloper(status)) vm.assertEq(payout.refund, terms.appPrice);
        else vm.assertEq(payout.refund, 0);
        vm.assertEq(payout.kitty, Status.slashesWorker(status) ? terms.stake : 0);
        vm.assertFalse(Status.slashesWorker(status) && Status.paysWorker(status));
        vm.assertFalse(Status.paysDeveloper(status) && !Status.paysWorker(status));
    }

    function testFuzz_DrawTakesNoMoreThanThereIsOrWasEarned(uint128 kitty, uint128 merit) public pure {
        uint256 amount = Settlement.draw(kitty, merit);
        vm.assertTrue(amount <= kitty && amount <= merit);
        bool share = amount == kitty / Params.KITTY_SHARE && amount >= Params.KITTY_LEAST_DRAW;
        vm.assertTrue(share || amount == kitty || amount == merit || amount == Params.KITTY_LEAST_DRAW);
        vm.assertTrue(amount != 0 || kitty == 0 || merit == 0);
    }
}

// forge-lint: disable-end(unsafe-typecast)
