// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A contract that a contract made
contract Child {
    /// @notice What it was made with.
    uint256 public immutable NUMBER;

    constructor(uint256 number) {
        NUMBER = number;
    }

    receive() external payable { }

    /// @notice What it was made with.
    function read() external view returns (uint256) {
        return NUMBER;
    }
}

/// @title What a client can ask of a contract
/// @notice Storage, events, every kind of failure, calls within calls. Holds nothing of value.
contract Probe {
    /// @notice A number that anybody sets.
    uint256 public number;

    /// @notice Numbers by key.
    mapping(uint256 key => uint256 value) public numbers;

    /// @notice The number changed.
    event NumberSet(address indexed by, uint256 indexed number, string note);

    /// @notice Something happened, with topics only.
    event Pinged(address indexed by, uint256 indexed round);

    /// @notice A failure with arguments.
    error TooLarge(uint256 given, uint256 limit);

    /// @notice Starts with a number and says so.
    constructor(uint256 first) payable {
        number = first;
        emit NumberSet(msg.sender, first, "constructor");
    }

    receive() external payable {
        emit Pinged(msg.sender, msg.value);
    }

    /// @notice Sets the number; fails with an error that carries arguments above 1,000,000.
    function set(uint256 value) external payable {
        if (value > 1_000_000) revert TooLarge(value, 1_000_000);
        number = value;
        emit NumberSet(msg.sender, value, "set");
    }

    /// @notice Writes many slots and emits one event each.
    function fill(uint256 from, uint256 count) external {
        for (uint256 i = from; i < from + count; ++i) {
            numbers[i] = i * i + 1;
            emit Pinged(msg.sender, i);
        }
    }

    /// @notice Makes slots empty again, which refunds gas.
    function clear(uint256 from, uint256 count) external {
        for (uint256 i = from; i < from + count; ++i) {
            delete numbers[i];
        }
    }

    /// @notice Fails with a text.
    function failWithText() external pure {
        revert("the probe refuses");
    }

    /// @notice Fails with a panic (0x12).
    function divide(uint256 by) external pure returns (uint256) {
        return 100 / by;
    }

    /// @notice Fails without any data.
    function failSilently() external pure {
        assembly {
            revert(0, 0)
        }
    }

    /// @notice Uses an invalid operation, which takes all gas.
    function failInvalid() external pure {
        assembly {
            invalid()
        }
    }

    /// @notice Creates a child with CREATE2, asks it, and pays it.
    function spawn(bytes32 salt, uint256 value) external payable returns (Child child) {
        child = new Child{ salt: salt }(value);
        emit Pinged(address(child), child.read());
        (bool paid,) = address(child).call{ value: msg.value }("");
        require(paid, "the child takes money");
    }

    /// @notice Calls itself, catches the failure inside, and goes on.
    function catchInner() external returns (bool caught) {
        try this.set(2_000_000) {
            caught = false;
        } catch {
            caught = true;
            emit Pinged(msg.sender, 404);
        }
    }

    /// @notice What the contract sees of its block.
    function environment()
        external
        view
        returns (uint256 chain, uint256 height, uint256 time, uint256 baseFee, uint256 gasLimit, address miner)
    {
        return (block.chainid, block.number, block.timestamp, block.basefee, block.gaslimit, block.coinbase);
    }

    /// @notice Hash of an older block.
    function hashOf(uint256 height) external view returns (bytes32) {
        return blockhash(height);
    }

    /// @notice Who calls, and with which balance.
    function caller() external view returns (address who, address origin, uint256 balance) {
        return (msg.sender, tx.origin, msg.sender.balance);
    }
}
