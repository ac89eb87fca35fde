// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../src/generated/Params.sol";
import { vm } from "../utils/Vm.sol";
import { Model } from "./Model.sol";

/// @dev What people do with accounts.
abstract contract MoneyHandler is Model {
    function deposit(uint256 who, uint256 amount) external {
        address owner = _party(who);
        amount = amount % 10_000_000;
        _fund(owner, amount);
        _purses[owner].available += amount;
        _deposited += amount;
    }

    function depositFor(uint256 who, uint256 by, uint256 amount) external {
        (address owner, address payer) = (_party(who), _party(by));
        amount = amount % 1_000_000;
        token.mint(payer, amount);
        vm.prank(payer);
        token.approve(address(market), amount);
        _do(true, payer, address(market), abi.encodeCall(market.depositFor, (owner, amount)), "a deposit for others");
        _purses[owner].available += amount;
        _deposited += amount;
    }

    function requestWithdrawal(uint256 who, uint256 amount, bool tooMuch) external {
        address owner = _party(who);
        Purse storage purse = _purses[owner];
        amount = tooMuch ? purse.available + 1 + amount % 1000 : amount % (purse.available + 1);
        bool possible = !tooMuch && amount != 0;
        _do(
            possible, owner, address(market), abi.encodeCall(market.requestWithdrawal, (amount)), "a withdrawal request"
        );
        if (!possible) return;
        purse.available -= amount;
        purse.withdrawing += amount;
        purse.withdrawableAt = block.timestamp + Params.WITHDRAWAL_DELAY_S;
    }

    function withdraw(uint256 who) public {
        address owner = _party(who);
        Purse storage purse = _purses[owner];
        uint256 amount = purse.withdrawing;
        bool possible = amount != 0 && block.timestamp >= purse.withdrawableAt;
        uint256 before = token.balanceOf(owner);
        _do(possible, owner, address(market), abi.encodeCall(market.withdraw, ()), "a withdrawal");
        if (!possible) return;
        vm.assertEq(token.balanceOf(owner), before + amount, "all that was asked for");
        purse.withdrawing = 0;
        _deposited -= amount;
    }

    function drawKitty(uint256 who) external {
        who = _mix(who);
        // Only a pool can have earned a draw.
        address owner = who % 4 == 0 ? _party(who >> 2) : _provider;
        Purse storage purse = _purses[owner];
        uint256 amount = _pot / 10 > 1e9 ? _pot / 10 : 1e9;
        if (amount > _pot) amount = _pot;
        if (amount > purse.merit) amount = purse.merit;
        _do(amount != 0, owner, address(market), abi.encodeCall(market.drawKitty, ()), "a draw from the kitty");
        if (amount == 0) return;
        purse.merit = 0;
        purse.available += amount;
        _pot -= amount;
    }

    function setFee(uint16 bps, bool governed) external {
        bps %= 600;
        address sender = governed ? GOVERNOR : _stranger;
        bool possible = governed && bps <= 500;
        _do(possible, sender, address(market), abi.encodeCall(market.setFee, (bps)), "another fee");
    }

    function wait(uint256 kind, uint256 seconds_) external {
        kind = _mix(kind);
        seconds_ = _mix(seconds_);
        kind %= 20;
        // Mostly short, so that deals live; now and then past every deadline.
        uint256 longest = kind < 14 ? 40 : kind < 19 ? 1500 : 40 days;
        vm.warp(block.timestamp + seconds_ % longest + 1);
    }

    /// @dev The end, step by step; each step is a call of its own, because time passes in between.
    function time() external view returns (uint256) {
        return block.timestamp;
    }

    function finishRequests() external {
        for (uint256 i = 0; i < PARTIES; ++i) {
            address owner = _party(i);
            Purse storage purse = _purses[owner];
            uint256 amount = purse.available;
            if (amount == 0) continue;
            _do(true, owner, address(market), abi.encodeCall(market.requestWithdrawal, (amount)), "the last request");
            purse.available = 0;
            purse.withdrawing += amount;
            purse.withdrawableAt = block.timestamp + Params.WITHDRAWAL_DELAY_S;
        }
    }

    function finishWithdrawals() external {
        for (uint256 i = 0; i < PARTIES; ++i) {
            withdraw(i);
        }
        vm.assertEq(_open, 0, "no deal holds anything");
        vm.assertEq(token.balanceOf(address(market)), market.kitty(), "all but the kitty is gone");
    }
}
