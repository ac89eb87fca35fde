// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Artifacts } from "../../../script/Artifacts.sol";
import { Market } from "../../../src/Market.sol";
import { NativeGateway } from "../../../src/NativeGateway.sol";
import { Params } from "../../../src/generated/Params.sol";
import { IAccounts } from "../../../src/interfaces/IAccounts.sol";
import { vm } from "../../utils/Vm.sol";
import { cheats } from "../support/Cheats.sol";
import { UnitFixture } from "../support/UnitFixture.sol";
import { WETH } from "solady/tokens/WETH.sol";

/// @dev Deposits of the chain's own coin.
contract NativeGatewayTest is UnitFixture {
    WETH private _wrapper;
    Market private _venue;
    NativeGateway private _gateway;

    function setUp() public override {
        super.setUp();
        _wrapper = new WETH();
        bytes memory arguments = abi.encode(
            address(_wrapper), address(registry), address(attestations), address(1), address(2), GOVERNOR, FEES, 0
        );
        _venue = Market(Artifacts.create("Market", arguments));
        _gateway = NativeGateway(payable(Artifacts.create("NativeGateway", abi.encode(_venue))));
        cheats.deal(OTHER, 10 ether);
    }

    function test_Constructor_WhenTheMarketHoldsAWrapper() public view {
        // it should know both
        vm.assertEq(address(_gateway.market()), address(_venue));
        vm.assertEq(_gateway.wrapper(), address(_wrapper));
    }

    function test_Receive_WhenCoinsAreSent() public {
        // it should emit and credit the sender
        vm.expectEmit();
        emit IAccounts.Deposited(OTHER, address(_gateway), 3 ether);
        vm.prank(OTHER);
        // forge-lint: disable-next-line(unchecked-call)
        (bool success,) = address(_gateway).call{ value: 3 ether }("");
        vm.assertTrue(success);
        vm.assertEq(_venue.account(OTHER).available, 3 ether);
        // it should keep nothing
        vm.assertEq(address(_gateway).balance, 0);
        vm.assertEq(_wrapper.balanceOf(address(_gateway)), 0);
        vm.assertEq(_wrapper.balanceOf(address(_venue)), 3 ether);
    }

    function test_Receive_RevertWhen_NothingIsSent() public {
        vm.expectRevert(abi.encodeWithSelector(NativeGateway.NothingSent.selector));
        // forge-lint: disable-next-line(unchecked-call)
        (bool success,) = address(_gateway).call("");
        vm.assertTrue(success);
    }

    function test_DepositFor_WhenCoinsAreSent() public {
        // it should emit and credit the named account
        vm.expectEmit();
        emit IAccounts.Deposited(USER, address(_gateway), 2 ether);
        vm.prank(OTHER);
        _gateway.depositFor{ value: 2 ether }(USER);
        vm.assertEq(_venue.account(USER).available, 2 ether);
        vm.assertEq(_venue.account(OTHER).available, 0);
    }

    function test_DepositFor_WhenSeveralDepositsCome() public {
        vm.startPrank(OTHER);
        _gateway.depositFor{ value: 2 ether }(USER);
        _gateway.depositFor{ value: 5 ether }(USER);
        vm.stopPrank();
        // it should need no further approval
        vm.assertEq(_venue.account(USER).available, 7 ether);
    }

    function test_DepositFor_WhenCoinsWereForcedIntoTheGateway() public {
        // As a block's reward or by the end of a contract, which no contract can refuse.
        cheats.deal(address(_gateway), 1 ether);
        vm.prank(OTHER);
        _gateway.depositFor{ value: 2 ether }(USER);
        // it should credit what was sent
        vm.assertEq(_venue.account(USER).available, 2 ether);
        vm.assertEq(address(_gateway).balance, 1 ether);
    }

    function test_DepositFor_WhenTheMoneyIsWithdrawn() public {
        vm.startPrank(OTHER);
        _gateway.depositFor{ value: 2 ether }(OTHER);
        _venue.requestWithdrawal(2 ether);
        vm.warp(block.timestamp + Params.WITHDRAWAL_DELAY_S);
        _venue.withdraw();
        // it should come as the wrapped token, which gives the coin back
        vm.assertEq(_wrapper.balanceOf(OTHER), 2 ether);
        _wrapper.withdraw(2 ether);
        vm.stopPrank();
        vm.assertEq(OTHER.balance, 10 ether);
    }

    function test_DepositFor_RevertWhen_NothingIsSent() public {
        vm.expectRevert(abi.encodeWithSelector(NativeGateway.NothingSent.selector));
        _gateway.depositFor(USER);
    }
}
