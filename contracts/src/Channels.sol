// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "./generated/Params.sol";
import { IChannels } from "./interfaces/IChannels.sol";
import { IDeals } from "./interfaces/IDeals.sol";
import { IMarket } from "./interfaces/IMarket.sol";
import { TypedHash } from "./libraries/TypedHash.sol";
import { DealProgress, DealTerms, Tally } from "./types/Deals.sol";
import { Voucher } from "./types/Statements.sol";
import { ECDSA } from "solady/utils/ECDSA.sol";
import { SignatureCheckerLib } from "solady/utils/SignatureCheckerLib.sol";

/// @title Channels
/// @notice See IChannels, which documents every function, event and error.
contract Channels is IChannels {
    uint8 private constant MODE_CHANNEL = 5;

    /// @notice Holds the deals and the money.
    IMarket public immutable market;

    mapping(bytes32 dealId => uint64) private _closableAt;

    /// @param market_ Holds the deals and the money.
    constructor(address market_) {
        market = IMarket(market_);
    }

    /// @inheritdoc IChannels
    function redeem(DealTerms calldata terms, uint32 count, bytes calldata signature) external {
        (bytes32 dealId, DealProgress memory progress) = _channel(terms);
        if (count <= progress.closed) revert NothingNew(dealId, progress.closed);
        bytes32 hash = TypedHash.digest(market.domainSeparator(), TypedHash.hash(Voucher(dealId, count)));
        bool signed = ECDSA.tryRecoverCalldata(hash, signature) == terms.payer
            || SignatureCheckerLib.isValidERC1271SignatureNowCalldata(terms.payer, hash, signature);
        if (!signed) revert BadVoucher(dealId, terms.payer);
        emit Redeemed(dealId, count);
        market.closeFor(terms, progress.closed, Tally(count - progress.closed, 0, 0, 0));
    }

    /// @inheritdoc IChannels
    function startClosing(DealTerms calldata terms) external {
        (bytes32 dealId, DealProgress memory progress) = _channel(terms);
        if (progress.closed == progress.volume) revert NothingNew(dealId, progress.closed);
        // Nothing else checks the terms here, and who the payer is stands in them.
        bytes24 given = bytes24(TypedHash.hash(TypedHash.load(terms)));
        if (given != progress.termsHash) revert IDeals.TermsMismatch(dealId, progress.termsHash, given);
        if (msg.sender != terms.payer) revert NotParty(msg.sender);
        if (_closableAt[dealId] != 0) return;
        uint64 due = uint64(block.timestamp + Params.CHANNEL_DISPUTE_S);
        _closableAt[dealId] = due;
        emit ClosingStarted(dealId, due);
    }

    /// @inheritdoc IChannels
    function close(DealTerms calldata terms) external {
        (bytes32 dealId, DealProgress memory progress) = _channel(terms);
        if (progress.closed == progress.volume) revert NothingNew(dealId, progress.closed);
        uint64 due = _closableAt[dealId];
        if ((due == 0 || block.timestamp < due) && !_isPool(terms.poolOwner)) revert NotClosable(dealId, due);
        uint32 rest = progress.volume - progress.closed;
        emit ChannelClosed(dealId, rest);
        market.closeFor(terms, progress.closed, Tally(0, 0, rest, 0));
    }

    /// @inheritdoc IChannels
    function closableAt(bytes32 dealId) external view returns (uint64) {
        return _closableAt[dealId];
    }

    /// @dev The Market checks the rest of the terms when it closes tasks; here they only have to name a deal. What
    /// does not end in the Market must check them itself.
    function _channel(DealTerms calldata terms) private view returns (bytes32 dealId, DealProgress memory progress) {
        if (terms.mode != MODE_CHANNEL) revert NotChannel(terms.mode);
        dealId = TypedHash.id(terms.requestHash, terms.firstTask);
        progress = market.deal(dealId);
    }

    function _isPool(address poolOwner) private view returns (bool) {
        return market.isOperator(poolOwner, msg.sender);
    }
}
