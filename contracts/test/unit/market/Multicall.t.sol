// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../../src/generated/Params.sol";
import { Status } from "../../../src/generated/Status.sol";
import { IAccounts } from "../../../src/interfaces/IAccounts.sol";
import { DealTerms } from "../../../src/types/Deals.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { vm } from "../../utils/Vm.sol";
import { cheats } from "../support/Cheats.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev Several calls in one transaction.
contract MulticallTest is UnitFixture {
    function _approved(address owner, uint256 amount) private {
        token.mint(owner, amount);
        vm.prank(owner);
        token.approve(address(market), amount);
    }

    function test_WhenADepositComesBeforeAMatch() public {
        Bundle memory bundle = _bundle();
        bundle.request.sponsor = OTHER;
        _approved(OTHER, 3 * PRICE);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(market.deposit, (3 * PRICE));
        calls[1] = abi.encodeCall(market.matchOrders, (_orders(bundle)));
        bytes32 expected = _firstDeal(bundle);
        vm.prank(OTHER);
        bytes[] memory results = market.multicall(calls);
        // it should match with the money that has just arrived
        vm.assertEq(abi.decode(results[1], (bytes32)), expected);
        vm.assertEq(market.deal(expected).volume, 3);
        vm.assertEq(_available(OTHER), 0);
    }

    function test_WhenOneSenderMovesMoneyTwice() public {
        _approved(address(this), 100);
        bytes[] memory calls = new bytes[](3);
        calls[0] = abi.encodeCall(market.deposit, (60));
        calls[1] = abi.encodeCall(market.depositFor, (OTHER, 40));
        calls[2] = abi.encodeCall(market.requestWithdrawal, (10));
        // it should make all calls as the sender
        market.multicall(calls);
        vm.assertEq(_available(address(this)), 50);
        vm.assertEq(_available(OTHER), 40);
    }

    function test_WhenSeveralTasksAreSettled() public {
        DealTerms memory terms = _matched(_bundle());
        bytes[] memory calls = new bytes[](3);
        for (uint32 i = 0; i < 3; ++i) {
            (bytes32 r, bytes32 vs) =
                _compact(ENCLAVE, hasher.receipt(_receipt(_dealId(terms), _outcome(i, Status.SUCCESS), _none())));
            calls[i] = abi.encodeCall(market.settle, (terms, _outcome(i, Status.SUCCESS), r, vs, _none()));
        }
        vm.prank(HOST);
        market.multicall(calls);
        // it should close all of them
        vm.assertEq(market.deal(_dealId(terms)).volume, 0);
        vm.assertEq(_owed(), token.balanceOf(address(market)));
    }

    function test_RevertWhen_OneCallFails() public {
        _approved(address(this), 100);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(market.deposit, (60));
        calls[1] = abi.encodeCall(market.requestWithdrawal, (61));
        vm.expectRevert(_poor(address(this), 60, 61));
        market.multicall(calls);
        vm.assertEq(_available(address(this)), 0);
    }

    function test_RevertWhen_CoinsAreSent() public {
        cheats.deal(address(this), 1);
        vm.expectRevert();
        market.multicall{ value: 1 }(new bytes[](0));
    }

    function test_RevertWhen_AWithdrawalIsTakenTwice() public {
        _fund(OTHER, 100);
        vm.startPrank(OTHER);
        market.requestWithdrawal(60);
        vm.warp(block.timestamp + Params.WITHDRAWAL_DELAY_S);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(market.withdraw, ());
        calls[1] = calls[0];
        vm.expectRevert(abi.encodeWithSelector(IAccounts.NothingToWithdraw.selector, OTHER));
        market.multicall(calls);
        vm.stopPrank();
    }
}
