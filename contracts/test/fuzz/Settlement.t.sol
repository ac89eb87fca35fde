// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../src/generated/Params.sol";
import { Status } from "../../src/generated/Status.sol";
import { Settlement } from "../../src/libraries/Settlement.sol";
import { DatasetShare, DealTerms } from "../../src/types/Deals.sol";
import { Progress, ProgressLibrary } from "../../src/types/Progress.sol";
import { Payment } from "../../src/types/Records.sol";
import { vm } from "../utils/Vm.sol";

contract SettlementTest {
    // forge-lint: disable-next-line(mixed-case-variable)
    bool public constant IS_TEST = true;

    function split(DealTerms calldata terms, uint16 status) external pure returns (Payment[] memory, uint256) {
        return Settlement.split(terms, status, address(0xFE));
    }

    function price(DealTerms calldata terms) external pure returns (uint256) {
        return Settlement.price(terms);
    }

    function _make(uint96 app, uint96 pool, uint96[] memory datasets, uint16 fee)
        private
        pure
        returns (DealTerms memory terms)
    {
        terms.appPrice = app;
        terms.poolPrice = pool;
        terms.feeBps = uint16(fee % (Params.PROTOCOL_FEE_CAP_BPS + 1));
        uint256 count = datasets.length < Params.MAX_DATASETS ? datasets.length : Params.MAX_DATASETS;
        terms.datasets = new DatasetShare[](count);
        for (uint256 i = 0; i < count; ++i) {
            terms.datasets[i].price = datasets[i];
        }
    }

    function testFuzz_PaymentsAndRefundAreExactlyThePrice(
        uint96 app,
        uint96 pool,
        uint96[] memory datasets,
        uint16 fee,
        uint16 status
    ) public view {
        DealTerms memory terms = _make(app, pool, datasets, fee);
        (Payment[] memory payments, uint256 refund) = this.split(terms, status % 128);
        uint256 total = refund;
        for (uint256 i = 0; i < payments.length; ++i) {
            total += payments[i].amount;
        }
        vm.assertEq(total, this.price(terms));
    }

    function testFuzz_FeeNeverExceedsItsShare(uint96 app, uint96 pool, uint96[] memory datasets, uint16 fee)
        public
        view
    {
        DealTerms memory terms = _make(app, pool, datasets, fee);
        (Payment[] memory payments, uint256 refund) = this.split(terms, Status.SUCCESS);
        vm.assertEq(refund, 0);
        vm.assertTrue(payments[0].amount <= this.price(terms) * terms.feeBps / 10_000);
        vm.assertTrue(payments[1].amount <= pool);
    }

    function testFuzz_WorkerFaultsCostTheRequesterNothing(uint96 app, uint96 pool, uint16 fee, uint16 status)
        public
        view
    {
        DealTerms memory terms = _make(app, pool, new uint96[](0), fee);
        (, uint256 refund) = this.split(terms, status);
        if (!Status.paysWorker(status)) vm.assertEq(refund, uint256(app) + pool);
        else if (!Status.paysDeveloper(status)) vm.assertEq(refund, app);
        else vm.assertEq(refund, 0);
    }

    function testFuzz_ProgressKeepsItsFields(uint32 volume, uint64 startedAt, uint32 first, uint32 second) public pure {
        vm.assume(first != second);
        Progress progress = ProgressLibrary.start(volume, startedAt).close(first);
        if (second < 128) vm.assertFalse(progress.isInlineClosed(second));
        progress = progress.close(second);
        vm.assertEq(progress.volume(), volume);
        vm.assertEq(progress.startedAt(), startedAt);
        vm.assertEq(progress.closed(), 2);
        if (first < 128) vm.assertTrue(progress.isInlineClosed(first));
        if (second < 128) vm.assertTrue(progress.isInlineClosed(second));
    }
}
