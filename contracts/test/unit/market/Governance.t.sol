// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Artifacts } from "../../../script/Artifacts.sol";
import { Market } from "../../../src/Market.sol";
import { IDeals } from "../../../src/interfaces/IDeals.sol";
import { IMarket } from "../../../src/interfaces/IMarket.sol";
import { DealTerms, Tally } from "../../../src/types/Deals.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev What the governor may do.
contract GovernanceTest is UnitFixture {
    function test_SetFee_WhenTheGovernorSends() public {
        // it should emit FeeChanged
        vm.expectEmit();
        emit IMarket.FeeChanged(500);
        vm.prank(GOVERNOR);
        market.setFee(500);
        // it should be the fee of new deals
        vm.assertEq(market.fee(), 500);
    }

    function test_SetFee_RevertWhen_ItIsAboveTheCap() public {
        vm.expectRevert(abi.encodeWithSelector(IMarket.FeeTooHigh.selector, 501, 500));
        vm.prank(GOVERNOR);
        market.setFee(501);
    }

    /// @dev A call of its own, so that its revert can be expected.
    function create(uint16 feeBps) external returns (Market) {
        bytes memory arguments =
            abi.encode(address(token), address(1), address(2), address(3), address(4), GOVERNOR, FEES, feeBps);
        return Market(Artifacts.create("Market", arguments));
    }

    function test_SetFee_RevertWhen_OthersSend() public {
        vm.expectRevert(abi.encodeWithSelector(IMarket.NotGovernor.selector, address(this)));
        market.setFee(1);
    }

    function test_Fee_WhenTheMarketIsNew() public view {
        // it should be the fee of the deployment
        vm.assertEq(market.fee(), FEE_BPS);
    }

    function test_Constructor_RevertWhen_TheFeeIsAboveTheCap() public {
        vm.expectRevert(abi.encodeWithSelector(IMarket.FeeTooHigh.selector, 501, 500));
        this.create(501);
    }

    function test_Constructor_WhenTheArgumentsAreGood() public {
        // it should emit ModuleSet for both modes, and FeeChanged
        vm.expectEmit();
        emit IDeals.ModuleSet(0, address(3));
        vm.expectEmit();
        emit IDeals.ModuleSet(5, address(4));
        vm.expectEmit();
        emit IMarket.FeeChanged(7);
        Market made = this.create(7);
        // it should remember them
        vm.assertEq(made.governor(), GOVERNOR);
        vm.assertEq(made.feeRecipient(), FEES);
        vm.assertEq(made.registry(), address(1));
        vm.assertEq(made.attestations(), address(2));
    }

    function test_SetModule_WhenTheModeHasNone() public {
        // it should emit ModuleSet
        vm.expectEmit();
        emit IDeals.ModuleSet(2, OTHER);
        vm.prank(GOVERNOR);
        market.setModule(2, OTHER);
        vm.assertEq(market.moduleOf(2), OTHER);
        // it should let deals of the mode be made, and closed by the module
        Bundle memory bundle = _bundle();
        bundle.request.mode = 2;
        bundle.pool.modes = 4;
        DealTerms memory terms = _matched(bundle);
        vm.prank(OTHER);
        market.closeFor(terms, 0, Tally(3, 0, 0, 0));
        vm.assertEq(market.deal(_dealId(terms)).volume, 0);
    }

    function _fixed(uint8 mode, address module) private {
        vm.expectRevert(abi.encodeWithSelector(IDeals.ModuleFixed.selector, mode, module));
        vm.prank(GOVERNOR);
        market.setModule(mode, OTHER);
    }

    function test_SetModule_RevertWhen_TheModeHasOne() public {
        _fixed(0, address(batches));
        _fixed(5, address(channels));
        vm.prank(GOVERNOR);
        market.setModule(2, HOST);
        _fixed(2, HOST);
    }

    function test_SetModule_RevertWhen_OthersSend() public {
        vm.expectRevert(abi.encodeWithSelector(IMarket.NotGovernor.selector, address(this)));
        market.setModule(2, OTHER);
    }

    function test_SetOperator_WhenCalled() public {
        vm.assertFalse(market.isOperator(HOST, OTHER));
        // it should emit OperatorSet
        vm.expectEmit();
        emit IDeals.OperatorSet(HOST, OTHER, true);
        vm.prank(HOST);
        market.setOperator(OTHER, true);
        // it should count for the caller's pools only
        vm.assertTrue(market.isOperator(HOST, OTHER));
        vm.assertFalse(market.isOperator(DEV, OTHER));
    }

    function test_SetOperator_WhenTheRightIsTakenBack() public {
        DealTerms memory terms = _matched(_bundle());
        vm.startPrank(HOST);
        market.setOperator(OTHER, true);
        market.setOperator(OTHER, false);
        vm.stopPrank();
        // it should refuse the operator
        vm.assertFalse(market.isOperator(HOST, OTHER));
        vm.expectRevert(abi.encodeWithSelector(IDeals.NotPoolOperator.selector, OTHER, HOST));
        vm.prank(OTHER);
        market.start(terms);
    }

    function test_IsOperator_WhenTheOwnerIsAskedAbout() public view {
        // it should be its own operator
        vm.assertTrue(market.isOperator(HOST, HOST));
    }

    function test_ModuleOf_WhenAsked() public view {
        // it should be Batches for mode 0, Channels for mode 5 and nothing for others
        vm.assertEq(market.moduleOf(0), address(batches));
        vm.assertEq(market.moduleOf(5), address(channels));
        vm.assertEq(market.moduleOf(1), address(0));
    }
}
