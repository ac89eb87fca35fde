// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { App, AppUpdate, Dataset, Pool } from "../types/Records.sol";

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
    /// @notice An app will get another manifest, code and policy at `effectiveAt`. Replaces what was announced before.
    event AppUpdateAnnounced(
        bytes32 indexed id,
        uint32 version,
        bytes32 manifestHash,
        bytes32 codeHash,
        bytes32 policyHash,
        uint64 effectiveAt
    );
    /// @notice What was announced for an app will not take effect.
    event AppUpdateWithdrawn(bytes32 indexed id);
    /// @notice Somebody will claim a name.
    event NameCommitted(address indexed owner, bytes32 indexed commitment, uint64 claimableAt);
    /// @notice A name means this app.
    event NameClaimed(bytes32 indexed id, address indexed owner, string name);
    /// @notice A name means nothing.
    event NameReleased(bytes32 indexed id, string name);
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
    /// @notice There is no update that could be withdrawn; an update that took effect stays.
    error NothingAnnounced(bytes32 id);
    /// @notice A claimed name has 3 to 64 of a-z, 0-9 and inner single hyphens.
    error BadName(string name);
    /// @notice The name means an app already.
    error NameTaken(string name, bytes32 id);
    /// @notice Commit to the name first, and claim it after `claimableAt` and before `expiry`; zero without a commitment.
    error NotClaimable(bytes32 commitment, uint64 claimableAt, uint64 expiry);

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

    /// @notice Announces another manifest, code and policy. They take effect by themselves after the delay, which the
    /// requesters and the owners of datasets have to look at them. Open deals keep what was agreed.
    /// @param id App.
    /// @param manifestHash SHA-256 of the new manifest.
    /// @param codeHash SHA-256 of the new module.
    /// @param policyHash SHA-256 of the new policy document.
    function announceUpdate(bytes32 id, bytes32 manifestHash, bytes32 codeHash, bytes32 policyHash) external;

    /// @notice Withdraws what was announced and has not taken effect.
    /// @param id App.
    function withdrawUpdate(bytes32 id) external;

    /// @notice First step to a name: says that it will be claimed, without saying which.
    /// @param commitment keccak256(abi.encode(name, salt)).
    function commitName(bytes32 commitment) external;

    /// @notice Second step to a name.
    /// @param id App of the caller, who made the commitment.
    /// @param name 3 to 64 of a-z, 0-9 and inner single hyphens.
    /// @param salt From the commitment.
    function claimName(bytes32 id, string calldata name, bytes32 salt) external;

    /// @notice Gives a name back. Only the owner of its app.
    /// @param name The name.
    function releaseName(string calldata name) external;

    /// @notice The app that a claimed name means; zero when there is none.
    /// @param name The name.
    /// @return id App, or zero.
    function appOf(string calldata name) external view returns (bytes32 id);

    /// @notice What is announced for an app; all zero when nothing is.
    /// @param id App.
    /// @return The update.
    function announced(bytes32 id) external view returns (AppUpdate memory);

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
    /// @return The version in force.
    function app(bytes32 id) external view returns (App memory);

    /// @notice A registered dataset.
    /// @param id Dataset.
    /// @return Its record.
    function dataset(bytes32 id) external view returns (Dataset memory);

    /// @notice A registered pool.
    /// @param id Pool.
    /// @return Its record.
    function pool(bytes32 id) external view returns (Pool memory);

    /// @notice What a match needs to know.
    /// @param appId App.
    /// @param poolId Pool.
    /// @return developer Owner of the app.
    /// @return policyHash SHA-256 of the app's policy document, which names the module.
    /// @return poolOwner Owner of the pool.
    function parties(bytes32 appId, bytes32 poolId)
        external
        view
        returns (address developer, bytes32 policyHash, address poolOwner);

    /// @notice Owner and policy of an app.
    /// @param id App.
    /// @return owner Who signs its orders and is paid.
    /// @return policyHash SHA-256 of the policy document, which names the module.
    function appPolicy(bytes32 id) external view returns (address owner, bytes32 policyHash);

    /// @notice Owner of an id, if it is of the given kind.
    /// @param kind 1 app, 2 dataset, 3 pool.
    /// @param id What is asked about.
    /// @return Who signs its orders and is paid.
    function ownerOfKind(uint8 kind, bytes32 id) external view returns (address);

    /// @notice The id that a registration would give.
    /// @param kind 1 app, 2 dataset, 3 pool.
    /// @param owner First owner.
    /// @param manifestHash SHA-256 of the manifest.
    /// @return id Token id.
    function predictId(uint8 kind, address owner, bytes32 manifestHash) external view returns (bytes32 id);
}
