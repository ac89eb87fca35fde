// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../../src/generated/Params.sol";
import { Status } from "../../../src/generated/Status.sol";
import { IAccounts } from "../../../src/interfaces/IAccounts.sol";
import { IDeals } from "../../../src/interfaces/IDeals.sol";
import { IOrders } from "../../../src/interfaces/IOrders.sol";
import { DealTerms, Effects, Outcome } from "../../../src/types/Deals.sol";
import { Orders } from "../../../src/types/Orders.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { vm } from "../../utils/Vm.sol";
import { Log, cheats } from "../support/Cheats.sol";
import { Bomber, Glutton, Listener, Meter, Reenterer, Refuser } from "../support/Consumers.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev Contracts that are told results.
contract CallbackTest is UnitFixture {
    bytes32 private constant CALLBACK_TAG = bytes32(uint256(1 << 16));
    uint32 private constant LIMIT = 200_000;
    bytes private constant MESSAGE = "the price is 42";

    function _calling(address target, uint32 volume) private view returns (Bundle memory bundle) {
        bundle = _bundleOf(volume);
        bundle.request.callback = target;
        bundle.request.callbackGas = LIMIT;
        bundle.pool.tag |= CALLBACK_TAG;
    }

    function _told() private pure returns (Effects[] memory effects) {
        effects = new Effects[](1);
        effects[0].callbackHash = keccak256(MESSAGE);
        effects[0].callbackData = MESSAGE;
    }

    function _tell(address target) private returns (DealTerms memory terms) {
        terms = _matched(_calling(target, 2));
        _settle(terms, _outcome(1, Status.SUCCESS), _told(), "");
        vm.assertFalse(market.isOpen(_dealId(terms), 1));
    }

    function _called(address target, bool success, uint256 gasLimit) private {
        bytes32 dealId = _firstDeal(_calling(target, 2));
        DealTerms memory terms = _matched(_calling(target, 2));
        Outcome memory outcome = _outcome(1, Status.SUCCESS);
        (bytes32 r, bytes32 vs) = _compact(ENCLAVE, hasher.receipt(_receipt(dealId, outcome, _told())));
        vm.expectEmit();
        emit IDeals.CallbackCalled(dealId, 1, target, success);
        vm.prank(HOST);
        market.settle{ gas: gasLimit }(terms, outcome, r, vs, _told());
        vm.assertFalse(market.isOpen(dealId, 1));
        vm.assertEq(_available(DEV), 293);
    }

    function _countCallbacks() private returns (uint256 count) {
        Log[] memory logs = cheats.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == IDeals.CallbackCalled.selector) ++count;
        }
    }

    function test_MatchOrders_RevertWhen_ThePoolMakesNoCallbacks() public {
        Bundle memory bundle = _calling(address(1), 1);
        bundle.pool.tag = bytes32(uint256(7));
        bytes32 needed = CALLBACK_TAG | bytes32(uint256(1));
        _submit(bundle, abi.encodeWithSelector(IOrders.TagNotOffered.selector, needed, bundle.pool.tag));
    }

    function test_Settle_WhenTheConsumerListens() public {
        Listener listener = new Listener();
        DealTerms memory terms = _tell(address(listener));
        // it should tell the result with the id of the task
        vm.assertEq(listener.id(), keccak256(abi.encode(_dealId(terms), uint256(1))));
        vm.assertEq(keccak256(listener.result()), keccak256(MESSAGE));
        vm.assertEq(listener.sender(), address(market));
        vm.assertEq(listener.calls(), 1);
    }

    function test_Settle_WhenTheConsumerSucceeds() public {
        // it should emit CallbackCalled with success
        _called(address(new Listener()), true, 1_000_000);
    }

    function test_Settle_WhenTheConsumerReverts() public {
        // it should emit CallbackCalled without success, and settle all the same
        _called(address(new Refuser()), false, 1_000_000);
    }

    function test_Settle_WhenTheConsumerUsesAllItsGas() public {
        // it should emit CallbackCalled without success, and settle all the same
        _called(address(new Glutton()), false, 1_000_000);
    }

    function test_Settle_WhenTheConsumerReturnsVeryManyBytes() public {
        // it should not copy them, for which the gas would not suffice
        _called(address(new Bomber(false)), true, 350_000);
    }

    function test_Settle_WhenTheConsumerRevertsWithVeryManyBytes() public {
        // it should not copy them, for which the gas would not suffice
        _called(address(new Bomber(true)), false, 350_000);
    }

    function test_Settle_WhenTheConsumerSettlesTheSameTask() public {
        Reenterer consumer = new Reenterer();
        vm.prank(HOST);
        market.setOperator(address(consumer), true);
        DealTerms memory terms = _matched(_calling(address(consumer), 2));
        Outcome memory outcome = _outcome(1, Status.SUCCESS);
        (bytes32 r, bytes32 vs) = _compact(ENCLAVE, hasher.receipt(_receipt(_dealId(terms), outcome, _told())));
        consumer.set(address(market), abi.encodeCall(market.settle, (terms, outcome, r, vs, _told())));
        _settle(terms, outcome, _told(), "");
        // it should find the task closed
        vm.assertFalse(consumer.reached());
        bytes memory closed = abi.encodeWithSelector(IDeals.TaskClosed.selector, _dealId(terms), 1);
        vm.assertEq(keccak256(consumer.answer()), keccak256(closed));
        vm.assertEq(_available(DEV), 293);
    }

    function test_Settle_WhenTheConsumerDrawsTheKitty() public {
        Reenterer consumer = new Reenterer();
        consumer.set(address(market), abi.encodeCall(market.drawKitty, ()));
        _tell(address(consumer));
        // it should get nothing that is not its own
        vm.assertFalse(consumer.reached());
        bytes memory failure = abi.encodeWithSelector(IAccounts.NothingToDraw.selector, 0, 0);
        vm.assertEq(keccak256(consumer.answer()), keccak256(failure));
    }

    function test_Settle_WhenTheConsumerWithdraws() public {
        Reenterer consumer = new Reenterer();
        _fund(address(consumer), 100);
        vm.prank(address(consumer));
        market.requestWithdrawal(100);
        vm.warp(block.timestamp + 600);
        consumer.set(address(market), abi.encodeCall(market.withdraw, ()));
        _tell(address(consumer));
        // it should get its own money, once
        vm.assertTrue(consumer.reached());
        vm.assertEq(token.balanceOf(address(consumer)), 100);
        vm.assertEq(token.balanceOf(address(market)), 2_000_000);
    }

    function test_Settle_WhenTheConsumerWantsExactGas() public {
        Meter meter = new Meter();
        _tell(address(meter));
        // it should get what the request names, less what its entry costs
        vm.assertTrue(meter.gas() <= LIMIT && meter.gas() > LIMIT - 2000);
    }

    function test_Settle_WhenTheTaskFailed() public {
        Listener listener = new Listener();
        DealTerms memory terms = _matched(_calling(address(listener), 2));
        cheats.recordLogs();
        _settle(terms, _outcome(0, Status.EXIT_NONZERO), _told(), "");
        _settle(terms, _outcome(1, Status.SYSTEM_ERROR), _told(), "");
        // it should tell nothing
        vm.assertEq(_countCallbacks(), 0);
        vm.assertEq(listener.calls(), 0);
    }

    function test_Settle_WhenTheReceiptHasNoBytesForTheCallback() public {
        Listener listener = new Listener();
        DealTerms memory terms = _matched(_calling(address(listener), 2));
        cheats.recordLogs();
        _settle(terms, _outcome(0, Status.SUCCESS), new Effects[](1), "");
        _settle(terms, _outcome(1, Status.SUCCESS));
        // it should tell nothing
        vm.assertEq(_countCallbacks(), 0);
        vm.assertEq(listener.calls(), 0);
    }

    function test_Settle_WhenTheRequestNamesNoConsumer() public {
        cheats.recordLogs();
        _tell(address(0));
        // it should tell nothing
        vm.assertEq(_countCallbacks(), 0);
    }

    function test_Settle_RevertWhen_TheBytesAreNotThoseOfTheReceipt() public {
        DealTerms memory terms = _matched(_calling(address(new Listener()), 1));
        Effects[] memory effects = _told();
        effects[0].callbackData = "the price is 43";
        bytes memory failure =
            abi.encodeWithSelector(IDeals.CallbackMismatch.selector, keccak256(MESSAGE), keccak256("the price is 43"));
        _settle(terms, _outcome(0, Status.SUCCESS), effects, failure);
    }

    function test_Settle_RevertWhen_TheBytesAreLeftOut() public {
        DealTerms memory terms = _matched(_calling(address(new Listener()), 1));
        Effects[] memory effects = _told();
        effects[0].callbackData = "";
        bytes memory failure =
            abi.encodeWithSelector(IDeals.CallbackMismatch.selector, keccak256(MESSAGE), keccak256(""));
        _settle(terms, _outcome(0, Status.SUCCESS), effects, failure);
    }

    function test_Settle_RevertWhen_ThePoolSavesTheConsumersGas() public {
        DealTerms memory terms = _matched(_calling(address(new Listener()), 1));
        Outcome memory outcome = _outcome(0, Status.SUCCESS);
        (bytes32 r, bytes32 vs) = _compact(ENCLAVE, hasher.receipt(_receipt(_dealId(terms), outcome, _told())));
        Effects[] memory effects = _told();
        vm.expectPartialRevert(IDeals.CallbackGasMissing.selector);
        vm.prank(HOST);
        market.settle{ gas: LIMIT + 50_000 }(terms, outcome, r, vs, effects);
        vm.assertTrue(market.isOpen(_dealId(terms), 0));
    }

    function test_Settle_WhenTheGasIsAnyAmount() public {
        Listener listener = new Listener();
        DealTerms memory terms = _matched(_calling(address(listener), 30));
        for (uint32 i = 0; i < 30; ++i) {
            Outcome memory outcome = _outcome(i, Status.SUCCESS);
            (bytes32 r, bytes32 vs) = _compact(ENCLAVE, hasher.receipt(_receipt(_dealId(terms), outcome, _told())));
            bytes memory message = abi.encodeCall(market.settle, (terms, outcome, r, vs, _told()));
            uint256 before = listener.calls();
            vm.prank(HOST);
            // forge-lint: disable-next-line(unchecked-call)
            (bool settled,) = address(market).call{ gas: 250_000 + 10_000 * uint256(i) }(message);
            // it should tell the consumer exactly when it settles
            vm.assertEq(listener.calls(), before + (settled ? 1 : 0));
        }
        vm.assertTrue(listener.calls() > 0 && listener.calls() < 30);
    }

    function test_Settle_WhenThePoolSendsTheLeastGasThatSettles() public {
        Meter meter = new Meter();
        Bundle memory bundle = _calling(address(meter), 2);
        bundle.request.callbackGas = uint32(Params.MAX_CALLBACK_GAS);
        DealTerms memory terms = _matched(bundle);
        _settle(terms, _outcome(0, Status.SUCCESS), _told(), "");
        uint256 plenty = meter.gas();
        Outcome memory outcome = _outcome(1, Status.SUCCESS);
        (bytes32 r, bytes32 vs) = _compact(ENCLAVE, hasher.receipt(_receipt(_dealId(terms), outcome, _told())));
        bytes memory message = abi.encodeCall(market.settle, (terms, outcome, r, vs, _told()));
        uint256 sent = Params.MAX_CALLBACK_GAS;
        for (bool settled = false; !settled; sent += 50) {
            vm.prank(HOST);
            // forge-lint: disable-next-line(unchecked-call)
            (settled,) = address(market).call{ gas: sent }(message);
        }
        vm.assertTrue(sent > Params.MAX_CALLBACK_GAS + 1000);
        // it should give the consumer as much as plenty of gas does
        vm.assertEq(meter.gas(), plenty);
    }

    function test_Execute_WhenTheConsumerListens() public {
        Listener listener = new Listener();
        Bundle memory bundle = _calling(address(listener), 1);
        Orders memory orders = _orders(bundle);
        Outcome memory outcome = _outcome(0, Status.SUCCESS);
        (bytes32 r, bytes32 vs) = _compact(ENCLAVE, hasher.receipt(_receipt(_firstDeal(bundle), outcome, _told())));
        vm.prank(HOST);
        bytes32 dealId = market.execute(orders, outcome, r, vs, _told());
        // it should tell the result with the id of the task
        vm.assertEq(listener.id(), keccak256(abi.encode(dealId, uint256(0))));
        vm.assertEq(keccak256(listener.result()), keccak256(MESSAGE));
    }

    function test_Execute_WhenTheConsumerReverts() public {
        Bundle memory bundle = _calling(address(new Refuser()), 1);
        Orders memory orders = _orders(bundle);
        Outcome memory outcome = _outcome(0, Status.SUCCESS);
        (bytes32 r, bytes32 vs) = _compact(ENCLAVE, hasher.receipt(_receipt(_firstDeal(bundle), outcome, _told())));
        vm.prank(HOST);
        market.execute(orders, outcome, r, vs, _told());
        // it should settle all the same
        vm.assertEq(_available(DEV), 293);
    }
}
