// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../../src/generated/Params.sol";
import { IDeals } from "../../../src/interfaces/IDeals.sol";
import { IMarket } from "../../../src/interfaces/IMarket.sol";
import { IOrders } from "../../../src/interfaces/IOrders.sol";
import { IRegistry } from "../../../src/interfaces/IRegistry.sol";
import { DealProgress, DealTerms } from "../../../src/types/Deals.sol";
import { Orders } from "../../../src/types/Orders.sol";
import { Kind } from "../../../src/types/Records.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev What a match does, and which rules it checks.
contract MatchTest is UnitFixture {
    function test_WhenAllOrdersFit() public {
        Bundle memory bundle = _withDatasets(_bundle());
        Orders memory orders = _orders(bundle);
        DealTerms memory terms = _terms(bundle, 0);
        bytes32 dealId = _firstDeal(bundle);
        // it should emit Matched with the terms and the signed request
        vm.expectEmit();
        emit IMarket.Matched(dealId, appId, poolId, 3, terms, bundle.request, orders.requestSignature);
        vm.assertEq(market.matchOrders(orders), dealId);
        // it should take the price and the stake
        vm.assertEq(_available(USER), 1_000_000 - 3 * PRICE_WITH_DATASETS);
        vm.assertEq(_available(HOST), 1_000_000 - 3 * uint256(STAKE));
        // it should write down the deal
        DealProgress memory progress = market.deal(dealId);
        vm.assertEq(progress.volume, 3);
        vm.assertEq(progress.closed, 0);
        vm.assertFalse(progress.started);
        vm.assertTrue(progress.whole);
        vm.assertEq(progress.termsHash, bytes24(hasher.terms(terms)));
    }

    function test_WhenNothingCostsAnything() public {
        Bundle memory bundle = _bundle();
        bundle.app.price = 0;
        bundle.pool.price = 0;
        bundle.pool.stake = 0;
        // it should take no money
        vm.assertEq(market.deal(_submit(bundle)).volume, 3);
        vm.assertEq(_available(USER), 1_000_000);
        vm.assertEq(_available(HOST), 1_000_000);
    }

    function test_WhenTheParamsNameNoInput() public {
        Bundle memory bundle = _bundle();
        bundle.request.params = new bytes(68);
        DealTerms memory terms = _terms(bundle, 0);
        terms.workHash = hasher.work(bundle.request, bytes32(0));
        // it should agree on the input zero
        vm.assertEq(market.deal(_submit(bundle)).termsHash, bytes24(hasher.terms(terms)));
    }

    function test_WhenTheAppChangesHands() public {
        vm.prank(DEV);
        registry.transferFrom(DEV, OTHER, uint256(appId));
        Bundle memory bundle = _bundle();
        Orders memory orders = _orders(bundle);
        // it should want the new owner's signature
        _matchFails(orders, _badSignature(_appHash(bundle), OTHER));
        orders.appSignature = _sign(STRANGER, _appHash(bundle));
        DealTerms memory terms = _terms(bundle, 0);
        terms.appOwner = OTHER;
        // it should pay the new owner
        vm.assertEq(market.deal(market.matchOrders(orders)).termsHash, bytes24(hasher.terms(terms)));
    }

    function test_WhenTheFeeWasChanged() public {
        vm.prank(GOVERNOR);
        market.setFee(500);
        Bundle memory bundle = _bundle();
        DealTerms memory terms = _terms(bundle, 0);
        terms.feeBps = 500;
        // it should agree on the new fee
        vm.assertEq(market.deal(_submit(bundle)).termsHash, bytes24(hasher.terms(terms)));
    }

    function test_RevertWhen_ThePayerCannotPay() public {
        Bundle memory bundle = _bundleOf(1000);
        _submit(bundle, _poor(USER, 1_000_000, 1000 * PRICE));
    }

    function test_RevertWhen_ThePoolCannotPutUpItsStake() public {
        Bundle memory bundle = _bundle();
        bundle.pool.stake = 333_334;
        _submit(bundle, _poor(HOST, 1_000_000, 1_000_002));
    }

    function test_RevertWhen_TheAppDiffers() public {
        Bundle memory bundle = _bundle();
        bundle.request.app = poolId;
        _submit(bundle, abi.encodeWithSelector(IOrders.AppMismatch.selector, poolId, appId));
    }

    function test_RevertWhen_TheAppIsUnknown() public {
        Bundle memory bundle = _bundle();
        bundle.request.app = "x";
        bundle.app.app = "x";
        _submit(bundle, _unknown("x"));
    }

    function test_RevertWhen_ThePoolIsUnknown() public {
        Bundle memory bundle = _bundle();
        bundle.pool.pool = appId;
        _submit(bundle, _unknown(appId));
    }

    function test_RevertWhen_ADatasetIsUnknown() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.datasets[1].dataset = poolId;
        bundle.request.datasets[1] = poolId;
        _submit(bundle, _unknown(poolId));
    }

    function _unknown(bytes32 id) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRegistry.NotRegistered.selector, id);
    }

    function test_RevertWhen_TheAppHasAnotherPolicy() public {
        Bundle memory bundle = _bundle();
        bundle.request.policyHash = CODE;
        _submit(bundle, abi.encodeWithSelector(IOrders.PolicyMismatch.selector, CODE, POLICY));
    }

    function test_WhenAnAnnouncedUpdateIsNotInForce() public {
        vm.prank(DEV);
        registry.announceUpdate(appId, "manifest", "code", "new policy");
        vm.warp(block.timestamp + Params.APP_UPDATE_DELAY_S - 1);
        // it should match by the old policy
        vm.assertEq(market.deal(_submit(_bundle())).volume, 3);
    }

    function test_RevertWhen_AnUpdateCameIntoForce() public {
        vm.prank(DEV);
        registry.announceUpdate(appId, "manifest", "code", "new policy");
        vm.warp(block.timestamp + Params.APP_UPDATE_DELAY_S);
        bytes32 next = "new policy";
        _submit(_bundle(), abi.encodeWithSelector(IOrders.PolicyMismatch.selector, POLICY, next));
    }

    function test_RevertWhen_TheAppCostsTooMuch() public {
        Bundle memory bundle = _bundle();
        bundle.app.price = APP_PRICE + 1;
        _submit(bundle, _costly(Kind.APP, APP_PRICE + 1, APP_PRICE));
    }

    function test_RevertWhen_ThePoolCostsTooMuch() public {
        Bundle memory bundle = _bundle();
        bundle.pool.price = POOL_PRICE + 1;
        _submit(bundle, _costly(Kind.POOL, POOL_PRICE + 1, POOL_PRICE));
    }

    function test_RevertWhen_TheDatasetsCostTooMuchTogether() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.datasets[1].price = DATASET_PRICE + 1;
        _submit(bundle, _costly(Kind.DATASET, 2 * DATASET_PRICE + 1, 2 * DATASET_PRICE));
    }

    function _costly(uint8 kind, uint256 price, uint256 maximum) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IOrders.PriceTooHigh.selector, kind, price, maximum);
    }

    function test_RevertWhen_TheStakeIsTooLow() public {
        Bundle memory bundle = _bundle();
        bundle.request.minStake = STAKE + 1;
        _submit(bundle, abi.encodeWithSelector(IOrders.StakeTooLow.selector, STAKE + 1, STAKE));
    }

    function test_RevertWhen_TheCategoryDiffers() public {
        Bundle memory bundle = _bundle();
        bundle.request.category = 2;
        _submit(bundle, abi.encodeWithSelector(IOrders.CategoryMismatch.selector, uint16(2), uint16(1)));
    }

    function test_RevertWhen_TheTrustIsTooLow() public {
        Bundle memory bundle = _bundle();
        bundle.request.trust = 6;
        _submit(bundle, abi.encodeWithSelector(IOrders.TrustTooLow.selector, uint16(6), uint16(5)));
    }

    function test_RevertWhen_TheModeIsNotOffered() public {
        Bundle memory bundle = _bundle();
        bundle.request.mode = 1;
        _submit(bundle, abi.encodeWithSelector(IOrders.ModeNotOffered.selector, uint8(1), uint8(1)));
        bundle.request.mode = 255;
        bundle.pool.modes = 255;
        _submit(bundle, abi.encodeWithSelector(IOrders.ModeNotOffered.selector, uint8(255), uint8(255)));
    }

    function test_RevertWhen_NothingSettlesTheMode() public {
        Bundle memory bundle = _bundle();
        bundle.request.mode = 2;
        bundle.pool.modes = 4;
        _submit(bundle, abi.encodeWithSelector(IDeals.ModeNotSupported.selector, uint8(2)));
    }

    function test_RevertWhen_ThePoolLacksAFeature() public {
        // Appendix B: app 0x12, dataset 0x81 and request 0x03 need 0x93.
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.app.tag = bytes32(uint256(0x12));
        bundle.datasets[0].tag = bytes32(uint256(0x81));
        bundle.request.tag = bytes32(uint256(0x03));
        bundle.pool.tag = bytes32(uint256(0x83));
        bytes32 needed = bytes32(uint256(0x93));
        _submit(bundle, abi.encodeWithSelector(IOrders.TagNotOffered.selector, needed, bundle.pool.tag));
        bundle.pool.tag = needed;
        _submit(bundle);
    }

    function test_RevertWhen_TheParamsAreTooLong() public {
        Bundle memory bundle = _bundle();
        bundle.request.params = new bytes(257);
        _submit(bundle, abi.encodeWithSelector(IOrders.ParamsTooLong.selector, 257, 256));
        bundle.request.params = new bytes(256);
        _submit(bundle);
    }

    function test_RevertWhen_TheCallbackWantsTooMuchGas() public {
        Bundle memory bundle = _bundle();
        bundle.request.callbackGas = 2_000_001;
        _submit(bundle, abi.encodeWithSelector(IOrders.CallbackGasTooHigh.selector, 2_000_001, 2_000_000));
        bundle.request.callbackGas = 2_000_000;
        _submit(bundle);
    }
}
