// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "./generated/Params.sol";
import { IRegistry } from "./interfaces/IRegistry.sol";
import { App, AppUpdate, Dataset, Kind, Pool } from "./types/Records.sol";
import { ERC721 } from "solady/tokens/ERC721.sol";
import { LibString } from "solady/utils/LibString.sol";

/// @title Registry
/// @notice See IRegistry, which documents every function, event and error.
contract Registry is IRegistry, ERC721 {
    /// @dev What stands beside a token's owner.
    /// @param kind What the token is: a number of `Kind`.
    /// @param version The one in force before `effectiveAt`.
    /// @param effectiveAt When the next version comes into force, in seconds since 1970; zero when none is announced.
    struct Extra {
        uint8 kind;
        uint32 version;
        uint64 effectiveAt;
    }

    /// @dev What an update replaces.
    /// @param manifestHash SHA-256 of the manifest.
    /// @param codeHash SHA-256 of the module.
    /// @param policyHash SHA-256 of the policy document.
    struct Version {
        bytes32 manifestHash;
        bytes32 codeHash;
        bytes32 policyHash;
    }

    uint256 private constant MAX_APP_NAME_BYTES = 64;
    uint256 private constant MIN_CLAIMED_NAME_BYTES = 3;
    uint32 private constant FIRST_VERSION = 1;

    mapping(bytes32 id => bytes32) private _manifestHash;
    /// @dev An app has two places, and its token says since when the other one is in force.
    mapping(bytes32 app => Version[2]) private _versions;
    mapping(bytes32 dataset => bytes32) private _contentDigest;
    mapping(address owner => mapping(bytes32 commitment => uint256)) private _commitments;
    mapping(bytes32 nameHash => bytes32) private _names;

    /// @inheritdoc IRegistry
    function registerApp(
        address owner,
        bytes32 manifestHash,
        bytes32 codeHash,
        bytes32 policyHash,
        string calldata name_
    ) external returns (bytes32 id) {
        if (bytes(name_).length > MAX_APP_NAME_BYTES) {
            revert NameTooLong(bytes(name_).length, MAX_APP_NAME_BYTES);
        }
        id = _register(Kind.APP, owner, manifestHash);
        _versions[id][0] = Version(manifestHash, codeHash, policyHash);
        emit AppRegistered(id, owner, manifestHash, codeHash, policyHash, name_);
    }

    /// @inheritdoc IRegistry
    function announceUpdate(bytes32 id, bytes32 manifestHash, bytes32 codeHash, bytes32 policyHash) external {
        Extra memory extra = _owned(Kind.APP, id);
        uint32 current = _current(extra);
        uint64 effectiveAt = uint64(block.timestamp + Params.APP_UPDATE_DELAY_S);
        _versions[id][current % 2] = Version(manifestHash, codeHash, policyHash);
        _setExtraData(uint256(id), _pack(Extra(Kind.APP, current, effectiveAt)));
        emit AppUpdateAnnounced(id, current + 1, manifestHash, codeHash, policyHash, effectiveAt);
    }

    /// @inheritdoc IRegistry
    function withdrawUpdate(bytes32 id) external {
        Extra memory extra = _owned(Kind.APP, id);
        if (extra.effectiveAt <= block.timestamp) revert NothingAnnounced(id);
        _setExtraData(uint256(id), _pack(Extra(Kind.APP, extra.version, 0)));
        emit AppUpdateWithdrawn(id);
    }

    /// @inheritdoc IRegistry
    function commitName(bytes32 commitment) external {
        uint64 claimableAt = uint64(block.timestamp + Params.NAME_CLAIM_DELAY_S);
        _commitments[msg.sender][commitment] = claimableAt;
        emit NameCommitted(msg.sender, commitment, claimableAt);
    }

    /// @inheritdoc IRegistry
    function claimName(bytes32 id, string calldata name_, bytes32 salt) external {
        _owned(Kind.APP, id);
        if (!_isName(bytes(name_))) revert BadName(name_);
        bytes32 commitment = keccak256(abi.encode(name_, salt));
        uint64 claimableAt = uint64(_commitments[msg.sender][commitment]);
        uint64 expiry = claimableAt == 0 ? 0 : claimableAt + uint64(Params.NAME_CLAIM_WINDOW_S);
        if (block.timestamp > expiry || block.timestamp < claimableAt) {
            revert NotClaimable(commitment, claimableAt, expiry);
        }
        delete _commitments[msg.sender][commitment];
        bytes32 key = keccak256(bytes(name_));
        if (_names[key] != 0) revert NameTaken(name_, _names[key]);
        _names[key] = id;
        emit NameClaimed(id, msg.sender, name_);
    }

    /// @inheritdoc IRegistry
    function releaseName(string calldata name_) external {
        bytes32 key = keccak256(bytes(name_));
        bytes32 id = _names[key];
        _owned(Kind.APP, id);
        delete _names[key];
        emit NameReleased(id, name_);
    }

    /// @inheritdoc IRegistry
    function registerDataset(address owner, bytes32 manifestHash, bytes32 contentDigest) external returns (bytes32 id) {
        id = _register(Kind.DATASET, owner, manifestHash);
        _contentDigest[id] = contentDigest;
        emit DatasetRegistered(id, owner, manifestHash, contentDigest);
    }

    /// @inheritdoc IRegistry
    function registerPool(address owner, bytes32 manifestHash) external returns (bytes32 id) {
        id = _register(Kind.POOL, owner, manifestHash);
        emit PoolRegistered(id, owner, manifestHash);
    }

    /// @inheritdoc IRegistry
    function app(bytes32 id) external view returns (App memory) {
        (address owner, Extra memory extra) = _require(Kind.APP, id);
        uint32 current = _current(extra);
        Version storage version = _versions[id][(current - 1) % 2];
        return App(owner, version.manifestHash, version.codeHash, version.policyHash, current);
    }

    /// @inheritdoc IRegistry
    function parties(bytes32 appId, bytes32 poolId)
        external
        view
        returns (address developer, bytes32 policyHash, address poolOwner)
    {
        (developer, policyHash) = appPolicy(appId);
        (poolOwner,) = _require(Kind.POOL, poolId);
    }

    /// @inheritdoc IRegistry
    function appPolicy(bytes32 id) public view returns (address owner, bytes32 policyHash) {
        Extra memory extra;
        (owner, extra) = _require(Kind.APP, id);
        policyHash = _versions[id][(_current(extra) - 1) % 2].policyHash;
    }

    /// @inheritdoc IRegistry
    function announced(bytes32 id) external view returns (AppUpdate memory update) {
        (, Extra memory extra) = _require(Kind.APP, id);
        if (extra.effectiveAt <= block.timestamp) return update;
        Version storage next = _versions[id][extra.version % 2];
        return AppUpdate(next.manifestHash, next.codeHash, next.policyHash, extra.effectiveAt);
    }

    /// @inheritdoc IRegistry
    function appOf(string calldata name_) external view returns (bytes32 id) {
        return _names[keccak256(bytes(name_))];
    }

    /// @inheritdoc IRegistry
    function dataset(bytes32 id) external view returns (Dataset memory) {
        (address owner, Extra memory extra) = _require(Kind.DATASET, id);
        return Dataset(owner, _manifestHash[id], _contentDigest[id], extra.version);
    }

    /// @inheritdoc IRegistry
    function pool(bytes32 id) external view returns (Pool memory) {
        (address owner, Extra memory extra) = _require(Kind.POOL, id);
        return Pool(owner, _manifestHash[id], extra.version);
    }

    /// @inheritdoc IRegistry
    function ownerOfKind(uint8 kind, bytes32 id) external view returns (address owner) {
        (owner,) = _require(kind, id);
    }

    /// @inheritdoc IRegistry
    function predictId(uint8 kind, address owner, bytes32 manifestHash) public view returns (bytes32 id) {
        return keccak256(abi.encode(block.chainid, address(this), kind, owner, manifestHash));
    }

    /// @notice ERC-721 name.
    /// @return The name.
    function name() public pure override returns (string memory) {
        return "Sealwork Registry";
    }

    /// @notice ERC-721 symbol.
    /// @return The symbol.
    function symbol() public pure override returns (string memory) {
        return "SWR";
    }

    /// @notice Where the manifest lies: CIDv1, raw, SHA-256, in base 16.
    /// @param id Token id.
    /// @return URI of the manifest that is in force.
    function tokenURI(uint256 id) public view override returns (string memory) {
        bytes32 name_ = bytes32(id);
        if (!_exists(id)) revert NotRegistered(name_);
        Extra memory extra = _unpack(_getExtraData(id));
        bytes32 manifest =
            extra.kind == Kind.APP ? _versions[name_][(_current(extra) - 1) % 2].manifestHash : _manifestHash[name_];
        return string.concat("ipfs://f01551220", LibString.toHexStringNoPrefix(uint256(manifest), 32));
    }

    function _register(uint8 kind, address owner, bytes32 manifestHash) private returns (bytes32 id) {
        id = predictId(kind, owner, manifestHash);
        if (msg.sender != owner) revert NotOwner(id, msg.sender, owner);
        if (_exists(uint256(id))) revert AlreadyRegistered(id);
        if (kind != Kind.APP) _manifestHash[id] = manifestHash;
        _mintAndSetExtraDataUnchecked(owner, uint256(id), _pack(Extra(kind, FIRST_VERSION, 0)));
    }

    function _owned(uint8 kind, bytes32 id) private view returns (Extra memory extra) {
        address owner;
        (owner, extra) = _require(kind, id);
        if (msg.sender != owner) revert NotOwner(id, msg.sender, owner);
    }

    function _require(uint8 kind, bytes32 id) private view returns (address owner, Extra memory extra) {
        extra = _unpack(_getExtraData(uint256(id)));
        owner = _ownerOf(uint256(id));
        if (owner == address(0) || extra.kind != kind) revert NotRegistered(id);
    }

    /// @dev The version in force: an announced one counts from its time on.
    function _current(Extra memory extra) private view returns (uint32) {
        bool updated = extra.effectiveAt != 0 && extra.effectiveAt <= block.timestamp;
        return updated ? extra.version + 1 : extra.version;
    }

    function _isName(bytes calldata name_) private pure returns (bool) {
        uint256 length = name_.length;
        if (length < MIN_CLAIMED_NAME_BYTES || length > MAX_APP_NAME_BYTES) return false;
        bytes1 previous = "-";
        for (uint256 i = 0; i < length; ++i) {
            bytes1 letter = name_[i];
            bool plain = (letter >= "a" && letter <= "z") || (letter >= "0" && letter <= "9");
            if (!plain && (letter != "-" || previous == "-")) return false;
            previous = letter;
        }
        return previous != "-";
    }

    /// @dev Extra data beside the owner: kind in the low 8 bits, version in the next 32, then the time of an update (40).
    function _pack(Extra memory extra) private pure returns (uint96) {
        return uint96(extra.kind) | (uint96(extra.version) << 8) | (uint96(extra.effectiveAt) << 40);
    }

    function _unpack(uint96 word) private pure returns (Extra memory) {
        // casting takes the fields that `_pack` puts there
        // forge-lint: disable-next-line(unsafe-typecast)
        return Extra(uint8(word), uint32(word >> 8), uint64(uint40(word >> 40)));
    }
}
