// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { Params } from "../generated/Params.sol";
import { IOrders } from "../interfaces/IOrders.sol";
import { AppOrder, DatasetOrder, Membership, Orders, PoolOrder, RequestOrder } from "../types/Orders.sol";
import { Kind } from "../types/Records.sol";
import { Restriction } from "./Restriction.sol";

/// @title Whether orders fit together
/// @dev Everything about a match that needs no signature and no storage of the Market.
library Matching {
    using Restriction for bytes32;

    /// @dev Feature of pools that settle tasks with a callback, whose gas they pay.
    bytes32 internal constant CALLBACK_TAG = bytes32(uint256(1 << 16));

    /// @notice Checks everything, or reverts with the first rule that is broken.
    /// @param orders The orders.
    function check(Orders calldata orders) internal view {
        checkRequest(orders.request);
        checkOffers(orders.app, orders.pool, orders.request, orders.memberships);
        checkDatasets(orders);
    }

    /// @notice Checks a request by itself.
    /// @param request The order.
    function checkRequest(RequestOrder calldata request) internal pure {
        if (request.params.length > Params.MAX_PARAMS_BYTES) {
            revert IOrders.ParamsTooLong(request.params.length, Params.MAX_PARAMS_BYTES);
        }
        if (request.datasets.length > Params.MAX_DATASETS) {
            revert IOrders.TooManyDatasets(request.datasets.length, Params.MAX_DATASETS);
        }
        if (request.callbackGas > Params.MAX_CALLBACK_GAS) {
            revert IOrders.CallbackGasTooHigh(request.callbackGas, Params.MAX_CALLBACK_GAS);
        }
    }

    /// @notice Checks app, pool and request against each other.
    /// @param app By the owner of the app.
    /// @param pool By the owner of the pool.
    /// @param request By the requester.
    /// @param memberships Proofs for allow-lists.
    function checkOffers(
        AppOrder calldata app,
        PoolOrder calldata pool,
        RequestOrder calldata request,
        Membership[] calldata memberships
    ) internal view {
        if (request.app != app.app) revert IOrders.AppMismatch(request.app, app.app);
        if (app.price > request.appMaxPrice) {
            revert IOrders.PriceTooHigh(Kind.APP, app.price, request.appMaxPrice);
        }
        if (pool.price > request.poolMaxPrice) {
            revert IOrders.PriceTooHigh(Kind.POOL, pool.price, request.poolMaxPrice);
        }
        if (request.minStake > pool.stake) revert IOrders.StakeTooLow(request.minStake, pool.stake);
        if (request.category != pool.category) revert IOrders.CategoryMismatch(request.category, pool.category);
        if (request.trust > pool.trust) revert IOrders.TrustTooLow(request.trust, pool.trust);
        if ((uint256(pool.modes) >> request.mode) & 1 == 0) revert IOrders.ModeNotOffered(request.mode, pool.modes);
        bytes32 requester = Restriction.key(request.requester);
        _admit(Kind.POOL, app.poolRestrict, pool.pool, memberships);
        _admit(Kind.REQUESTER, app.requesterRestrict, requester, memberships);
        _admitApp(pool.appRestrict, request, memberships);
        _admit(Kind.REQUESTER, pool.requesterRestrict, requester, memberships);
        _admit(Kind.POOL, request.poolRestrict, pool.pool, memberships);
    }

    /// @notice Checks the datasets, and that the pool offers every feature that is needed.
    /// @param orders The orders.
    function checkDatasets(Orders calldata orders) internal view {
        RequestOrder calldata request = orders.request;
        DatasetOrder[] calldata datasets = orders.datasets;
        uint256 count = request.datasets.length;
        if (datasets.length < count) {
            revert IOrders.DatasetMismatch(datasets.length, request.datasets[datasets.length], bytes32(0));
        }
        if (datasets.length > count) revert IOrders.DatasetMismatch(count, bytes32(0), datasets[count].dataset);
        if (orders.datasetSignatures.length != count) {
            revert IOrders.SignatureCountMismatch(count, orders.datasetSignatures.length);
        }
        bytes32 tag = request.tag | orders.app.tag;
        if (request.callback != address(0)) tag |= CALLBACK_TAG;
        if (count != 0) {
            uint256 price = 0;
            for (uint256 i = 0; i < count; ++i) {
                bytes32 wanted = request.datasets[i];
                if (datasets[i].dataset != wanted) {
                    revert IOrders.DatasetMismatch(i, wanted, datasets[i].dataset);
                }
                tag |= datasets[i].tag;
                price += datasets[i].price;
                _checkDataset(orders, datasets[i]);
            }
            if (price > request.datasetMaxPrice) {
                revert IOrders.PriceTooHigh(Kind.DATASET, price, request.datasetMaxPrice);
            }
        }
        bytes32 offered = orders.pool.tag;
        if (tag & ~offered != 0) revert IOrders.TagNotOffered(tag, offered);
    }

    function _checkDataset(Orders calldata orders, DatasetOrder calldata order) private view {
        Membership[] calldata memberships = orders.memberships;
        _admit(Kind.DATASET, orders.app.datasetRestrict, order.dataset, memberships);
        _admit(Kind.DATASET, orders.pool.datasetRestrict, order.dataset, memberships);
        _admitApp(order.appRestrict, orders.request, memberships);
        _admit(Kind.POOL, order.poolRestrict, orders.pool.pool, memberships);
        _admit(Kind.REQUESTER, order.requesterRestrict, Restriction.key(orders.request.requester), memberships);
    }

    /// @dev A restriction of apps may also pin a policy, and with it the code that an app's owner could replace.
    function _admitApp(bytes32 restriction, RequestOrder calldata request, Membership[] calldata memberships)
        private
        view
    {
        if (restriction.admits(request.app, memberships)) return;
        if (restriction != Restriction.policy(request.policyHash)) {
            revert IOrders.Restricted(Kind.APP, restriction, request.app);
        }
    }

    function _admit(uint8 kind, bytes32 restriction, bytes32 given, Membership[] calldata memberships) private view {
        if (!restriction.admits(given, memberships)) revert IOrders.Restricted(kind, restriction, given);
    }
}
