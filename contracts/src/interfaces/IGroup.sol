// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title A list of members that an order may name instead of one id
interface IGroup {
    /// @notice Whether an app, dataset or pool id, or a requester's address as bytes32, belongs to the group.
    /// @param id What is asked about.
    /// @return Whether it belongs to the group.
    function isMember(bytes32 id) external view returns (bool);
}
