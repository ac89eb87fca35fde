// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IBook } from "../../src/interfaces/IBook.sol";
import { IDeals } from "../../src/interfaces/IDeals.sol";
import { IOrders } from "../../src/interfaces/IOrders.sol";
import { DealTerms, Effects, Outcome } from "../../src/types/Deals.sol";
import { Orders } from "../../src/types/Orders.sol";
import { Bundle, Fixture } from "../utils/Fixture.sol";
import { vm } from "../utils/Vm.sol";

/// @dev Attacks that an audit found to work; each was fixed.
contract AttackTest is Fixture {
    /// @dev Terms are only a claim until they are compared with the deal's: these name the attacker as payer.
    function test_NobodyClosesTheChannelOfOthersByForgedTerms() public {
        Bundle memory bundle = _bundle();
        (bundle.request.mode, bundle.pool.modes) = (5, 0x20);
        _submit(bundle);
        DealTerms memory terms = _terms(bundle, 0);
        address attacker = vm.addr(STRANGER);
        terms.payer = attacker;
        vm.prank(attacker);
        vm.expectPartialRevert(IDeals.TermsMismatch.selector);
        channels.startClosing(terms);
        vm.assertEq(channels.closableAt(_dealId(terms)), 0);
    }

    /// @dev The offset of the effects puts them 32 bytes before the end of the address space: a copy from there gives
    /// zeros, which the enclave signed, but a load of their second word wraps to the start of calldata.
    function test_EffectsAtTheEndOfTheAddressSpaceAreNotWhatTheEnclaveSigned() public {
        Bundle memory bundle = _bundle();
        _submit(bundle);
        DealTerms memory terms = _terms(bundle, 0);
        Outcome memory outcome = _outcome(0, 0);
        (bytes32 r, bytes32 vs) = _compact(ENCLAVE, hasher.receipt(_receipt(_dealId(terms), outcome, new Effects[](0))));
        bytes memory message = abi.encodeCall(market.settle, (terms, outcome, r, vs, new Effects[](1)));
        assembly ("memory-safe") {
            // Behind the selector: terms' offset, outcome (7 words), r, vs, and the offset of the list of effects.
            let list := mload(add(message, add(0x24, 0x140)))
            let base := add(add(list, 0x20), 4)
            mstore(add(add(message, 0x20), base), sub(sub(0, 0x20), base))
        }
        vm.prank(vm.addr(POOL_OWNER));
        vm.expectPartialRevert(IDeals.EnclaveNotGranted.selector);
        (bool done,) = address(market).call(message);
        vm.assertTrue(done);
        vm.assertTrue(market.isOpen(_dealId(terms), 0));
    }

    /// @dev A sponsor cannot cancel the request of another, but must be able to stop paying.
    function test_SponsorsTakeTheirApprovalBack() public {
        Bundle memory bundle = _bundle();
        address sponsor = vm.addr(STRANGER);
        _fund(sponsor, 1_000_000);
        bundle.request.sponsor = sponsor;
        bytes32 hash = hasher.requestOrder(bundle.request);
        vm.startPrank(sponsor);
        market.approveOrder(hash);
        market.cancelOffer(hash);
        vm.stopPrank();
        _submit(bundle, abi.encodeWithSelector(IOrders.SponsorMismatch.selector, sponsor, address(this)));
        vm.assertEq(_available(sponsor), 1_000_000);
    }

    /// @dev A signature that is none recovers to address zero.
    function test_NobodyPostsForAddressZero() public {
        Bundle memory bundle = _bundle();
        bundle.request.requester = address(0);
        bytes32 hash = hasher.requestOrder(bundle.request);
        vm.expectRevert(abi.encodeWithSelector(IOrders.BadSignature.selector, hash, address(0)));
        book.postRequest(bundle.request, new bytes(65));
        Orders memory orders = _orders(bundle);
        orders.requestSignature = new bytes(65);
        vm.expectRevert(abi.encodeWithSelector(IOrders.BadSignature.selector, hash, address(0)));
        market.matchOrders(orders);
        vm.assertEq(IBook(address(book)).countOf(address(0)), 0);
    }
}
