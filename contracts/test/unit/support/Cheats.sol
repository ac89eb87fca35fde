// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev One entry of the recorded logs.
struct Log {
    bytes32[] topics;
    bytes data;
    address emitter;
}

/// @title More cheatcodes of forge, which only unit tests use
interface Cheats {
    function etch(address target, bytes calldata code) external;
    function deal(address account, uint256 balance) external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
}

Cheats constant cheats = Cheats(address(uint160(uint256(keccak256("hevm cheat code")))));
