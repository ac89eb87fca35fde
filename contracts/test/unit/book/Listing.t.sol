// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IBook, Posted } from "../../../src/interfaces/IBook.sol";
import { IOrders } from "../../../src/interfaces/IOrders.sol";
import { AppOrder, RequestOrder } from "../../../src/types/Orders.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev Requests that the book refuses, orders taken off it, and its lists.
contract ListingTest is UnitFixture {
    function _post(uint256 salt) private returns (bytes32 hash) {
        AppOrder memory order = _bundle().app;
        order.salt = bytes32(salt);
        hash = hasher.appOrder(order);
        book.postAppOrder(order, _sign(DEVELOPER, hash));
    }

    function _withdraw(bytes32 hash) private {
        vm.prank(DEV);
        book.withdraw(hash);
    }

    function test_PostRequest_RevertWhen_ItAsksForNothing() public {
        RequestOrder memory order = _bundle().request;
        order.volume = 0;
        bytes32 hash = hasher.requestOrder(order);
        bytes memory signature = _sign(REQUESTER, hash);
        vm.expectRevert(_consumed(hash));
        book.postRequest(order, signature);
    }

    function test_PostRequest_RevertWhen_ItIsExpired() public {
        RequestOrder memory order = _bundle().request;
        order.expiry = uint64(block.timestamp - 1);
        bytes32 hash = hasher.requestOrder(order);
        bytes memory signature = _sign(REQUESTER, hash);
        vm.expectRevert(abi.encodeWithSelector(IOrders.OrderExpired.selector, hash, order.expiry));
        book.postRequest(order, signature);
    }

    function test_PostRequest_RevertWhen_OthersSignedIt() public {
        RequestOrder memory order = _bundle().request;
        bytes32 hash = hasher.requestOrder(order);
        bytes memory signature = _sign(STRANGER, hash);
        vm.expectRevert(_badSignature(hash, USER));
        book.postRequest(order, signature);
    }

    function test_PostRequest_RevertWhen_TheRequesterIsNobody() public {
        RequestOrder memory order = _bundle().request;
        order.requester = address(0);
        bytes32 hash = hasher.requestOrder(order);
        vm.expectRevert(_badSignature(hash, address(0)));
        book.postRequest(order, new bytes(65));
    }

    function test_Withdraw_WhenItsSignerSends() public {
        bytes32 hash = _post(1);
        // it should emit OrderWithdrawn
        vm.expectEmit();
        emit IBook.OrderWithdrawn(DEV, hash);
        _withdraw(hash);
        // it should mark the entry
        vm.assertEq(book.countOf(DEV), 1);
        vm.assertTrue(book.postedBy(DEV, 0, 1)[0].withdrawn);
    }

    function test_Withdraw_WhenOthersHoldTheOrder() public {
        Bundle memory bundle = _bundle();
        bytes32 hash = _appHash(bundle);
        book.postAppOrder(bundle.app, _sign(DEVELOPER, hash));
        _withdraw(hash);
        // it should not cancel it
        vm.assertEq(market.deal(_submit(bundle)).volume, 3);
    }

    function _missing(address signer, bytes32 hash) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IBook.NotPosted.selector, signer, hash);
    }

    function test_Withdraw_RevertWhen_OthersSend() public {
        bytes32 hash = _post(1);
        vm.expectRevert(_missing(address(this), hash));
        book.withdraw(hash);
    }

    function test_Withdraw_RevertWhen_ItWasNeverPosted() public {
        vm.expectRevert(_missing(DEV, "none"));
        _withdraw("none");
    }

    function test_Withdraw_RevertWhen_ItIsWithdrawn() public {
        bytes32 hash = _post(1);
        _withdraw(hash);
        vm.expectRevert(_missing(DEV, hash));
        _withdraw(hash);
    }

    function test_CountOf_WhenNothingWasPosted() public view {
        // it should be zero
        vm.assertEq(book.countOf(DEV), 0);
    }

    function test_CountOf_WhenAnOrderWasWithdrawn() public {
        _withdraw(_post(1));
        _post(2);
        // it should count it
        vm.assertEq(book.countOf(DEV), 2);
    }

    function test_PostedBy_WhenThereAreSeveralPages() public {
        bytes32[5] memory hashes;
        for (uint256 i = 0; i < 5; ++i) {
            hashes[i] = _post(i);
        }
        // it should list the oldest first
        Posted[] memory page = book.postedBy(DEV, 0, 2);
        vm.assertEq(page.length, 2);
        vm.assertEq(page[0].orderHash, hashes[0]);
        vm.assertEq(page[1].orderHash, hashes[1]);
        // it should skip as many as it is told
        page = book.postedBy(DEV, 4, 2);
        vm.assertEq(page.length, 1);
        vm.assertEq(page[0].orderHash, hashes[4]);
        page = book.postedBy(DEV, 1, type(uint256).max);
        vm.assertEq(page.length, 4);
    }

    function test_PostedBy_WhenThePageIsBehindTheEnd() public {
        _post(1);
        // it should be empty
        vm.assertEq(book.postedBy(DEV, 1, 1).length, 0);
        vm.assertEq(book.postedBy(DEV, type(uint256).max, 1).length, 0);
        vm.assertEq(book.postedBy(DEV, 0, 0).length, 0);
        vm.assertEq(book.postedBy(OTHER, 0, 9).length, 0);
    }
}
