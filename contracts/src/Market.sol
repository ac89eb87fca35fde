// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "./generated/Params.sol";
import { IEscrow } from "./interfaces/IEscrow.sol";
import { IMarket } from "./interfaces/IMarket.sol";
import { IRegistry } from "./interfaces/IRegistry.sol";
import { ITasks } from "./interfaces/ITasks.sol";
import { Matching } from "./libraries/Matching.sol";
import { TypedHash } from "./libraries/TypedHash.sol";
import { DatasetShare, DealTerms } from "./types/Deals.sol";
import { AppOrder, DatasetOrder, PoolOrder, RequestOrder } from "./types/Orders.sol";
import { Kind } from "./types/Records.sol";
import { SignatureCheckerLib } from "solady/utils/SignatureCheckerLib.sol";

/// @title Market
/// @notice See IMarket, which documents every function, event and error.
contract Market is IMarket {
    /// @dev What decides whether an order can be used, for all kinds alike.
    struct Validity {
        bytes32 hash;
        address signer;
        uint64 expiry;
        uint64 nonce;
        uint32 volume;
    }

    uint32 private constant CANCELED = type(uint32).max;

    /// @notice Knows apps, datasets and pools.
    IRegistry public immutable registry;
    /// @notice Holds the money.
    IEscrow public immutable escrow;
    /// @notice Settles the deals.
    ITasks public immutable tasks;
    /// @notice Sets the protocol fee.
    address public immutable governor;

    mapping(bytes32 orderHash => uint32) private _consumed;
    mapping(address signer => uint64) private _nonces;
    uint16 private _feeBps;

    /// @param registry_ Knows apps, datasets and pools.
    /// @param escrow_ Holds the money.
    /// @param tasks_ Settles the deals.
    /// @param governor_ Sets the protocol fee.
    /// @param feeBps First protocol fee, in hundredths of a percent.
    constructor(address registry_, address escrow_, address tasks_, address governor_, uint16 feeBps) {
        registry = IRegistry(registry_);
        escrow = IEscrow(escrow_);
        tasks = ITasks(tasks_);
        governor = governor_;
        _setFee(feeBps);
    }

    /// @inheritdoc IMarket
    function matchOrders(
        AppOrder calldata appOrder,
        bytes calldata appSignature,
        DatasetOrder[] calldata datasetOrders,
        bytes[] calldata datasetSignatures,
        PoolOrder calldata poolOrder,
        bytes calldata poolSignature,
        RequestOrder calldata requestOrder,
        bytes calldata requestSignature
    ) external returns (bytes32 dealId) {
        Matching.checkRequest(requestOrder);
        Matching.checkOffers(appOrder, poolOrder, requestOrder);
        Matching.checkDatasets(appOrder, datasetOrders, poolOrder, requestOrder);
        if (datasetSignatures.length != datasetOrders.length) {
            revert SignatureCountMismatch(datasetOrders.length, datasetSignatures.length);
        }

        DealTerms memory terms;
        terms.request = requestOrder;
        terms.volume = type(uint32).max;
        bytes32 separator = domainSeparator();
        Validity memory request = _requestValidity(separator, requestOrder);
        uint256 unitPrice = 0;
        {
            Validity memory app;
            (app, terms.codeHash, terms.policyHash) = _appValidity(separator, appOrder);
            Validity memory pool = _poolValidity(separator, poolOrder);
            Validity[] memory datasets = _datasetValidities(separator, datasetOrders);
            _limit(terms, app, appSignature);
            _limit(terms, pool, poolSignature);
            _limit(terms, request, requestSignature);
            for (uint256 i = 0; i < datasets.length; ++i) {
                _limit(terms, datasets[i], datasetSignatures[i]);
            }

            // All checks of signatures are done; from here on state changes.
            dealId = keccak256(abi.encode(request.hash, uint256(_consumed[request.hash])));
            _consume(app, terms.volume);
            _consume(pool, terms.volume);
            _consume(request, terms.volume);
            unitPrice = uint256(appOrder.price) + poolOrder.price;
            terms.datasets = new DatasetShare[](datasets.length);
            for (uint256 i = 0; i < datasets.length; ++i) {
                _consume(datasets[i], terms.volume);
                unitPrice += datasetOrders[i].price;
                terms.datasets[i] = DatasetShare(datasetOrders[i].dataset, datasets[i].signer, datasetOrders[i].price);
            }
            terms.appOwner = app.signer;
            terms.poolOwner = pool.signer;
        }
        terms.requestHash = request.hash;
        terms.pool = poolOrder.pool;
        terms.payer = requestOrder.sponsor == address(0) ? requestOrder.requester : requestOrder.sponsor;
        terms.appPrice = appOrder.price;
        terms.poolPrice = poolOrder.price;
        terms.feeBps = _feeBps;
        terms.startedAt = uint64(block.timestamp);

        emit Matched(dealId, appOrder.app, poolOrder.pool, terms, requestSignature);
        if (unitPrice != 0) escrow.lock(terms.payer, dealId, unitPrice * terms.volume);
        tasks.open(dealId, keccak256(abi.encode(terms)), terms.volume, requestOrder.mode);
    }

    /// @inheritdoc IMarket
    function postAppOrder(AppOrder calldata order, bytes calldata signature) external {
        (Validity memory app,,) = _appValidity(domainSeparator(), order);
        _left(app, signature);
        emit AppOrderPosted(order.app, app.hash, order, signature);
    }

    /// @inheritdoc IMarket
    function postPoolOrder(PoolOrder calldata order, bytes calldata signature) external {
        Validity memory pool = _poolValidity(domainSeparator(), order);
        _left(pool, signature);
        emit PoolOrderPosted(order.pool, pool.hash, order, signature);
    }

    /// @inheritdoc IMarket
    function cancelAppOrder(AppOrder calldata order) external {
        (Validity memory app,,) = _appValidity(domainSeparator(), order);
        _cancel(app);
    }

    /// @inheritdoc IMarket
    function cancelDatasetOrder(DatasetOrder calldata order) external {
        _cancel(_datasetValidity(domainSeparator(), order));
    }

    /// @inheritdoc IMarket
    function cancelPoolOrder(PoolOrder calldata order) external {
        _cancel(_poolValidity(domainSeparator(), order));
    }

    /// @inheritdoc IMarket
    function cancelRequestOrder(RequestOrder calldata order) external {
        _cancel(_requestValidity(domainSeparator(), order));
    }

    /// @inheritdoc IMarket
    function raiseNonce() external returns (uint64 nonce) {
        nonce = ++_nonces[msg.sender];
        emit NonceRaised(msg.sender, nonce);
    }

    /// @inheritdoc IMarket
    function setFee(uint16 feeBps) external {
        if (msg.sender != governor) revert NotGovernor(msg.sender);
        _setFee(feeBps);
    }

    /// @inheritdoc IMarket
    function nonceOf(address signer) external view returns (uint64) {
        return _nonces[signer];
    }

    /// @inheritdoc IMarket
    function consumed(bytes32 orderHash) external view returns (uint32) {
        return _consumed[orderHash];
    }

    /// @inheritdoc IMarket
    function fee() external view returns (uint16) {
        return _feeBps;
    }

    /// @inheritdoc IMarket
    function domainSeparator() public view returns (bytes32) {
        return TypedHash.domainSeparator(address(this));
    }

    function _appValidity(bytes32 separator, AppOrder calldata order)
        private
        view
        returns (Validity memory, bytes32 codeHash, bytes32 policyHash)
    {
        bytes32 hash = TypedHash.digest(separator, TypedHash.hash(order));
        address owner;
        (owner, codeHash, policyHash) = registry.appCode(order.app);
        return (Validity(hash, owner, order.expiry, order.nonce, order.volume), codeHash, policyHash);
    }

    function _datasetValidities(bytes32 separator, DatasetOrder[] calldata orders)
        private
        view
        returns (Validity[] memory validities)
    {
        validities = new Validity[](orders.length);
        for (uint256 i = 0; i < orders.length; ++i) {
            validities[i] = _datasetValidity(separator, orders[i]);
        }
    }

    function _datasetValidity(bytes32 separator, DatasetOrder calldata order) private view returns (Validity memory) {
        bytes32 hash = TypedHash.digest(separator, TypedHash.hash(order));
        address owner = registry.ownerOfKind(Kind.DATASET, order.dataset);
        return Validity(hash, owner, order.expiry, order.nonce, order.volume);
    }

    function _poolValidity(bytes32 separator, PoolOrder calldata order) private view returns (Validity memory) {
        bytes32 hash = TypedHash.digest(separator, TypedHash.hash(order));
        address owner = registry.ownerOfKind(Kind.POOL, order.pool);
        return Validity(hash, owner, order.expiry, order.nonce, order.volume);
    }

    function _requestValidity(bytes32 separator, RequestOrder calldata order) private pure returns (Validity memory) {
        bytes32 hash = TypedHash.digest(separator, TypedHash.hash(order));
        return Validity(hash, order.requester, order.expiry, order.nonce, order.volume);
    }

    /// @dev Lowers the deal's volume to what a valid order has left.
    function _limit(DealTerms memory terms, Validity memory order, bytes calldata signature) private view {
        uint32 left = _left(order, signature);
        if (left < terms.volume) terms.volume = left;
    }

    /// @dev What an order has left, never zero; reverts unless the order is valid.
    function _left(Validity memory order, bytes calldata signature) private view returns (uint32) {
        if (block.timestamp > order.expiry) revert OrderExpired(order.hash, order.expiry);
        uint64 nonce = _nonces[order.signer];
        if (order.nonce < nonce) revert OrderNonceTooLow(order.hash, order.nonce, nonce);
        uint32 used = _consumed[order.hash];
        if (used >= order.volume) revert OrderConsumed(order.hash);
        if (!SignatureCheckerLib.isValidSignatureNowCalldata(order.signer, order.hash, signature)) {
            revert BadSignature(order.hash, order.signer);
        }
        return order.volume - used;
    }

    /// @dev Checks again, because one dataset order may stand twice in a match.
    function _consume(Validity memory order, uint32 volume) private {
        uint32 used = _consumed[order.hash];
        if (volume > order.volume - used) revert OrderConsumed(order.hash);
        _consumed[order.hash] = used + volume;
    }

    function _cancel(Validity memory order) private {
        if (msg.sender != order.signer) revert NotSigner(order.hash, order.signer, msg.sender);
        _consumed[order.hash] = CANCELED;
        emit OrderCanceled(order.signer, order.hash);
    }

    function _setFee(uint16 feeBps) private {
        if (feeBps > Params.PROTOCOL_FEE_CAP_BPS) revert FeeTooHigh(feeBps, Params.PROTOCOL_FEE_CAP_BPS);
        _feeBps = feeBps;
        emit FeeChanged(feeBps);
    }
}
