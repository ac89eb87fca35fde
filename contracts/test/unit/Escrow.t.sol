// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Escrow } from "../../src/Escrow.sol";
import { Params } from "../../src/generated/Params.sol";
import { IEscrow } from "../../src/interfaces/IEscrow.sol";
import { Account, Payment } from "../../src/types/Records.sol";
import { Fixture } from "../utils/Fixture.sol";
import { FeeToken, OddToken } from "../utils/Tokens.sol";
import { vm } from "../utils/Vm.sol";

contract EscrowTest is Fixture {
    address internal alice = vm.addr(0xA11CE);

    function _mint(uint256 amount) private {
        token.mint(alice, amount);
        vm.prank(alice);
        token.approve(address(escrow), amount);
    }

    function test_DepositCreditsTheCaller() public {
        _mint(100);
        vm.expectEmit();
        emit IEscrow.Deposited(alice, alice, 100);
        vm.prank(alice);
        escrow.deposit(100);
        vm.assertEq(_available(alice), 100);
        vm.assertEq(token.balanceOf(address(escrow)), 1_000_100);
    }

    function test_DepositForCreditsTheNamedAccount() public {
        _mint(100);
        vm.expectEmit();
        emit IEscrow.Deposited(address(1), alice, 100);
        vm.prank(alice);
        escrow.depositFor(address(1), 100);
        vm.assertEq(_available(address(1)), 100);
    }

    function _permit(uint256 amount) private returns (uint8 v, bytes32 r, bytes32 s) {
        token.mint(alice, amount);
        bytes32 typehash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 structHash =
            keccak256(abi.encode(typehash, alice, address(escrow), amount, token.nonces(alice), block.timestamp));
        return vm.sign(0xA11CE, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
    }

    function test_PermitNeedsNoApproval() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(55);
        vm.prank(alice);
        escrow.depositWithPermit(55, block.timestamp, v, r, s);
        vm.assertEq(_available(alice), 55);
    }

    function test_PermitThatWasUsedByOthersStillDeposits() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(55);
        token.permit(alice, address(escrow), 55, block.timestamp, v, r, s);
        vm.prank(alice);
        escrow.depositWithPermit(55, block.timestamp, v, r, s);
        vm.assertEq(_available(alice), 55);
    }

    function test_TokenWithTransferFeeCreditsWhatArrived() public {
        FeeToken fee = new FeeToken();
        Escrow other = new Escrow(address(fee), address(1), address(2));
        fee.approve(address(other), 100);
        other.deposit(100);
        vm.assertEq(other.account(address(this)).available, 90);
    }

    function test_TokenThatReturnsNothingWorks() public {
        OddToken odd = new OddToken();
        Escrow other = new Escrow(address(odd), address(1), address(2));
        other.deposit(10);
        odd.set(OddToken.Answer.True, Escrow(address(0)));
        other.deposit(10);
        vm.assertEq(other.account(address(this)).available, 20);
    }

    function test_RevertWhen_TokenDoesNotMove() public {
        OddToken odd = new OddToken();
        Escrow other = new Escrow(address(odd), address(1), address(2));
        bytes memory failure = abi.encodeWithSelector(IEscrow.TransferFailed.selector, address(odd));
        odd.set(OddToken.Answer.False, Escrow(address(0)));
        vm.expectRevert(failure);
        other.deposit(10);
        odd.set(OddToken.Answer.Revert, Escrow(address(0)));
        vm.expectRevert(failure);
        other.deposit(10);
    }

    function test_RevertWhen_TokenCallsBack() public {
        OddToken odd = new OddToken();
        Escrow other = new Escrow(address(odd), address(1), address(2));
        odd.set(OddToken.Answer.True, other);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.TransferFailed.selector, address(odd)));
        other.deposit(10);
    }

    function test_RevertWhen_AmountDoesNotFit() public {
        OddToken odd = new OddToken();
        Escrow other = new Escrow(address(odd), address(1), address(2));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.AmountTooLarge.selector, uint256(1) << 128));
        other.deposit(uint256(1) << 128);
    }

    function test_WithdrawalWaitsForTheDelay() public {
        _fund(alice, 100);
        uint64 ready = uint64(block.timestamp + Params.WITHDRAWAL_DELAY_S);
        vm.expectEmit();
        emit IEscrow.WithdrawalRequested(alice, 60, ready);
        vm.prank(alice);
        escrow.requestWithdrawal(60);
        Account memory account = escrow.account(alice);
        vm.assertEq(account.available, 40);
        vm.assertEq(account.withdrawing, 60);
        vm.assertEq(account.withdrawableAt, ready);

        vm.warp(ready - 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WithdrawalNotReady.selector, alice, ready));
        vm.prank(alice);
        escrow.withdraw();

        vm.warp(ready);
        vm.expectEmit();
        emit IEscrow.Withdrawn(alice, 60);
        vm.prank(alice);
        escrow.withdraw();
        vm.assertEq(token.balanceOf(alice), 60);
        vm.assertEq(escrow.account(alice).withdrawing, 0);
    }

    function test_RevertWhen_NothingToWithdraw() public {
        bytes memory failure = abi.encodeWithSelector(IEscrow.NothingToWithdraw.selector, address(this));
        vm.expectRevert(failure);
        escrow.withdraw();
        vm.expectRevert(failure);
        escrow.requestWithdrawal(0);
    }

    function test_RevertWhen_WithdrawalExceedsTheAccount() public {
        _fund(alice, 100);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.InsufficientFunds.selector, alice, 100, 101));
        vm.prank(alice);
        escrow.requestWithdrawal(101);
    }

    function test_MoneyOnItsWayOutStillCoversADeal() public {
        _fund(alice, 100);
        vm.prank(alice);
        escrow.requestWithdrawal(70);
        vm.expectEmit();
        emit IEscrow.Locked(alice, bytes32("deal"), 50);
        vm.prank(address(market));
        escrow.lock(alice, "deal", 50);
        Account memory account = escrow.account(alice);
        vm.assertEq(account.available, 0);
        vm.assertEq(account.withdrawing, 50);
        vm.assertEq(account.locked, 50);
    }

    function test_RevertWhen_LockExceedsTheAccount() public {
        _fund(alice, 100);
        vm.prank(alice);
        escrow.requestWithdrawal(70);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.InsufficientFunds.selector, alice, 100, 101));
        vm.prank(address(market));
        escrow.lock(alice, "deal", 101);
    }

    function test_RevertWhen_CallerIsNotAController() public {
        Payment[] memory none = new Payment[](0);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotController.selector, address(tasks)));
        vm.prank(address(tasks));
        escrow.lock(alice, "deal", 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotController.selector, address(market)));
        vm.prank(address(market));
        escrow.distribute(alice, "deal", none, 1);
    }

    function test_DistributePaysAndReleases() public {
        _fund(alice, 100);
        vm.prank(address(market));
        escrow.lock(alice, "deal", 80);
        Payment[] memory payments = new Payment[](3);
        payments[0] = Payment(address(1), 30);
        payments[1] = Payment(address(2), 0);
        payments[2] = Payment(alice, 10);
        vm.expectEmit();
        emit IEscrow.Paid(alice, address(1), bytes32("deal"), 30);
        vm.expectEmit();
        emit IEscrow.Paid(alice, alice, bytes32("deal"), 10);
        vm.expectEmit();
        emit IEscrow.Released(alice, bytes32("deal"), 15);
        vm.prank(address(tasks));
        escrow.distribute(alice, "deal", payments, 15);
        vm.assertEq(_available(address(1)), 30);
        vm.assertEq(_available(alice), 20 + 10 + 15);
        vm.assertEq(_locked(alice), 25);
    }

    function test_RevertWhen_MoreIsPaidThanLocked() public {
        _fund(alice, 100);
        Payment[] memory none = new Payment[](0);
        vm.expectRevert();
        vm.prank(address(tasks));
        escrow.distribute(alice, "deal", none, 1);
    }

    function test_DevTokenSaysWhatItIs() public view {
        vm.assertEq(token.name(), "Sealwork Development Token");
        vm.assertEq(token.symbol(), "SWDEV");
        vm.assertEq(token.allowance(alice, 0x000000000022D473030F116dDEE9F6B43aC78BA3), 0);
    }
}
