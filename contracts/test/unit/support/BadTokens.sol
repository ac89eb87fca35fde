// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { DevToken } from "../../../src/DevToken.sol";

/// @dev Keeps one in ten of every transfer, both ways.
contract SkimmingToken is DevToken {
    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        _burn(from, amount / 10);
        return super.transferFrom(from, to, amount - amount / 10);
    }
}

/// @dev Refuses accounts on a list.
contract BlocklistToken is DevToken {
    mapping(address account => bool) public blocked;

    error Blocked(address account);

    function setBlocked(address account, bool value) external {
        blocked[account] = value;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        if (blocked[to]) revert Blocked(to);
        return super.transfer(to, amount);
    }
}

/// @dev Calls something whenever it moves, and keeps what came back.
contract CallingToken is DevToken {
    address public target;
    bytes public data;
    bool public reached;
    bytes public answer;

    function set(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        _call();
        return super.transfer(to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        _call();
        return super.transferFrom(from, to, amount);
    }

    function _call() private {
        if (target == address(0)) return;
        (reached, answer) = target.call(data);
    }
}

/// @dev Moves nothing and says that it did.
contract LyingToken is DevToken {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return true;
    }
}

/// @dev Answers with more than a bool, or with fewer bytes than one.
contract OddAnswerToken {
    bytes public answer;
    mapping(address account => uint256) public balanceOf;

    function set(bytes calldata answer_) external {
        answer = answer_;
    }

    function transferFrom(address, address to, uint256 amount) external {
        balanceOf[to] += amount;
        _answer();
    }

    function transfer(address, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        _answer();
    }

    function _answer() private view {
        bytes memory value = answer;
        assembly ("memory-safe") {
            return(add(value, 0x20), mload(value))
        }
    }
}
