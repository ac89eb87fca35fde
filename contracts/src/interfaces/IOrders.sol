// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Which orders count
/// @notice App, dataset and pool orders ("offers") are used up by volume, requests by the deals they made.
interface IOrders {
    /// @notice A signer approved an order on chain; it needs no signature.
    event OrderApproved(address indexed signer, bytes32 indexed orderHash);
    /// @notice An offer can no longer be matched.
    event OfferCanceled(address indexed signer, bytes32 indexed orderHash);
    /// @notice Requests of this requester with this salt can no longer be matched.
    event RequestCanceled(address indexed requester, bytes32 indexed salt);
    /// @notice All orders of a signer with a lower nonce are void.
    event NonceRaised(address indexed signer, uint64 nonce);

    /// @notice The signature is not by the party that the order needs.
    error BadSignature(bytes32 orderHash, address expectedSigner);
    /// @notice The order's time is over.
    error OrderExpired(bytes32 orderHash, uint64 expiry);
    /// @notice The signer has voided the order by raising the nonce.
    error OrderNonceTooLow(bytes32 orderHash, uint64 given, uint64 current);
    /// @notice The order is used up or canceled, or asks for nothing.
    error OrderConsumed(bytes32 orderHash);
    /// @notice The app order is for another app.
    error AppMismatch(bytes32 requested, bytes32 offered);
    /// @notice The app has another policy by now; inputs are sealed to a policy's key.
    error PolicyMismatch(bytes32 requested, bytes32 current);
    /// @notice A dataset order is missing (offered zero), not asked for (requested zero) or for another dataset.
    error DatasetMismatch(uint256 index, bytes32 requested, bytes32 offered);
    /// @notice More than the requester wants to pay. Kind: 1 app, 2 all datasets together, 3 pool.
    error PriceTooHigh(uint8 kind, uint256 price, uint256 maximum);
    /// @notice The pool puts up less than the requester wants.
    error StakeTooLow(uint256 requested, uint256 offered);
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
    /// @notice The request names a sponsor, who must send the match or approve the request on chain.
    error SponsorMismatch(address sponsor, address caller);
    /// @notice Every dataset order needs one signature.
    error SignatureCountMismatch(uint256 orders, uint256 signatures);

    /// @notice EIP-712 domain separator of every Sealwork signature.
    /// @return For the chain on which it is asked.
    function domainSeparator() external view returns (bytes32);

    /// @notice Approves an order in place of a signature: an offer or request of the caller, or a request that the caller
    /// sponsors.
    /// @param orderHash EIP-712 hash of the order.
    function approveOrder(bytes32 orderHash) external;

    /// @notice Voids an app, dataset or pool order of the caller, and takes back what `approveOrder` said, also about a
    /// request that the caller sponsors. A request that is signed stays valid: see `cancelRequest`.
    /// @param orderHash EIP-712 hash of the order.
    function cancelOffer(bytes32 orderHash) external;

    /// @notice Voids the caller's requests with this salt.
    /// @param salt From the request.
    function cancelRequest(bytes32 salt) external;

    /// @notice Voids all orders of the caller with the present nonce.
    /// @return nonce The lowest nonce that is valid now.
    function raiseNonce() external returns (uint64 nonce);

    /// @notice What happened to an order.
    /// @param signer Whose order.
    /// @param orderHash EIP-712 hash of the order.
    /// @return consumed Volume of an offer that is used up; stays zero for one of unlimited volume and for requests.
    /// @return canceled Whether an offer is canceled.
    /// @return approved Whether the order needs no signature.
    function orderState(address signer, bytes32 orderHash)
        external
        view
        returns (uint32 consumed, bool canceled, bool approved);

    /// @notice Whether a salt is used up, by a request that was matched as a whole, executed or canceled.
    /// @param requester Whose.
    /// @param salt From a request.
    /// @return Whether no request with this salt can be matched any more.
    function isSaltUsed(address requester, bytes32 salt) external view returns (bool);

    /// @notice Volume of a request that deals have used up.
    /// @param requestHash EIP-712 hash of the request.
    /// @return Tasks in deals that are recorded; zero again when a deal of the whole request is finished.
    function requestConsumed(bytes32 requestHash) external view returns (uint256);
}
