// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "./generated/Params.sol";
import { IAttestations } from "./interfaces/IAttestations.sol";
import { IEscrow } from "./interfaces/IEscrow.sol";
import { IRegistry } from "./interfaces/IRegistry.sol";
import { ITasks } from "./interfaces/ITasks.sol";
import { Settlement } from "./libraries/Settlement.sol";
import { TypedHash } from "./libraries/TypedHash.sol";
import { DealProgress, DealTerms, Receipt } from "./types/Deals.sol";
import { Progress, ProgressLibrary } from "./types/Progress.sol";
import { Kind, Payment } from "./types/Records.sol";
import { ERC721 } from "solady/tokens/ERC721.sol";
import { ECDSA } from "solady/utils/ECDSA.sol";

/// @title Tasks
/// @notice See ITasks, which documents every function, event and error.
contract Tasks is ITasks {
    struct Deal {
        bytes32 termsHash;
        Progress progress;
    }

    uint8 private constant MODE_TEE = 0;
    uint256 private constant CID_BYTES = 36;
    /// @dev Where the digest of the sealed input stands in a request's params.
    uint256 private constant INPUT_FROM = 37;
    uint256 private constant INPUT_TO = 69;

    /// @notice Opens deals and names the deployment in signatures.
    address public immutable market;
    /// @notice Pays out.
    IEscrow public immutable escrow;
    /// @notice Knows the enclave keys.
    IAttestations public immutable attestations;
    /// @notice Knows whom the owner of a pool lets settle.
    address public immutable registry;
    /// @notice Gets the protocol fee.
    address public immutable feeRecipient;

    mapping(bytes32 dealId => Deal) private _deals;
    /// @dev Bits of tasks that have no place in the progress word, 256 a word.
    mapping(bytes32 dealId => mapping(uint256 word => uint256)) private _closedBits;

    /// @param market_ Opens deals.
    /// @param escrow_ Pays out.
    /// @param attestations_ Knows the enclave keys.
    /// @param registry_ Knows whom the owner of a pool lets settle.
    /// @param feeRecipient_ Gets the protocol fee.
    constructor(address market_, address escrow_, address attestations_, address registry_, address feeRecipient_) {
        market = market_;
        escrow = IEscrow(escrow_);
        attestations = IAttestations(attestations_);
        registry = registry_;
        feeRecipient = feeRecipient_;
    }

    /// @inheritdoc ITasks
    function open(bytes32 dealId, bytes32 termsHash, uint32 volume, uint8 mode) external {
        if (msg.sender != market) revert NotMarket(msg.sender);
        if (mode != MODE_TEE) revert ModeNotSupported(mode);
        _deals[dealId] =
            Deal({ termsHash: termsHash, progress: ProgressLibrary.start(volume, uint64(block.timestamp)) });
    }

    /// @inheritdoc ITasks
    function settle(
        DealTerms calldata terms,
        uint32 index,
        Receipt calldata receipt,
        bytes calldata signature,
        bytes calldata outputCid
    ) external {
        bytes32 dealId = receipt.dealId;
        bytes32 taskId = _taskId(dealId, index);
        uint64 deadline = _close(dealId, taskId, terms, index);
        if (block.timestamp > deadline) revert DeadlinePassed(dealId, deadline);
        if (msg.sender != terms.poolOwner) _checkOperator(terms.pool, terms.poolOwner);
        uint256 cidLength = receipt.output == 0 ? 0 : CID_BYTES;
        if (outputCid.length != cidLength) revert OutputCidLength(outputCid.length, cidLength);
        _checkReceipt(terms, taskId, receipt);
        address enclave = _signer(receipt, signature);
        emit TaskSettled(dealId, taskId, enclave, index, receipt.status, receipt, signature, outputCid);
        (Payment[] memory payments, uint256 refund) = Settlement.split(terms, receipt.status, feeRecipient);
        escrow.distribute(terms.payer, dealId, payments, refund);
    }

    /// @inheritdoc ITasks
    function claim(bytes32 dealId, DealTerms calldata terms, uint32 index) external {
        bytes32 taskId = _taskId(dealId, index);
        uint64 deadline = _close(dealId, taskId, terms, index);
        if (block.timestamp <= deadline) revert DeadlineNotReached(dealId, deadline);
        uint256 refund = Settlement.price(terms);
        emit TaskRefunded(dealId, taskId, index, refund);
        escrow.distribute(terms.payer, dealId, new Payment[](0), refund);
    }

    /// @inheritdoc ITasks
    function deal(bytes32 dealId) external view returns (DealProgress memory) {
        Deal storage entry = _deals[dealId];
        Progress progress = entry.progress;
        return DealProgress(progress.volume(), progress.closed(), progress.startedAt(), entry.termsHash);
    }

    /// @inheritdoc ITasks
    function isClosed(bytes32 dealId, uint32 index) external view returns (bool) {
        Progress progress = _deals[dealId].progress;
        return index < progress.volume() && _isClosed(dealId, progress, index);
    }

    /// @dev Marks one open task of a known deal as closed, and returns the deal's deadline.
    function _close(bytes32 dealId, bytes32 taskId, DealTerms calldata terms, uint32 index)
        private
        returns (uint64 deadline)
    {
        Deal storage entry = _deals[dealId];
        Progress progress = entry.progress;
        if (progress.volume() == 0) revert DealUnknown(dealId);
        bytes32 given = keccak256(abi.encode(terms));
        if (given != entry.termsHash) revert TermsMismatch(dealId, entry.termsHash, given);
        if (index >= progress.volume()) revert IndexOutOfRange(index, progress.volume());
        if (_isClosed(dealId, progress, index)) revert TaskClosed(taskId);
        entry.progress = progress.close(index);
        if (index >= ProgressLibrary.INLINE_TASKS) {
            _closedBits[dealId][index / 256] |= uint256(1) << (index % 256);
        }
        deadline = progress.startedAt() + uint64(Params.TASK_DEADLINE_S);
    }

    function _isClosed(bytes32 dealId, Progress progress, uint32 index) private view returns (bool) {
        if (index < ProgressLibrary.INLINE_TASKS) return progress.isInlineClosed(index);
        return (_closedBits[dealId][index / 256] >> (index % 256)) & 1 == 1;
    }

    /// @dev Whom the pool token's owner approved for this token or for all. Approvals by a later owner of the token do
    /// not count: the deal is with the owner at the time of the match.
    function _checkOperator(bytes32 pool, address poolOwner) private view {
        if (ERC721(registry).isApprovedForAll(poolOwner, msg.sender)) return;
        bool approved = ERC721(registry).getApproved(uint256(pool)) == msg.sender;
        if (!approved || IRegistry(registry).ownerOfKind(Kind.POOL, pool) != poolOwner) {
            revert NotPoolOperator(msg.sender, poolOwner);
        }
    }

    function _checkReceipt(DealTerms calldata terms, bytes32 taskId, Receipt calldata receipt) private pure {
        bytes calldata params = terms.request.params;
        bytes32 input = params.length < INPUT_TO ? bytes32(0) : bytes32(params[INPUT_FROM:INPUT_TO]);
        _same(0, taskId, receipt.taskId);
        _same(2, terms.request.app, receipt.app);
        _same(3, terms.codeHash, receipt.codeHash);
        _same(4, terms.policyHash, receipt.policyHash);
        _same(5, input, receipt.input);
    }

    function _same(uint8 field, bytes32 expected, bytes32 given) private pure {
        if (given != expected) revert ReceiptMismatch(field, expected, given);
    }

    function _signer(Receipt calldata receipt, bytes calldata signature) private view returns (address enclave) {
        bytes32 digest = TypedHash.digest(TypedHash.domainSeparator(market), TypedHash.hash(receipt));
        enclave = ECDSA.tryRecoverCalldata(digest, signature);
        if (enclave == address(0) || !attestations.isGranted(enclave)) revert EnclaveNotGranted(enclave);
    }

    function _taskId(bytes32 dealId, uint32 index) private pure returns (bytes32) {
        return keccak256(abi.encode(dealId, uint256(index)));
    }
}
