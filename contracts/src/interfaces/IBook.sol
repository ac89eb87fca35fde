// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { AppOrder, DatasetOrder, PoolOrder, RequestOrder } from "../types/Orders.sol";

/// @notice One posted order.
/// @param orderHash EIP-712 hash of the order; the order itself stands in the event.
/// @param kind 1 app, 2 dataset, 3 pool, 4 request.
/// @param withdrawn Whether its signer took it off the book.
/// @param postedAt In seconds since 1970.
/// @param expiry Last second in which it can be matched.
struct Posted {
    bytes32 orderHash;
    uint8 kind;
    bool withdrawn;
    uint64 postedAt;
    uint64 expiry;
}

/// @title The public order book
/// @notice Supply (app, dataset and pool orders) and demand (requests), posted for anybody to match. A book entry is an
/// advertisement: the Market alone decides whether an order counts.
interface IBook {
    /// @notice An app order was posted.
    event AppOrderPosted(
        bytes32 indexed app, address indexed signer, bytes32 indexed orderHash, AppOrder order, bytes signature
    );
    /// @notice A dataset order was posted.
    event DatasetOrderPosted(
        bytes32 indexed dataset, address indexed signer, bytes32 indexed orderHash, DatasetOrder order, bytes signature
    );
    /// @notice A pool order was posted.
    event PoolOrderPosted(
        bytes32 indexed pool, address indexed signer, bytes32 indexed orderHash, PoolOrder order, bytes signature
    );
    /// @notice A request was posted. It is for the pool that it is restricted to, or for any.
    event RequestPosted(
        bytes32 indexed app,
        address indexed signer,
        bytes32 indexed poolRestrict,
        bytes32 orderHash,
        RequestOrder order,
        bytes signature
    );
    /// @notice A signer took an order off the book. It can still be matched by those who have it, unless it is canceled.
    event OrderWithdrawn(address indexed signer, bytes32 indexed orderHash);

    /// @notice The order stands in the book.
    error AlreadyPosted(bytes32 orderHash);
    /// @notice The caller has no such order in the book.
    error NotPosted(address signer, bytes32 orderHash);

    /// @notice Posts an app order that could be matched now. Anybody may send it.
    /// @param order By the owner of the app.
    /// @param signature As for a match; empty when the order is approved on chain.
    function postAppOrder(AppOrder calldata order, bytes calldata signature) external;

    /// @notice Posts a dataset order that could be matched now. Anybody may send it.
    /// @param order By the owner of the dataset.
    /// @param signature As for a match.
    function postDatasetOrder(DatasetOrder calldata order, bytes calldata signature) external;

    /// @notice Posts a pool order that could be matched now. Anybody may send it.
    /// @param order By the owner of the pool.
    /// @param signature As for a match.
    function postPoolOrder(PoolOrder calldata order, bytes calldata signature) external;

    /// @notice Posts a request that could be matched now. Anybody may send it.
    /// @param order By the requester.
    /// @param signature As for a match.
    function postRequest(RequestOrder calldata order, bytes calldata signature) external;

    /// @notice Takes an order of the caller off the book.
    /// @param orderHash EIP-712 hash of the order.
    function withdraw(bytes32 orderHash) external;

    /// @notice How many orders of a signer were ever posted.
    /// @param signer Whose.
    /// @return How many, those taken off the book included.
    function countOf(address signer) external view returns (uint256);

    /// @notice Orders of a signer, oldest first.
    /// @param signer Whose.
    /// @param from How many to skip.
    /// @param limit How many to return at most.
    /// @return At most `limit` entries, those taken off the book included.
    function postedBy(address signer, uint256 from, uint256 limit) external view returns (Posted[] memory);
}
