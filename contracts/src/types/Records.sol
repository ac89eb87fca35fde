// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice A registered app.
/// @param owner Who may update it and is paid for it.
/// @param manifestHash SHA-256 of the manifest.
/// @param codeHash SHA-256 of the module.
/// @param policyHash SHA-256 of the policy document.
/// @param version Starts at 1, raised by every update that takes effect.
struct App {
    address owner;
    bytes32 manifestHash;
    bytes32 codeHash;
    bytes32 policyHash;
    uint32 version;
}

/// @notice An announced change of an app.
/// @param manifestHash SHA-256 of the new manifest.
/// @param codeHash SHA-256 of the new module.
/// @param policyHash SHA-256 of the new policy document.
/// @param effectiveAt When it replaces what is registered, in seconds since 1970; zero: nothing is announced.
struct AppUpdate {
    bytes32 manifestHash;
    bytes32 codeHash;
    bytes32 policyHash;
    uint64 effectiveAt;
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

/// @notice An account, in the smallest unit of the token. Money of open deals is in no account.
/// @param available Can be used for deals or withdrawn.
/// @param nonce The lowest nonce that is valid in the owner's orders.
/// @param merit Stakes of tasks that the owner's pools have brought to an end since the last fault or draw.
/// @param withdrawing On its way out; still covers a deal until it is taken.
/// @param withdrawableAt When `withdrawing` may be taken, in seconds since 1970.
struct Account {
    uint112 available;
    uint40 nonce;
    uint104 merit;
    uint128 withdrawing;
    uint64 withdrawableAt;
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
