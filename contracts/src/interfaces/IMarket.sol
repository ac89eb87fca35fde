// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { DealTerms } from "../types/Deals.sol";
import { AppOrder, DatasetOrder, PoolOrder, RequestOrder } from "../types/Orders.sol";

/// @title Orders and deals
/// @notice Matches orders that their parties signed. Its address is the verifying contract of every Sealwork signature.
interface IMarket {
    /// @notice Orders were matched.
    event Matched(
        bytes32 indexed dealId, bytes32 indexed app, bytes32 indexed pool, DealTerms terms, bytes requestSignature
    );
    /// @notice An app order was put on the public list.
    event AppOrderPosted(bytes32 indexed app, bytes32 orderHash, AppOrder order, bytes signature);
    /// @notice A pool order was put on the public list.
    event PoolOrderPosted(bytes32 indexed pool, bytes32 orderHash, PoolOrder order, bytes signature);
    /// @notice An order can no longer be matched.
    event OrderCanceled(address indexed signer, bytes32 indexed orderHash);
    /// @notice All orders of a signer with a lower nonce are void.
    event NonceRaised(address indexed signer, uint64 nonce);
    /// @notice Later deals pay another protocol fee.
    event FeeChanged(uint16 feeBps);

    /// @notice The signature is not by the party that the order needs.
    error BadSignature(bytes32 orderHash, address expectedSigner);
    /// @notice The order's time is over.
    error OrderExpired(bytes32 orderHash, uint64 expiry);
    /// @notice The signer has voided the order by raising the nonce.
    error OrderNonceTooLow(bytes32 orderHash, uint64 given, uint64 current);
    /// @notice The order is used up or canceled.
    error OrderConsumed(bytes32 orderHash);
    /// @notice The app order is for another app.
    error AppMismatch(bytes32 requested, bytes32 offered);
    /// @notice A dataset order is missing (offered zero), not asked for (requested zero) or for another dataset.
    error DatasetMismatch(uint256 index, bytes32 requested, bytes32 offered);
    /// @notice More than the requester wants to pay. Kind: 1 app, 2 all datasets together, 3 pool.
    error PriceTooHigh(uint8 kind, uint256 price, uint256 maximum);
    /// @notice An order does not allow this party. Kind of the party: 1 app, 2 dataset, 3 pool, 4 requester.
    error Restricted(uint8 kind, bytes32 restriction, bytes32 given);
    /// @notice The pool offers another category.
    error CategoryMismatch(uint16 requested, uint16 offered);
    /// @notice The pool offers less trust.
    error TrustTooLow(uint16 requested, uint16 offered);
    /// @notice The pool does not offer the mode; `offered` has a bit for each mode.
    error ModeNotOffered(uint8 requested, uint8 offered);
    /// @notice The pool lacks a feature that the request, the app or a dataset needs.
    error TagNotOffered(bytes32 requested, bytes32 offered);
    /// @notice The request's params are longer than they may be, in bytes.
    error ParamsTooLong(uint256 length, uint256 maximum);
    /// @notice The request names more datasets than it may.
    error TooManyDatasets(uint256 given, uint256 maximum);
    /// @notice The request's callback wants more gas than it may.
    error CallbackGasTooHigh(uint256 given, uint256 maximum);
    /// @notice The request names a sponsor, who must send the match.
    error SponsorMismatch(address sponsor, address caller);
    /// @notice Every dataset order needs one signature.
    error SignatureCountMismatch(uint256 orders, uint256 signatures);
    /// @notice Only the party that signs an order can cancel it.
    error NotSigner(bytes32 orderHash, address signer, address caller);
    /// @notice Only the governor may do this.
    error NotGovernor(address caller);
    /// @notice The protocol fee has an upper bound.
    error FeeTooHigh(uint256 given, uint256 maximum);

    /// @notice EIP-712 domain separator of every Sealwork signature.
    function domainSeparator() external view returns (bytes32);

    /// @notice Makes a deal of as many tasks as all orders have left, and locks their price.
    /// @param appOrder By the owner of the app.
    /// @param appSignature 65 bytes, 64 bytes (EIP-2098) or ERC-1271, like all signatures here.
    /// @param datasetOrders By the owners of the requested datasets, in the order of the request.
    /// @param datasetSignatures One for each dataset order.
    /// @param poolOrder By the owner of the pool.
    /// @param poolSignature By the owner of the pool.
    /// @param requestOrder By the requester.
    /// @param requestSignature By the requester.
    /// @return dealId keccak256(abi.encode(request order hash, volume consumed before)).
    function matchOrders(
        AppOrder calldata appOrder,
        bytes calldata appSignature,
        DatasetOrder[] calldata datasetOrders,
        bytes[] calldata datasetSignatures,
        PoolOrder calldata poolOrder,
        bytes calldata poolSignature,
        RequestOrder calldata requestOrder,
        bytes calldata requestSignature
    ) external returns (bytes32 dealId);

    /// @notice Puts a valid app order on the public list.
    /// @param order By the owner of the app.
    /// @param signature By the owner of the app.
    function postAppOrder(AppOrder calldata order, bytes calldata signature) external;

    /// @notice Puts a valid pool order on the public list.
    /// @param order By the owner of the pool.
    /// @param signature By the owner of the pool.
    function postPoolOrder(PoolOrder calldata order, bytes calldata signature) external;

    /// @notice Voids an app order. Only the owner of the app.
    /// @param order The order.
    function cancelAppOrder(AppOrder calldata order) external;

    /// @notice Voids a dataset order. Only the owner of the dataset.
    /// @param order The order.
    function cancelDatasetOrder(DatasetOrder calldata order) external;

    /// @notice Voids a pool order. Only the owner of the pool.
    /// @param order The order.
    function cancelPoolOrder(PoolOrder calldata order) external;

    /// @notice Voids a request order. Only the requester.
    /// @param order The order.
    function cancelRequestOrder(RequestOrder calldata order) external;

    /// @notice Voids all orders of the caller with the present nonce.
    /// @return nonce The lowest nonce that is valid now.
    function raiseNonce() external returns (uint64 nonce);

    /// @notice Sets the protocol fee of later deals. Only the governor.
    /// @param feeBps Hundredths of a percent of each payment.
    function setFee(uint16 feeBps) external;

    /// @notice The lowest nonce that is valid in an order.
    /// @param signer Whose orders.
    function nonceOf(address signer) external view returns (uint64);

    /// @notice Volume of an order that is used up; 2^32 - 1 when it is canceled.
    /// @param orderHash EIP-712 hash of the order.
    function consumed(bytes32 orderHash) external view returns (uint32);

    /// @notice Protocol fee of new deals, in hundredths of a percent of each payment.
    function fee() external view returns (uint16);
}
