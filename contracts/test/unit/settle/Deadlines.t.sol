// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../../src/generated/Params.sol";
import { Status } from "../../../src/generated/Status.sol";
import { IDeals } from "../../../src/interfaces/IDeals.sol";
import { DealTerms } from "../../../src/types/Deals.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev The start watch, and refunds after deadlines.
contract DeadlinesTest is UnitFixture {
    bytes32 private _deal;

    function setUp() public override {
        super.setUp();
        _keep(_matched(_bundle()));
        _deal = _dealId(_agreed());
    }

    function _start() private {
        vm.prank(HOST);
        market.start(_agreed());
    }

    function _early(uint256 deadline) private view returns (bytes memory) {
        return abi.encodeWithSelector(IDeals.DeadlineNotReached.selector, _deal, deadline);
    }

    function _claimFails(uint32 first, uint32 count, bytes memory failure) private {
        vm.expectRevert(failure);
        market.claim(_agreed(), first, count);
    }

    function _afterWindow() private {
        vm.warp(START + Params.START_WINDOW_S + 1);
    }

    function test_Start_WhenThePoolSends() public {
        // it should emit DealStarted
        vm.expectEmit();
        emit IDeals.DealStarted(_deal);
        _start();
        // it should mark the deal
        vm.assertTrue(market.deal(_deal).started);
        vm.assertEq(market.deal(_deal).volume, 3);
        vm.assertEq(market.deal(_deal).closed, 0);
    }

    function test_Start_WhenAnOperatorOfThePoolSends() public {
        vm.prank(HOST);
        market.setOperator(OTHER, true);
        vm.prank(OTHER);
        market.start(_agreed());
        // it should mark the deal
        vm.assertTrue(market.deal(_deal).started);
    }

    function test_Start_WhenTheDealWasStartedBefore() public {
        _start();
        _settle(_agreed(), _outcome(0, Status.SUCCESS));
        _start();
        // it should change nothing
        vm.assertTrue(market.deal(_deal).started);
        vm.assertEq(market.deal(_deal).closed, 1);
    }

    function test_Start_WhenTheWindowIsOverButNobodyClaimed() public {
        _afterWindow();
        _start();
        // it should stop claims
        _claimFails(0, 3, _early(START + Params.TASK_DEADLINE_S));
    }

    function test_Start_RevertWhen_OthersSend() public {
        vm.expectRevert(abi.encodeWithSelector(IDeals.NotPoolOperator.selector, USER, HOST));
        vm.prank(USER);
        market.start(_agreed());
    }

    function test_Start_RevertWhen_TheDeadlineHasPassed() public {
        vm.warp(START + Params.TASK_DEADLINE_S + 1);
        vm.expectRevert(abi.encodeWithSelector(IDeals.DeadlinePassed.selector, _deal, START + Params.TASK_DEADLINE_S));
        _start();
    }

    function test_Start_RevertWhen_TheDealIsUnknown() public {
        DealTerms memory changed = _agreed();
        changed.firstTask = 1;
        _keep(changed);
        vm.expectRevert(abi.encodeWithSelector(IDeals.DealUnknown.selector, _dealId(_agreed())));
        _start();
    }

    function test_Start_RevertWhen_TheTermsDiffer() public {
        bytes24 expected = bytes24(hasher.terms(_agreed()));
        DealTerms memory changed = _agreed();
        changed.stake = 0;
        _keep(changed);
        bytes24 given = bytes24(hasher.terms(_agreed()));
        vm.expectRevert(abi.encodeWithSelector(IDeals.TermsMismatch.selector, _deal, expected, given));
        _start();
    }

    function _channelBundle() private view returns (Bundle memory bundle) {
        bundle = _bundle();
        bundle.request.mode = 5;
        bundle.request.salt = "channel";
        bundle.pool.modes = 1 << 5;
    }

    function test_Start_RevertWhen_TheModeIsAnother() public {
        _keep(_matched(_channelBundle()));
        vm.expectRevert(abi.encodeWithSelector(IDeals.WrongMode.selector, uint8(5)));
        _start();
    }

    function test_Claim_WhenTheDealWasNotStarted() public {
        _afterWindow();
        // it should emit TasksRefunded
        vm.expectEmit();
        emit IDeals.TasksRefunded(_deal, 0, 2, 3);
        vm.prank(OTHER);
        market.claim(_agreed(), 0, 3);
        // it should refund the payer and give the stake back
        vm.assertEq(_available(USER), 1_000_000);
        vm.assertEq(_available(HOST), 1_000_000);
        vm.assertEq(market.kitty(), 0);
        // it should forget the whole deal
        vm.assertEq(market.deal(_deal).volume, 0);
    }

    function test_Claim_WhenAStartedDealMissedItsDeadline() public {
        _start();
        vm.warp(START + Params.TASK_DEADLINE_S + 1);
        market.claim(_agreed(), 0, 3);
        // it should refund the payer and slash the pool
        vm.assertEq(_available(USER), 1_000_000);
        vm.assertEq(_available(HOST), 1_000_000 - 3 * uint256(STAKE));
        vm.assertEq(market.kitty(), 3 * uint256(STAKE));
    }

    function test_Claim_WhenSomeTasksInTheRangeAreClosed() public {
        _start();
        _settle(_agreed(), _outcome(1, Status.SUCCESS));
        vm.warp(START + Params.TASK_DEADLINE_S + 1);
        // it should skip them
        vm.expectEmit();
        emit IDeals.TasksRefunded(_deal, 0, 2, 2);
        market.claim(_agreed(), 0, 3);
        vm.assertEq(_available(USER), 1_000_000 - PRICE);
        vm.assertEq(market.kitty(), 2 * uint256(STAKE));
    }

    function test_Claim_WhenOnlyAPartIsNamed() public {
        _afterWindow();
        market.claim(_agreed(), 1, 1);
        // it should leave the others open
        vm.assertTrue(market.isOpen(_deal, 0));
        vm.assertFalse(market.isOpen(_deal, 1));
        vm.assertTrue(market.isOpen(_deal, 2));
        vm.assertEq(market.deal(_deal).closed, 1);
        vm.assertEq(_available(USER), 1_000_000 - 2 * PRICE);
    }

    function test_Claim_WhenNothingWasStaked() public {
        Bundle memory bundle = _bundle();
        bundle.pool.stake = 0;
        bundle.request.salt = "free";
        _keep(_matched(bundle));
        _start();
        vm.warp(START + Params.TASK_DEADLINE_S + 1);
        market.claim(_agreed(), 0, 3);
        // it should leave the kitty as it is
        vm.assertEq(market.kitty(), 0);
    }

    function test_Claim_WhenAChannelOutlivedItsDeal() public {
        _keep(_matched(_channelBundle()));
        vm.warp(START + Params.DEAL_LIFETIME_S + 1);
        market.claim(_agreed(), 0, 3);
        // it should give the stake back
        // The other deal still holds its own.
        vm.assertEq(_available(HOST), 1_000_000 - 3 * uint256(STAKE));
        vm.assertEq(market.kitty(), 0);
    }

    function test_Claim_RevertWhen_TheStartWindowIsOpen() public {
        vm.warp(START + Params.START_WINDOW_S);
        _claimFails(0, 3, _early(START + Params.START_WINDOW_S));
    }

    function test_Claim_RevertWhen_AStartedDealHasTime() public {
        _start();
        vm.warp(START + Params.TASK_DEADLINE_S);
        _claimFails(0, 3, _early(START + Params.TASK_DEADLINE_S));
    }

    function test_Claim_RevertWhen_AChannelHasTime() public {
        _keep(_matched(_channelBundle()));
        _deal = _dealId(_agreed());
        vm.warp(START + Params.DEAL_LIFETIME_S);
        _claimFails(0, 3, _early(START + Params.DEAL_LIFETIME_S));
    }

    function test_Claim_RevertWhen_AllTasksInTheRangeAreClosed() public {
        _settle(_agreed(), _outcome(1, Status.SUCCESS));
        _afterWindow();
        _claimFails(1, 1, abi.encodeWithSelector(IDeals.TaskClosed.selector, _deal, 1));
    }

    function test_Claim_RevertWhen_TheDealIsFinished() public {
        _afterWindow();
        market.claim(_agreed(), 0, 3);
        _claimFails(0, 3, abi.encodeWithSelector(IDeals.DealUnknown.selector, _deal));
    }

    function test_Claim_RevertWhen_TheRangeIsNone() public {
        _afterWindow();
        _claimFails(0, 0, abi.encodeWithSelector(IDeals.IndexOutOfRange.selector, 0, 0, 3));
        _claimFails(3, 1, abi.encodeWithSelector(IDeals.IndexOutOfRange.selector, 3, 1, 3));
        _claimFails(1, 3, abi.encodeWithSelector(IDeals.IndexOutOfRange.selector, 1, 3, 3));
        uint32 most = type(uint32).max;
        _claimFails(most, most, abi.encodeWithSelector(IDeals.IndexOutOfRange.selector, most, most, 3));
    }

    function test_Claim_RevertWhen_TheTermsDiffer() public {
        _afterWindow();
        bytes24 expected = bytes24(hasher.terms(_agreed()));
        DealTerms memory changed = _agreed();
        changed.payer = OTHER;
        _keep(changed);
        bytes24 given = bytes24(hasher.terms(_agreed()));
        _claimFails(0, 3, abi.encodeWithSelector(IDeals.TermsMismatch.selector, _deal, expected, given));
    }
}
