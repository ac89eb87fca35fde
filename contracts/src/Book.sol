// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IBook, Posted } from "./interfaces/IBook.sol";
import { IMarket } from "./interfaces/IMarket.sol";
import { IOrders } from "./interfaces/IOrders.sol";
import { IRegistry } from "./interfaces/IRegistry.sol";
import { TypedHash } from "./libraries/TypedHash.sol";
import { AppOrder, DatasetOrder, PoolOrder, RequestOrder } from "./types/Orders.sol";
import { Kind } from "./types/Records.sol";
import { ECDSA } from "solady/utils/ECDSA.sol";
import { SignatureCheckerLib } from "solady/utils/SignatureCheckerLib.sol";

/// @title Book
/// @notice See IBook, which documents every function, event and error.
contract Book is IBook {
    /// @dev What every order says about its own validity.
    /// @param hash EIP-712 hash of the order.
    /// @param signer Whose signature it needs.
    /// @param kind 1 app, 2 dataset, 3 pool, 4 request.
    /// @param volume Tasks that it covers.
    /// @param expiry Last second in which it can be matched.
    /// @param nonce At least the signer's nonce in the Market, or it is void.
    struct Common {
        bytes32 hash;
        address signer;
        uint8 kind;
        uint32 volume;
        uint64 expiry;
        uint64 nonce;
    }

    /// @notice Knows what happened to orders.
    IMarket public immutable market;
    /// @notice Knows who signs offers.
    IRegistry public immutable registry;

    mapping(address signer => Posted[]) private _posted;
    /// @dev Position in `_posted`, from 1.
    mapping(address signer => mapping(bytes32 orderHash => uint256)) private _positions;

    /// @param market_ Knows what happened to orders.
    /// @param registry_ Knows who signs offers.
    constructor(address market_, address registry_) {
        market = IMarket(market_);
        registry = IRegistry(registry_);
    }

    /// @inheritdoc IBook
    function postAppOrder(AppOrder calldata order, bytes calldata signature) external {
        address owner = registry.ownerOfKind(Kind.APP, order.app);
        bytes32 hash = _digest(TypedHash.hash(order));
        _post(Common(hash, owner, Kind.APP, order.volume, order.expiry, order.nonce), signature);
        emit AppOrderPosted(order.app, owner, hash, order, signature);
    }

    /// @inheritdoc IBook
    function postDatasetOrder(DatasetOrder calldata order, bytes calldata signature) external {
        address owner = registry.ownerOfKind(Kind.DATASET, order.dataset);
        bytes32 hash = _digest(TypedHash.hash(order));
        _post(Common(hash, owner, Kind.DATASET, order.volume, order.expiry, order.nonce), signature);
        emit DatasetOrderPosted(order.dataset, owner, hash, order, signature);
    }

    /// @inheritdoc IBook
    function postPoolOrder(PoolOrder calldata order, bytes calldata signature) external {
        address owner = registry.ownerOfKind(Kind.POOL, order.pool);
        bytes32 hash = _digest(TypedHash.hash(order));
        _post(Common(hash, owner, Kind.POOL, order.volume, order.expiry, order.nonce), signature);
        emit PoolOrderPosted(order.pool, owner, hash, order, signature);
    }

    /// @inheritdoc IBook
    function postRequest(RequestOrder calldata order, bytes calldata signature) external {
        bytes32 hash = _digest(TypedHash.hash(order));
        address requester = order.requester;
        bool used = market.requestConsumed(hash) >= order.volume || market.isSaltUsed(requester, order.salt);
        if (used) revert IOrders.OrderConsumed(hash);
        _post(Common(hash, requester, Kind.REQUESTER, order.volume, order.expiry, order.nonce), signature);
        emit RequestPosted(order.app, requester, order.poolRestrict, hash, order, signature);
    }

    /// @inheritdoc IBook
    function withdraw(bytes32 orderHash) external {
        uint256 position = _positions[msg.sender][orderHash];
        if (position == 0) revert NotPosted(msg.sender, orderHash);
        Posted storage entry = _posted[msg.sender][position - 1];
        if (entry.withdrawn) revert NotPosted(msg.sender, orderHash);
        entry.withdrawn = true;
        emit OrderWithdrawn(msg.sender, orderHash);
    }

    /// @inheritdoc IBook
    function countOf(address signer) external view returns (uint256) {
        return _posted[signer].length;
    }

    /// @inheritdoc IBook
    function postedBy(address signer, uint256 from, uint256 limit) external view returns (Posted[] memory list) {
        Posted[] storage all = _posted[signer];
        uint256 length = all.length;
        if (from >= length) return list;
        uint256 count = limit < length - from ? limit : length - from;
        list = new Posted[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = all[from + i];
        }
    }

    function _post(Common memory order, bytes calldata signature) private {
        _check(order, signature);
        uint256 position = _positions[order.signer][order.hash];
        if (position != 0) {
            Posted storage entry = _posted[order.signer][position - 1];
            if (!entry.withdrawn) revert AlreadyPosted(order.hash);
            // Only its signer may bring back what the signer took off.
            if (msg.sender != order.signer) revert NotPosted(order.signer, order.hash);
            entry.withdrawn = false;
            return;
        }
        _posted[order.signer].push(Posted(order.hash, order.kind, false, uint64(block.timestamp), order.expiry));
        _positions[order.signer][order.hash] = _posted[order.signer].length;
    }

    /// @dev Reverts as the Market would.
    function _check(Common memory order, bytes calldata signature) private view {
        bytes32 hash = order.hash;
        address signer = order.signer;
        if (block.timestamp > order.expiry) revert IOrders.OrderExpired(hash, order.expiry);
        uint64 nonce = market.account(signer).nonce;
        if (order.nonce < nonce) revert IOrders.OrderNonceTooLow(hash, order.nonce, nonce);
        (uint32 consumed, bool canceled, bool approved) = market.orderState(signer, hash);
        if (canceled || consumed >= order.volume) revert IOrders.OrderConsumed(hash);
        bool signed = signature.length == 0
            ? approved
            : (ECDSA.tryRecoverCalldata(hash, signature) == signer && signer != address(0))
                || SignatureCheckerLib.isValidERC1271SignatureNowCalldata(signer, hash, signature);
        // Nobody is who a bad signature is by.
        if (!signed || signer == address(0)) revert IOrders.BadSignature(hash, signer);
    }

    function _digest(bytes32 structHash) private view returns (bytes32) {
        return TypedHash.digest(market.domainSeparator(), structHash);
    }
}
