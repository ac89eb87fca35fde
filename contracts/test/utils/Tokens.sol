// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccounts } from "../../src/interfaces/IAccounts.sol";
import { ERC20 } from "solady/tokens/ERC20.sol";

/// @dev Keeps one in ten of every transfer.
contract FeeToken is ERC20 {
    constructor() {
        _mint(msg.sender, 1000);
    }

    function name() public pure override returns (string memory) {
        return "Fee";
    }

    function symbol() public pure override returns (string memory) {
        return "FEE";
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        _burn(from, amount / 10);
        _transfer(from, to, amount - amount / 10);
        return true;
    }
}

/// @dev Returns what it is told to return, and calls back into the Market if it is told to.
contract OddToken {
    enum Answer {
        Nothing,
        False,
        True,
        Revert
    }

    Answer public answer;
    IAccounts public victim;
    uint256 public held;

    function set(Answer answer_, IAccounts victim_) external {
        answer = answer_;
        victim = victim_;
    }

    function balanceOf(address) external view returns (uint256) {
        return held;
    }

    function transferFrom(address, address, uint256 amount) external {
        if (address(victim) != address(0)) victim.deposit(amount);
        held += amount;
        _answer();
    }

    function transfer(address, uint256 amount) external {
        held -= amount;
        _answer();
    }

    function _answer() private view {
        require(answer != Answer.Revert, "no");
        if (answer == Answer.Nothing) return;
        uint256 word = answer == Answer.True ? 1 : 0;
        assembly ("memory-safe") {
            mstore(0, word)
            return(0, 32)
        }
    }
}
