// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { Params } from "../generated/Params.sol";
import { IMarket } from "../interfaces/IMarket.sol";
import { AppOrder, DatasetOrder, PoolOrder, RequestOrder } from "../types/Orders.sol";
import { Kind } from "../types/Records.sol";
import { Restriction } from "./Restriction.sol";

/// @title Whether orders fit together
/// @dev Everything about a match that needs no signature and no storage of the Market.
library Matching {
    using Restriction for bytes32;

    /// @notice Checks a request by itself.
    /// @param request The order.
    function checkRequest(RequestOrder calldata request) internal view {
        if (request.params.length > Params.MAX_PARAMS_BYTES) {
            revert IMarket.ParamsTooLong(request.params.length, Params.MAX_PARAMS_BYTES);
        }
        if (request.datasets.length > Params.MAX_DATASETS) {
            revert IMarket.TooManyDatasets(request.datasets.length, Params.MAX_DATASETS);
        }
        if (request.callbackGas > Params.MAX_CALLBACK_GAS) {
            revert IMarket.CallbackGasTooHigh(request.callbackGas, Params.MAX_CALLBACK_GAS);
        }
        if (request.sponsor != address(0) && request.sponsor != msg.sender) {
            revert IMarket.SponsorMismatch(request.sponsor, msg.sender);
        }
    }

    /// @notice Checks app, pool and request against each other.
    /// @param app By the owner of the app.
    /// @param pool By the owner of the pool.
    /// @param request By the requester.
    function checkOffers(AppOrder calldata app, PoolOrder calldata pool, RequestOrder calldata request) internal view {
        if (request.app != app.app) revert IMarket.AppMismatch(request.app, app.app);
        if (app.price > request.appMaxPrice) {
            revert IMarket.PriceTooHigh(Kind.APP, app.price, request.appMaxPrice);
        }
        if (pool.price > request.poolMaxPrice) {
            revert IMarket.PriceTooHigh(Kind.POOL, pool.price, request.poolMaxPrice);
        }
        if (request.category != pool.category) revert IMarket.CategoryMismatch(request.category, pool.category);
        if (request.trust > pool.trust) revert IMarket.TrustTooLow(request.trust, pool.trust);
        if ((uint256(pool.modes) >> request.mode) & 1 == 0) revert IMarket.ModeNotOffered(request.mode, pool.modes);
        bytes32 requester = Restriction.key(request.requester);
        _admit(Kind.POOL, app.poolRestrict, pool.pool);
        _admit(Kind.REQUESTER, app.requesterRestrict, requester);
        _admit(Kind.APP, pool.appRestrict, app.app);
        _admit(Kind.REQUESTER, pool.requesterRestrict, requester);
        _admit(Kind.POOL, request.poolRestrict, pool.pool);
    }

    /// @notice Checks the datasets, and that the pool offers every feature that is needed.
    /// @param app By the owner of the app.
    /// @param datasets By the owners of the datasets.
    /// @param pool By the owner of the pool.
    /// @param request By the requester.
    function checkDatasets(
        AppOrder calldata app,
        DatasetOrder[] calldata datasets,
        PoolOrder calldata pool,
        RequestOrder calldata request
    ) internal view {
        uint256 count = request.datasets.length;
        if (datasets.length < count) {
            revert IMarket.DatasetMismatch(datasets.length, request.datasets[datasets.length], bytes32(0));
        }
        if (datasets.length > count) revert IMarket.DatasetMismatch(count, bytes32(0), datasets[count].dataset);
        bytes32 requester = Restriction.key(request.requester);
        bytes32 tag = request.tag | app.tag;
        uint256 price = 0;
        for (uint256 i = 0; i < count; ++i) {
            DatasetOrder calldata order = datasets[i];
            if (order.dataset != request.datasets[i]) {
                revert IMarket.DatasetMismatch(i, request.datasets[i], order.dataset);
            }
            tag |= order.tag;
            price += order.price;
            _admit(Kind.DATASET, app.datasetRestrict, order.dataset);
            _admit(Kind.DATASET, pool.datasetRestrict, order.dataset);
            _admit(Kind.APP, order.appRestrict, app.app);
            _admit(Kind.POOL, order.poolRestrict, pool.pool);
            _admit(Kind.REQUESTER, order.requesterRestrict, requester);
        }
        if (price > request.datasetMaxPrice) {
            revert IMarket.PriceTooHigh(Kind.DATASET, price, request.datasetMaxPrice);
        }
        if (tag & ~pool.tag != 0) revert IMarket.TagNotOffered(tag, pool.tag);
    }

    function _admit(uint8 kind, bytes32 restriction, bytes32 given) private view {
        if (!restriction.admits(given)) revert IMarket.Restricted(kind, restriction, given);
    }
}
