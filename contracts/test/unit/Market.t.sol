// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../src/generated/Params.sol";
import { IEscrow } from "../../src/interfaces/IEscrow.sol";
import { IMarket } from "../../src/interfaces/IMarket.sol";
import { IRegistry } from "../../src/interfaces/IRegistry.sol";
import { ITasks } from "../../src/interfaces/ITasks.sol";
import { DealTerms } from "../../src/types/Deals.sol";
import { AppOrder, DatasetOrder } from "../../src/types/Orders.sol";
import { Kind } from "../../src/types/Records.sol";
import { Bundle, Fixture } from "../utils/Fixture.sol";
import { Group, OddGroup, Wallet } from "../utils/Parties.sol";
import { vm } from "../utils/Vm.sol";

contract MarketTest is Fixture {
    function test_MatchLocksThePriceAndEmitsTheTerms() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bytes32 hash = hasher.requestOrder(bundle.request);
        bytes memory app = _sign(DEVELOPER, hasher.appOrder(bundle.app));
        bytes[] memory datasets = _datasetSignatures(bundle);
        bytes memory pool = _sign(POOL_OWNER, hasher.poolOrder(bundle.pool));
        bytes memory request = _sign(REQUESTER, hash);
        bytes32 dealId = keccak256(abi.encode(hash, uint256(0)));
        DealTerms memory terms = _terms(bundle, 3);
        vm.expectEmit();
        emit IMarket.Matched(dealId, appId, poolId, terms, request);
        bytes32 found =
            market.matchOrders(bundle.app, app, bundle.datasets, datasets, bundle.pool, pool, bundle.request, request);
        vm.assertEq(found, dealId);
        vm.assertEq(_locked(vm.addr(REQUESTER)), 3 * 1440);
        vm.assertEq(tasks.deal(dealId).termsHash, keccak256(abi.encode(terms)));
        vm.assertEq(market.consumed(hash), 3);
        vm.assertEq(market.consumed(hasher.appOrder(bundle.app)), 3);
        vm.assertEq(market.consumed(hasher.poolOrder(bundle.pool)), 3);
        vm.assertEq(market.consumed(hasher.datasetOrder(bundle.datasets[1])), 3);
    }

    function test_VolumeIsWhatAllOrdersHaveLeft() public {
        Bundle memory bundle = _bundle();
        bundle.app.volume = 2;
        bytes32 first = _submit(bundle);
        vm.assertEq(tasks.deal(first).volume, 2);
        _submit(bundle, abi.encodeWithSelector(IMarket.OrderConsumed.selector, hasher.appOrder(bundle.app)));
        bundle.app.salt = "next";
        bytes32 second = _submit(bundle);
        vm.assertEq(tasks.deal(second).volume, 1);
        vm.assertEq(second, keccak256(abi.encode(hasher.requestOrder(bundle.request), uint256(2))));
        bundle.app.salt = "third";
        _submit(bundle, abi.encodeWithSelector(IMarket.OrderConsumed.selector, hasher.requestOrder(bundle.request)));
    }

    function test_OrdersWithoutPriceNeedNoMoney() public {
        Bundle memory bundle = _bundle();
        bundle.app.price = 0;
        bundle.pool.price = 0;
        vm.assertEq(tasks.deal(_submit(bundle)).volume, 3);
        vm.assertEq(_locked(vm.addr(REQUESTER)), 0);
    }

    function test_RevertWhen_VolumeIsZero() public {
        Bundle memory bundle = _bundle();
        bundle.request.volume = 0;
        _submit(bundle, abi.encodeWithSelector(IMarket.OrderConsumed.selector, hasher.requestOrder(bundle.request)));
    }

    function test_RevertWhen_ThePayerCannotPay() public {
        Bundle memory bundle = _bundle();
        bundle.app.volume = 10_000;
        bundle.pool.volume = 10_000;
        bundle.request.volume = 1000;
        address payer = vm.addr(REQUESTER);
        _submit(bundle, abi.encodeWithSelector(IEscrow.InsufficientFunds.selector, payer, 1_000_000, 1_300_000));
    }

    function test_RevertWhen_ASignatureIsByOthers() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bytes memory app = _sign(DEVELOPER, hasher.appOrder(bundle.app));
        bytes[] memory datasets = _datasetSignatures(bundle);
        bytes memory pool = _sign(POOL_OWNER, hasher.poolOrder(bundle.pool));
        bytes memory request = _sign(REQUESTER, hasher.requestOrder(bundle.request));
        bytes memory bad = _sign(STRANGER, hasher.appOrder(bundle.app));
        vm.expectRevert(_bad(hasher.appOrder(bundle.app), DEVELOPER));
        market.matchOrders(bundle.app, bad, bundle.datasets, datasets, bundle.pool, pool, bundle.request, request);
        vm.expectRevert(_bad(hasher.poolOrder(bundle.pool), POOL_OWNER));
        market.matchOrders(bundle.app, app, bundle.datasets, datasets, bundle.pool, app, bundle.request, request);
        vm.expectRevert(_bad(hasher.requestOrder(bundle.request), REQUESTER));
        market.matchOrders(bundle.app, app, bundle.datasets, datasets, bundle.pool, pool, bundle.request, "");
        datasets[1] = datasets[0];
        vm.expectRevert(_bad(hasher.datasetOrder(bundle.datasets[1]), DATA_OWNER));
        market.matchOrders(bundle.app, app, bundle.datasets, datasets, bundle.pool, pool, bundle.request, request);
    }

    function _bad(bytes32 hash, uint256 key) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarket.BadSignature.selector, hash, vm.addr(key));
    }

    function test_ShortSignatureFormAndWalletContractsAreAccepted() public {
        Bundle memory bundle = _bundle();
        Wallet wallet = new Wallet(vm.addr(STRANGER));
        _fund(address(wallet), 10_000);
        bundle.request.requester = address(wallet);
        bytes memory app = _sign(DEVELOPER, hasher.appOrder(bundle.app));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(POOL_OWNER, hasher.poolOrder(bundle.pool));
        bytes memory pool = abi.encodePacked(r, v == 28 ? s | bytes32(uint256(1) << 255) : s);
        bytes memory request = _sign(STRANGER, hasher.requestOrder(bundle.request));
        market.matchOrders(bundle.app, app, bundle.datasets, new bytes[](0), bundle.pool, pool, bundle.request, request);
        vm.assertEq(_locked(address(wallet)), 3900);
    }

    function test_RevertWhen_AnOrderIsExpired() public {
        Bundle memory bundle = _bundle();
        bundle.request.expiry = uint64(block.timestamp);
        _submit(bundle);
        vm.warp(block.timestamp + 1);
        bytes32 hash = hasher.requestOrder(bundle.request);
        _submit(bundle, abi.encodeWithSelector(IMarket.OrderExpired.selector, hash, bundle.request.expiry));
    }

    function test_RaisingTheNonceVoidsOrders() public {
        Bundle memory bundle = _bundle();
        vm.expectEmit();
        emit IMarket.NonceRaised(vm.addr(DEVELOPER), 1);
        vm.prank(vm.addr(DEVELOPER));
        vm.assertEq(market.raiseNonce(), 1);
        vm.assertEq(market.nonceOf(vm.addr(DEVELOPER)), 1);
        bytes32 hash = hasher.appOrder(bundle.app);
        _submit(bundle, abi.encodeWithSelector(IMarket.OrderNonceTooLow.selector, hash, uint64(0), uint64(1)));
        bundle.app.nonce = 1;
        _submit(bundle);
    }

    function test_CanceledOrdersAreVoid() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bytes32 hash = hasher.appOrder(bundle.app);
        vm.expectEmit();
        emit IMarket.OrderCanceled(vm.addr(DEVELOPER), hash);
        vm.prank(vm.addr(DEVELOPER));
        market.cancelAppOrder(bundle.app);
        vm.assertEq(market.consumed(hash), type(uint32).max);
        _submit(bundle, abi.encodeWithSelector(IMarket.OrderConsumed.selector, hash));
        bundle.app.salt = "new";

        vm.prank(vm.addr(POOL_OWNER));
        market.cancelPoolOrder(bundle.pool);
        _submit(bundle, abi.encodeWithSelector(IMarket.OrderConsumed.selector, hasher.poolOrder(bundle.pool)));
        bundle.pool.salt = "new";

        vm.prank(vm.addr(DATA_OWNER));
        market.cancelDatasetOrder(bundle.datasets[0]);
        hash = hasher.datasetOrder(bundle.datasets[0]);
        _submit(bundle, abi.encodeWithSelector(IMarket.OrderConsumed.selector, hash));
        bundle.datasets[0].salt = "new";

        vm.prank(vm.addr(REQUESTER));
        market.cancelRequestOrder(bundle.request);
        _submit(bundle, abi.encodeWithSelector(IMarket.OrderConsumed.selector, hasher.requestOrder(bundle.request)));
    }

    function test_RevertWhen_OthersCancel() public {
        Bundle memory bundle = _withDatasets(_bundle());
        vm.expectRevert(_notSigner(hasher.appOrder(bundle.app), DEVELOPER));
        market.cancelAppOrder(bundle.app);
        vm.expectRevert(_notSigner(hasher.datasetOrder(bundle.datasets[0]), DATA_OWNER));
        market.cancelDatasetOrder(bundle.datasets[0]);
        vm.expectRevert(_notSigner(hasher.poolOrder(bundle.pool), POOL_OWNER));
        market.cancelPoolOrder(bundle.pool);
        vm.expectRevert(_notSigner(hasher.requestOrder(bundle.request), REQUESTER));
        market.cancelRequestOrder(bundle.request);
    }

    function _notSigner(bytes32 hash, uint256 key) private view returns (bytes memory) {
        return abi.encodeWithSelector(IMarket.NotSigner.selector, hash, vm.addr(key), address(this));
    }

    function test_RevertWhen_AppIsAnotherOrUnknown() public {
        Bundle memory bundle = _bundle();
        bundle.request.app = "x";
        _submit(bundle, abi.encodeWithSelector(IMarket.AppMismatch.selector, bytes32("x"), appId));
        bundle.app.app = "x";
        _submit(bundle, abi.encodeWithSelector(IRegistry.NotRegistered.selector, bytes32("x")));
    }

    function test_RevertWhen_APriceIsTooHigh() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.app.price = APP_PRICE + 1;
        _submit(bundle, _price(Kind.APP, APP_PRICE + 1, APP_PRICE));
        bundle.app.price = APP_PRICE;
        bundle.pool.price = POOL_PRICE + 1;
        _submit(bundle, _price(Kind.POOL, POOL_PRICE + 1, POOL_PRICE));
        bundle.pool.price = POOL_PRICE;
        bundle.datasets[1].price = DATASET_PRICE + 1;
        _submit(bundle, _price(Kind.DATASET, 141, 140));
    }

    function _price(uint8 kind, uint256 price, uint256 maximum) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarket.PriceTooHigh.selector, kind, price, maximum);
    }

    function test_RevertWhen_ThePoolOffersLess() public {
        Bundle memory bundle = _bundle();
        bundle.pool.category = 2;
        _submit(bundle, abi.encodeWithSelector(IMarket.CategoryMismatch.selector, uint16(1), uint16(2)));
        bundle.pool.category = 1;
        bundle.pool.trust = 4;
        _submit(bundle, abi.encodeWithSelector(IMarket.TrustTooLow.selector, uint16(5), uint16(4)));
        bundle.pool.trust = 6;
        bundle.request.mode = 1;
        _submit(bundle, abi.encodeWithSelector(IMarket.ModeNotOffered.selector, uint8(1), uint8(1)));
        bundle.pool.modes = 3;
        _submit(bundle, abi.encodeWithSelector(ITasks.ModeNotSupported.selector, uint8(1)));
        bundle.request.mode = 255;
        bundle.pool.modes = 255;
        _submit(bundle, abi.encodeWithSelector(IMarket.ModeNotOffered.selector, uint8(255), uint8(255)));
    }

    function test_RevertWhen_ThePoolLacksAFeatureOfAnyOrder() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.app.tag = bytes32(uint256(2));
        bundle.datasets[1].tag = bytes32(uint256(4));
        _submit(bundle);
        bundle.pool.tag = bytes32(uint256(3));
        _submit(bundle, abi.encodeWithSelector(IMarket.TagNotOffered.selector, uint256(7), uint256(3)));
    }

    function test_RevertWhen_DatasetsDiffer() public {
        Bundle memory bundle = _withDatasets(_bundle());
        (bundle.datasets[0], bundle.datasets[1]) = (bundle.datasets[1], bundle.datasets[0]);
        _submit(bundle, _dataset(0, datasetIds[0], datasetIds[1]));
        bundle = _withDatasets(_bundle());
        DatasetOrder[] memory both = bundle.datasets;
        bundle.datasets = new DatasetOrder[](1);
        bundle.datasets[0] = both[0];
        _submit(bundle, _dataset(1, datasetIds[1], 0));
        bundle.datasets = both;
        bundle.request.datasets = new bytes32[](1);
        bundle.request.datasets[0] = datasetIds[0];
        _submit(bundle, _dataset(1, 0, datasetIds[1]));
    }

    function _dataset(uint256 index, bytes32 requested, bytes32 offered) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarket.DatasetMismatch.selector, index, requested, offered);
    }

    function test_RevertWhen_SignatureCountDiffers() public {
        Bundle memory bundle = _withDatasets(_bundle());
        vm.expectRevert(abi.encodeWithSelector(IMarket.SignatureCountMismatch.selector, 2, 3));
        market.matchOrders(bundle.app, "", bundle.datasets, new bytes[](3), bundle.pool, "", bundle.request, "");
    }

    function test_RevertWhen_OneDatasetOrderIsUsedTwiceBeyondItsVolume() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bundle.request.datasets[1] = datasetIds[0];
        bundle.datasets[0].volume = 5;
        bundle.datasets[1] = bundle.datasets[0];
        bytes32 hash = hasher.datasetOrder(bundle.datasets[0]);
        _submit(bundle, abi.encodeWithSelector(IMarket.OrderConsumed.selector, hash));
        bundle.request.volume = 2;
        _submit(bundle);
        vm.assertEq(market.consumed(hash), 4);
    }

    function test_RevertWhen_ARequestExceedsALimit() public {
        Bundle memory bundle = _bundle();
        bundle.request.params = new bytes(Params.MAX_PARAMS_BYTES + 1);
        _submit(bundle, abi.encodeWithSelector(IMarket.ParamsTooLong.selector, 257, 256));
        bundle = _bundle();
        bundle.request.datasets = new bytes32[](Params.MAX_DATASETS + 1);
        _submit(bundle, abi.encodeWithSelector(IMarket.TooManyDatasets.selector, 9, 8));
        bundle = _bundle();
        bundle.request.callbackGas = uint32(Params.MAX_CALLBACK_GAS) + 1;
        _submit(bundle, abi.encodeWithSelector(IMarket.CallbackGasTooHigh.selector, 2_000_001, 2_000_000));
    }

    function test_RevertWhen_NobodyIsTheRequester() public {
        Bundle memory bundle = _bundle();
        bundle.request.requester = address(0);
        bytes32 hash = hasher.requestOrder(bundle.request);
        _submit(bundle, abi.encodeWithSelector(IMarket.BadSignature.selector, hash, address(0)));
    }

    function test_PartsOfARequestAreDealsOfTheirOwn() public {
        Bundle memory bundle = _bundle();
        bundle.pool.volume = 2;
        bytes32 first = _submit(bundle);
        bundle.pool.salt = "other";
        bytes32 second = _submit(bundle);
        vm.assertFalse(first == second);
        vm.assertEq(tasks.deal(first).volume, 2);
        vm.assertEq(tasks.deal(second).volume, 1);
        bundle.pool.salt = "third";
        bytes32 hash = hasher.requestOrder(bundle.request);
        _submit(bundle, abi.encodeWithSelector(IMarket.OrderConsumed.selector, hash));
    }

    function test_SponsorPaysAndMustSendTheMatch() public {
        Bundle memory bundle = _bundle();
        _fund(address(this), 10_000);
        bundle.request.sponsor = address(this);
        bytes32 dealId = _submit(bundle);
        DealTerms memory terms = _terms(bundle, 3);
        terms.payer = address(this);
        vm.assertEq(tasks.deal(dealId).termsHash, keccak256(abi.encode(terms)));
        vm.assertEq(_locked(address(this)), 3900);
        vm.assertEq(_locked(vm.addr(REQUESTER)), 0);
        bundle.request.sponsor = vm.addr(STRANGER);
        _submit(bundle, abi.encodeWithSelector(IMarket.SponsorMismatch.selector, vm.addr(STRANGER), address(this)));
    }

    function test_RestrictionsAdmitIdsAndGroups() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bytes32 requester = bytes32(uint256(uint160(vm.addr(REQUESTER))));
        bundle.app.poolRestrict = poolId;
        bundle.app.requesterRestrict = requester;
        bundle.pool.appRestrict = appId;
        bundle.pool.requesterRestrict = _group(requester);
        bundle.request.poolRestrict = _group(poolId);
        bundle.datasets[0].appRestrict = appId;
        bundle.datasets[0].poolRestrict = _group(poolId);
        bundle.datasets[1].requesterRestrict = requester;
        _submit(bundle);
    }

    function test_RevertWhen_ARestrictionDoesNotAdmit() public {
        bytes32 requester = bytes32(uint256(uint160(vm.addr(REQUESTER))));
        bytes32 other = keccak256("other");
        Bundle memory bundle = _bundle();
        bundle.app.poolRestrict = other;
        _submit(bundle, _restricted(Kind.POOL, other, poolId));
        bundle = _bundle();
        bundle.app.requesterRestrict = other;
        _submit(bundle, _restricted(Kind.REQUESTER, other, requester));
        bundle = _bundle();
        bundle.pool.appRestrict = other;
        _submit(bundle, _restricted(Kind.APP, other, appId));
        bundle = _bundle();
        bundle.pool.requesterRestrict = other;
        _submit(bundle, _restricted(Kind.REQUESTER, other, requester));
        bundle = _bundle();
        bundle.request.poolRestrict = other;
        _submit(bundle, _restricted(Kind.POOL, other, poolId));
        bundle = _withDatasets(_bundle());
        bundle.app.datasetRestrict = datasetIds[0];
        _submit(bundle, _restricted(Kind.DATASET, datasetIds[0], datasetIds[1]));
        bundle = _withDatasets(_bundle());
        bundle.pool.datasetRestrict = other;
        _submit(bundle, _restricted(Kind.DATASET, other, datasetIds[0]));
        bundle = _withDatasets(_bundle());
        bundle.datasets[0].appRestrict = other;
        _submit(bundle, _restricted(Kind.APP, other, appId));
        bundle = _withDatasets(_bundle());
        bundle.datasets[0].poolRestrict = other;
        _submit(bundle, _restricted(Kind.POOL, other, poolId));
        bundle = _withDatasets(_bundle());
        bundle.datasets[0].requesterRestrict = other;
        _submit(bundle, _restricted(Kind.REQUESTER, other, requester));
    }

    function test_RevertWhen_AGroupSaysNoOrIsNone() public {
        bytes32[4] memory restrictions = [
            _group(keccak256("other")),
            bytes32(uint256(uint160(vm.addr(STRANGER)))),
            bytes32(uint256(uint160(address(new OddGroup())))),
            bytes32(uint256(uint160(address(token))))
        ];
        for (uint256 i = 0; i < restrictions.length; ++i) {
            Bundle memory bundle = _bundle();
            bundle.request.poolRestrict = restrictions[i];
            _submit(bundle, _restricted(Kind.POOL, restrictions[i], poolId));
        }
    }

    function _group(bytes32 member) private returns (bytes32) {
        return bytes32(uint256(uint160(address(new Group(member)))));
    }

    function _restricted(uint8 kind, bytes32 restriction, bytes32 given) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMarket.Restricted.selector, kind, restriction, given);
    }

    function test_ValidOrdersCanBePosted() public {
        Bundle memory bundle = _bundle();
        bytes memory app = _sign(DEVELOPER, hasher.appOrder(bundle.app));
        bytes memory pool = _sign(POOL_OWNER, hasher.poolOrder(bundle.pool));
        bytes32 hash = hasher.appOrder(bundle.app);
        vm.expectEmit();
        emit IMarket.AppOrderPosted(appId, hash, bundle.app, app);
        market.postAppOrder(bundle.app, app);
        vm.expectRevert(_bad(hash, DEVELOPER));
        market.postAppOrder(bundle.app, pool);
        hash = hasher.poolOrder(bundle.pool);
        vm.expectEmit();
        emit IMarket.PoolOrderPosted(poolId, hash, bundle.pool, pool);
        market.postPoolOrder(bundle.pool, pool);
        vm.expectRevert(_bad(hash, POOL_OWNER));
        market.postPoolOrder(bundle.pool, app);
    }

    function test_GovernorSetsTheFeeOfLaterDeals() public {
        vm.assertEq(market.fee(), FEE_BPS);
        vm.expectEmit();
        emit IMarket.FeeChanged(500);
        vm.prank(GOVERNOR);
        market.setFee(500);
        Bundle memory bundle = _bundle();
        DealTerms memory terms = _terms(bundle, 3);
        terms.feeBps = 500;
        vm.assertEq(tasks.deal(_submit(bundle)).termsHash, keccak256(abi.encode(terms)));
    }

    function test_RevertWhen_FeeIsTooHighOrByOthers() public {
        vm.expectRevert(abi.encodeWithSelector(IMarket.FeeTooHigh.selector, 501, 500));
        vm.prank(GOVERNOR);
        market.setFee(501);
        vm.expectRevert(abi.encodeWithSelector(IMarket.NotGovernor.selector, address(this)));
        market.setFee(1);
    }

    function test_SignaturesCountOnOneChainOnly() public {
        Bundle memory bundle = _bundle();
        AppOrder memory order = bundle.app;
        bytes memory signature = _sign(DEVELOPER, hasher.appOrder(order));
        vm.chainId(1);
        vm.expectPartialRevert(IMarket.BadSignature.selector);
        market.postAppOrder(order, signature);
    }
}
