// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../src/generated/Params.sol";
import { Status } from "../../src/generated/Status.sol";
import { IAttestations } from "../../src/interfaces/IAttestations.sol";
import { ITasks } from "../../src/interfaces/ITasks.sol";
import { DealProgress, DealTerms, Receipt } from "../../src/types/Deals.sol";
import { Bundle, Fixture } from "../utils/Fixture.sol";
import { vm } from "../utils/Vm.sol";

contract TasksTest is Fixture {
    bytes32 internal dealId;
    DealTerms internal stored;
    uint64 internal deadline;

    function setUp() public override {
        super.setUp();
        Bundle memory bundle = _withDatasets(_bundle());
        dealId = _submit(bundle);
        stored = _terms(bundle, 3);
        deadline = uint64(block.timestamp + Params.TASK_DEADLINE_S);
    }

    function _settle(uint32 index, uint16 status) private {
        _send(_receipt(dealId, stored, index, status), index, "");
    }

    function _send(Receipt memory receipt, uint32 index, bytes memory failure) private {
        bytes memory signature = _sign(ENCLAVE, hasher.receipt(receipt));
        DealTerms memory terms = stored;
        if (failure.length != 0) vm.expectRevert(failure);
        vm.prank(vm.addr(POOL_OWNER));
        tasks.settle(terms, index, receipt, signature, _cid());
    }

    function test_DealIsOpenAfterTheMatch() public view {
        DealProgress memory progress = tasks.deal(dealId);
        vm.assertEq(progress.volume, 3);
        vm.assertEq(progress.settled, 0);
        vm.assertEq(progress.startedAt, START);
        vm.assertEq(progress.termsHash, keccak256(abi.encode(stored)));
        vm.assertEq(tasks.deal(bytes32(0)).volume, 0);
        vm.assertFalse(tasks.isClosed(dealId, 0));
        vm.assertFalse(tasks.isClosed(dealId, 3));
    }

    function test_SuccessPaysEverybody() public {
        Receipt memory receipt = _receipt(dealId, stored, 1, Status.SUCCESS);
        bytes memory signature = _sign(ENCLAVE, hasher.receipt(receipt));
        bytes memory cid = _cid();
        vm.expectEmit();
        emit ITasks.TaskSettled(dealId, receipt.taskId, vm.addr(ENCLAVE), 1, 0, receipt, signature, cid);
        vm.prank(vm.addr(POOL_OWNER));
        tasks.settle(stored, 1, receipt, signature, cid);

        vm.assertEq(_available(vm.addr(POOL_OWNER)), 1000 - 25);
        vm.assertEq(_available(vm.addr(DEVELOPER)), 300 - 7);
        vm.assertEq(_available(vm.addr(DATA_OWNER)), 2 * (70 - 1));
        vm.assertEq(_available(FEES), 25 + 7 + 1 + 1);
        vm.assertEq(_locked(vm.addr(REQUESTER)), 2 * 1440);
        vm.assertEq(tasks.deal(dealId).settled, 1);
        vm.assertTrue(tasks.isClosed(dealId, 1));
        vm.assertFalse(tasks.isClosed(dealId, 0));
    }

    function test_RequesterFaultPaysEverybody() public {
        _settle(0, Status.INPUT_BINDING_ERROR);
        vm.assertEq(_available(vm.addr(POOL_OWNER)), 975);
        vm.assertEq(_available(vm.addr(DEVELOPER)), 293);
    }

    function test_DeveloperFaultPaysThePoolOnly() public {
        uint256 before = _available(vm.addr(REQUESTER));
        _settle(0, Status.IMPORT_ERROR);
        vm.assertEq(_available(vm.addr(POOL_OWNER)), 975);
        vm.assertEq(_available(FEES), 25);
        vm.assertEq(_available(vm.addr(DEVELOPER)), 0);
        vm.assertEq(_available(vm.addr(DATA_OWNER)), 0);
        vm.assertEq(_available(vm.addr(REQUESTER)), before + 440);
    }

    function test_WorkerFaultAndUnknownStatusRefundAll() public {
        uint256 before = _available(vm.addr(REQUESTER));
        _settle(0, Status.SYSTEM_ERROR);
        _settle(1, 9999);
        vm.assertEq(_available(vm.addr(REQUESTER)), before + 2 * 1440);
        vm.assertEq(_available(vm.addr(POOL_OWNER)), 0);
        vm.assertEq(_available(FEES), 0);
    }

    function test_EveryTaskCanBeSettled() public {
        _settle(0, 0);
        _settle(2, 0);
        _settle(1, 0);
        vm.assertEq(_locked(vm.addr(REQUESTER)), 0);
        vm.assertEq(tasks.deal(dealId).settled, 3);
    }

    function test_TasksBeyondThePackedWordAreClosedOnce() public {
        Bundle memory bundle = _bundle();
        bundle.app.volume = 500;
        bundle.app.salt = "other";
        bundle.request.volume = 400;
        bundle.request.salt = "other";
        _fund(vm.addr(REQUESTER), 1_000_000);
        dealId = _submit(bundle);
        stored = _terms(bundle, 400);
        uint32[6] memory indexes = [uint32(127), 128, 255, 256, 384, 399];
        for (uint256 i = 0; i < indexes.length; ++i) {
            vm.assertFalse(tasks.isClosed(dealId, indexes[i]));
            _settle(indexes[i], 0);
            vm.assertTrue(tasks.isClosed(dealId, indexes[i]));
            Receipt memory receipt = _receipt(dealId, stored, indexes[i], 0);
            _send(receipt, indexes[i], abi.encodeWithSelector(ITasks.TaskClosed.selector, receipt.taskId));
        }
        vm.assertFalse(tasks.isClosed(dealId, 0));
        vm.assertFalse(tasks.isClosed(dealId, 129));
        vm.assertEq(tasks.deal(dealId).settled, 6);
        vm.assertEq(tasks.deal(dealId).volume, 400);
    }

    function test_RevertWhen_SettledTwice() public {
        _settle(0, 0);
        Receipt memory receipt = _receipt(dealId, stored, 0, 0);
        _send(receipt, 0, abi.encodeWithSelector(ITasks.TaskClosed.selector, receipt.taskId));
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ITasks.TaskClosed.selector, receipt.taskId));
        tasks.claim(dealId, stored, 0);
    }

    function test_RevertWhen_DealIsUnknown() public {
        Receipt memory receipt = _receipt(bytes32("none"), stored, 0, 0);
        _send(receipt, 0, abi.encodeWithSelector(ITasks.DealUnknown.selector, bytes32("none")));
    }

    function test_RevertWhen_TermsDiffer() public {
        Receipt memory receipt = _receipt(dealId, stored, 0, 0);
        bytes32 expected = keccak256(abi.encode(stored));
        stored.poolOwner = address(this);
        bytes32 given = keccak256(abi.encode(stored));
        _send(receipt, 0, abi.encodeWithSelector(ITasks.TermsMismatch.selector, dealId, expected, given));
    }

    function test_RevertWhen_IndexIsOutOfRange() public {
        Receipt memory receipt = _receipt(dealId, stored, 3, 0);
        _send(receipt, 3, abi.encodeWithSelector(ITasks.IndexOutOfRange.selector, uint32(3), uint32(3)));
    }

    function test_RevertWhen_ReceiptIsAboutSomethingElse() public {
        Receipt memory good = _receipt(dealId, stored, 0, 0);
        Receipt memory bad = _receipt(dealId, stored, 1, 0);
        _send(bad, 0, _mismatch(0, good.taskId, bad.taskId));
        bad = _receipt(dealId, stored, 0, 0);
        bad.app = "x";
        _send(bad, 0, _mismatch(2, appId, "x"));
        bad = _receipt(dealId, stored, 0, 0);
        bad.codeHash = "x";
        _send(bad, 0, _mismatch(3, CODE, "x"));
        bad = _receipt(dealId, stored, 0, 0);
        bad.policyHash = "x";
        _send(bad, 0, _mismatch(4, POLICY, "x"));
        bad = _receipt(dealId, stored, 0, 0);
        bad.input = "x";
        _send(bad, 0, _mismatch(5, INPUT, "x"));
    }

    function _mismatch(uint8 field, bytes32 expected, bytes32 given) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ITasks.ReceiptMismatch.selector, field, expected, given);
    }

    function test_ShortParamsNameNoInput() public {
        Bundle memory bundle = _bundle();
        bundle.request.params = hex"01";
        dealId = _submit(bundle);
        stored = _terms(bundle, 3);
        _send(_receipt(dealId, stored, 0, 0), 0, _mismatch(5, 0, INPUT));
    }

    function test_RevertWhen_SignerIsNotGranted() public {
        Receipt memory receipt = _receipt(dealId, stored, 0, 0);
        bytes memory signature = _sign(STRANGER, hasher.receipt(receipt));
        vm.startPrank(vm.addr(POOL_OWNER));
        vm.expectRevert(abi.encodeWithSelector(ITasks.EnclaveNotGranted.selector, vm.addr(STRANGER)));
        tasks.settle(stored, 0, receipt, signature, _cid());
        vm.expectRevert(abi.encodeWithSelector(ITasks.EnclaveNotGranted.selector, address(0)));
        tasks.settle(stored, 0, receipt, hex"00", _cid());
    }

    function test_RevocationCountsForTheNextReceipt() public {
        _settle(0, 0);
        vm.prank(GOVERNOR);
        attestations.revokeMeasurement(keccak256("measurement"));
        bytes memory failure = abi.encodeWithSelector(ITasks.EnclaveNotGranted.selector, vm.addr(ENCLAVE));
        _send(_receipt(dealId, stored, 1, 0), 1, failure);
    }

    function test_ShortSignatureFormIsAccepted() public {
        Receipt memory receipt = _receipt(dealId, stored, 0, 0);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(ENCLAVE, hasher.receipt(receipt));
        bytes32 vs = v == 28 ? s | bytes32(uint256(1) << 255) : s;
        vm.prank(vm.addr(POOL_OWNER));
        tasks.settle(stored, 0, receipt, abi.encodePacked(r, vs), _cid());
        vm.assertTrue(tasks.isClosed(dealId, 0));
    }

    function _settleAs(address sender, uint32 index, bool allowed) private {
        Receipt memory receipt = _receipt(dealId, stored, index, 0);
        bytes memory signature = _sign(ENCLAVE, hasher.receipt(receipt));
        DealTerms memory terms = stored;
        if (!allowed) {
            vm.expectRevert(abi.encodeWithSelector(ITasks.NotPoolOperator.selector, sender, terms.poolOwner));
        }
        vm.prank(sender);
        tasks.settle(terms, index, receipt, signature, _cid());
    }

    function test_RevertWhen_OthersSettle() public {
        _settleAs(vm.addr(STRANGER), 0, false);
        _settleAs(vm.addr(REQUESTER), 0, false);
        _settleAs(vm.addr(ENCLAVE), 0, false);
        vm.assertFalse(tasks.isClosed(dealId, 0));
    }

    function test_AnOperatorOfThePoolOwnerMaySettle() public {
        address operator = vm.addr(STRANGER);
        vm.prank(vm.addr(POOL_OWNER));
        registry.setApprovalForAll(operator, true);
        _settleAs(operator, 0, true);
        vm.prank(vm.addr(POOL_OWNER));
        registry.setApprovalForAll(operator, false);
        _settleAs(operator, 1, false);
    }

    function test_AnApprovedAddressOfThePoolMaySettle() public {
        vm.prank(vm.addr(POOL_OWNER));
        registry.approve(vm.addr(STRANGER), uint256(poolId));
        _settleAs(vm.addr(STRANGER), 0, true);
        vm.prank(vm.addr(POOL_OWNER));
        registry.approve(address(0), uint256(poolId));
        _settleAs(vm.addr(STRANGER), 1, false);
    }

    function test_OnlyTheOwnerOfTheMatchDecidesWhoSettles() public {
        address buyer = vm.addr(STRANGER);
        address operator = vm.addr(DATA_OWNER);
        vm.prank(vm.addr(POOL_OWNER));
        registry.transferFrom(vm.addr(POOL_OWNER), buyer, uint256(poolId));
        vm.startPrank(buyer);
        registry.approve(operator, uint256(poolId));
        registry.setApprovalForAll(operator, true);
        vm.stopPrank();
        _settleAs(buyer, 0, false);
        _settleAs(operator, 0, false);
        _settleAs(vm.addr(POOL_OWNER), 0, true);
    }

    function test_SettleIsTakenUntilTheDeadline() public {
        vm.warp(deadline);
        _settle(0, 0);
        vm.warp(deadline + 1);
        bytes memory failure = abi.encodeWithSelector(ITasks.DeadlinePassed.selector, dealId, deadline);
        _send(_receipt(dealId, stored, 1, 0), 1, failure);
    }

    function test_ClaimRefundsAfterTheDeadline() public {
        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(ITasks.DeadlineNotReached.selector, dealId, deadline));
        tasks.claim(dealId, stored, 0);
        vm.warp(deadline + 1);
        uint256 before = _available(vm.addr(REQUESTER));
        bytes32 taskId = keccak256(abi.encode(dealId, uint256(0)));
        vm.expectEmit();
        emit ITasks.TaskRefunded(dealId, taskId, 0, 1440);
        vm.prank(vm.addr(STRANGER));
        tasks.claim(dealId, stored, 0);
        vm.assertEq(_available(vm.addr(REQUESTER)), before + 1440);
        vm.expectRevert(abi.encodeWithSelector(ITasks.TaskClosed.selector, taskId));
        tasks.claim(dealId, stored, 0);
    }

    function _settleWithCid(uint32 index, bytes32 output, bytes memory cid, bytes memory failure) private {
        Receipt memory receipt = _receipt(dealId, stored, index, 0);
        receipt.output = output;
        bytes memory signature = _sign(ENCLAVE, hasher.receipt(receipt));
        if (failure.length != 0) vm.expectRevert(failure);
        vm.prank(vm.addr(POOL_OWNER));
        tasks.settle(stored, index, receipt, signature, cid);
    }

    function _wrongLength(uint256 given, uint256 expected) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ITasks.OutputCidLength.selector, given, expected);
    }

    function test_RevertWhen_OutputCidHasAnotherLength() public {
        _settleWithCid(0, keccak256("output"), new bytes(35), _wrongLength(35, 36));
        _settleWithCid(0, keccak256("output"), new bytes(37), _wrongLength(37, 36));
        _settleWithCid(0, keccak256("output"), _cid(), "");
    }

    function test_RevertWhen_AnOutputHasNoCid() public {
        _settleWithCid(0, keccak256("output"), "", _wrongLength(0, 36));
    }

    function test_RevertWhen_ACidHasNoOutput() public {
        _settleWithCid(0, 0, _cid(), _wrongLength(36, 0));
        _settleWithCid(0, 0, "", "");
    }

    function test_RevertWhen_OpenedByOthersOrInAnotherMode() public {
        vm.expectRevert(abi.encodeWithSelector(ITasks.NotMarket.selector, address(this)));
        tasks.open("deal", "hash", 1, 0);
        vm.expectRevert(abi.encodeWithSelector(ITasks.ModeNotSupported.selector, uint8(1)));
        vm.prank(address(market));
        tasks.open("deal", "hash", 1, 1);
    }
}
