// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "./generated/Params.sol";
import { IAttestations } from "./interfaces/IAttestations.sol";
import { IBatches } from "./interfaces/IBatches.sol";
import { IDeals } from "./interfaces/IDeals.sol";
import { IMarket } from "./interfaces/IMarket.sol";
import { TypedHash } from "./libraries/TypedHash.sol";
import { DealTerms, Tally } from "./types/Deals.sol";
import { ECDSA } from "solady/utils/ECDSA.sol";
import { MerkleProofLib } from "solady/utils/MerkleProofLib.sol";

/// @title Batches
/// @notice See IBatches, which documents every function, event and error.
contract Batches is IBatches {
    uint8 private constant MODE_TEE = 0;
    uint8 private constant CODEC_RAW = 0x55;
    uint8 private constant CODEC_DAG_PB = 0x70;

    /// @notice Holds the deals and the money.
    IMarket public immutable market;
    /// @notice Knows the enclave keys.
    IAttestations public immutable attestations;

    mapping(bytes32 dealId => mapping(uint256 first => bytes32)) private _roots;

    /// @param market_ Holds the deals and the money.
    /// @param attestations_ Knows the enclave keys.
    constructor(address market_, address attestations_) {
        market = IMarket(market_);
        attestations = IAttestations(attestations_);
    }

    /// @inheritdoc IBatches
    function settleBatch(
        DealTerms calldata terms,
        uint32 first,
        Tally calldata tally,
        bytes32 root,
        bytes32 receiptsCid,
        uint8 receiptsCodec,
        bytes32 r,
        bytes32 vs
    ) external {
        bytes32 dealId = TypedHash.id(terms.requestHash, terms.firstTask);
        _check(terms, dealId);
        if (root == 0 || receiptsCid == 0 || (receiptsCodec != CODEC_RAW && receiptsCodec != CODEC_DAG_PB)) {
            revert BadReceipts(root, receiptsCid, receiptsCodec);
        }
        bytes32 structHash = TypedHash.hash(terms.workHash, dealId, first, tally, root);
        address enclave = ECDSA.tryRecover(TypedHash.digest(market.domainSeparator(), structHash), r, vs);
        if (enclave == address(0) || !attestations.isGranted(enclave)) revert IDeals.EnclaveNotGranted(enclave);
        _roots[dealId][first] = root;
        emit BatchSettled(dealId, enclave, first, tally, root, receiptsCid, receiptsCodec, r, vs);
        // Checks the terms and that the tasks are open, and pays.
        market.closeFor(terms, first, tally);
    }

    /// @inheritdoc IBatches
    function batchRoot(bytes32 dealId, uint32 first) external view returns (bytes32) {
        return _roots[dealId][first];
    }

    /// @inheritdoc IBatches
    function provesReceipt(bytes32 dealId, uint32 first, bytes32 receiptHash, bytes32[] calldata path)
        external
        view
        returns (bool)
    {
        bytes32 root = _roots[dealId][first];
        return root != 0 && MerkleProofLib.verifyCalldata(path, root, receiptHash);
    }

    function _check(DealTerms calldata terms, bytes32 dealId) private view {
        if (terms.mode != MODE_TEE) revert NotBatchable(terms.mode);
        if (terms.callback != address(0)) revert BatchWithCallback(dealId);
        uint256 deadline = uint256(terms.startedAt) + Params.TASK_DEADLINE_S;
        if (block.timestamp > deadline) revert IDeals.DeadlinePassed(dealId, deadline);
        address owner = terms.poolOwner;
        if (!market.isOperator(owner, msg.sender)) {
            revert IDeals.NotPoolOperator(msg.sender, owner);
        }
    }
}
