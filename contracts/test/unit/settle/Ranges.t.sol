// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../../src/generated/Params.sol";
import { Status } from "../../../src/generated/Status.sol";
import { IDeals } from "../../../src/interfaces/IDeals.sol";
import { DealProgress, DealTerms, Tally } from "../../../src/types/Deals.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev Deals whose tasks have no place in one word, ranges over several words, and what only modules may do.
contract RangesTest is UnitFixture {
    uint32 private constant VOLUME = 600;

    bytes32 private _deal;

    function setUp() public override {
        super.setUp();
        _fund(USER, VOLUME * PRICE);
        _fund(HOST, VOLUME * uint256(STAKE));
        _keep(_matched(_bundleOf(VOLUME)));
        _deal = _dealId(_agreed());
    }

    function _closed(uint256 index) private view returns (bytes memory) {
        return abi.encodeWithSelector(IDeals.TaskClosed.selector, _deal, index);
    }

    function _close(uint32 first, Tally memory tally, bytes memory failure) private {
        if (failure.length != 0) vm.expectRevert(failure);
        vm.prank(address(batches));
        market.closeFor(_agreed(), first, tally);
    }

    function _count() private view returns (uint32) {
        return market.deal(_deal).closed;
    }

    function test_Settle_WhenTheIndexLiesAtAWordsEdge() public {
        uint32[8] memory indexes = [uint32(0), 31, 32, 255, 256, 511, 512, VOLUME - 1];
        for (uint256 i = 0; i < indexes.length; ++i) {
            vm.assertTrue(market.isOpen(_deal, indexes[i]));
            _settle(_agreed(), _outcome(indexes[i], Status.SUCCESS));
            // it should close that task once
            vm.assertFalse(market.isOpen(_deal, indexes[i]));
            _settleFails(_agreed(), _outcome(indexes[i], Status.SUCCESS), _closed(indexes[i]));
            vm.assertEq(_count(), i + 1);
        }
        // it should leave the neighbors open
        vm.assertTrue(market.isOpen(_deal, 1));
        vm.assertTrue(market.isOpen(_deal, 257));
        vm.assertFalse(market.isOpen(_deal, VOLUME));
    }

    function test_Settle_WhenTheDealHas32Tasks() public {
        // it should close every task once and forget the deal at its end
        _inWord(32);
    }

    function test_Settle_WhenTheDealHas33Tasks() public {
        // it should close every task once and forget the deal at its end
        _inWord(33);
    }

    function _inWord(uint32 volume) private {
        _keep(_next(volume));
        _deal = _dealId(_agreed());
        for (uint32 i = 0; i < volume; ++i) {
            vm.assertEq(_count(), i);
            _settle(_agreed(), _outcome(i, Status.SUCCESS));
        }
        vm.assertEq(market.deal(_deal).volume, 0);
        vm.assertFalse(market.isOpen(_deal, 0));
    }

    function _next(uint32 volume) private returns (DealTerms memory) {
        _fund(USER, volume * PRICE);
        _fund(HOST, volume * uint256(STAKE));
        return _matchedWith(volume, "next");
    }

    function _matchedWith(uint32 volume, bytes32 salt) private returns (DealTerms memory) {
        Bundle memory bundle = _bundleOf(volume);
        bundle.request.salt = salt;
        return _matched(bundle);
    }

    function test_Claim_WhenTheRangeCrossesWords() public {
        _settle(_agreed(), _outcome(240, Status.SUCCESS));
        _settle(_agreed(), _outcome(256, Status.SUCCESS));
        _close(510, Tally(4, 0, 0, 0), "");
        vm.warp(START + Params.START_WINDOW_S + 1);
        // it should refund what is open in all of them
        vm.expectEmit();
        emit IDeals.TasksRefunded(_deal, 250, 549, 295);
        market.claim(_agreed(), 250, 300);
        vm.assertEq(_count(), 301);
        vm.assertTrue(market.isOpen(_deal, 249));
        vm.assertFalse(market.isOpen(_deal, 250));
        vm.assertFalse(market.isOpen(_deal, 549));
        vm.assertTrue(market.isOpen(_deal, 550));
        // it should leave closed what was
        vm.assertFalse(market.isOpen(_deal, 240));
    }

    function test_Claim_WhenTheRangeIsAllOfALargeDeal() public {
        vm.prank(HOST);
        market.start(_agreed());
        vm.warp(START + Params.TASK_DEADLINE_S + 1);
        market.claim(_agreed(), 0, VOLUME);
        // it should refund all and forget the deal
        vm.assertEq(market.deal(_deal).volume, 0);
        vm.assertEq(market.kitty(), VOLUME * uint256(STAKE));
    }

    function test_Claim_WhenTheRangeIsOneWholeWord() public {
        vm.warp(START + Params.START_WINDOW_S + 1);
        market.claim(_agreed(), 256, 256);
        // it should refund that word
        vm.assertTrue(market.isOpen(_deal, 255));
        vm.assertFalse(market.isOpen(_deal, 256));
        vm.assertFalse(market.isOpen(_deal, 511));
        vm.assertTrue(market.isOpen(_deal, 512));
        vm.assertEq(_count(), 256);
    }

    function test_Claim_RevertWhen_EverythingInALongRangeIsClosed() public {
        _close(200, Tally(200, 0, 0, 0), "");
        vm.warp(START + Params.START_WINDOW_S + 1);
        vm.expectRevert(_closed(201));
        market.claim(_agreed(), 201, 198);
    }

    function test_CloseFor_WhenTheModuleSends() public {
        // it should emit TasksClosed
        vm.expectEmit();
        emit IDeals.TasksClosed(_deal, 255, Tally(1, 2, 3, 4));
        _close(255, Tally(1, 2, 3, 4), "");
        // it should close the range and pay by the tally
        vm.assertEq(_count(), 10);
        vm.assertTrue(market.isOpen(_deal, 254));
        vm.assertFalse(market.isOpen(_deal, 255));
        vm.assertFalse(market.isOpen(_deal, 264));
        vm.assertTrue(market.isOpen(_deal, 265));
        vm.assertEq(_available(DEV), 293);
        vm.assertEq(_available(FEES), 7 + 3 * 25);
        vm.assertEq(market.kitty(), 4 * uint256(STAKE));
        // it should let the fault outweigh the merit
        vm.assertEq(market.account(HOST).merit, 0);
    }

    function test_CloseFor_WhenTheRangeIsAllOfTheDeal() public {
        _close(0, Tally(VOLUME, 0, 0, 0), "");
        // it should forget the deal and hold nothing back
        vm.assertEq(market.deal(_deal).volume, 0);
        vm.assertEq(_owed(), token.balanceOf(address(market)));
    }

    function test_CloseFor_RevertWhen_ATaskInTheRangeIsClosed() public {
        _settle(_agreed(), _outcome(300, Status.SUCCESS));
        _close(200, Tally(200, 0, 0, 0), _closed(300));
        _close(300, Tally(1, 0, 0, 0), _closed(300));
    }

    function test_CloseFor_RevertWhen_TheTallyIsEmpty() public {
        _close(0, Tally(0, 0, 0, 0), abi.encodeWithSelector(IDeals.IndexOutOfRange.selector, 0, 0, VOLUME));
    }

    function test_CloseFor_RevertWhen_TheRangeIsTooLong() public {
        uint32 most = type(uint32).max;
        bytes4 selector = IDeals.IndexOutOfRange.selector;
        _close(1, Tally(VOLUME, 0, 0, 0), abi.encodeWithSelector(selector, 1, VOLUME, VOLUME));
        _close(VOLUME, Tally(1, 0, 0, 0), abi.encodeWithSelector(selector, VOLUME, 1, VOLUME));
        _close(0, Tally(most, most, most, most), abi.encodeWithSelector(selector, 0, 4 * uint256(most), VOLUME));
    }

    function test_CloseFor_RevertWhen_TheSenderIsNotTheModule() public {
        vm.expectRevert(abi.encodeWithSelector(IDeals.NotModule.selector, HOST, address(batches)));
        vm.prank(HOST);
        market.closeFor(_agreed(), 0, Tally(1, 0, 0, 0));
    }

    function test_CloseFor_RevertWhen_TheSenderIsTheModuleOfAnotherMode() public {
        vm.expectRevert(abi.encodeWithSelector(IDeals.NotModule.selector, address(channels), address(batches)));
        vm.prank(address(channels));
        market.closeFor(_agreed(), 0, Tally(1, 0, 0, 0));
    }

    function test_CloseFor_RevertWhen_TheDealIsUnknown() public {
        DealTerms memory changed = _agreed();
        changed.firstTask = 9;
        _keep(changed);
        _close(0, Tally(1, 0, 0, 0), abi.encodeWithSelector(IDeals.DealUnknown.selector, _dealId(_agreed())));
    }

    function test_CloseFor_RevertWhen_TheTermsDiffer() public {
        bytes24 expected = bytes24(hasher.terms(_agreed()));
        DealTerms memory changed = _agreed();
        changed.appPrice = 0;
        _keep(changed);
        bytes24 given = bytes24(hasher.terms(_agreed()));
        _close(0, Tally(1, 0, 0, 0), abi.encodeWithSelector(IDeals.TermsMismatch.selector, _deal, expected, given));
    }

    function test_Deal_WhenThereIsNone() public view {
        // it should be all zero
        DealProgress memory progress = market.deal("none");
        vm.assertEq(keccak256(abi.encode(progress)), keccak256(new bytes(160)));
    }

    function test_Deal_WhenItIsLarge() public {
        _close(0, Tally(100, 0, 0, 0), "");
        _settle(_agreed(), _outcome(500, Status.SUCCESS));
        // it should count the closed tasks
        DealProgress memory progress = market.deal(_deal);
        vm.assertEq(progress.volume, VOLUME);
        vm.assertEq(progress.closed, 101);
        vm.assertTrue(progress.whole);
    }

    function test_IsOpen_WhenThereIsNoDeal() public view {
        // it should be closed
        vm.assertFalse(market.isOpen("none", 0));
    }
}
