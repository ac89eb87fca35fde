// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice A registered app.
/// @param owner Who may update it and is paid for it.
/// @param manifestHash SHA-256 of the manifest.
/// @param codeHash SHA-256 of the module.
/// @param policyHash SHA-256 of the policy document.
/// @param version Starts at 1, raised by every update.
struct App {
    address owner;
    bytes32 manifestHash;
    bytes32 codeHash;
    bytes32 policyHash;
    uint32 version;
}

/// @notice A registered dataset.
/// @param owner Who is paid for it.
/// @param manifestHash SHA-256 of the manifest.
/// @param contentDigest SHA-256 of the sealed content.
/// @param version Starts at 1.
struct Dataset {
    address owner;
    bytes32 manifestHash;
    bytes32 contentDigest;
    uint32 version;
}

/// @notice A registered pool.
/// @param owner Who is paid for execution.
/// @param manifestHash SHA-256 of the manifest.
/// @param version Starts at 1.
struct Pool {
    address owner;
    bytes32 manifestHash;
    uint32 version;
}

/// @notice An escrow account, in the smallest unit of the token.
/// @param available Can be locked or withdrawn.
/// @param locked Belongs to open tasks.
/// @param withdrawing On its way out; still covers a match until it is taken.
/// @param withdrawableAt When `withdrawing` may be taken, in seconds since 1970.
struct Account {
    uint128 available;
    uint128 locked;
    uint128 withdrawing;
    uint64 withdrawableAt;
}

/// @notice One payout of a settlement.
/// @param to Who is paid.
/// @param amount How much, in the smallest unit of the token.
struct Payment {
    address to;
    uint256 amount;
}

/// @title Kinds of registered things and parties, as numbers in ids and errors
library Kind {
    /// @dev A program.
    uint8 internal constant APP = 1;
    /// @dev Sealed data.
    uint8 internal constant DATASET = 2;
    /// @dev Workers offered under one order.
    uint8 internal constant POOL = 3;
    /// @dev A person or contract that asks for tasks; only in errors.
    uint8 internal constant REQUESTER = 4;
}
