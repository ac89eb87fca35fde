// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IOrders } from "../../../src/interfaces/IOrders.sol";
import { TypedHash } from "../../../src/libraries/TypedHash.sol";
import { Orders } from "../../../src/types/Orders.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

contract OrderStatesTest is UnitFixture {
    function test_ApproveOrder_WhenCalled() public {
        // it should emit OrderApproved
        vm.expectEmit();
        emit IOrders.OrderApproved(address(this), "order");
        market.approveOrder("order");
        // it should count for the caller only
        (uint32 used, bool canceled, bool approved) = market.orderState(address(this), "order");
        vm.assertEq(used, 0);
        vm.assertFalse(canceled);
        vm.assertTrue(approved);
        (,, approved) = market.orderState(OTHER, "order");
        vm.assertFalse(approved);
    }

    function test_ApproveOrder_WhenTheOrderIsCanceled() public {
        Bundle memory bundle = _bundle();
        bytes32 hash = _appHash(bundle);
        vm.startPrank(DEV);
        market.cancelOffer(hash);
        market.approveOrder(hash);
        vm.stopPrank();
        // it should not bring it back
        Orders memory orders = _orders(bundle);
        orders.appSignature = "";
        _matchFails(orders, _consumed(hash));
    }

    function test_ApproveOrder_WhenAPartIsUsedUp() public {
        Bundle memory bundle = _bundle();
        _submit(bundle);
        _approve(DEV, _appHash(bundle));
        // it should keep the consumed volume
        (uint32 used,, bool approved) = market.orderState(DEV, _appHash(bundle));
        vm.assertEq(used, 3);
        vm.assertTrue(approved);
    }

    function test_CancelOffer_WhenItIsAnAppOrder() public {
        Bundle memory bundle = _bundle();
        bytes32 hash = _appHash(bundle);
        // it should emit OfferCanceled
        vm.expectEmit();
        emit IOrders.OfferCanceled(DEV, hash);
        vm.prank(DEV);
        market.cancelOffer(hash);
        // it should void it
        (, bool canceled,) = market.orderState(DEV, hash);
        vm.assertTrue(canceled);
        _submit(bundle, _consumed(hash));
    }

    function test_CancelOffer_WhenItIsAPoolOrder() public {
        Bundle memory bundle = _bundle();
        _cancel(HOST, _poolHash(bundle));
        // it should void it
        _submit(bundle, _consumed(_poolHash(bundle)));
    }

    function test_CancelOffer_WhenItIsADatasetOrder() public {
        Bundle memory bundle = _withDatasets(_bundle());
        bytes32 hash = hasher.datasetOrder(bundle.datasets[1]);
        vm.prank(DATA);
        market.cancelOffer(hash);
        // it should void it
        _submit(bundle, _consumed(hash));
    }

    function test_CancelOffer_WhenItsVolumeIsUnlimited() public {
        Bundle memory bundle = _bundleOf(1);
        bytes32 hash = _appHash(bundle);
        vm.prank(DEV);
        market.cancelOffer(hash);
        // it should void it
        _submit(bundle, _consumed(hash));
    }

    function test_CancelOffer_WhenTheCallerHasApprovedARequest() public {
        Bundle memory bundle = _bundle();
        bytes32 hash = _requestHash(bundle);
        _approve(USER, hash);
        _cancel(USER, hash);
        // it should take the approval back, for ever
        _approve(USER, hash);
        Orders memory orders = _orders(bundle);
        orders.requestSignature = "";
        _matchFails(orders, _badSignature(hash, USER));
        // it should leave signatures as they are
        _submit(bundle);
    }

    function test_CancelOffer_WhenAPartIsUsedUp() public {
        Bundle memory bundle = _bundle();
        _submit(bundle);
        _cancel(DEV, _appHash(bundle));
        // it should keep the consumed volume
        (uint32 consumed, bool canceled,) = market.orderState(DEV, _appHash(bundle));
        vm.assertEq(consumed, 3);
        vm.assertTrue(canceled);
    }

    function test_CancelOffer_WhenTheCallerIsNotItsSigner() public {
        Bundle memory bundle = _bundle();
        market.cancelOffer(_appHash(bundle));
        // it should change nothing for the signer
        _submit(bundle);
    }

    function test_CancelRequest_WhenNothingIsMatched() public {
        Bundle memory bundle = _bundle();
        // it should emit RequestCanceled
        vm.expectEmit();
        emit IOrders.RequestCanceled(USER, bundle.request.salt);
        vm.prank(USER);
        market.cancelRequest(bundle.request.salt);
        // it should void all requests with the salt
        vm.assertTrue(market.isSaltUsed(USER, bundle.request.salt));
        _submit(bundle, _consumed(_requestHash(bundle)));
        bundle.request.volume = 2;
        _submit(bundle, _consumed(_requestHash(bundle)));
    }

    function test_CancelRequest_WhenAPartIsMatched() public {
        Bundle memory bundle = _bundle();
        bundle.app.volume = 1;
        bytes32 dealId = _submit(bundle);
        vm.prank(USER);
        market.cancelRequest(bundle.request.salt);
        // it should void the rest
        bundle.app.salt = "next";
        _submit(bundle, _consumed(_requestHash(bundle)));
        // it should leave the deal as it is
        vm.assertEq(market.deal(dealId).volume, 1);
    }

    function test_CancelRequest_WhenTheCallerIsAnother() public {
        Bundle memory bundle = _bundle();
        market.cancelRequest(bundle.request.salt);
        // it should change nothing for the requester
        _submit(bundle);
    }

    function test_CancelRequest_WhenSaltsShareAWord() public {
        Bundle memory bundle = _bundle();
        bytes32 next = bytes32(uint256(bundle.request.salt) ^ 1);
        vm.prank(USER);
        market.cancelRequest(next);
        // it should use up one salt only
        vm.assertTrue(market.isSaltUsed(USER, next));
        vm.assertFalse(market.isSaltUsed(USER, bundle.request.salt));
        _submit(bundle);
        // it should leave those used that were
        vm.assertTrue(market.isSaltUsed(USER, next));
    }

    function test_CancelRequest_WhenTheSaltIsUsed() public {
        Bundle memory bundle = _bundle();
        _submit(bundle);
        vm.prank(USER);
        market.cancelRequest(bundle.request.salt);
        // it should leave it used
        vm.assertTrue(market.isSaltUsed(USER, bundle.request.salt));
    }

    function test_RaiseNonce_WhenCalled() public {
        Bundle memory bundle = _bundle();
        // it should emit NonceRaised
        vm.expectEmit();
        emit IOrders.NonceRaised(DEV, 1);
        vm.prank(DEV);
        vm.assertEq(market.raiseNonce(), 1);
        vm.assertEq(market.account(DEV).nonce, 1);
        // it should void older orders
        bytes32 hash = _appHash(bundle);
        _submit(bundle, _tooLow(hash));
        // it should allow orders with the new nonce
        bundle.app.nonce = 1;
        _submit(bundle);
    }

    function _tooLow(bytes32 hash) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IOrders.OrderNonceTooLow.selector, hash, uint64(0), uint64(1));
    }

    function test_RaiseNonce_WhenTheOthersHaveOldOrders() public {
        Bundle memory bundle = _withDatasets(_bundle());
        // it should void pool orders
        vm.prank(HOST);
        market.raiseNonce();
        _submit(bundle, _tooLow(_poolHash(bundle)));
        bundle.pool.nonce = 7;
        // it should void dataset orders
        vm.prank(DATA);
        market.raiseNonce();
        _submit(bundle, _tooLow(hasher.datasetOrder(bundle.datasets[0])));
        bundle.datasets[0].nonce = 1;
        bundle.datasets[1].nonce = 1;
        // it should void requests
        vm.prank(USER);
        market.raiseNonce();
        _submit(bundle, _tooLow(_requestHash(bundle)));
        bundle.request.nonce = 1;
        _submit(bundle);
    }

    function test_OrderState_WhenTheVolumeIsUnlimited() public {
        Bundle memory bundle = _bundleOf(2);
        _submit(bundle);
        // it should count nothing
        (uint32 used,,) = market.orderState(DEV, _appHash(bundle));
        vm.assertEq(used, 0);
    }

    function test_OrderState_WhenThereWereMatches() public {
        Bundle memory bundle = _bundle();
        _submit(bundle);
        bundle.request.salt = "next";
        _submit(bundle);
        // it should sum them up
        (uint32 used,,) = market.orderState(DEV, _appHash(bundle));
        vm.assertEq(used, 6);
        (used,,) = market.orderState(HOST, _poolHash(bundle));
        vm.assertEq(used, 6);
    }

    function test_RequestConsumed_WhenThereAreSeveralDeals() public {
        Bundle memory bundle = _bundle();
        bundle.app.volume = 1;
        bytes32 hash = _requestHash(bundle);
        vm.assertEq(market.requestConsumed(hash), 0);
        _submit(bundle);
        vm.assertEq(market.requestConsumed(hash), 1);
        bundle.app.salt = "next";
        _submit(bundle);
        // it should sum them up
        vm.assertEq(market.requestConsumed(hash), 2);
    }

    function test_IsSaltUsed_WhenARequestIsMatchedAsAWhole() public {
        Bundle memory bundle = _bundle();
        vm.assertFalse(market.isSaltUsed(USER, bundle.request.salt));
        _submit(bundle);
        // it should be used
        vm.assertTrue(market.isSaltUsed(USER, bundle.request.salt));
    }

    function test_IsSaltUsed_WhenARequestIsMatchedInPart() public {
        Bundle memory bundle = _bundle();
        bundle.app.volume = 1;
        _submit(bundle);
        // it should not be used
        vm.assertFalse(market.isSaltUsed(USER, bundle.request.salt));
    }

    function test_DomainSeparator_WhenTheChainSplits() public {
        vm.assertEq(market.domainSeparator(), TypedHash.domainSeparator(address(market)));
        Orders memory orders = _orders(_bundle());
        bytes32 before = market.domainSeparator();
        vm.chainId(1337);
        // it should follow the chain id
        vm.assertTrue(market.domainSeparator() != before);
        vm.assertEq(market.domainSeparator(), TypedHash.domainSeparator(address(market)));
        // it should void signatures of the other chain
        vm.expectPartialRevert(IOrders.BadSignature.selector);
        market.matchOrders(orders);
    }
}
