// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { App, Dataset, Pool } from "../types/Records.sol";

/// @title Apps, datasets and pools
/// @notice Each is an ERC-721 token whose id is keccak256(abi.encode(chainid, registry, kind, first owner, manifestHash)).
interface IRegistry {
    /// @notice An app was registered.
    event AppRegistered(
        bytes32 indexed id,
        address indexed owner,
        bytes32 manifestHash,
        bytes32 codeHash,
        bytes32 policyHash,
        string name
    );
    /// @notice An app got another manifest, code or policy.
    event AppUpdated(bytes32 indexed id, uint32 version, bytes32 manifestHash, bytes32 codeHash, bytes32 policyHash);
    /// @notice A dataset was registered.
    event DatasetRegistered(bytes32 indexed id, address indexed owner, bytes32 manifestHash, bytes32 contentDigest);
    /// @notice A pool was registered.
    event PoolRegistered(bytes32 indexed id, address indexed owner, bytes32 manifestHash);

    /// @notice The same owner has registered this manifest before.
    error AlreadyRegistered(bytes32 id);
    /// @notice There is nothing of the wanted kind under this id.
    error NotRegistered(bytes32 id);
    /// @notice Only the owner may do this.
    error NotOwner(bytes32 id, address caller, address owner);
    /// @notice An app's name is longer than it may be, in bytes.
    error NameTooLong(uint256 length, uint256 maximum);

    /// @notice Registers an app.
    /// @param owner Must be the caller, so that nobody can take an id with wrong hashes.
    /// @param manifestHash SHA-256 of the manifest.
    /// @param codeHash SHA-256 of the module.
    /// @param policyHash SHA-256 of the policy document.
    /// @param name Name for people, at most 64 bytes; only in the event.
    /// @return id Token id.
    function registerApp(
        address owner,
        bytes32 manifestHash,
        bytes32 codeHash,
        bytes32 policyHash,
        string calldata name
    ) external returns (bytes32 id);

    /// @notice Replaces an app's manifest, code and policy. Open deals keep what was agreed.
    /// @param id App.
    /// @param manifestHash SHA-256 of the new manifest.
    /// @param codeHash SHA-256 of the new module.
    /// @param policyHash SHA-256 of the new policy document.
    function updateApp(bytes32 id, bytes32 manifestHash, bytes32 codeHash, bytes32 policyHash) external;

    /// @notice Registers a dataset.
    /// @param owner Must be the caller.
    /// @param manifestHash SHA-256 of the manifest.
    /// @param contentDigest SHA-256 of the sealed content.
    /// @return id Token id.
    function registerDataset(address owner, bytes32 manifestHash, bytes32 contentDigest) external returns (bytes32 id);

    /// @notice Registers a pool.
    /// @param owner Must be the caller.
    /// @param manifestHash SHA-256 of the manifest.
    /// @return id Token id.
    function registerPool(address owner, bytes32 manifestHash) external returns (bytes32 id);

    /// @notice A registered app.
    /// @param id App.
    function app(bytes32 id) external view returns (App memory);

    /// @notice A registered dataset.
    /// @param id Dataset.
    function dataset(bytes32 id) external view returns (Dataset memory);

    /// @notice A registered pool.
    /// @param id Pool.
    function pool(bytes32 id) external view returns (Pool memory);

    /// @notice What a match needs to know about an app.
    /// @param id App.
    /// @return owner Who signs its orders and is paid.
    /// @return codeHash SHA-256 of the module.
    /// @return policyHash SHA-256 of the policy document.
    function appCode(bytes32 id) external view returns (address owner, bytes32 codeHash, bytes32 policyHash);

    /// @notice Owner of an id, if it is of the given kind.
    /// @param kind 1 app, 2 dataset, 3 pool.
    /// @param id What is asked about.
    function ownerOfKind(uint8 kind, bytes32 id) external view returns (address);

    /// @notice The id that a registration would give.
    /// @param kind 1 app, 2 dataset, 3 pool.
    /// @param owner First owner.
    /// @param manifestHash SHA-256 of the manifest.
    /// @return id Token id.
    function predictId(uint8 kind, address owner, bytes32 manifestHash) external view returns (bytes32 id);
}
