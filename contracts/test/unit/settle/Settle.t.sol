// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../../src/generated/Params.sol";
import { Status } from "../../../src/generated/Status.sol";
import { IDeals } from "../../../src/interfaces/IDeals.sol";
import { DealTerms, Effects, Outcome } from "../../../src/types/Deals.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev Tasks closed by a receipt: what is checked, kept and told.
contract SettleTest is UnitFixture {
    bytes32 private _deal;

    function setUp() public override {
        super.setUp();
        _keep(_matched(_withDatasets(_bundle())));
        _deal = _dealId(_agreed());
    }

    function _signed(Outcome memory outcome, Effects[] memory effects) private view returns (bytes32 r, bytes32 vs) {
        return _compact(ENCLAVE, hasher.receipt(_receipt(_deal, outcome, effects)));
    }

    function _send(address sender, DealTerms memory terms, bytes memory failure) private {
        Outcome memory outcome = _outcome(0, Status.SUCCESS);
        (bytes32 r, bytes32 vs) = _signed(outcome, _none());
        vm.prank(sender);
        if (failure.length != 0) vm.expectRevert(failure);
        market.settle(terms, outcome, r, vs, _none());
    }

    function test_WhenTheReceiptIsGood() public {
        Outcome memory outcome = _outcome(1, Status.SUCCESS);
        outcome.keyEpoch = 9;
        (bytes32 r, bytes32 vs) = _signed(outcome, _none());
        // it should emit TaskSettled
        vm.expectEmit();
        emit IDeals.TaskSettled(_deal, vm.addr(ENCLAVE), outcome, r, vs);
        vm.prank(HOST);
        market.settle(_agreed(), outcome, r, vs, _none());
        // it should close the task
        vm.assertEq(market.deal(_deal).closed, 1);
        vm.assertTrue(market.isOpen(_deal, 0));
        vm.assertFalse(market.isOpen(_deal, 1));
    }

    function test_WhenTheTaskHasAState() public {
        Effects[] memory effects = new Effects[](1);
        effects[0] = Effects(bytes32(0), "before", "after", 5, "");
        Outcome memory outcome = _outcome(0, Status.SUCCESS);
        (bytes32 r, bytes32 vs) = _signed(outcome, effects);
        // it should emit TaskEffects
        vm.expectEmit();
        emit IDeals.TaskEffects(_deal, 0, bytes32(0), "before", "after", 5);
        vm.prank(HOST);
        market.settle(_agreed(), outcome, r, vs, effects);
    }

    function test_WhenThereIsNoOutput() public {
        Outcome memory outcome = _outcome(0, Status.EXIT_NONZERO);
        outcome.output = bytes32(0);
        outcome.outputCid = bytes32(0);
        outcome.outputCodec = 0;
        _settle(_agreed(), outcome);
        // it should close the task
        vm.assertFalse(market.isOpen(_deal, 0));
    }

    function test_WhenTheOutputIsATree() public {
        Outcome memory outcome = _outcome(0, Status.SUCCESS);
        outcome.outputCid = keccak256("tree");
        outcome.outputCodec = 0x70;
        _settle(_agreed(), outcome);
        // it should close the task
        vm.assertFalse(market.isOpen(_deal, 0));
    }

    function test_WhenTheTasksComeInAnyOrder() public {
        _settle(_agreed(), _outcome(2, Status.SUCCESS));
        _settle(_agreed(), _outcome(0, Status.SUCCESS));
        vm.assertEq(market.deal(_deal).closed, 2);
        _settle(_agreed(), _outcome(1, Status.SUCCESS));
        // it should forget the whole deal at its end
        vm.assertEq(market.deal(_deal).volume, 0);
        vm.assertEq(market.deal(_deal).termsHash, bytes24(0));
    }

    function test_WhenAnOperatorOfThePoolSends() public {
        vm.prank(HOST);
        market.setOperator(OTHER, true);
        _send(OTHER, _agreed(), "");
        // it should close the task
        vm.assertFalse(market.isOpen(_deal, 0));
    }

    function test_WhenThePoolWasSoldAfterTheMatch() public {
        vm.prank(HOST);
        registry.transferFrom(HOST, OTHER, uint256(poolId));
        // it should refuse the new owner
        _send(OTHER, _agreed(), abi.encodeWithSelector(IDeals.NotPoolOperator.selector, OTHER, HOST));
        // it should accept the owner at the time of the match
        _send(HOST, _agreed(), "");
    }

    function test_WhenTheStartWindowIsOverButNobodyClaimed() public {
        vm.warp(block.timestamp + Params.START_WINDOW_S + 1);
        _settle(_agreed(), _outcome(0, Status.SUCCESS));
        // it should close the task
        vm.assertFalse(market.isOpen(_deal, 0));
    }

    function test_WhenItIsTheLastSecond() public {
        vm.warp(START + Params.TASK_DEADLINE_S);
        _settle(_agreed(), _outcome(0, Status.SUCCESS));
        // it should close the task
        vm.assertFalse(market.isOpen(_deal, 0));
    }

    function test_RevertWhen_TheDeadlineHasPassed() public {
        vm.warp(START + Params.TASK_DEADLINE_S + 1);
        bytes memory failure =
            abi.encodeWithSelector(IDeals.DeadlinePassed.selector, _deal, START + Params.TASK_DEADLINE_S);
        _settleFails(_agreed(), _outcome(0, Status.SUCCESS), failure);
    }

    function test_RevertWhen_TheDealIsUnknown() public {
        DealTerms memory terms = _agreed();
        terms.firstTask = 1;
        _send(HOST, terms, abi.encodeWithSelector(IDeals.DealUnknown.selector, _dealId(terms)));
    }

    function test_RevertWhen_TheDealIsFinishedAndForgotten() public {
        for (uint32 i = 0; i < 3; ++i) {
            _settle(_agreed(), _outcome(i, Status.SUCCESS));
        }
        _send(HOST, _agreed(), abi.encodeWithSelector(IDeals.DealUnknown.selector, _deal));
    }

    function _altered(DealTerms memory terms) private {
        bytes24 expected = bytes24(hasher.terms(_agreed()));
        bytes24 given = bytes24(hasher.terms(terms));
        _send(HOST, terms, abi.encodeWithSelector(IDeals.TermsMismatch.selector, _deal, expected, given));
    }

    function test_RevertWhen_TheTermsDiffer() public {
        DealTerms memory terms = _agreed();
        terms.poolPrice += 1;
        _altered(terms);
        terms = _agreed();
        terms.payer = HOST;
        _altered(terms);
        terms = _agreed();
        terms.datasets[1].price += 1;
        _altered(terms);
        terms = _agreed();
        terms.startedAt += 1;
        _altered(terms);
        terms = _agreed();
        terms.mode = 5;
        _altered(terms);
        terms = _agreed();
        terms.workHash = "work";
        _altered(terms);
    }

    function test_RevertWhen_TheSenderIsNotThePool() public {
        _send(OTHER, _agreed(), abi.encodeWithSelector(IDeals.NotPoolOperator.selector, OTHER, HOST));
    }

    function test_RevertWhen_TheModeIsAnother() public {
        Bundle memory bundle = _bundle();
        bundle.request.salt = "channel";
        bundle.request.mode = 5;
        bundle.pool.modes = 1 << 5;
        DealTerms memory terms = _matched(bundle);
        _send(HOST, terms, abi.encodeWithSelector(IDeals.WrongMode.selector, uint8(5)));
    }

    function test_RevertWhen_TheIndexIsTooLarge() public {
        bytes memory failure = abi.encodeWithSelector(IDeals.IndexOutOfRange.selector, 3, 1, 3);
        _settleFails(_agreed(), _outcome(3, Status.SUCCESS), failure);
    }

    function test_RevertWhen_TheTaskIsClosed() public {
        _settle(_agreed(), _outcome(1, Status.SUCCESS));
        bytes memory failure = abi.encodeWithSelector(IDeals.TaskClosed.selector, _deal, 1);
        _settleFails(_agreed(), _outcome(1, Status.SUCCESS), failure);
        _settleFails(_agreed(), _outcome(1, Status.SYSTEM_ERROR), failure);
    }

    function _badCid(bytes32 output, bytes32 cid, uint8 codec) private {
        Outcome memory outcome = _outcome(0, Status.SUCCESS);
        outcome.output = output;
        outcome.outputCid = cid;
        outcome.outputCodec = codec;
        _settleFails(_agreed(), outcome, abi.encodeWithSelector(IDeals.BadOutputCid.selector, output, cid, codec));
    }

    function test_RevertWhen_TheCidDoesNotFit() public {
        _badCid("output", bytes32(0), 0x55);
        _badCid("output", "cid", 0);
        _badCid("output", "cid", 0x71);
        _badCid(bytes32(0), "cid", 0);
        _badCid(bytes32(0), bytes32(0), 0x55);
        _badCid(bytes32(0), "cid", 0x55);
    }

    function test_RevertWhen_ThereAreTwoEffects() public {
        Outcome memory outcome = _outcome(0, Status.SUCCESS);
        bytes memory failure = abi.encodeWithSelector(IDeals.TooManyEffects.selector, 2);
        _settle(_agreed(), outcome, new Effects[](2), failure);
    }

    function _forged(uint256 key, address found) private {
        Outcome memory outcome = _outcome(0, Status.SUCCESS);
        (bytes32 r, bytes32 vs) = _compact(key, hasher.receipt(_receipt(_deal, outcome, _none())));
        vm.expectRevert(abi.encodeWithSelector(IDeals.EnclaveNotGranted.selector, found));
        vm.prank(HOST);
        market.settle(_agreed(), outcome, r, vs, _none());
    }

    function test_RevertWhen_TheSignerIsNoEnclave() public {
        _forged(STRANGER, OTHER);
    }

    function test_RevertWhen_TheSignatureIsNone() public {
        vm.expectRevert(abi.encodeWithSelector(IDeals.EnclaveNotGranted.selector, address(0)));
        vm.prank(HOST);
        market.settle(_agreed(), _outcome(0, Status.SUCCESS), bytes32(0), bytes32(0), _none());
    }

    function test_RevertWhen_TheSignatureIsNoneAndMembersGrantedAddressZero() public {
        _grant(address(0));
        vm.assertTrue(attestations.isGranted(address(0)));
        vm.expectRevert(abi.encodeWithSelector(IDeals.EnclaveNotGranted.selector, address(0)));
        vm.prank(HOST);
        market.settle(_agreed(), _outcome(0, Status.SUCCESS), bytes32(0), bytes32(0), _none());
    }

    function test_RevertWhen_TheGrantIsOver() public {
        address enclave = vm.addr(ENCLAVE);
        vm.warp(START + 1 days - 1 hours);
        Bundle memory bundle = _bundle();
        bundle.request.salt = "late";
        DealTerms memory terms = _matched(bundle);
        vm.warp(START + 1 days);
        bytes memory failure = abi.encodeWithSelector(IDeals.EnclaveNotGranted.selector, enclave);
        _settleFails(terms, _outcome(0, Status.SUCCESS), failure);
    }

    function test_RevertWhen_TheKeyIsRevoked() public {
        address enclave = vm.addr(ENCLAVE);
        vm.prank(GOVERNOR);
        attestations.revokeKey(enclave);
        _forged(ENCLAVE, enclave);
    }

    function test_RevertWhen_TheReceiptIsForAnotherOutcome() public {
        Outcome memory outcome = _outcome(0, Status.SYSTEM_ERROR);
        (bytes32 r, bytes32 vs) = _signed(outcome, _none());
        outcome.status = Status.SUCCESS;
        vm.expectPartialRevert(IDeals.EnclaveNotGranted.selector);
        vm.prank(HOST);
        market.settle(_agreed(), outcome, r, vs, _none());
    }

    function test_RevertWhen_EffectsAreLeftOut() public {
        Effects[] memory effects = new Effects[](1);
        effects[0].stateAfter = "after";
        Outcome memory outcome = _outcome(0, Status.SUCCESS);
        (bytes32 r, bytes32 vs) = _signed(outcome, effects);
        vm.expectPartialRevert(IDeals.EnclaveNotGranted.selector);
        vm.prank(HOST);
        market.settle(_agreed(), outcome, r, vs, _none());
    }
}
