// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Status } from "../../../src/generated/Status.sol";
import { IDeals } from "../../../src/interfaces/IDeals.sol";
import { IMarket } from "../../../src/interfaces/IMarket.sol";
import { IOrders } from "../../../src/interfaces/IOrders.sol";
import { DealTerms, Effects, Outcome } from "../../../src/types/Deals.sol";
import { Orders } from "../../../src/types/Orders.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev A match and the receipt of its one task in one transaction.
contract ExecuteTest is UnitFixture {
    function _run(Bundle memory bundle, Outcome memory outcome, address sender, bytes memory failure)
        private
        returns (bytes32)
    {
        return _run(_orders(bundle), outcome, sender, failure);
    }

    function _run(Orders memory orders, Outcome memory outcome, address sender, bytes memory failure)
        private
        returns (bytes32)
    {
        bytes32 dealId = keccak256(abi.encode(hasher.requestOrder(orders.request), uint256(0)));
        (bytes32 r, bytes32 vs) = _compact(ENCLAVE, hasher.receipt(_receipt(dealId, outcome, _none())));
        if (failure.length != 0) vm.expectRevert(failure);
        vm.prank(sender);
        return market.execute(orders, outcome, r, vs, _none());
    }

    function _succeeds(Bundle memory bundle) private returns (bytes32) {
        return _run(bundle, _outcome(0, Status.SUCCESS), HOST, "");
    }

    function _fails(Bundle memory bundle, bytes memory failure) private {
        _run(bundle, _outcome(0, Status.SUCCESS), HOST, failure);
    }

    function test_Execute_WhenTheTaskSucceeded() public {
        Bundle memory bundle = _withDatasets(_bundleOf(1));
        bytes32 dealId = _firstDeal(bundle);
        bytes32 requestHash = _requestHash(bundle);
        Outcome memory outcome = _outcome(0, Status.SUCCESS);
        (bytes32 r, bytes32 vs) = _compact(ENCLAVE, hasher.receipt(_receipt(dealId, outcome, _none())));
        // it should emit Executed and TaskSettled
        vm.expectEmit();
        emit IMarket.Executed(dealId, appId, poolId, requestHash);
        vm.expectEmit();
        emit IDeals.TaskSettled(dealId, vm.addr(ENCLAVE), outcome, r, vs);
        vm.assertEq(_succeeds(bundle), dealId);
        // it should pay everybody, without a stake
        vm.assertEq(_available(HOST), 1_000_000 + 975);
        vm.assertEq(_available(DEV), 293);
        vm.assertEq(_available(DATA), 138);
        vm.assertEq(_available(FEES), 34);
        vm.assertEq(_available(USER), 1_000_000 - PRICE_WITH_DATASETS);
        vm.assertEq(market.account(HOST).merit, 0);
        // it should leave no record but the salt
        vm.assertEq(market.deal(dealId).volume, 0);
        vm.assertTrue(market.isSaltUsed(USER, bundle.request.salt));
    }

    function test_Execute_WhenTheDeveloperIsAtFault() public {
        _run(_bundleOf(1), _outcome(0, Status.IMPORT_ERROR), HOST, "");
        // it should pay the pool only
        vm.assertEq(_available(HOST), 1_000_000 + 975);
        vm.assertEq(_available(DEV), 0);
        vm.assertEq(_available(USER), 1_000_000 - 1000);
    }

    function test_Execute_WhenTheWorkerIsAtFault() public {
        _run(_bundleOf(1), _outcome(0, Status.SYSTEM_ERROR), HOST, "");
        // it should refund all, and there is no stake to lose
        vm.assertEq(_available(USER), 1_000_000);
        vm.assertEq(_available(HOST), 1_000_000);
        vm.assertEq(market.kitty(), 0);
    }

    function test_Execute_WhenThePoolHasNoMoney() public {
        vm.prank(HOST);
        market.requestWithdrawal(1_000_000);
        vm.warp(block.timestamp + 600);
        vm.prank(HOST);
        market.withdraw();
        _succeeds(_bundleOf(1));
        // it should need none
        vm.assertEq(_available(HOST), 975);
    }

    function test_Execute_WhenAnOperatorOfThePoolSends() public {
        vm.prank(HOST);
        market.setOperator(OTHER, true);
        _run(_bundleOf(1), _outcome(0, Status.SUCCESS), OTHER, "");
        // it should pay the pool's owner
        vm.assertEq(_available(HOST), 1_000_000 + 975);
    }

    function test_Execute_WhenOffersHaveAVolume() public {
        Bundle memory bundle = _bundle();
        bundle.request.volume = 1;
        bundle.app.volume = 2;
        _succeeds(bundle);
        (uint32 used,,) = market.orderState(DEV, _appHash(bundle));
        // it should use them up
        vm.assertEq(used, 1);
        bundle.request.salt = "second";
        _succeeds(bundle);
        bundle.request.salt = "third";
        _fails(bundle, _consumed(_appHash(bundle)));
    }

    function test_Execute_WhenTheSponsorApproved() public {
        _fund(OTHER, PRICE);
        Bundle memory bundle = _bundleOf(1);
        bundle.request.sponsor = OTHER;
        _approve(OTHER, _requestHash(bundle));
        _succeeds(bundle);
        // it should charge the sponsor
        vm.assertEq(_available(OTHER), 0);
        vm.assertEq(_available(USER), 1_000_000);
    }

    function test_Execute_WhenTheRequestIsApprovedOnChain() public {
        Bundle memory bundle = _bundleOf(1);
        _approve(USER, _requestHash(bundle));
        Orders memory orders = _orders(bundle);
        orders.requestSignature = "";
        // it should need no signature
        _run(orders, _outcome(0, Status.SUCCESS), HOST, "");
    }

    function test_Execute_RevertWhen_TheSponsorDidNotApprove() public {
        Bundle memory bundle = _bundleOf(1);
        bundle.request.sponsor = OTHER;
        _fails(bundle, abi.encodeWithSelector(IOrders.SponsorMismatch.selector, OTHER, HOST));
    }

    function test_Execute_RevertWhen_TheSponsorIsThePoolAndDidNotApprove() public {
        Bundle memory bundle = _bundleOf(1);
        bundle.request.sponsor = HOST;
        _fails(bundle, abi.encodeWithSelector(IOrders.SponsorMismatch.selector, HOST, HOST));
    }

    function test_Execute_RevertWhen_TheRequestIsNotForOneTask() public {
        _fails(_bundleOf(2), abi.encodeWithSelector(IDeals.VolumeNotOne.selector, uint32(2)));
        _fails(_bundleOf(0), abi.encodeWithSelector(IDeals.VolumeNotOne.selector, uint32(0)));
    }

    function test_Execute_RevertWhen_TheModeIsAnother() public {
        Bundle memory bundle = _bundleOf(1);
        bundle.request.mode = 5;
        bundle.pool.modes = 33;
        _fails(bundle, abi.encodeWithSelector(IDeals.WrongMode.selector, uint8(5)));
    }

    function test_Execute_RevertWhen_TheIndexIsNotZero() public {
        bytes memory failure = abi.encodeWithSelector(IDeals.IndexOutOfRange.selector, 1, 1, 1);
        _run(_bundleOf(1), _outcome(1, Status.SUCCESS), HOST, failure);
    }

    function test_Execute_RevertWhen_OthersSend() public {
        bytes memory failure = abi.encodeWithSelector(IDeals.NotPoolOperator.selector, USER, HOST);
        _run(_bundleOf(1), _outcome(0, Status.SUCCESS), USER, failure);
    }

    function test_Execute_RevertWhen_ItWasExecuted() public {
        Bundle memory bundle = _bundleOf(1);
        _succeeds(bundle);
        _fails(bundle, _consumed(_requestHash(bundle)));
    }

    function test_Execute_RevertWhen_AnotherRequestWithTheSaltWasExecuted() public {
        Bundle memory bundle = _bundleOf(1);
        _succeeds(bundle);
        bundle.request.outputRecipient = "other";
        _fails(bundle, _consumed(_requestHash(bundle)));
    }

    function test_Execute_RevertWhen_TheRequestIsCanceled() public {
        Bundle memory bundle = _bundleOf(1);
        vm.prank(USER);
        market.cancelRequest(bundle.request.salt);
        _fails(bundle, _consumed(_requestHash(bundle)));
    }

    function test_Execute_RevertWhen_TheRequestWasMatched() public {
        Bundle memory bundle = _bundleOf(1);
        DealTerms memory terms = _matched(bundle);
        _fails(bundle, _consumed(_requestHash(bundle)));
        _settle(terms, _outcome(0, Status.SUCCESS));
        _fails(bundle, _consumed(_requestHash(bundle)));
    }

    function test_Execute_RevertWhen_ThePayerCannotPay() public {
        Bundle memory bundle = _bundleOf(1);
        bundle.pool.price = 2_000_000;
        bundle.request.poolMaxPrice = 2_000_000;
        _fails(bundle, _poor(USER, 1_000_000, 2_000_300));
    }

    function test_Execute_RevertWhen_TheSignerIsNoEnclave() public {
        Bundle memory bundle = _bundleOf(1);
        Outcome memory outcome = _outcome(0, Status.SUCCESS);
        Orders memory orders = _orders(bundle);
        (bytes32 r, bytes32 vs) = _compact(STRANGER, hasher.receipt(_receipt(_firstDeal(bundle), outcome, _none())));
        vm.expectRevert(abi.encodeWithSelector(IDeals.EnclaveNotGranted.selector, OTHER));
        vm.prank(HOST);
        market.execute(orders, outcome, r, vs, _none());
    }

    function test_Execute_RevertWhen_ThereAreTwoEffects() public {
        Bundle memory bundle = _bundleOf(1);
        Orders memory orders = _orders(bundle);
        vm.expectRevert(abi.encodeWithSelector(IDeals.TooManyEffects.selector, 2));
        vm.prank(HOST);
        market.execute(orders, _outcome(0, Status.SUCCESS), bytes32(0), bytes32(0), new Effects[](2));
    }

    function test_Execute_RevertWhen_TheOutputHasNoCid() public {
        Outcome memory outcome = _outcome(0, Status.SUCCESS);
        outcome.outputCodec = 0;
        bytes memory failure = abi.encodeWithSelector(
            IDeals.BadOutputCid.selector, outcome.output, outcome.outputCid, outcome.outputCodec
        );
        _run(_bundleOf(1), outcome, HOST, failure);
    }

    function test_Execute_RevertWhen_TheOrdersDoNotFit() public {
        Bundle memory bundle = _bundleOf(1);
        bundle.request.minStake = STAKE + 1;
        _fails(bundle, abi.encodeWithSelector(IOrders.StakeTooLow.selector, STAKE + 1, STAKE));
    }

    function test_MatchOrders_RevertWhen_TheRequestWasExecuted() public {
        Bundle memory bundle = _bundleOf(1);
        _succeeds(bundle);
        _submit(bundle, _consumed(_requestHash(bundle)));
    }
}
