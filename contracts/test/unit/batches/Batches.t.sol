// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../../src/generated/Params.sol";
import { Status } from "../../../src/generated/Status.sol";
import { IBatches } from "../../../src/interfaces/IBatches.sol";
import { IDeals } from "../../../src/interfaces/IDeals.sol";
import { Batch, DealTerms, Tally, Work } from "../../../src/types/Deals.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { vm } from "../../utils/Vm.sol";
import { Merkle } from "../support/Merkle.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev Many tasks closed by one signature, and proofs of single receipts.
contract BatchesTest is UnitFixture {
    bytes32 private constant CID = keccak256("receipts");
    uint8 private constant RAW = 0x55;

    bytes32 private _deal;

    function setUp() public override {
        super.setUp();
        _keep(_matched(_bundleOf(40)));
        _deal = _dealId(_agreed());
    }

    /// @dev Structure hashes of the receipts of tasks that follow each other.
    function _leaves(uint32 first, uint32 count) private view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint32 i = 0; i < count; ++i) {
            leaves[i] = hasher.receiptHash(_receipt(_deal, _outcome(first + i, Status.SUCCESS), _none()));
        }
    }

    function _signed(uint256 key, uint32 first, Tally memory tally, bytes32 root)
        private
        view
        returns (bytes32 r, bytes32 vs)
    {
        return _compact(key, hasher.batch(Batch(Work(appId, CODE, POLICY, INPUT), _deal, first, tally, root)));
    }

    function _batch(uint32 first, Tally memory tally, bytes32 root, bytes memory failure) private {
        (bytes32 r, bytes32 vs) = _signed(ENCLAVE, first, tally, root);
        if (failure.length != 0) vm.expectRevert(failure);
        vm.prank(HOST);
        batches.settleBatch(_agreed(), first, tally, root, CID, RAW, r, vs);
    }

    function _paid(uint32 count) private pure returns (Tally memory) {
        return Tally(count, 0, 0, 0);
    }

    function test_SettleBatch_WhenTheSignatureIsGood() public {
        bytes32 root = Merkle.root(_leaves(3, 10));
        (bytes32 r, bytes32 vs) = _signed(ENCLAVE, 3, _paid(10), root);
        // it should emit BatchSettled and TasksClosed
        vm.expectEmit();
        emit IBatches.BatchSettled(_deal, vm.addr(ENCLAVE), 3, _paid(10), root, CID, RAW, r, vs);
        vm.expectEmit();
        emit IDeals.TasksClosed(_deal, 3, _paid(10));
        vm.prank(HOST);
        batches.settleBatch(_agreed(), 3, _paid(10), root, CID, RAW, r, vs);
        // it should close the tasks and pay as ten receipts would
        vm.assertEq(market.deal(_deal).closed, 10);
        vm.assertTrue(market.isOpen(_deal, 2));
        vm.assertFalse(market.isOpen(_deal, 3));
        vm.assertFalse(market.isOpen(_deal, 12));
        vm.assertTrue(market.isOpen(_deal, 13));
        vm.assertEq(_available(DEV), 10 * 293);
        vm.assertEq(_available(FEES), 10 * 32);
        vm.assertEq(market.account(HOST).merit, 10 * uint256(STAKE));
        // it should keep the root
        vm.assertEq(batches.batchRoot(_deal, 3), root);
    }

    function test_SettleBatch_WhenTheTasksEndedInDifferentWays() public {
        _batch(0, Tally(1, 2, 3, 4), "root", "");
        // it should pay by the tally
        vm.assertEq(_available(DEV), 293);
        vm.assertEq(_available(HOST), 1_000_000 - 34 * uint256(STAKE) + 3 * 975);
        vm.assertEq(_available(USER), 1_000_000 - 40 * PRICE + 2 * 300 + 7 * PRICE);
        vm.assertEq(market.kitty(), 4 * uint256(STAKE));
    }

    function test_SettleBatch_WhenTheReceiptsAreATree() public {
        (bytes32 r, bytes32 vs) = _signed(ENCLAVE, 0, _paid(1), "root");
        vm.prank(HOST);
        batches.settleBatch(_agreed(), 0, _paid(1), "root", CID, 0x70, r, vs);
        // it should close the tasks
        vm.assertFalse(market.isOpen(_deal, 0));
    }

    function test_SettleBatch_WhenBatchesAndReceiptsFillADeal() public {
        _batch(0, _paid(20), "first", "");
        _settle(_agreed(), _outcome(20, Status.SUCCESS));
        _batch(21, _paid(19), "second", "");
        // it should forget the deal, keep the roots and hold nothing back
        vm.assertEq(market.deal(_deal).volume, 0);
        vm.assertEq(batches.batchRoot(_deal, 0), "first");
        vm.assertEq(batches.batchRoot(_deal, 21), "second");
        vm.assertEq(_owed(), token.balanceOf(address(market)));
    }

    function test_SettleBatch_WhenAnOperatorOfThePoolSends() public {
        vm.prank(HOST);
        market.setOperator(OTHER, true);
        (bytes32 r, bytes32 vs) = _signed(ENCLAVE, 0, _paid(5), "root");
        vm.prank(OTHER);
        batches.settleBatch(_agreed(), 0, _paid(5), "root", CID, RAW, r, vs);
        // it should close the tasks
        vm.assertEq(market.deal(_deal).closed, 5);
    }

    function test_SettleBatch_WhenItIsTheLastSecond() public {
        vm.warp(START + Params.TASK_DEADLINE_S);
        _batch(0, _paid(5), "root", "");
        // it should close the tasks
        vm.assertEq(market.deal(_deal).closed, 5);
    }

    function test_SettleBatch_RevertWhen_TheDeadlineHasPassed() public {
        vm.warp(START + Params.TASK_DEADLINE_S + 1);
        bytes memory failure =
            abi.encodeWithSelector(IDeals.DeadlinePassed.selector, _deal, START + Params.TASK_DEADLINE_S);
        _batch(0, _paid(5), "root", failure);
    }

    function test_SettleBatch_RevertWhen_BatchesOverlap() public {
        _batch(10, _paid(10), "root", "");
        _batch(5, _paid(6), "other", abi.encodeWithSelector(IDeals.TaskClosed.selector, _deal, 10));
        _batch(19, _paid(5), "other", abi.encodeWithSelector(IDeals.TaskClosed.selector, _deal, 19));
        _batch(10, _paid(10), "other", abi.encodeWithSelector(IDeals.TaskClosed.selector, _deal, 10));
        // it should keep the roots as they were
        vm.assertEq(batches.batchRoot(_deal, 10), "root");
        vm.assertEq(batches.batchRoot(_deal, 5), bytes32(0));
    }

    function test_SettleBatch_RevertWhen_ATaskWasSettledAlone() public {
        _settle(_agreed(), _outcome(4, Status.SUCCESS));
        _batch(0, _paid(10), "root", abi.encodeWithSelector(IDeals.TaskClosed.selector, _deal, 4));
    }

    function test_SettleBatch_RevertWhen_TheRangeIsTooLong() public {
        _batch(31, _paid(10), "root", abi.encodeWithSelector(IDeals.IndexOutOfRange.selector, 31, 10, 40));
    }

    function test_SettleBatch_RevertWhen_TheTallyIsEmpty() public {
        _batch(0, _paid(0), "root", abi.encodeWithSelector(IDeals.IndexOutOfRange.selector, 0, 0, 40));
    }

    function test_SettleBatch_RevertWhen_TheTallyIsNotTheSignedOne() public {
        (bytes32 r, bytes32 vs) = _signed(ENCLAVE, 0, Tally(4, 0, 1, 0), "root");
        vm.expectPartialRevert(IDeals.EnclaveNotGranted.selector);
        vm.prank(HOST);
        batches.settleBatch(_agreed(), 0, _paid(5), "root", CID, RAW, r, vs);
    }

    function test_SettleBatch_RevertWhen_TheSignerIsNoEnclave() public {
        (bytes32 r, bytes32 vs) = _signed(STRANGER, 0, _paid(5), "root");
        vm.expectRevert(abi.encodeWithSelector(IDeals.EnclaveNotGranted.selector, OTHER));
        vm.prank(HOST);
        batches.settleBatch(_agreed(), 0, _paid(5), "root", CID, RAW, r, vs);
    }

    function test_SettleBatch_RevertWhen_TheSignatureIsNone() public {
        vm.expectRevert(abi.encodeWithSelector(IDeals.EnclaveNotGranted.selector, address(0)));
        vm.prank(HOST);
        batches.settleBatch(_agreed(), 0, _paid(5), "root", CID, RAW, bytes32(0), bytes32(0));
    }

    function test_SettleBatch_RevertWhen_TheSignatureIsNoneAndMembersGrantedAddressZero() public {
        _grant(address(0));
        vm.assertTrue(attestations.isGranted(address(0)));
        vm.expectRevert(abi.encodeWithSelector(IDeals.EnclaveNotGranted.selector, address(0)));
        vm.prank(HOST);
        batches.settleBatch(_agreed(), 0, _paid(5), "root", CID, RAW, bytes32(0), bytes32(0));
    }

    function test_SettleBatch_RevertWhen_OthersSend() public {
        (bytes32 r, bytes32 vs) = _signed(ENCLAVE, 0, _paid(5), "root");
        vm.expectRevert(abi.encodeWithSelector(IDeals.NotPoolOperator.selector, USER, HOST));
        vm.prank(USER);
        batches.settleBatch(_agreed(), 0, _paid(5), "root", CID, RAW, r, vs);
    }

    function _badReceipts(bytes32 root, bytes32 cid, uint8 codec) private {
        (bytes32 r, bytes32 vs) = _signed(ENCLAVE, 0, _paid(5), root);
        vm.expectRevert(abi.encodeWithSelector(IBatches.BadReceipts.selector, root, cid, codec));
        vm.prank(HOST);
        batches.settleBatch(_agreed(), 0, _paid(5), root, cid, codec, r, vs);
    }

    function test_SettleBatch_RevertWhen_TheReceiptsCannotBeFound() public {
        _badReceipts(bytes32(0), CID, RAW);
        _badReceipts("root", bytes32(0), RAW);
        _badReceipts("root", CID, 0);
        _badReceipts("root", CID, 0x71);
    }

    function test_SettleBatch_RevertWhen_TheDealHasACallback() public {
        Bundle memory bundle = _bundleOf(2);
        bundle.request.salt = "callback";
        bundle.request.callback = address(1);
        bundle.pool.tag = bytes32(type(uint256).max);
        _keep(_matched(bundle));
        _deal = _dealId(_agreed());
        _batch(0, _paid(2), "root", abi.encodeWithSelector(IBatches.BatchWithCallback.selector, _deal));
    }

    function test_SettleBatch_RevertWhen_TheModeIsAnother() public {
        DealTerms memory changed = _agreed();
        changed.mode = 5;
        _keep(changed);
        _batch(0, _paid(2), "root", abi.encodeWithSelector(IBatches.NotBatchable.selector, uint8(5)));
    }

    function test_SettleBatch_RevertWhen_TheDealIsUnknown() public {
        DealTerms memory changed = _agreed();
        changed.firstTask = 7;
        _keep(changed);
        _deal = _dealId(_agreed());
        _batch(0, _paid(2), "root", abi.encodeWithSelector(IDeals.DealUnknown.selector, _deal));
    }

    function test_SettleBatch_RevertWhen_TheTermsDiffer() public {
        bytes24 expected = bytes24(hasher.terms(_agreed()));
        DealTerms memory changed = _agreed();
        changed.stake += 1;
        _keep(changed);
        bytes24 given = bytes24(hasher.terms(_agreed()));
        _batch(0, _paid(2), "root", abi.encodeWithSelector(IDeals.TermsMismatch.selector, _deal, expected, given));
        // it should keep no root
        vm.assertEq(batches.batchRoot(_deal, 0), bytes32(0));
    }

    function test_BatchRoot_WhenThereIsNone() public view {
        // it should be zero
        vm.assertEq(batches.batchRoot(_deal, 0), bytes32(0));
    }

    function test_ProvesReceipt_WhenTheReceiptIsInTheBatch() public {
        bytes32[] memory leaves = _leaves(3, 11);
        _batch(3, _paid(11), Merkle.root(leaves), "");
        for (uint256 i = 0; i < leaves.length; ++i) {
            // it should prove every receipt by its path
            vm.assertTrue(batches.provesReceipt(_deal, 3, leaves[i], Merkle.path(leaves, i)));
        }
    }

    function test_ProvesReceipt_WhenTheBatchHasOneTask() public {
        bytes32[] memory leaves = _leaves(0, 1);
        _batch(0, _paid(1), leaves[0], "");
        // it should prove it by the empty path
        vm.assertTrue(batches.provesReceipt(_deal, 0, leaves[0], new bytes32[](0)));
    }

    function test_ProvesReceipt_WhenTheReceiptIsAnother() public {
        bytes32[] memory leaves = _leaves(0, 4);
        _batch(0, _paid(4), Merkle.root(leaves), "");
        bytes32 other = hasher.receiptHash(_receipt(_deal, _outcome(0, Status.EXIT_NONZERO), _none()));
        // it should not prove it
        vm.assertFalse(batches.provesReceipt(_deal, 0, other, Merkle.path(leaves, 0)));
        // it should not prove a receipt at another's place, or of another batch
        vm.assertFalse(batches.provesReceipt(_deal, 0, leaves[0], Merkle.path(leaves, 2)));
        vm.assertFalse(batches.provesReceipt(_deal, 1, leaves[0], Merkle.path(leaves, 0)));
    }

    function test_ProvesReceipt_WhenThereIsNoBatch() public view {
        // it should prove nothing, zero included
        vm.assertFalse(batches.provesReceipt(_deal, 0, bytes32(0), new bytes32[](0)));
    }
}
