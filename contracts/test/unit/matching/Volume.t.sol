// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../../src/generated/Params.sol";
import { Status } from "../../../src/generated/Status.sol";
import { IMarket } from "../../../src/interfaces/IMarket.sol";
import { IOrders } from "../../../src/interfaces/IOrders.sol";
import { DealTerms } from "../../../src/types/Deals.sol";
import { Orders } from "../../../src/types/Orders.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev How many tasks a match makes, how often orders count, and how long.
contract VolumeTest is UnitFixture {
    function test_WhenTheAppOrderHasTheLeastLeft() public {
        Bundle memory bundle = _bundle();
        bundle.app.volume = 2;
        bytes32 first = _submit(bundle);
        // it should make a deal of that, which is not whole
        vm.assertEq(market.deal(first).volume, 2);
        vm.assertFalse(market.deal(first).whole);
        // it should take price and stake of that
        vm.assertEq(_available(USER), 1_000_000 - 2 * PRICE);
        vm.assertEq(_available(HOST), 1_000_000 - 2 * uint256(STAKE));
    }

    function test_WhenThePoolOrderHasTheLeastLeft() public {
        Bundle memory bundle = _bundle();
        bundle.pool.volume = 1;
        // it should make a deal of that
        vm.assertEq(market.deal(_submit(bundle)).volume, 1);
    }

    function test_WhenARequestIsMatchedAgain() public {
        Bundle memory bundle = _bundle();
        bundle.app.volume = 2;
        _submit(bundle);
        bundle.app.salt = "next";
        Orders memory orders = _orders(bundle);
        DealTerms memory terms = _terms(bundle, 2);
        bytes32 expected = keccak256(abi.encode(_requestHash(bundle), uint256(2)));
        // it should make another deal of the rest
        vm.expectEmit();
        emit IMarket.Matched(expected, appId, poolId, 1, terms, bundle.request, orders.requestSignature);
        vm.assertEq(market.matchOrders(orders), expected);
        vm.assertFalse(market.deal(expected).whole);
        _settle(terms, _outcome(0, Status.SUCCESS));
    }

    function test_WhenOneDealOfARequestIsFinished() public {
        Bundle memory bundle = _bundle();
        bundle.app.volume = 2;
        DealTerms memory terms = _matched(bundle);
        _settle(terms, _outcome(0, Status.SUCCESS));
        _settle(terms, _outcome(1, Status.SUCCESS));
        // it should remember the deal
        vm.assertEq(market.deal(_dealId(terms)).closed, 2);
        // it should match the rest only
        bundle.app.salt = "next";
        vm.assertEq(market.deal(_submit(bundle)).volume, 1);
        bundle.app.salt = "third";
        _submit(bundle, _consumed(_requestHash(bundle)));
    }

    function test_RevertWhen_TheRequestIsUsedUp() public {
        Bundle memory bundle = _bundle();
        _submit(bundle);
        _submit(bundle, _consumed(_requestHash(bundle)));
    }

    function test_RevertWhen_AWholeDealIsFinishedAndForgotten() public {
        Bundle memory bundle = _bundleOf(1);
        DealTerms memory terms = _matched(bundle);
        _settle(terms, _outcome(0, Status.SUCCESS));
        vm.assertEq(market.deal(_dealId(terms)).volume, 0);
        vm.assertEq(market.requestConsumed(terms.requestHash), 0);
        _submit(bundle, _consumed(terms.requestHash));
    }

    function test_RevertWhen_AWholeDealWasRefundedAndForgotten() public {
        Bundle memory bundle = _bundleOf(3);
        DealTerms memory terms = _matched(bundle);
        vm.warp(block.timestamp + 1 days);
        market.claim(terms, 0, 3);
        vm.assertEq(market.deal(_dealId(terms)).volume, 0);
        _submit(bundle, _consumed(terms.requestHash));
    }

    function test_RevertWhen_AnotherRequestWithTheSaltWasMatched() public {
        Bundle memory bundle = _bundle();
        _submit(bundle);
        bundle.request.volume = 7;
        _submit(bundle, _consumed(_requestHash(bundle)));
    }

    function test_WhenAnotherRequestWithTheSaltIsMatchedInPart() public {
        Bundle memory bundle = _bundle();
        bundle.app.volume = 1;
        _submit(bundle);
        bundle.app.salt = "next";
        bytes32 first = _requestHash(bundle);
        bundle.request.volume = 1;
        // it should match, and close the salt for the other one
        _submit(bundle);
        bundle.request.volume = 3;
        bundle.app.salt = "third";
        _submit(bundle, _consumed(first));
    }

    function test_WhenAnotherRequesterHasUsedTheSalt() public {
        Bundle memory bundle = _bundle();
        vm.prank(OTHER);
        market.cancelRequest(bundle.request.salt);
        // it should match
        vm.assertEq(market.deal(_submit(bundle)).volume, 3);
    }

    function test_RevertWhen_TheRequestAsksForNothing() public {
        Bundle memory bundle = _bundle();
        bundle.request.volume = 0;
        _submit(bundle, _consumed(_requestHash(bundle)));
    }

    function test_RevertWhen_TheAppOrderOffersNothing() public {
        Bundle memory bundle = _bundle();
        bundle.app.volume = 0;
        _submit(bundle, _consumed(_appHash(bundle)));
    }

    function test_RevertWhen_TheAppOrderIsUsedUp() public {
        Bundle memory bundle = _bundle();
        bundle.app.volume = 3;
        _submit(bundle);
        bundle.request.salt = "next";
        _submit(bundle, _consumed(_appHash(bundle)));
    }

    function test_RevertWhen_ThePoolOrderIsUsedUp() public {
        Bundle memory bundle = _bundle();
        bundle.pool.volume = 3;
        _submit(bundle);
        bundle.request.salt = "next";
        _submit(bundle, _consumed(_poolHash(bundle)));
    }

    function test_WhenTheOffersAreUnlimited() public {
        Bundle memory bundle = _bundleOf(30);
        for (uint256 i = 0; i < 4; ++i) {
            bundle.request.salt = bytes32(i);
            // it should match as often as anybody wants
            vm.assertEq(market.deal(_submit(bundle)).volume, 30);
        }
    }

    function test_WhenTheRequestIsLargerThanADealMayBe() public {
        _fund(USER, 20_000 * PRICE);
        _fund(HOST, 20_000 * uint256(STAKE));
        Bundle memory bundle = _bundleOf(uint32(Params.MAX_DEAL_VOLUME + 1));
        // it should make a deal of as many tasks as one may have
        vm.assertEq(market.deal(_submit(bundle)).volume, Params.MAX_DEAL_VOLUME);
        // it should make the next deal of the rest
        bytes32 dealId = _submit(bundle);
        vm.assertEq(dealId, keccak256(abi.encode(_requestHash(bundle), Params.MAX_DEAL_VOLUME)));
        vm.assertEq(market.deal(dealId).volume, 1);
    }

    function _expired(bytes32 hash, uint64 expiry) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IOrders.OrderExpired.selector, hash, expiry);
    }

    function test_WhenItIsTheLastSecond() public {
        Bundle memory bundle = _bundle();
        bundle.app.expiry = uint64(block.timestamp);
        bundle.pool.expiry = uint64(block.timestamp);
        bundle.request.expiry = uint64(block.timestamp);
        // it should match
        vm.assertEq(market.deal(_submit(bundle)).volume, 3);
    }

    function test_RevertWhen_TheAppOrderIsExpired() public {
        Bundle memory bundle = _bundle();
        bundle.app.expiry = uint64(block.timestamp - 1);
        _submit(bundle, _expired(_appHash(bundle), bundle.app.expiry));
    }

    function test_RevertWhen_ThePoolOrderIsExpired() public {
        Bundle memory bundle = _bundle();
        bundle.pool.expiry = uint64(block.timestamp - 1);
        _submit(bundle, _expired(_poolHash(bundle), bundle.pool.expiry));
    }

    function test_RevertWhen_TheRequestIsExpired() public {
        Bundle memory bundle = _bundle();
        bundle.request.expiry = uint64(block.timestamp - 1);
        _submit(bundle, _expired(_requestHash(bundle), bundle.request.expiry));
    }
}
