// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../../src/generated/Params.sol";
import { IChannels } from "../../../src/interfaces/IChannels.sol";
import { IDeals } from "../../../src/interfaces/IDeals.sol";
import { DealTerms, Tally } from "../../../src/types/Deals.sol";
import { Voucher } from "../../../src/types/Statements.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { Wallet } from "../../utils/Parties.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev Prepaid channels: vouchers, closing and the dispute window.
contract ChannelsTest is UnitFixture {
    uint32 private constant VOLUME = 100;

    bytes32 private _deal;

    function setUp() public override {
        super.setUp();
        _keep(_matched(_channel()));
        _deal = _dealId(_agreed());
    }

    function _channel() private view returns (Bundle memory bundle) {
        bundle = _bundleOf(VOLUME);
        bundle.request.mode = 5;
        bundle.pool.modes = 33;
    }

    function _voucher(uint32 count) private view returns (bytes memory) {
        return _sign(REQUESTER, hasher.voucher(Voucher(_deal, count)));
    }

    function _redeem(uint32 count) private {
        channels.redeem(_agreed(), count, _voucher(count));
    }

    function _redeemFails(uint32 count, bytes memory signature, bytes memory failure) private {
        vm.expectRevert(failure);
        channels.redeem(_agreed(), count, signature);
    }

    function _startClosing() private {
        vm.prank(USER);
        channels.startClosing(_agreed());
    }

    function _close(address sender, bytes memory failure) private {
        if (failure.length != 0) vm.expectRevert(failure);
        vm.prank(sender);
        channels.close(_agreed());
    }

    function _nothingNew(uint32 closed) private view returns (bytes memory) {
        return abi.encodeWithSelector(IChannels.NothingNew.selector, _deal, closed);
    }

    function _notChannel() private {
        Bundle memory bundle = _bundleOf(1);
        bundle.request.salt = "tee";
        _keep(_matched(bundle));
    }

    function _differ() private returns (bytes memory) {
        bytes24 expected = bytes24(hasher.terms(_agreed()));
        DealTerms memory changed = _agreed();
        changed.poolPrice += 1;
        _keep(changed);
        bytes24 given = bytes24(hasher.terms(_agreed()));
        return abi.encodeWithSelector(IDeals.TermsMismatch.selector, _deal, expected, given);
    }

    function test_Redeem_WhenTheVoucherIsThePayers() public {
        bytes memory signature = _voucher(30);
        // it should emit Redeemed and TasksClosed
        vm.expectEmit();
        emit IChannels.Redeemed(_deal, 30);
        vm.expectEmit();
        emit IDeals.TasksClosed(_deal, 0, Tally(30, 0, 0, 0));
        vm.prank(OTHER);
        channels.redeem(_agreed(), 30, signature);
        // it should pay everybody for the tasks
        vm.assertEq(market.deal(_deal).closed, 30);
        vm.assertEq(_available(DEV), 30 * 293);
        vm.assertEq(_available(FEES), 30 * 32);
        vm.assertEq(market.account(HOST).merit, 30 * uint256(STAKE));
    }

    function test_Redeem_WhenALaterVoucherComes() public {
        _redeem(30);
        _redeem(31);
        _redeem(75);
        // it should pay the difference
        vm.assertEq(market.deal(_deal).closed, 75);
        vm.assertEq(_available(DEV), 75 * 293);
    }

    function test_Redeem_WhenTheVoucherCoversAll() public {
        _redeem(VOLUME);
        // it should forget the channel and hold nothing back
        vm.assertEq(market.deal(_deal).volume, 0);
        vm.assertEq(_owed(), token.balanceOf(address(market)));
    }

    function test_Redeem_WhenTheSignatureHas64Bytes() public {
        channels.redeem(_agreed(), 3, _short(REQUESTER, hasher.voucher(Voucher(_deal, 3))));
        // it should pay
        vm.assertEq(market.deal(_deal).closed, 3);
    }

    function test_Redeem_WhenThePayerIsAWalletContract() public {
        address wallet = address(new Wallet(OTHER));
        _fund(wallet, 200_000);
        Bundle memory bundle = _channel();
        bundle.request.sponsor = wallet;
        bundle.request.salt = "wallet";
        _approve(wallet, _requestHash(bundle));
        _keep(_matched(bundle));
        _deal = _dealId(_agreed());
        channels.redeem(_agreed(), 3, _sign(STRANGER, hasher.voucher(Voucher(_deal, 3))));
        // it should pay
        vm.assertEq(market.deal(_deal).closed, 3);
        // it should not take the requester's word, who does not pay
        _redeemFails(4, _voucher(4), abi.encodeWithSelector(IChannels.BadVoucher.selector, _deal, wallet));
    }

    function test_Redeem_WhenTheDisputeWindowIsOver() public {
        _startClosing();
        vm.warp(block.timestamp + Params.CHANNEL_DISPUTE_S + 1);
        _redeem(10);
        // it should pay until somebody closes
        vm.assertEq(market.deal(_deal).closed, 10);
    }

    function test_Redeem_RevertWhen_AnOlderVoucherComes() public {
        bytes memory older = _voucher(20);
        _redeem(30);
        _redeemFails(20, older, _nothingNew(30));
        _redeemFails(30, _voucher(30), _nothingNew(30));
    }

    function test_Redeem_RevertWhen_TheVoucherIsForNothing() public {
        _redeemFails(0, _voucher(0), _nothingNew(0));
    }

    function test_Redeem_RevertWhen_OthersSigned() public {
        bytes memory signature = _sign(STRANGER, hasher.voucher(Voucher(_deal, 3)));
        _redeemFails(3, signature, abi.encodeWithSelector(IChannels.BadVoucher.selector, _deal, USER));
    }

    function test_Redeem_RevertWhen_TheSignatureIsEmpty() public {
        _redeemFails(3, "", abi.encodeWithSelector(IChannels.BadVoucher.selector, _deal, USER));
    }

    function test_Redeem_RevertWhen_TheVoucherIsForFewerTasks() public {
        _redeemFails(4, _voucher(3), abi.encodeWithSelector(IChannels.BadVoucher.selector, _deal, USER));
    }

    function test_Redeem_RevertWhen_TheVoucherIsForAnotherChannel() public {
        bytes memory signature = _sign(REQUESTER, hasher.voucher(Voucher("another", 3)));
        _redeemFails(3, signature, abi.encodeWithSelector(IChannels.BadVoucher.selector, _deal, USER));
    }

    function test_Redeem_RevertWhen_TheVoucherIsForMoreThanThereIs() public {
        bytes memory failure = abi.encodeWithSelector(IDeals.IndexOutOfRange.selector, 0, VOLUME + 1, VOLUME);
        _redeemFails(VOLUME + 1, _voucher(VOLUME + 1), failure);
    }

    function test_Redeem_RevertWhen_TheTermsNameAnotherPayer() public {
        bytes24 expected = bytes24(hasher.terms(_agreed()));
        DealTerms memory changed = _agreed();
        changed.payer = OTHER;
        _keep(changed);
        bytes24 given = bytes24(hasher.terms(_agreed()));
        bytes memory signature = _sign(STRANGER, hasher.voucher(Voucher(_deal, VOLUME)));
        bytes memory failure = abi.encodeWithSelector(IDeals.TermsMismatch.selector, _deal, expected, given);
        _redeemFails(VOLUME, signature, failure);
    }

    function test_Redeem_RevertWhen_TheChannelIsUnknown() public {
        DealTerms memory changed = _agreed();
        changed.firstTask = 3;
        _keep(changed);
        _deal = _dealId(_agreed());
        _redeemFails(3, _voucher(3), abi.encodeWithSelector(IDeals.DealUnknown.selector, _deal));
    }

    function test_Redeem_RevertWhen_TheDealIsNoChannel() public {
        _notChannel();
        _redeemFails(1, "", abi.encodeWithSelector(IChannels.NotChannel.selector, uint8(0)));
    }

    function test_StartClosing_WhenThePayerSends() public {
        uint64 due = uint64(block.timestamp + Params.CHANNEL_DISPUTE_S);
        // it should emit ClosingStarted
        vm.expectEmit();
        emit IChannels.ClosingStarted(_deal, due);
        _startClosing();
        // it should start the dispute window
        vm.assertEq(channels.closableAt(_deal), due);
    }

    function test_StartClosing_WhenThePayerAsksAgain() public {
        _startClosing();
        uint64 due = channels.closableAt(_deal);
        vm.warp(block.timestamp + 100);
        _startClosing();
        // it should change nothing
        vm.assertEq(channels.closableAt(_deal), due);
    }

    function test_StartClosing_RevertWhen_OthersSend() public {
        vm.expectRevert(abi.encodeWithSelector(IChannels.NotParty.selector, HOST));
        vm.prank(HOST);
        channels.startClosing(_agreed());
    }

    function test_StartClosing_RevertWhen_OthersCallThemselvesThePayer() public {
        bytes24 expected = bytes24(hasher.terms(_agreed()));
        DealTerms memory changed = _agreed();
        changed.payer = OTHER;
        _keep(changed);
        bytes24 given = bytes24(hasher.terms(_agreed()));
        vm.expectRevert(abi.encodeWithSelector(IDeals.TermsMismatch.selector, _deal, expected, given));
        vm.prank(OTHER);
        channels.startClosing(_agreed());
        vm.assertEq(channels.closableAt(_deal), 0);
    }

    function test_StartClosing_RevertWhen_TheChannelIsUsedUp() public {
        _redeem(VOLUME);
        vm.expectRevert(_nothingNew(0));
        _startClosing();
    }

    function test_StartClosing_RevertWhen_TheDealIsNoChannel() public {
        _notChannel();
        vm.expectRevert(abi.encodeWithSelector(IChannels.NotChannel.selector, uint8(0)));
        _startClosing();
    }

    function test_Close_WhenThePoolSends() public {
        _redeem(30);
        // it should emit ChannelClosed at any time
        vm.expectEmit();
        emit IChannels.ChannelClosed(_deal, 70);
        _close(HOST, "");
        // it should refund the payer and give the stake back
        vm.assertEq(_available(USER), 1_000_000 - 30 * PRICE);
        vm.assertEq(_available(HOST), 1_000_000 + 30 * 975);
        vm.assertEq(market.deal(_deal).volume, 0);
        vm.assertEq(market.kitty(), 0);
    }

    function test_Close_WhenAnOperatorOfThePoolSends() public {
        vm.prank(HOST);
        market.setOperator(OTHER, true);
        _close(OTHER, "");
        // it should refund the payer
        vm.assertEq(_available(USER), 1_000_000);
    }

    function test_Close_WhenTheDisputeWindowIsOver() public {
        _startClosing();
        _redeem(10);
        vm.warp(block.timestamp + Params.CHANNEL_DISPUTE_S);
        // it should let anybody close
        _close(OTHER, "");
        vm.assertEq(_available(USER), 1_000_000 - 10 * PRICE);
        vm.assertEq(_owed(), token.balanceOf(address(market)));
    }

    function test_Close_RevertWhen_ThePayerHasNotAsked() public {
        _close(USER, abi.encodeWithSelector(IChannels.NotClosable.selector, _deal, uint64(0)));
    }

    function test_Close_RevertWhen_TheDisputeWindowIsOpen() public {
        _startClosing();
        uint64 due = channels.closableAt(_deal);
        vm.warp(due - 1);
        _close(USER, abi.encodeWithSelector(IChannels.NotClosable.selector, _deal, due));
    }

    function test_Close_RevertWhen_ItIsClosed() public {
        _close(HOST, "");
        _close(HOST, _nothingNew(0));
    }

    function test_Close_RevertWhen_TheTermsDiffer() public {
        _close(HOST, _differ());
    }

    function test_Close_RevertWhen_TheDealIsNoChannel() public {
        _notChannel();
        _close(HOST, abi.encodeWithSelector(IChannels.NotChannel.selector, uint8(0)));
    }

    function test_ClosableAt_WhenThePayerHasNotAsked() public view {
        // it should be zero
        vm.assertEq(channels.closableAt(_deal), 0);
    }
}
