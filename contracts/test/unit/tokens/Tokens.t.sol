// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Artifacts } from "../../../script/Artifacts.sol";
import { Market } from "../../../src/Market.sol";
import { Params } from "../../../src/generated/Params.sol";
import { IAccounts } from "../../../src/interfaces/IAccounts.sol";
import { vm } from "../../utils/Vm.sol";
import { BlocklistToken, CallingToken, LyingToken, OddAnswerToken, SkimmingToken } from "../support/BadTokens.sol";
import { cheats } from "../support/Cheats.sol";
import { UnitFixture } from "../support/UnitFixture.sol";
import { ReentrancyGuardTransient } from "solady/utils/ReentrancyGuardTransient.sol";

/// @dev Markets that hold tokens which do not behave.
contract TokensTest is UnitFixture {
    function _over(address asset) private returns (Market) {
        bytes memory arguments = abi.encode(
            asset, address(registry), address(attestations), address(1), address(2), GOVERNOR, FEES, uint16(0)
        );
        return Market(Artifacts.create("Market", arguments));
    }

    function _refused(address asset) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAccounts.TransferFailed.selector, asset);
    }

    function _ask(Market venue, uint256 amount) private {
        venue.requestWithdrawal(amount);
        vm.warp(block.timestamp + Params.WITHDRAWAL_DELAY_S);
    }

    function test_Deposit_WhenTheTokenKeepsAFee() public {
        SkimmingToken skimming = new SkimmingToken();
        Market venue = _over(address(skimming));
        skimming.mint(address(this), 100);
        skimming.approve(address(venue), 100);
        // it should emit and credit what arrived
        vm.expectEmit();
        emit IAccounts.Deposited(address(this), address(this), 90);
        venue.deposit(100);
        vm.assertEq(venue.account(address(this)).available, 90);
        // it should be covered by the balance
        vm.assertEq(skimming.balanceOf(address(venue)), 90);
    }

    function test_Deposit_WhenTheTokenMovesNothing() public {
        LyingToken lying = new LyingToken();
        Market venue = _over(address(lying));
        // it should credit nothing
        venue.deposit(100);
        vm.assertEq(venue.account(address(this)).available, 0);
    }

    function test_Deposit_WhenTheTokenReturnsNothing() public {
        OddAnswerToken odd = new OddAnswerToken();
        Market venue = _over(address(odd));
        // it should credit what arrived
        venue.deposit(10);
        vm.assertEq(venue.account(address(this)).available, 10);
    }

    function test_Deposit_WhenTheTokenReturnsMoreThanABool() public {
        OddAnswerToken odd = new OddAnswerToken();
        Market venue = _over(address(odd));
        odd.set(abi.encode(true, "and more"));
        // it should credit what arrived
        venue.deposit(10);
        vm.assertEq(venue.account(address(this)).available, 10);
    }

    function test_Deposit_RevertWhen_TheTokenReturnsFalse() public {
        OddAnswerToken odd = new OddAnswerToken();
        Market venue = _over(address(odd));
        odd.set(abi.encode(false));
        vm.expectRevert(_refused(address(odd)));
        venue.deposit(10);
    }

    function test_Deposit_RevertWhen_TheTokenReturnsNoBool() public {
        OddAnswerToken odd = new OddAnswerToken();
        Market venue = _over(address(odd));
        odd.set(abi.encode(uint256(2)));
        vm.expectRevert(_refused(address(odd)));
        venue.deposit(10);
    }

    function test_Deposit_RevertWhen_TheTokenReturnsTooFewBytes() public {
        OddAnswerToken odd = new OddAnswerToken();
        Market venue = _over(address(odd));
        odd.set(hex"01");
        vm.expectRevert(_refused(address(odd)));
        venue.deposit(10);
    }

    function test_Deposit_RevertWhen_TheTokenHasNoCode() public {
        Market venue = _over(address(0xDEAD));
        vm.expectRevert();
        venue.deposit(10);
    }

    function test_Deposit_WhenTheTokenReentersADeposit() public {
        CallingToken calling = new CallingToken();
        Market venue = _over(address(calling));
        calling.mint(address(this), 100);
        calling.approve(address(venue), 100);
        calling.set(address(venue), abi.encodeCall(venue.depositFor, (OTHER, 0)));
        venue.deposit(100);
        // it should refuse the inner call
        vm.assertFalse(calling.reached());
        vm.assertEq(keccak256(calling.answer()), keccak256(_reentered()));
        // it should credit once
        vm.assertEq(venue.account(address(this)).available, 100);
        vm.assertEq(venue.account(OTHER).available, 0);
    }

    function test_DepositWithPermit_WhenTheTokenReentersItFromADeposit() public {
        CallingToken calling = new CallingToken();
        Market venue = _over(address(calling));
        calling.mint(address(this), 100);
        calling.approve(address(venue), 100);
        calling.set(address(venue), abi.encodeCall(venue.depositWithPermit, (0, 0, 0, 0, 0)));
        venue.deposit(100);
        // it should refuse the inner call
        vm.assertFalse(calling.reached());
        vm.assertEq(keccak256(calling.answer()), keccak256(_reentered()));
        // it should credit once
        vm.assertEq(venue.account(address(this)).available, 100);
        vm.assertEq(venue.account(address(calling)).available, 0);
    }

    function test_DepositWithPermit_WhenTheTokenReentersADepositFromIt() public {
        CallingToken calling = new CallingToken();
        Market venue = _over(address(calling));
        calling.mint(address(this), 100);
        calling.approve(address(venue), 100);
        calling.set(address(venue), abi.encodeCall(venue.depositFor, (OTHER, 0)));
        venue.depositWithPermit(100, 0, 0, 0, 0);
        // it should refuse the inner call
        vm.assertFalse(calling.reached());
        vm.assertEq(keccak256(calling.answer()), keccak256(_reentered()));
        // it should credit once
        vm.assertEq(venue.account(address(this)).available, 100);
        vm.assertEq(venue.account(OTHER).available, 0);
    }

    function _reentered() private pure returns (bytes memory) {
        return abi.encodeWithSelector(ReentrancyGuardTransient.Reentrancy.selector);
    }

    function test_Withdraw_WhenTheTokenReentersAWithdrawal() public {
        CallingToken calling = new CallingToken();
        Market venue = _over(address(calling));
        calling.mint(address(this), 100);
        calling.approve(address(venue), 100);
        venue.deposit(100);
        _ask(venue, 60);
        calling.set(address(venue), abi.encodeCall(venue.withdraw, ()));
        venue.withdraw();
        // it should refuse the inner call
        vm.assertFalse(calling.reached());
        vm.assertEq(keccak256(calling.answer()), keccak256(_reentered()));
        // it should pay once
        vm.assertEq(calling.balanceOf(address(this)), 60);
        vm.assertEq(calling.balanceOf(address(venue)), 40);
    }

    function test_Withdraw_WhenTheTokenReturnsNothing() public {
        OddAnswerToken odd = new OddAnswerToken();
        Market venue = _over(address(odd));
        venue.deposit(10);
        _ask(venue, 10);
        // it should pay
        venue.withdraw();
        vm.assertEq(odd.balanceOf(address(venue)), 0);
    }

    function test_Withdraw_RevertWhen_TheTokenReturnsFalse() public {
        OddAnswerToken odd = new OddAnswerToken();
        Market venue = _over(address(odd));
        venue.deposit(10);
        _ask(venue, 10);
        odd.set(abi.encode(false));
        vm.expectRevert(_refused(address(odd)));
        venue.withdraw();
        // it should keep the claim
        vm.assertEq(venue.account(address(this)).withdrawing, 10);
    }

    function test_Withdraw_RevertWhen_TheTokenLostItsCode() public {
        OddAnswerToken odd = new OddAnswerToken();
        Market venue = _over(address(odd));
        venue.deposit(10);
        _ask(venue, 10);
        cheats.etch(address(odd), "");
        vm.expectRevert(_refused(address(odd)));
        venue.withdraw();
        // it should keep the claim
        vm.assertEq(venue.account(address(this)).withdrawing, 10);
    }

    function test_Withdraw_RevertWhen_TheTokenBlocksTheOwner() public {
        BlocklistToken list = new BlocklistToken();
        Market venue = _over(address(list));
        list.mint(address(this), 100);
        list.approve(address(venue), 100);
        venue.deposit(100);
        _ask(venue, 100);
        list.setBlocked(address(this), true);
        vm.expectRevert(_refused(address(list)));
        venue.withdraw();
        // it should keep the money until the token lets it go
        list.setBlocked(address(this), false);
        venue.withdraw();
        vm.assertEq(list.balanceOf(address(this)), 100);
    }
}
