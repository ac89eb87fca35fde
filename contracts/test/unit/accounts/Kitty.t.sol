// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../../src/generated/Params.sol";
import { Status } from "../../../src/generated/Status.sol";
import { IAccounts } from "../../../src/interfaces/IAccounts.sol";
import { DealTerms, Tally } from "../../../src/types/Deals.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev With the money of iExec's measured case: a pool price of 1,000,000,000 and 30 percent of it as stake.
contract KittyTest is UnitFixture {
    uint96 private constant LARGE_PRICE = 1_000_000_000;
    uint96 private constant LARGE_STAKE = 300_000_000;

    function setUp() public override {
        super.setUp();
        _fund(USER, 1000 * uint256(LARGE_PRICE));
        _fund(HOST, 1000 * uint256(LARGE_STAKE));
    }

    function _large(uint32 volume, bytes32 salt) private view returns (Bundle memory bundle) {
        bundle = _bundleOf(volume);
        bundle.pool.price = LARGE_PRICE;
        bundle.pool.stake = LARGE_STAKE;
        bundle.request.poolMaxPrice = LARGE_PRICE;
        bundle.request.minStake = LARGE_STAKE;
        bundle.request.salt = salt;
    }

    /// @dev Tasks that their pool starts and forgets.
    function _lose(uint32 volume, bytes32 salt) private {
        DealTerms memory terms = _matched(_large(volume, salt));
        vm.prank(HOST);
        market.start(terms);
        vm.warp(block.timestamp + Params.TASK_DEADLINE_S + 1);
        market.claim(terms, 0, volume);
    }

    function _finish(uint32 volume, bytes32 salt) private {
        DealTerms memory terms = _matched(_large(volume, salt));
        for (uint32 i = 0; i < volume; ++i) {
            _settle(terms, _outcome(i, Status.SUCCESS));
        }
    }

    function _draw() private returns (uint256) {
        vm.prank(HOST);
        return market.drawKitty();
    }

    function test_Kitty_WhenATaskWasLost() public {
        _lose(1, "lost");
        // it should hold the whole stake
        vm.assertEq(market.kitty(), 300_000_000);
    }

    function test_Account_WhenTheMeritOutgrowsItsPlace() public {
        Bundle memory bundle = _bundleOf(300);
        bundle.pool.stake = type(uint96).max;
        _fund(HOST, 300 * uint256(bundle.pool.stake));
        DealTerms memory terms = _matched(bundle);
        vm.prank(address(batches));
        market.closeFor(terms, 0, Tally(300, 0, 0, 0));
        // it should stay at the largest value
        vm.assertEq(market.account(HOST).merit, type(uint104).max);
    }

    function test_DrawKitty_WhenTheKittyIsSmallerThanTheLeastDraw() public {
        _lose(1, "lost");
        _finish(1, "finished");
        uint256 before = _available(HOST);
        // it should emit KittyDrawn
        vm.expectEmit();
        emit IAccounts.KittyDrawn(HOST, 300_000_000);
        // it should pay all of it
        vm.assertEq(_draw(), 300_000_000);
        vm.assertEq(_available(HOST), before + 300_000_000);
        vm.assertEq(market.kitty(), 0);
        // it should use up the merit
        vm.assertEq(market.account(HOST).merit, 0);
    }

    function test_DrawKitty_WhenMeritIsSmallerThanTheDraw() public {
        _lose(10, "lost");
        _finish(1, "finished");
        // it should pay the merit
        vm.assertEq(_draw(), 300_000_000);
        vm.assertEq(market.kitty(), 2_700_000_000);
    }

    function test_DrawKitty_WhenATenthIsLessThanTheLeastDraw() public {
        _lose(20, "lost");
        _finish(5, "finished");
        // it should pay the least draw
        vm.assertEq(_draw(), Params.KITTY_LEAST_DRAW);
        vm.assertEq(market.kitty(), 5_000_000_000);
        vm.assertEq(market.account(HOST).merit, 0);
    }

    function test_DrawKitty_WhenATenthIsMoreThanTheLeastDraw() public {
        _lose(40, "lost");
        _finish(5, "finished");
        // it should pay a tenth
        vm.assertEq(_draw(), 1_200_000_000);
    }

    function test_DrawKitty_WhenThePoolBroughtTasksToAnEndForADeveloperFault() public {
        _lose(1, "lost");
        DealTerms memory terms = _matched(_large(1, "import"));
        _settle(terms, _outcome(0, Status.IMPORT_ERROR));
        // it should count the stake as merit
        vm.assertEq(_draw(), 300_000_000);
    }

    function test_DrawKitty_RevertWhen_TheKittyIsEmpty() public {
        _finish(1, "finished");
        vm.expectRevert(abi.encodeWithSelector(IAccounts.NothingToDraw.selector, 0, 300_000_000));
        _draw();
    }

    function test_DrawKitty_RevertWhen_TheCallerHasNoMerit() public {
        _lose(1, "lost");
        vm.expectRevert(abi.encodeWithSelector(IAccounts.NothingToDraw.selector, 300_000_000, 0));
        vm.prank(OTHER);
        market.drawKitty();
    }

    function test_DrawKitty_RevertWhen_TheMeritWasDrawn() public {
        _lose(10, "lost");
        _finish(1, "finished");
        _draw();
        vm.expectRevert(abi.encodeWithSelector(IAccounts.NothingToDraw.selector, 2_700_000_000, 0));
        _draw();
    }

    function test_DrawKitty_RevertWhen_TheTasksWereOnlyRefunded() public {
        _lose(1, "lost");
        DealTerms memory terms = _matched(_large(1, "refunded"));
        _settle(terms, _outcome(0, Status.TIME_LIMIT));
        vm.expectRevert(abi.encodeWithSelector(IAccounts.NothingToDraw.selector, 300_000_000, 0));
        _draw();
    }

    function test_DrawKitty_RevertWhen_AFaultByReceiptForfeitedTheMerit() public {
        _finish(3, "finished");
        vm.assertEq(market.account(HOST).merit, 900_000_000);
        DealTerms memory terms = _matched(_large(1, "fault"));
        _settle(terms, _outcome(0, Status.SYSTEM_ERROR));
        vm.expectRevert(abi.encodeWithSelector(IAccounts.NothingToDraw.selector, 300_000_000, 0));
        _draw();
    }

    function test_DrawKitty_RevertWhen_AMissedDeadlineForfeitedTheMerit() public {
        _finish(3, "finished");
        _lose(1, "lost");
        vm.expectRevert(abi.encodeWithSelector(IAccounts.NothingToDraw.selector, 300_000_000, 0));
        _draw();
    }

    function test_DrawKitty_RevertWhen_AFaultWithoutAStakeForfeitedTheMerit() public {
        _lose(1, "lost");
        _finish(3, "finished");
        DealTerms memory terms = _matched(_noStake("fault"));
        _settle(terms, _outcome(0, Status.SYSTEM_ERROR));
        vm.expectRevert(abi.encodeWithSelector(IAccounts.NothingToDraw.selector, 300_000_000, 0));
        _draw();
    }

    function test_DrawKitty_WhenTheTasksWereNeverStarted() public {
        _finish(3, "finished");
        DealTerms memory terms = _matched(_large(1, "waits"));
        vm.warp(block.timestamp + Params.START_WINDOW_S + 1);
        market.claim(terms, 0, 1);
        // it should be as if they had never been matched
        vm.assertEq(market.kitty(), 0);
        vm.assertEq(market.account(HOST).merit, 900_000_000);
    }

    function test_DrawKitty_RevertWhen_TheTasksHadNoStake() public {
        _lose(1, "lost");
        DealTerms memory terms = _matched(_noStake("free"));
        _settle(terms, _outcome(0, Status.SUCCESS));
        vm.expectRevert(abi.encodeWithSelector(IAccounts.NothingToDraw.selector, 300_000_000, 0));
        _draw();
    }

    /// @dev Without a stake there is no merit.
    function _noStake(bytes32 salt) private view returns (Bundle memory bundle) {
        bundle = _bundleOf(1);
        bundle.pool.stake = 0;
        bundle.request.salt = salt;
    }
}
