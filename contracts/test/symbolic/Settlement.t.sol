// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Status } from "../../src/generated/Status.sol";
import { Payout, Settlement } from "../../src/libraries/Settlement.sol";
import { DatasetShare, DealTerms, Tally } from "../../src/types/Deals.sol";

/// @dev Prices, stakes, fees and statuses are any; the numbers of tasks are fixed, because a product of two unknown
/// numbers is beyond the solver. The fuzz tests have any numbers.
contract SettlementProofs {
    function _terms(uint96 app, uint96 pool, uint96 stake, uint96 first, uint96 second, uint16 bps)
        private
        pure
        returns (DealTerms memory terms)
    {
        (terms.appPrice, terms.poolPrice, terms.stake, terms.feeBps) = (app, pool, stake, bps);
        terms.datasets = new DatasetShare[](2);
        terms.datasets[0].price = first;
        terms.datasets[1].price = second;
    }

    /// @dev As Deals._pay pays the owners of datasets. Without checks of overflow, which would ask the solver whether a
    /// product of two unknown numbers is small: sums that are equal modulo 2^256 are equal, because none comes near.
    function _datasets(DealTerms memory terms, uint256 paid) private pure returns (uint256 total) {
        unchecked {
            for (uint256 i = 0; i < terms.datasets.length; ++i) {
                uint256 price = terms.datasets[i].price;
                total += (price - Settlement.fee(price, terms.feeBps)) * paid;
            }
        }
    }

    function _conserves(DealTerms memory terms, Tally memory tally) private pure {
        unchecked {
            Payout memory payout = Settlement.payout(terms, tally);
            uint256 total = payout.pool + payout.app + payout.fee + payout.refund + payout.kitty;
            total += _datasets(terms, tally.paid);
            uint256 each = uint256(terms.appPrice) + terms.poolPrice + terms.datasets[0].price + terms.datasets[1].price;
            uint256 tasks = uint256(tally.paid) + tally.poolOnly + tally.refunded + tally.slashed;
            assert(total == (each + terms.stake) * tasks);
            assert(payout.kitty == uint256(terms.stake) * tally.slashed);
            assert(payout.stake == uint256(terms.stake) * (uint256(tally.paid) + tally.poolOnly));
        }
    }

    function check_OneTaskPaysExactlyPriceAndStake(
        uint96 app,
        uint96 pool,
        uint96 stake,
        uint96 first,
        uint96 second,
        uint16 bps
    ) public pure {
        DealTerms memory terms = _terms(app, pool, stake, first, second, bps);
        _conserves(terms, Tally(1, 0, 0, 0));
        _conserves(terms, Tally(0, 1, 0, 0));
        _conserves(terms, Tally(0, 0, 1, 0));
        _conserves(terms, Tally(0, 0, 0, 1));
    }

    function check_ABatchPaysExactlyPriceAndStake(
        uint96 app,
        uint96 pool,
        uint96 stake,
        uint96 first,
        uint96 second,
        uint16 bps
    ) public pure {
        _conserves(_terms(app, pool, stake, first, second, bps), Tally(3, 2, 1, 4));
    }

    function check_ABatchIsTheSumOfItsTasks(
        uint96 app,
        uint96 pool,
        uint96 stake,
        uint96 first,
        uint96 second,
        uint16 bps
    ) public pure {
        (Payout memory sum, Payout memory batch) = _both(_terms(app, pool, stake, first, second, bps));
        assert(sum.pool == batch.pool);
        assert(sum.stake == batch.stake);
        assert(sum.app == batch.app);
        assert(sum.refund == batch.refund);
        assert(sum.kitty == batch.kitty);
    }

    /// @dev Apart, because this solver is better at it and worse at the rest.
    /// @custom:halmos --solver z3
    function check_TheFeeOfABatchIsTheSumOfItsTasks(uint96 app, uint96 pool, uint96 first, uint96 second, uint16 bps)
        public
        pure
    {
        (Payout memory sum, Payout memory batch) = _both(_terms(app, pool, 0, first, second, bps));
        assert(sum.fee == batch.fee);
    }

    function _both(DealTerms memory terms) private pure returns (Payout memory sum, Payout memory batch) {
        _add(sum, Settlement.payout(terms, Tally(1, 0, 0, 0)), 2);
        _add(sum, Settlement.payout(terms, Tally(0, 1, 0, 0)), 1);
        _add(sum, Settlement.payout(terms, Tally(0, 0, 1, 0)), 1);
        _add(sum, Settlement.payout(terms, Tally(0, 0, 0, 1)), 1);
        batch = Settlement.payout(terms, Tally(2, 1, 1, 1));
    }

    function _add(Payout memory sum, Payout memory one, uint256 times) private pure {
        unchecked {
            sum.pool += one.pool * times;
            sum.stake += one.stake * times;
            sum.app += one.app * times;
            sum.fee += one.fee * times;
            sum.refund += one.refund * times;
            sum.kitty += one.kitty * times;
        }
    }

    /// @dev Every status counts in exactly one way; nobody is paid for work that loses a stake.
    function check_AStatusCountsOnce(uint16 status) public pure {
        Tally memory one = Settlement.tally(status);
        assert(uint256(one.paid) + one.poolOnly + one.refunded + one.slashed == 1);
        assert((one.paid == 1) == Status.paysDeveloper(status));
        assert((one.slashed == 1) == Status.slashesWorker(status));
        assert(!(Status.slashesWorker(status) && Status.paysWorker(status)));
        assert(!Status.paysDeveloper(status) || Status.paysWorker(status));
    }

    /// @dev A tally of any numbers, also one that a module makes up, does not overflow.
    function check_ATallyIsCountedWithoutOverflow(uint32 paid, uint32 poolOnly, uint32 refunded, uint32 slashed)
        public
        pure
    {
        uint256 count = Settlement.count(Tally(paid, poolOnly, refunded, slashed));
        assert(count >= paid && count >= poolOnly && count >= refunded && count >= slashed);
        assert(count < 1 << 34);
    }

    function check_ADrawTakesNoMoreThanThereIsOrWasEarned(uint128 kitty, uint104 merit) public pure {
        uint256 amount = Settlement.draw(kitty, merit);
        assert(amount <= kitty);
        assert(amount <= merit);
        assert(amount != 0 || kitty == 0 || merit == 0);
    }
}
