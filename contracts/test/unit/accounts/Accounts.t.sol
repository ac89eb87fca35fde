// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../../src/generated/Params.sol";
import { IAccounts } from "../../../src/interfaces/IAccounts.sol";
import { Account } from "../../../src/types/Records.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

contract AccountsTest is UnitFixture {
    uint256 private constant ALICE_KEY = 0xA11CE;
    address private immutable ALICE = vm.addr(ALICE_KEY);

    function _mint(uint256 amount) private {
        token.mint(ALICE, amount);
        vm.prank(ALICE);
        token.approve(address(market), amount);
    }

    function _ready() private view returns (uint64) {
        return uint64(block.timestamp + Params.WITHDRAWAL_DELAY_S);
    }

    function _request(uint256 amount) private {
        vm.prank(ALICE);
        market.requestWithdrawal(amount);
    }

    function test_Token_WhenAsked() public view {
        // it should be the token of the deployment
        vm.assertEq(market.token(), address(token));
    }

    function test_Deposit_WhenTheTokensAreApproved() public {
        _mint(100);
        // it should emit Deposited
        vm.expectEmit();
        emit IAccounts.Deposited(ALICE, ALICE, 100);
        vm.prank(ALICE);
        market.deposit(100);
        // it should credit the caller
        vm.assertEq(_available(ALICE), 100);
        vm.assertEq(token.balanceOf(address(market)), 2_000_100);
    }

    function test_Deposit_RevertWhen_TheTokensAreNotApproved() public {
        token.mint(ALICE, 100);
        vm.expectRevert(abi.encodeWithSelector(IAccounts.TransferFailed.selector, address(token)));
        vm.prank(ALICE);
        market.deposit(100);
    }

    function test_Deposit_RevertWhen_TheAccountWouldOverflow() public {
        uint256 most = type(uint112).max;
        token.mint(ALICE, most + 1);
        vm.startPrank(ALICE);
        token.approve(address(market), type(uint256).max);
        market.deposit(most);
        vm.expectRevert(abi.encodeWithSelector(IAccounts.AmountTooLarge.selector, most + 1));
        market.deposit(1);
        vm.stopPrank();
        vm.assertEq(_available(ALICE), most);
    }

    function test_DepositFor_WhenTheTokensAreApproved() public {
        _mint(100);
        // it should emit Deposited with the payer
        vm.expectEmit();
        emit IAccounts.Deposited(OTHER, ALICE, 100);
        vm.prank(ALICE);
        market.depositFor(OTHER, 100);
        // it should credit the named account only
        vm.assertEq(_available(OTHER), 100);
        vm.assertEq(_available(ALICE), 0);
    }

    function _permit(uint256 amount) private returns (uint8 v, bytes32 r, bytes32 s) {
        token.mint(ALICE, amount);
        bytes32 typehash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 structHash =
            keccak256(abi.encode(typehash, ALICE, address(market), amount, token.nonces(ALICE), block.timestamp));
        return vm.sign(ALICE_KEY, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
    }

    function test_DepositWithPermit_WhenTheSignatureIsGood() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(55);
        // it should need no approval
        vm.prank(ALICE);
        market.depositWithPermit(55, block.timestamp, v, r, s);
        vm.assertEq(_available(ALICE), 55);
    }

    function test_DepositWithPermit_WhenOthersHaveUsedTheSignature() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(55);
        token.permit(ALICE, address(market), 55, block.timestamp, v, r, s);
        // it should deposit all the same
        vm.prank(ALICE);
        market.depositWithPermit(55, block.timestamp, v, r, s);
        vm.assertEq(_available(ALICE), 55);
    }

    function test_DepositWithPermit_RevertWhen_TheSignatureIsByOthers() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(55);
        token.mint(OTHER, 55);
        vm.expectRevert(abi.encodeWithSelector(IAccounts.TransferFailed.selector, address(token)));
        vm.prank(OTHER);
        market.depositWithPermit(55, block.timestamp, v, r, s);
    }

    function test_RequestWithdrawal_WhenTheMoneyIsAvailable() public {
        _fund(ALICE, 100);
        // it should emit WithdrawalRequested
        vm.expectEmit();
        emit IAccounts.WithdrawalRequested(ALICE, 60, _ready());
        _request(60);
        // it should move the money aside
        Account memory account = market.account(ALICE);
        vm.assertEq(account.available, 40);
        vm.assertEq(account.withdrawing, 60);
        vm.assertEq(account.withdrawableAt, _ready());
    }

    function test_RequestWithdrawal_WhenAnEarlierRequestWaits() public {
        _fund(ALICE, 100);
        _request(60);
        vm.warp(block.timestamp + 100);
        // it should add to it and start the delay anew
        _request(10);
        Account memory account = market.account(ALICE);
        vm.assertEq(account.withdrawing, 70);
        vm.assertEq(account.withdrawableAt, _ready());
        // it should keep the earlier money waiting
        vm.warp(block.timestamp + Params.WITHDRAWAL_DELAY_S - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IAccounts.WithdrawalNotReady.selector, ALICE, uint64(block.timestamp + 1))
        );
        vm.prank(ALICE);
        market.withdraw();
    }

    function test_RequestWithdrawal_RevertWhen_ItIsForNothing() public {
        vm.expectRevert(abi.encodeWithSelector(IAccounts.NothingToWithdraw.selector, address(this)));
        market.requestWithdrawal(0);
    }

    function test_RequestWithdrawal_RevertWhen_TheMoneyIsMissing() public {
        _fund(ALICE, 100);
        vm.expectRevert(_poor(ALICE, 100, 101));
        _request(101);
    }

    function test_RequestWithdrawal_RevertWhen_TheMoneyIsOnItsWayOut() public {
        _fund(ALICE, 100);
        _request(60);
        vm.expectRevert(_poor(ALICE, 40, 41));
        _request(41);
    }

    function test_Withdraw_WhenTheDelayIsOver() public {
        _fund(ALICE, 100);
        _request(60);
        vm.warp(_ready());
        // it should emit Withdrawn
        vm.expectEmit();
        emit IAccounts.Withdrawn(ALICE, 60);
        vm.prank(ALICE);
        market.withdraw();
        // it should pay and forget the request
        vm.assertEq(token.balanceOf(ALICE), 60);
        vm.assertEq(market.account(ALICE).withdrawing, 0);
        vm.assertEq(market.account(ALICE).withdrawableAt, 0);
        vm.assertEq(_available(ALICE), 40);
    }

    function test_Withdraw_RevertWhen_TheDelayIsNotOver() public {
        _fund(ALICE, 100);
        _request(60);
        uint64 ready = _ready();
        vm.warp(ready - 1);
        vm.expectRevert(abi.encodeWithSelector(IAccounts.WithdrawalNotReady.selector, ALICE, ready));
        vm.prank(ALICE);
        market.withdraw();
    }

    function test_Withdraw_RevertWhen_NothingWasAskedFor() public {
        _fund(ALICE, 100);
        vm.expectRevert(abi.encodeWithSelector(IAccounts.NothingToWithdraw.selector, ALICE));
        vm.prank(ALICE);
        market.withdraw();
    }

    function test_Withdraw_RevertWhen_ItWasTakenAlready() public {
        _fund(ALICE, 100);
        _request(60);
        vm.warp(_ready());
        vm.startPrank(ALICE);
        market.withdraw();
        vm.expectRevert(abi.encodeWithSelector(IAccounts.NothingToWithdraw.selector, ALICE));
        market.withdraw();
        vm.stopPrank();
    }

    function test_Withdraw_WhenADealUsedAPart() public {
        Bundle memory bundle = _bundleOf(1);
        vm.prank(USER);
        market.requestWithdrawal(1_000_000 - 300);
        // it should cover the deal by what is on its way out
        _submit(bundle);
        Account memory account = market.account(USER);
        vm.assertEq(account.available, 0);
        vm.assertEq(account.withdrawing, 1_000_000 - PRICE);
        // it should pay out the rest
        vm.warp(_ready());
        vm.prank(USER);
        market.withdraw();
        vm.assertEq(token.balanceOf(USER), 1_000_000 - PRICE);
    }

    function test_Withdraw_RevertWhen_ADealUsedAll() public {
        Bundle memory bundle = _bundleOf(1);
        vm.startPrank(USER);
        market.requestWithdrawal(1_000_000 - PRICE);
        vm.warp(_ready());
        market.withdraw();
        market.requestWithdrawal(PRICE);
        vm.stopPrank();
        _submit(bundle);
        vm.warp(_ready());
        vm.expectRevert(abi.encodeWithSelector(IAccounts.NothingToWithdraw.selector, USER));
        vm.prank(USER);
        market.withdraw();
    }

    function test_Account_WhenNobodyHasUsedIt() public view {
        // it should be all zero
        Account memory account = market.account(ALICE);
        vm.assertEq(keccak256(abi.encode(account)), keccak256(new bytes(160)));
    }
}
