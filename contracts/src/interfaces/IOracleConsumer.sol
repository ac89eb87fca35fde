// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title A contract that is told results (ERC-1154, push)
interface IOracleConsumer {
    /// @notice A task that the contract was named for has succeeded. Called by the Market with the gas that the request
    /// names; a revert changes nothing about the settlement.
    /// @param id keccak256(abi.encode(dealId, index)).
    /// @param result Bytes that the enclave signed for.
    function receiveResult(bytes32 id, bytes calldata result) external;
}
