// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "./generated/Params.sol";
import { IDeals } from "./interfaces/IDeals.sol";
import { IMarket } from "./interfaces/IMarket.sol";
import { IOrders } from "./interfaces/IOrders.sol";
import { IRegistry } from "./interfaces/IRegistry.sol";
import { Matching } from "./libraries/Matching.sol";
import { Settlement } from "./libraries/Settlement.sol";
import { TypedHash } from "./libraries/TypedHash.sol";
import { Accounts } from "./market/Accounts.sol";
import { Deals } from "./market/Deals.sol";
import { DealWord, DealWordLibrary } from "./types/DealWord.sol";
import { DatasetShare, DealTerms, Effects, Outcome } from "./types/Deals.sol";
import { AppOrder, DatasetOrder, Orders, PoolOrder, RequestOrder } from "./types/Orders.sol";
import { Kind } from "./types/Records.sol";
import { Multicallable } from "solady/utils/Multicallable.sol";

/// @title Market
/// @notice See IMarket, which documents every function, event and error.
contract Market is IMarket, Deals, Multicallable {
    /// @dev Where the digest of the sealed input stands in a request's params. Slither does not see the use in a slice.
    // slither-disable-next-line unused-state
    uint256 private constant INPUT_FROM = 37;
    uint256 private constant INPUT_TO = 69;

    /// @notice Sets the protocol fee and the modules of new modes.
    address public immutable governor;

    uint16 private _feeBps;

    /// @param token_ The ERC-20 to hold.
    /// @param registry_ Knows apps, datasets and pools.
    /// @param attestations_ Knows the enclave keys.
    /// @param batches Settles batches of mode 0.
    /// @param channels Settles deals of mode 5.
    /// @param governor_ Sets the protocol fee and the modules of new modes.
    /// @param feeRecipient_ Gets the protocol fee.
    /// @param feeBps First protocol fee, in hundredths of a percent.
    constructor(
        address token_,
        address registry_,
        address attestations_,
        address batches,
        address channels,
        address governor_,
        address feeRecipient_,
        uint16 feeBps
    ) Accounts(token_) Deals(attestations_, registry_, feeRecipient_) {
        // Zero: fee and modules stay for ever.
        // slither-disable-next-line missing-zero-check
        governor = governor_;
        _setModule(MODE_TEE, batches);
        _setModule(MODE_CHANNEL, channels);
        _setFee(feeBps);
    }

    /// @inheritdoc IMarket
    function matchOrders(Orders calldata orders) external returns (bytes32 dealId) {
        bytes32 requestHash = _requestHash(orders.request);
        uint256 used = requestConsumed(requestHash);
        RequestOrder calldata request = orders.request;
        if (used >= request.volume) revert OrderConsumed(requestHash);
        (DealTerms memory terms, uint256 volume) = _agree(orders, requestHash, request.volume - used, msg.sender);
        if (terms.mode != MODE_TEE && _modules[terms.mode] == address(0)) revert ModeNotSupported(terms.mode);
        terms.stake = orders.pool.stake;
        // casting to 'uint32' is safe because `used` is below the request's volume
        // forge-lint: disable-next-line(unsafe-typecast)
        terms.firstTask = uint32(used);
        dealId = TypedHash.id(requestHash, used);
        DealWord word = DealWordLibrary.start(TypedHash.hash(terms), volume);
        if (volume == request.volume) {
            word = word.with(DealWordLibrary.WHOLE);
            _useSalt(request.requester, request.salt);
        }
        _deals[dealId] = word;
        // casting to 'uint32' is safe because a volume has 24 bits
        // forge-lint: disable-next-line(unsafe-typecast)
        uint32 tasks = uint32(volume);
        emit Matched(dealId, request.app, orders.pool.pool, tasks, terms, request, orders.requestSignature);
        _take(terms.payer, Settlement.price(terms) * volume);
        _take(terms.poolOwner, uint256(terms.stake) * volume);
    }

    /// @inheritdoc IMarket
    function execute(
        Orders calldata orders,
        Outcome calldata outcome,
        bytes32 r,
        bytes32 vs,
        Effects[] calldata effects
    ) external returns (bytes32 dealId) {
        RequestOrder calldata request = orders.request;
        if (request.volume != 1) revert VolumeNotOne(request.volume);
        if (request.mode != MODE_TEE) revert WrongMode(request.mode);
        if (outcome.index != 0) revert IndexOutOfRange(outcome.index, 1, 1);
        bytes32 requestHash = _requestHash(request);
        dealId = TypedHash.id(requestHash, 0);
        (DealTerms memory terms,) = _agree(orders, requestHash, 1, address(0));
        _checkOperator(terms.poolOwner);
        _useSalt(request.requester, request.salt);
        emit Executed(dealId, request.app, orders.pool.pool, requestHash);
        _take(terms.payer, Settlement.price(terms));
        _settleTask(terms, dealId, outcome, r, vs, Settlement.tally(outcome.status), effects);
    }

    /// @inheritdoc IMarket
    function multicall(bytes[] calldata calls)
        public
        payable
        override(IMarket, Multicallable)
        returns (bytes[] memory results)
    {
        return Multicallable.multicall(calls);
    }

    /// @inheritdoc IMarket
    function setFee(uint16 feeBps) external {
        _onlyGovernor();
        _setFee(feeBps);
    }

    /// @inheritdoc IDeals
    function setModule(uint8 mode, address module) external {
        _onlyGovernor();
        _setModule(mode, module);
    }

    /// @inheritdoc IMarket
    function fee() external view returns (uint16) {
        return _feeBps;
    }

    /// @inheritdoc IOrders
    function requestConsumed(bytes32 requestHash) public view returns (uint256 used) {
        while (true) {
            uint256 volume = _deals[TypedHash.id(requestHash, used)].volume();
            if (volume == 0) return used;
            used += volume;
        }
    }

    /// @dev Checks all orders, uses the offers up and writes down what they agree on, for at most `wanted` tasks. `payer`
    /// may be the request's sponsor without having approved it: who sends a match agrees to pay for it.
    function _agree(Orders calldata orders, bytes32 requestHash, uint256 wanted, address payer)
        private
        returns (DealTerms memory terms, uint256 volume)
    {
        Matching.check(orders);
        _checkRequest(orders, requestHash, payer);
        (Offer memory app, Offer memory pool) = _mainOffers(orders);
        Offer[] memory datasets = _datasetOffers(orders.datasets);
        volume = _min(wanted, Params.MAX_DEAL_VOLUME);
        volume = _min(volume, _left(app, orders.appSignature));
        volume = _min(volume, _left(pool, orders.poolSignature));
        for (uint256 i = 0; i < datasets.length; ++i) {
            volume = _min(volume, _left(datasets[i], orders.datasetSignatures[i]));
        }
        // All outside code that decides about validity has run; from here on state changes.
        _consume(app, volume);
        _consume(pool, volume);
        terms.datasets = new DatasetShare[](datasets.length);
        for (uint256 i = 0; i < datasets.length; ++i) {
            _consume(datasets[i], volume);
            terms.datasets[i] = DatasetShare(datasets[i].signer, orders.datasets[i].price);
        }
        terms.appOwner = app.signer;
        terms.poolOwner = pool.signer;
        _fill(terms, orders, requestHash);
    }

    function _fill(DealTerms memory terms, Orders calldata orders, bytes32 requestHash) private view {
        RequestOrder calldata request = orders.request;
        bytes calldata params = request.params;
        bytes32 input = params.length < INPUT_TO ? bytes32(0) : bytes32(params[INPUT_FROM:INPUT_TO]);
        terms.requestHash = requestHash;
        terms.workHash = TypedHash.workHash(request, input);
        terms.payer = request.sponsor == address(0) ? request.requester : request.sponsor;
        terms.appPrice = orders.app.price;
        terms.poolPrice = orders.pool.price;
        terms.feeBps = _feeBps;
        terms.mode = request.mode;
        terms.startedAt = uint64(block.timestamp);
        terms.callback = request.callback;
        terms.callbackGas = request.callbackGas;
    }

    function _checkRequest(Orders calldata orders, bytes32 requestHash, address payer) private view {
        RequestOrder calldata request = orders.request;
        address requester = request.requester;
        _checkTime(requestHash, requester, request.expiry, request.nonce);
        if (isSaltUsed(requester, request.salt)) revert OrderConsumed(requestHash);
        _checkSignature(requestHash, requester, orders.requestSignature);
        address sponsor = request.sponsor;
        if (sponsor != address(0) && sponsor != payer && !_isApproved(sponsor, requestHash)) {
            revert SponsorMismatch(sponsor, msg.sender);
        }
    }

    function _mainOffers(Orders calldata orders) private view returns (Offer memory, Offer memory) {
        AppOrder calldata app = orders.app;
        PoolOrder calldata pool = orders.pool;
        bytes32 wanted = orders.request.policyHash;
        (address developer, bytes32 policy, address poolOwner) = IRegistry(registry).parties(app.app, pool.pool);
        if (policy != wanted) revert PolicyMismatch(wanted, policy);
        bytes32 separator = domainSeparator();
        bytes32 appHash = TypedHash.digest(separator, TypedHash.hash(app));
        bytes32 poolHash = TypedHash.digest(separator, TypedHash.hash(pool));
        return (
            Offer(appHash, developer, app.volume, app.expiry, app.nonce),
            Offer(poolHash, poolOwner, pool.volume, pool.expiry, pool.nonce)
        );
    }

    function _datasetOffers(DatasetOrder[] calldata orders) private view returns (Offer[] memory offers) {
        offers = new Offer[](orders.length);
        for (uint256 i = 0; i < orders.length; ++i) {
            DatasetOrder calldata order = orders[i];
            // At most MAX_DATASETS, which `Matching` has checked; the registry is part of the deployment.
            // slither-disable-next-line calls-loop
            address owner = IRegistry(registry).ownerOfKind(Kind.DATASET, order.dataset);
            bytes32 hash = TypedHash.digest(domainSeparator(), TypedHash.hash(order));
            offers[i] = Offer(hash, owner, order.volume, order.expiry, order.nonce);
        }
    }

    function _requestHash(RequestOrder calldata request) private view returns (bytes32) {
        return TypedHash.digest(domainSeparator(), TypedHash.hash(request));
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }

    function _setFee(uint16 feeBps) private {
        if (feeBps > Params.PROTOCOL_FEE_CAP_BPS) revert FeeTooHigh(feeBps, Params.PROTOCOL_FEE_CAP_BPS);
        _feeBps = feeBps;
        emit FeeChanged(feeBps);
    }

    function _onlyGovernor() private view {
        if (msg.sender != governor) revert NotGovernor(msg.sender);
    }
}
