// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IBook, Posted } from "../../../src/interfaces/IBook.sol";
import { IOrders } from "../../../src/interfaces/IOrders.sol";
import { IRegistry } from "../../../src/interfaces/IRegistry.sol";
import { AppOrder, DatasetOrder, PoolOrder, RequestOrder } from "../../../src/types/Orders.sol";
import { Kind } from "../../../src/types/Records.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { Wallet } from "../../utils/Parties.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev The public order book.
contract BookTest is UnitFixture {
    function _postApp(AppOrder memory order, bytes memory failure) private {
        bytes memory signature = _sign(DEVELOPER, hasher.appOrder(order));
        if (failure.length != 0) vm.expectRevert(failure);
        book.postAppOrder(order, signature);
    }

    function _postRequest(RequestOrder memory order, bytes memory failure) private {
        bytes memory signature = _sign(REQUESTER, hasher.requestOrder(order));
        if (failure.length != 0) vm.expectRevert(failure);
        book.postRequest(order, signature);
    }

    function _appOrder(uint256 salt) private view returns (AppOrder memory order) {
        order = _bundle().app;
        order.salt = bytes32(salt);
    }

    function _withdraw(bytes32 hash) private {
        vm.prank(DEV);
        book.withdraw(hash);
    }

    function _missing(address signer, bytes32 hash) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IBook.NotPosted.selector, signer, hash);
    }

    function test_PostAppOrder_WhenItCouldBeMatched() public {
        AppOrder memory order = _appOrder(0);
        bytes32 hash = hasher.appOrder(order);
        bytes memory signature = _sign(DEVELOPER, hash);
        // it should emit AppOrderPosted
        vm.expectEmit();
        emit IBook.AppOrderPosted(appId, DEV, hash, order, signature);
        vm.prank(OTHER);
        book.postAppOrder(order, signature);
        // it should list it for its signer
        vm.assertEq(book.countOf(DEV), 1);
        Posted memory entry = book.postedBy(DEV, 0, 1)[0];
        vm.assertEq(entry.orderHash, hash);
        vm.assertEq(entry.kind, Kind.APP);
        vm.assertFalse(entry.withdrawn);
        vm.assertEq(entry.postedAt, block.timestamp);
        vm.assertEq(entry.expiry, order.expiry);
    }

    function test_PostAppOrder_WhenItIsApprovedOnChain() public {
        AppOrder memory order = _appOrder(0);
        _approve(DEV, hasher.appOrder(order));
        // it should need no signature
        book.postAppOrder(order, "");
        vm.assertEq(book.countOf(DEV), 1);
    }

    function test_PostAppOrder_WhenAPartIsUsedUp() public {
        Bundle memory bundle = _bundle();
        _submit(bundle);
        _postApp(bundle.app, "");
        // it should list it
        vm.assertEq(book.countOf(DEV), 1);
    }

    function test_PostAppOrder_WhenItsSignerBringsItBack() public {
        AppOrder memory order = _appOrder(0);
        bytes32 hash = hasher.appOrder(order);
        bytes memory signature = _sign(DEVELOPER, hash);
        book.postAppOrder(order, signature);
        _withdraw(hash);
        // it should emit and list it at its old place
        vm.expectEmit();
        emit IBook.AppOrderPosted(appId, DEV, hash, order, signature);
        vm.prank(DEV);
        book.postAppOrder(order, signature);
        vm.assertEq(book.countOf(DEV), 1);
        vm.assertFalse(book.postedBy(DEV, 0, 1)[0].withdrawn);
    }

    function test_PostAppOrder_RevertWhen_OthersBringItBack() public {
        AppOrder memory order = _appOrder(0);
        bytes32 hash = hasher.appOrder(order);
        _postApp(order, "");
        _withdraw(hash);
        _postApp(order, _missing(DEV, hash));
    }

    function test_PostAppOrder_RevertWhen_ItStandsInTheBook() public {
        AppOrder memory order = _appOrder(0);
        _postApp(order, "");
        _postApp(order, abi.encodeWithSelector(IBook.AlreadyPosted.selector, hasher.appOrder(order)));
    }

    function test_PostAppOrder_RevertWhen_OthersSignedIt() public {
        AppOrder memory order = _appOrder(0);
        bytes32 hash = hasher.appOrder(order);
        bytes memory signature = _sign(STRANGER, hash);
        vm.expectRevert(_badSignature(hash, DEV));
        book.postAppOrder(order, signature);
        vm.expectRevert(_badSignature(hash, DEV));
        book.postAppOrder(order, "");
    }

    function test_PostAppOrder_RevertWhen_TheAppIsUnknown() public {
        AppOrder memory order = _appOrder(0);
        order.app = poolId;
        _postApp(order, abi.encodeWithSelector(IRegistry.NotRegistered.selector, poolId));
    }

    function test_PostAppOrder_RevertWhen_ItIsExpired() public {
        AppOrder memory order = _appOrder(0);
        order.expiry = uint64(block.timestamp);
        _postApp(order, "");
        vm.warp(block.timestamp + 1);
        order.salt = "next";
        bytes32 hash = hasher.appOrder(order);
        _postApp(order, abi.encodeWithSelector(IOrders.OrderExpired.selector, hash, order.expiry));
    }

    function test_PostAppOrder_RevertWhen_ItsNonceIsTooLow() public {
        vm.prank(DEV);
        market.raiseNonce();
        AppOrder memory order = _appOrder(0);
        bytes32 hash = hasher.appOrder(order);
        _postApp(order, abi.encodeWithSelector(IOrders.OrderNonceTooLow.selector, hash, uint64(0), uint64(1)));
    }

    function test_PostAppOrder_RevertWhen_ItIsCanceled() public {
        AppOrder memory order = _appOrder(0);
        bytes32 hash = hasher.appOrder(order);
        _cancel(DEV, hash);
        _postApp(order, _consumed(hash));
    }

    function test_PostAppOrder_RevertWhen_ItIsUsedUp() public {
        Bundle memory bundle = _bundle();
        bundle.app.volume = 3;
        _submit(bundle);
        _postApp(bundle.app, _consumed(_appHash(bundle)));
        bundle.app.volume = 0;
        _postApp(bundle.app, _consumed(_appHash(bundle)));
    }

    function test_PostDatasetOrder_WhenItCouldBeMatched() public {
        DatasetOrder memory order = _withDatasets(_bundle()).datasets[1];
        bytes32 hash = hasher.datasetOrder(order);
        bytes memory signature = _short(DATA_OWNER, hash);
        // it should emit DatasetOrderPosted and list it
        vm.expectEmit();
        emit IBook.DatasetOrderPosted(datasetIds[1], DATA, hash, order, signature);
        book.postDatasetOrder(order, signature);
        vm.assertEq(book.postedBy(DATA, 0, 1)[0].kind, Kind.DATASET);
    }

    function test_PostDatasetOrder_RevertWhen_TheDatasetIsUnknown() public {
        DatasetOrder memory order = _withDatasets(_bundle()).datasets[1];
        order.dataset = appId;
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NotRegistered.selector, appId));
        book.postDatasetOrder(order, "");
    }

    function test_PostPoolOrder_WhenItCouldBeMatched() public {
        PoolOrder memory order = _bundle().pool;
        bytes32 hash = hasher.poolOrder(order);
        bytes memory signature = _sign(POOL_OWNER, hash);
        // it should emit PoolOrderPosted and list it
        vm.expectEmit();
        emit IBook.PoolOrderPosted(poolId, HOST, hash, order, signature);
        book.postPoolOrder(order, signature);
        vm.assertEq(book.postedBy(HOST, 0, 1)[0].kind, Kind.POOL);
    }

    function test_PostPoolOrder_RevertWhen_ThePoolIsUnknown() public {
        PoolOrder memory order = _bundle().pool;
        order.pool = appId;
        vm.expectRevert(abi.encodeWithSelector(IRegistry.NotRegistered.selector, appId));
        book.postPoolOrder(order, "");
    }

    function test_PostRequest_WhenItIsForAnyPool() public {
        RequestOrder memory order = _bundle().request;
        bytes32 hash = hasher.requestOrder(order);
        bytes memory signature = _sign(REQUESTER, hash);
        // it should emit RequestPosted and list it
        vm.expectEmit();
        emit IBook.RequestPosted(appId, USER, bytes32(0), hash, order, signature);
        book.postRequest(order, signature);
        vm.assertEq(book.postedBy(USER, 0, 1)[0].kind, Kind.REQUESTER);
    }

    function test_PostRequest_WhenItIsForOnePool() public {
        RequestOrder memory order = _bundle().request;
        order.poolRestrict = poolId;
        bytes32 hash = hasher.requestOrder(order);
        bytes memory signature = _sign(REQUESTER, hash);
        // it should emit the pool, which can look for it
        vm.expectEmit();
        emit IBook.RequestPosted(appId, USER, poolId, hash, order, signature);
        book.postRequest(order, signature);
    }

    function test_PostRequest_WhenAWalletContractSigned() public {
        RequestOrder memory order = _bundle().request;
        order.requester = address(new Wallet(OTHER));
        book.postRequest(order, _sign(STRANGER, hasher.requestOrder(order)));
        // it should list it
        vm.assertEq(book.countOf(order.requester), 1);
    }

    function test_PostRequest_WhenAPartIsMatched() public {
        Bundle memory bundle = _bundle();
        bundle.app.volume = 1;
        _submit(bundle);
        _postRequest(bundle.request, "");
        // it should list it
        vm.assertEq(book.countOf(USER), 1);
    }

    function test_PostRequest_RevertWhen_ItIsMatched() public {
        Bundle memory bundle = _bundle();
        _submit(bundle);
        _postRequest(bundle.request, _consumed(_requestHash(bundle)));
    }

    function test_PostRequest_RevertWhen_ItIsMatchedInParts() public {
        Bundle memory bundle = _bundle();
        bundle.app.volume = 2;
        _submit(bundle);
        bundle.app.salt = "next";
        _submit(bundle);
        _postRequest(bundle.request, _consumed(_requestHash(bundle)));
    }

    function test_PostRequest_RevertWhen_ItIsCanceled() public {
        Bundle memory bundle = _bundle();
        vm.prank(USER);
        market.cancelRequest(bundle.request.salt);
        _postRequest(bundle.request, _consumed(_requestHash(bundle)));
    }
}
