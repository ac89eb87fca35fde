// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../src/generated/Params.sol";
import { Accounts } from "../../src/market/Accounts.sol";
import { Account } from "../../src/types/Records.sol";
import { vm } from "../utils/Vm.sol";

/// @dev Counts, and does what it is told.
contract CountingToken {
    mapping(address owner => uint256) public balanceOf;

    function set(address owner, uint256 amount) external {
        balanceOf[owner] = amount;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return transferFrom(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        return true;
    }
}

/// @dev Accounts with what deals do to them.
contract OpenAccounts is Accounts {
    constructor(address token_) Accounts(token_) { }

    function set(address owner, Account calldata entry) external {
        _accounts[owner] = entry;
    }

    function setKitty(uint256 amount) external {
        _kitty = amount;
    }

    function take(address owner, uint256 amount) external {
        _take(owner, amount);
    }

    function give(address owner, uint256 amount) external {
        _give(owner, amount);
    }

    function reward(address owner, uint256 amount, uint256 stake) external {
        _reward(owner, amount, stake);
    }

    function slash(address owner, uint256 amount) external {
        _slash(owner, amount);
    }
}

/// @dev Where money can come from and go to.
contract AccountsProofs {
    address private constant OWNER = address(0xA11CE);
    address private constant OTHER = address(0xB0B);
    uint256 private constant NOW = 1_800_000_000;

    CountingToken private _token;
    OpenAccounts private _purses;

    function setUp() public {
        _token = new CountingToken();
        _purses = new OpenAccounts(address(_token));
        vm.warp(NOW);
    }

    function _set(address owner, uint112 available, uint104 merit, uint112 withdrawing, uint64 due) private {
        _purses.set(owner, Account(available, 0, merit, withdrawing, due));
    }

    function _total(address owner) private view returns (uint256) {
        Account memory entry = _purses.account(owner);
        return uint256(entry.available) + entry.withdrawing;
    }

    function check_TakingForADealTakesExactlyThat(uint112 available, uint112 withdrawing, uint256 amount) public {
        _set(OWNER, available, 0, withdrawing, 0);
        try _purses.take(OWNER, amount) {
            assert(_total(OWNER) == uint256(available) + withdrawing - amount);
            Account memory entry = _purses.account(OWNER);
            // What is on its way out is touched last.
            assert(entry.withdrawing == withdrawing || entry.available == 0);
        } catch {
            assert(amount > uint256(available) + withdrawing);
        }
    }

    function check_GivingGivesExactlyThat(uint112 available, uint112 withdrawing, uint256 amount) public {
        _set(OWNER, available, 0, withdrawing, 0);
        if (amount > type(uint128).max) return;
        try _purses.give(OWNER, amount) {
            assert(_total(OWNER) == uint256(available) + withdrawing + amount);
        } catch {
            assert(uint256(available) + amount > type(uint112).max);
        }
    }

    function check_ARewardIsMoneyAndMerit(uint112 available, uint104 merit, uint112 amount, uint112 stake) public {
        _set(OWNER, available, merit, 0, 0);
        try _purses.reward(OWNER, amount, stake) {
            Account memory entry = _purses.account(OWNER);
            assert(entry.available == uint256(available) + amount);
            uint256 sum = uint256(merit) + stake;
            assert(entry.merit == (sum > type(uint104).max ? type(uint104).max : sum));
        } catch {
            assert(uint256(available) + amount > type(uint112).max);
        }
    }

    function check_AFaultCostsTheStakeAndAllMerit(uint128 kitty, uint104 merit, uint112 available, uint112 stake)
        public
    {
        _purses.setKitty(kitty);
        _set(OWNER, available, merit, 0, 0);
        _purses.slash(OWNER, stake);
        assert(_purses.kitty() == uint256(kitty) + stake);
        assert(_purses.account(OWNER).merit == 0);
        assert(_purses.account(OWNER).available == available);
    }

    function check_ARequestMovesMoneyInsideTheAccount(
        uint112 available,
        uint112 withdrawing,
        uint64 due,
        uint256 amount
    ) public {
        _set(OWNER, available, 0, withdrawing, due);
        vm.prank(OWNER);
        try _purses.requestWithdrawal(amount) {
            Account memory entry = _purses.account(OWNER);
            assert(_total(OWNER) == uint256(available) + withdrawing);
            assert(entry.withdrawing == uint256(withdrawing) + amount);
            assert(entry.withdrawableAt == NOW + Params.WITHDRAWAL_DELAY_S);
        } catch {
            assert(amount == 0 || amount > available);
        }
    }

    function check_OnlyWhatIsDueLeaves(uint112 available, uint112 withdrawing, uint64 due, uint128 reserve) public {
        if (reserve < withdrawing) return;
        _token.set(address(_purses), reserve);
        _set(OWNER, available, 0, withdrawing, due);
        vm.prank(OWNER);
        try _purses.withdraw() {
            assert(due <= NOW && withdrawing != 0);
            assert(_token.balanceOf(OWNER) == withdrawing);
            assert(_token.balanceOf(address(_purses)) == uint256(reserve) - withdrawing);
            assert(_total(OWNER) == available);
        } catch {
            assert(due > NOW || withdrawing == 0);
        }
    }

    function check_ADrawMovesMoneyFromTheKitty(uint112 kitty, uint112 available, uint104 merit) public {
        _purses.setKitty(kitty);
        _set(OWNER, available, merit, 0, 0);
        vm.prank(OWNER);
        try _purses.drawKitty() returns (uint256 amount) {
            assert(amount != 0 && amount <= merit && amount <= kitty);
            assert(_purses.kitty() == kitty - amount);
            assert(_purses.account(OWNER).available == uint256(available) + amount);
            assert(_purses.account(OWNER).merit == 0);
        } catch {
            assert(kitty == 0 || merit == 0 || uint256(available) + kitty > type(uint112).max);
        }
    }

    /// @dev Whatever somebody else does with the accounts, nobody has less afterwards.
    function check_NobodyTouchesTheMoneyOfOthers(uint8 what, uint112 amount, uint112 available, uint112 withdrawing)
        public
    {
        _set(OWNER, available, 7, withdrawing, 5);
        _set(OTHER, amount, 3, amount, 0);
        _purses.setKitty(amount);
        _token.set(address(_purses), type(uint128).max);
        _token.set(OTHER, amount);
        bytes memory call = abi.encodeCall(_purses.requestWithdrawal, (amount));
        if (what == 1) call = abi.encodeCall(_purses.withdraw, ());
        if (what == 2) call = abi.encodeCall(_purses.drawKitty, ());
        if (what == 3) call = abi.encodeCall(_purses.deposit, (amount));
        if (what == 4) call = abi.encodeCall(_purses.depositFor, (OWNER, amount));
        vm.prank(OTHER);
        (bool done,) = address(_purses).call(call);
        Account memory entry = _purses.account(OWNER);
        assert(entry.available >= available && entry.withdrawing == withdrawing);
        assert(entry.merit == 7 && entry.withdrawableAt == 5);
        assert(entry.available == available || (done && what == 4 && entry.available - available == amount));
    }

    function check_ADepositIsCreditedAsItArrives(uint112 balance, uint112 amount, uint112 available) public {
        _token.set(OTHER, balance);
        _set(OWNER, available, 0, 0, 0);
        vm.prank(OTHER);
        try _purses.depositFor(OWNER, amount) {
            assert(_total(OWNER) == uint256(available) + amount);
            assert(_token.balanceOf(address(_purses)) == amount);
        } catch {
            assert(amount > balance || uint256(available) + amount > type(uint112).max);
        }
    }
}
