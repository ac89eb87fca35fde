// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../../src/generated/Params.sol";
import { IOrders } from "../../../src/interfaces/IOrders.sol";
import { DealTerms } from "../../../src/types/Deals.sol";
import { Orders } from "../../../src/types/Orders.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev Requests that somebody else pays for.
contract SponsorTest is UnitFixture {
    function setUp() public override {
        super.setUp();
        _fund(OTHER, 10_000);
    }

    function _sponsored() private view returns (Bundle memory bundle) {
        bundle = _bundle();
        bundle.request.sponsor = OTHER;
    }

    function _unwilling(address caller) private view returns (bytes memory) {
        return abi.encodeWithSelector(IOrders.SponsorMismatch.selector, OTHER, caller);
    }

    function test_WhenTheSponsorSends() public {
        Bundle memory bundle = _sponsored();
        Orders memory orders = _orders(bundle);
        DealTerms memory terms = _terms(bundle, 0);
        vm.prank(OTHER);
        bytes32 dealId = market.matchOrders(orders);
        // it should charge the sponsor
        vm.assertEq(_available(OTHER), 10_000 - 3 * PRICE);
        vm.assertEq(_available(USER), 1_000_000);
        vm.assertEq(market.deal(dealId).termsHash, bytes24(hasher.terms(terms)));
    }

    function test_WhenTheSponsorApproved() public {
        Bundle memory bundle = _sponsored();
        _approve(OTHER, _requestHash(bundle));
        _submit(bundle);
        // it should charge the sponsor
        vm.assertEq(_available(OTHER), 10_000 - 3 * PRICE);
    }

    function test_WhenTheSponsoredTasksAreRefunded() public {
        Bundle memory bundle = _sponsored();
        _approve(OTHER, _requestHash(bundle));
        DealTerms memory terms = _matched(bundle);
        vm.warp(block.timestamp + Params.START_WINDOW_S + 1);
        market.claim(terms, 0, 3);
        // it should give the money back to the sponsor
        vm.assertEq(_available(OTHER), 10_000);
        vm.assertEq(_available(USER), 1_000_000);
    }

    function test_RevertWhen_OthersSendForTheSponsor() public {
        _submit(_sponsored(), _unwilling(address(this)));
    }

    function test_RevertWhen_TheRequesterSendsForTheSponsor() public {
        Orders memory orders = _orders(_sponsored());
        vm.prank(USER);
        _matchFails(orders, _unwilling(USER));
    }

    function test_RevertWhen_TheSponsorTookItsApprovalBack() public {
        Bundle memory bundle = _sponsored();
        _approve(OTHER, _requestHash(bundle));
        _cancel(OTHER, _requestHash(bundle));
        _submit(bundle, _unwilling(address(this)));
    }

    function test_RevertWhen_TheSponsorApprovedAnotherRequest() public {
        Bundle memory bundle = _sponsored();
        _approve(OTHER, _requestHash(bundle));
        bundle.request.volume = 4;
        _submit(bundle, _unwilling(address(this)));
    }

    function test_RevertWhen_TheSponsorWasPutInAfterSigning() public {
        Bundle memory bundle = _bundle();
        Orders memory orders = _orders(bundle);
        orders.request.sponsor = OTHER;
        bytes32 hash = hasher.requestOrder(orders.request);
        _approve(OTHER, hash);
        _matchFails(orders, _badSignature(hash, USER));
    }

    function test_RevertWhen_TheSponsorWasTakenOutAfterSigning() public {
        Orders memory orders = _orders(_sponsored());
        orders.request.sponsor = address(0);
        _matchFails(orders, _badSignature(hasher.requestOrder(orders.request), USER));
    }

    function test_RevertWhen_TheSponsorCannotPay() public {
        Bundle memory bundle = _sponsored();
        bundle.request.volume = 10;
        _approve(OTHER, _requestHash(bundle));
        _submit(bundle, _poor(OTHER, 10_000, 10 * PRICE));
    }
}
