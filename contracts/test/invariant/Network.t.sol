// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { DevToken } from "../../src/DevToken.sol";
import { Escrow } from "../../src/Escrow.sol";
import { Tasks } from "../../src/Tasks.sol";
import { Account } from "../../src/types/Records.sol";
import { vm } from "../utils/Vm.sol";
import { Handler } from "./Handler.sol";

/// @dev Conservation of money and settle-once, after any sequence of what parties can do.
contract NetworkInvariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    // forge-lint: disable-next-line(mixed-case-variable)
    bool public constant IS_TEST = true;

    Handler private _handler;
    DevToken private _token;
    Escrow private _escrow;
    Tasks private _tasks;

    function setUp() public {
        _handler = new Handler();
        _handler.setUp();
        (address token, address escrow, address tasks) = _handler.contracts();
        (_token, _escrow, _tasks) = (DevToken(token), Escrow(escrow), Tasks(tasks));
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        bytes4[] memory selectors = new bytes4[](7);
        selectors[0] = Handler.deposit.selector;
        selectors[1] = Handler.requestWithdrawal.selector;
        selectors[2] = Handler.withdraw.selector;
        selectors[3] = Handler.matchOrders.selector;
        selectors[4] = Handler.settle.selector;
        selectors[5] = Handler.claim.selector;
        selectors[6] = Handler.wait.selector;
        targets[0] = FuzzSelector({ addr: address(_handler), selectors: selectors });
    }

    function invariant_AccountsTogetherAreTheTokenBalance() public view {
        uint256 total = 0;
        uint256 locked = 0;
        address[6] memory parties = _handler.parties();
        for (uint256 i = 0; i < parties.length; ++i) {
            Account memory account = _escrow.account(parties[i]);
            total += uint256(account.available) + account.locked + account.withdrawing;
            locked += account.locked;
        }
        vm.assertEq(total, _token.balanceOf(address(_escrow)), "conservation");
        vm.assertEq(locked, _handler.openPrice(), "locked money belongs to open tasks");
    }

    function invariant_EveryTaskIsClosedAtMostOnce() public view {
        for (uint256 i = 0; i < _handler.count(); ++i) {
            (bytes32 id, uint32 volume) = _handler.dealAt(i);
            uint256 closed = 0;
            for (uint32 index = 0; index < volume; ++index) {
                uint256 times = _handler.closings(id, index);
                vm.assertTrue(times <= 1);
                vm.assertEq(times, _tasks.isClosed(id, index) ? 1 : 0, "the contract knows what was closed");
                closed += times;
            }
            vm.assertEq(closed, _tasks.deal(id).settled, "number of closed tasks");
        }
    }
}
