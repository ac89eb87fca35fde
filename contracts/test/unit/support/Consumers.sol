// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IOracleConsumer } from "../../../src/interfaces/IOracleConsumer.sol";

/// @dev Keeps what it was told.
contract Listener is IOracleConsumer {
    bytes32 public id;
    bytes public result;
    address public sender;
    uint256 public calls;

    function receiveResult(bytes32 id_, bytes calldata result_) external {
        id = id_;
        result = result_;
        sender = msg.sender;
        ++calls;
    }
}

/// @dev Refuses.
contract Refuser is IOracleConsumer {
    error No();

    function receiveResult(bytes32, bytes calldata) external pure {
        revert No();
    }
}

/// @dev Uses all gas that it gets.
contract Glutton is IOracleConsumer {
    function receiveResult(bytes32, bytes calldata) external pure {
        assembly ("memory-safe") {
            invalid()
        }
    }
}

/// @dev Answers, or refuses, with so many bytes that its memory costs 176,000 gas, and a copy of them as much.
contract Bomber is IOracleConsumer {
    bool private immutable _refuses;

    constructor(bool refuses) {
        _refuses = refuses;
    }

    function receiveResult(bytes32, bytes calldata) external view {
        bool refuses = _refuses;
        assembly ("memory-safe") {
            if refuses { revert(0, 280000) }
            return(0, 280000)
        }
    }
}

/// @dev Measures what it gets.
contract Meter is IOracleConsumer {
    uint256 public gas;

    function receiveResult(bytes32, bytes calldata) external {
        gas = gasleft();
    }
}

/// @dev Calls something when it is told a result, and keeps what came back.
contract Reenterer is IOracleConsumer {
    address public target;
    bytes public data;
    bool public reached;
    bytes public answer;

    function set(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    function receiveResult(bytes32, bytes calldata) external {
        (reached, answer) = target.call(data);
    }
}
