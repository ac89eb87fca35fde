// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IOrders } from "../interfaces/IOrders.sol";
import { TypedHash } from "../libraries/TypedHash.sol";
import { Account } from "../types/Records.sol";
import { Accounts } from "./Accounts.sol";
import { ECDSA } from "solady/utils/ECDSA.sol";
import { SignatureCheckerLib } from "solady/utils/SignatureCheckerLib.sol";

/// @title Order states
/// @notice See IOrders, which documents every function, event and error.
abstract contract OrderStates is IOrders, Accounts {
    /// @dev What an offer says about its own validity.
    /// @param hash EIP-712 hash of the order.
    /// @param signer Owner of the app, dataset or pool.
    /// @param volume Tasks that it covers; 2^32 - 1 for any number.
    /// @param expiry Last second in which it can be matched.
    /// @param nonce At least the signer's nonce, or it is void.
    struct Offer {
        bytes32 hash;
        address signer;
        uint32 volume;
        uint64 expiry;
        uint64 nonce;
    }

    /// @dev Volume of an offer that is never used up.
    uint32 internal constant UNLIMITED = type(uint32).max;
    uint256 private constant CANCELED = 1 << 255;
    uint256 private constant APPROVED = 1 << 254;

    bytes32 private immutable _separator;
    uint256 private immutable _chainId;

    /// @dev Low 32 bits: consumed volume.
    mapping(address signer => mapping(bytes32 orderHash => uint256)) private _orders;
    mapping(address requester => mapping(uint256 word => uint256)) private _salts;

    constructor() {
        _separator = TypedHash.domainSeparator(address(this));
        _chainId = block.chainid;
    }

    /// @inheritdoc IOrders
    function approveOrder(bytes32 orderHash) external {
        _orders[msg.sender][orderHash] |= APPROVED;
        emit OrderApproved(msg.sender, orderHash);
    }

    /// @inheritdoc IOrders
    function cancelOffer(bytes32 orderHash) external {
        _orders[msg.sender][orderHash] |= CANCELED;
        emit OfferCanceled(msg.sender, orderHash);
    }

    /// @inheritdoc IOrders
    function cancelRequest(bytes32 salt) external {
        _useSalt(msg.sender, salt);
        emit RequestCanceled(msg.sender, salt);
    }

    /// @inheritdoc IOrders
    function raiseNonce() external returns (uint64 nonce) {
        nonce = ++_accounts[msg.sender].nonce;
        emit NonceRaised(msg.sender, nonce);
    }

    /// @inheritdoc IOrders
    function orderState(address signer, bytes32 orderHash)
        external
        view
        returns (uint32 consumed, bool canceled, bool approved)
    {
        uint256 state = _orders[signer][orderHash];
        // casting to 'uint32' takes the consumed volume
        // forge-lint: disable-next-line(unsafe-typecast)
        return (uint32(state), state & CANCELED != 0, _isApproved(signer, orderHash));
    }

    /// @inheritdoc IOrders
    function isSaltUsed(address requester, bytes32 salt) public view returns (bool) {
        return (_salts[requester][uint256(salt) >> 8] >> uint8(uint256(salt))) & 1 == 1;
    }

    /// @inheritdoc IOrders
    function domainSeparator() public view returns (bytes32) {
        return block.chainid == _chainId ? _separator : TypedHash.domainSeparator(address(this));
    }

    /// @dev Voids all requests of a requester with a salt.
    function _useSalt(address requester, bytes32 salt) internal {
        _salts[requester][uint256(salt) >> 8] |= uint256(1) << uint8(uint256(salt));
    }

    /// @dev What a valid offer has left, never zero; reverts unless the offer is valid.
    function _left(Offer memory offer, bytes calldata signature) internal view returns (uint32 left) {
        _checkTime(offer.hash, offer.signer, offer.expiry, offer.nonce);
        uint256 state = _orders[offer.signer][offer.hash];
        // casting to 'uint32' takes the consumed volume
        // forge-lint: disable-next-line(unsafe-typecast)
        uint32 used = uint32(state);
        if (state & CANCELED != 0 || used >= offer.volume) revert OrderConsumed(offer.hash);
        _checkSignature(offer.hash, offer.signer, signature);
        return offer.volume - used;
    }

    /// @dev Checks again, because one dataset order may stand twice in a match.
    function _consume(Offer memory offer, uint256 volume) internal {
        if (offer.volume == UNLIMITED) return;
        uint256 state = _orders[offer.signer][offer.hash];
        // casting to 'uint32' takes the consumed volume
        // forge-lint: disable-next-line(unsafe-typecast)
        if (volume > offer.volume - uint32(state)) revert OrderConsumed(offer.hash);
        _orders[offer.signer][offer.hash] = state + volume;
    }

    /// @dev Reverts when an order has expired or its signer has raised the nonce above it.
    function _checkTime(bytes32 hash, address signer, uint64 expiry, uint64 nonce) internal view {
        if (block.timestamp > expiry) revert OrderExpired(hash, expiry);
        uint64 lowest = _accounts[signer].nonce;
        if (nonce < lowest) revert OrderNonceTooLow(hash, nonce, lowest);
    }

    /// @dev A key's own signature first, because asking for the signer's code costs gas and an account with delegated code
    /// (EIP-7702) still has its key.
    function _checkSignature(bytes32 hash, address signer, bytes calldata signature) internal view {
        if (signature.length == 0) {
            if (!_isApproved(signer, hash)) revert BadSignature(hash, signer);
            return;
        }
        if (ECDSA.tryRecoverCalldata(hash, signature) == signer && signer != address(0)) return;
        if (!SignatureCheckerLib.isValidERC1271SignatureNowCalldata(signer, hash, signature)) {
            revert BadSignature(hash, signer);
        }
    }

    /// @dev Canceling takes an approval back, also that of a sponsor.
    function _isApproved(address signer, bytes32 orderHash) internal view returns (bool) {
        return _orders[signer][orderHash] & (APPROVED | CANCELED) == APPROVED;
    }
}
