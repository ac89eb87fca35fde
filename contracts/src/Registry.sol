// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IRegistry } from "./interfaces/IRegistry.sol";
import { App, Dataset, Kind, Pool } from "./types/Records.sol";
import { ERC721 } from "solady/tokens/ERC721.sol";
import { LibString } from "solady/utils/LibString.sol";

/// @title Registry
/// @notice See IRegistry, which documents every function, event and error.
contract Registry is IRegistry, ERC721 {
    struct Code {
        bytes32 codeHash;
        bytes32 policyHash;
    }

    uint256 private constant MAX_APP_NAME_BYTES = 64;
    uint32 private constant FIRST_VERSION = 1;

    mapping(bytes32 id => bytes32) private _manifestHash;
    mapping(bytes32 app => Code) private _code;
    mapping(bytes32 dataset => bytes32) private _contentDigest;

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
        _code[id] = Code({ codeHash: codeHash, policyHash: policyHash });
        emit AppRegistered(id, owner, manifestHash, codeHash, policyHash, name_);
    }

    /// @inheritdoc IRegistry
    function updateApp(bytes32 id, bytes32 manifestHash, bytes32 codeHash, bytes32 policyHash) external {
        (address owner, uint32 version) = _require(Kind.APP, id);
        if (msg.sender != owner) revert NotOwner(id, msg.sender, owner);
        ++version;
        _setExtraData(uint256(id), _pack(Kind.APP, version));
        _manifestHash[id] = manifestHash;
        _code[id] = Code({ codeHash: codeHash, policyHash: policyHash });
        emit AppUpdated(id, version, manifestHash, codeHash, policyHash);
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
        (address owner, uint32 version) = _require(Kind.APP, id);
        Code storage code = _code[id];
        return App(owner, _manifestHash[id], code.codeHash, code.policyHash, version);
    }

    /// @inheritdoc IRegistry
    function dataset(bytes32 id) external view returns (Dataset memory) {
        (address owner, uint32 version) = _require(Kind.DATASET, id);
        return Dataset(owner, _manifestHash[id], _contentDigest[id], version);
    }

    /// @inheritdoc IRegistry
    function pool(bytes32 id) external view returns (Pool memory) {
        (address owner, uint32 version) = _require(Kind.POOL, id);
        return Pool(owner, _manifestHash[id], version);
    }

    /// @inheritdoc IRegistry
    function appCode(bytes32 id) external view returns (address owner, bytes32 codeHash, bytes32 policyHash) {
        (owner,) = _require(Kind.APP, id);
        Code storage code = _code[id];
        return (owner, code.codeHash, code.policyHash);
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
    function name() public pure override returns (string memory) {
        return "Sealwork Registry";
    }

    /// @notice ERC-721 symbol.
    function symbol() public pure override returns (string memory) {
        return "SWR";
    }

    /// @notice Where the manifest lies: CIDv1, raw, SHA-256, in base 16.
    /// @param id Token id.
    function tokenURI(uint256 id) public view override returns (string memory) {
        bytes32 name_ = bytes32(id);
        if (!_exists(id)) revert NotRegistered(name_);
        return string.concat("ipfs://f01551220", LibString.toHexStringNoPrefix(uint256(_manifestHash[name_]), 32));
    }

    function _register(uint8 kind, address owner, bytes32 manifestHash) private returns (bytes32 id) {
        id = predictId(kind, owner, manifestHash);
        if (msg.sender != owner) revert NotOwner(id, msg.sender, owner);
        if (_exists(uint256(id))) revert AlreadyRegistered(id);
        _manifestHash[id] = manifestHash;
        _mintAndSetExtraDataUnchecked(owner, uint256(id), _pack(kind, FIRST_VERSION));
    }

    function _require(uint8 kind, bytes32 id) private view returns (address owner, uint32 version) {
        uint96 extra = _getExtraData(uint256(id));
        owner = _ownerOf(uint256(id));
        // casting to 'uint8' takes the field that `_pack` puts there
        // forge-lint: disable-next-line(unsafe-typecast)
        if (owner == address(0) || uint8(extra) != kind) revert NotRegistered(id);
        // casting to 'uint32' takes the field that `_pack` puts there
        // forge-lint: disable-next-line(unsafe-typecast)
        version = uint32(extra >> 8);
    }

    /// @dev Extra data beside the owner: kind in the low 8 bits, version in the next 32.
    function _pack(uint8 kind, uint32 version) private pure returns (uint96) {
        return uint96(kind) | (uint96(version) << 8);
    }
}
