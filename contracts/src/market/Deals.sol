// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../generated/Params.sol";
import { Status } from "../generated/Status.sol";
import { IAttestations } from "../interfaces/IAttestations.sol";
import { IDeals } from "../interfaces/IDeals.sol";
import { IOracleConsumer } from "../interfaces/IOracleConsumer.sol";
import { Ranges } from "../libraries/Ranges.sol";
import { Payout, Settlement } from "../libraries/Settlement.sol";
import { TypedHash } from "../libraries/TypedHash.sol";
import { DealWord, DealWordLibrary } from "../types/DealWord.sol";
import { DealProgress, DealTerms, Effects, Outcome, Tally } from "../types/Deals.sol";
import { OrderStates } from "./OrderStates.sol";
import { ECDSA } from "solady/utils/ECDSA.sol";

/// @title Deals
/// @notice See IDeals, which documents every function, event and error.
abstract contract Deals is IDeals, OrderStates {
    /// @dev An enclave signs for every task, or for a batch of them.
    uint8 internal constant MODE_TEE = 0;
    /// @dev The payer signs for the tasks that are done.
    uint8 internal constant MODE_CHANNEL = 5;
    uint8 private constant CODEC_RAW = 0x55;
    uint8 private constant CODEC_DAG_PB = 0x70;
    /// @dev Gas that is left for this contract when a callback may use all that it may.
    uint256 private constant GAS_AFTER_CALLBACK = 10_000;

    /// @notice Knows the enclave keys.
    address public immutable attestations;
    /// @notice Knows apps, datasets and pools.
    address public immutable registry;
    /// @notice Gets the protocol fee.
    address public immutable feeRecipient;

    /// @dev Zero for a deal that is unknown or forgotten.
    mapping(bytes32 dealId => DealWord) internal _deals;
    /// @dev Bits of the tasks of deals whose word has no place for them, 256 a word.
    mapping(bytes32 dealId => mapping(uint256 word => uint256)) private _closedBits;
    /// @dev What settles the deals of a mode, beside `settle` for mode 0.
    mapping(uint8 mode => address) internal _modules;
    mapping(address poolOwner => mapping(address operator => bool)) private _operators;

    /// @param attestations_ Knows the enclave keys.
    /// @param registry_ Knows apps, datasets and pools.
    /// @param feeRecipient_ Gets the protocol fee.
    constructor(address attestations_, address registry_, address feeRecipient_) {
        attestations = attestations_;
        registry = registry_;
        feeRecipient = feeRecipient_;
    }

    /// @inheritdoc IDeals
    function settle(
        DealTerms calldata agreed,
        Outcome calldata outcome,
        bytes32 r,
        bytes32 vs,
        Effects[] calldata effects
    ) external {
        DealTerms memory terms = TypedHash.load(agreed);
        (bytes32 dealId, DealWord word) = _known(terms);
        _checkSettlement(terms, dealId);
        word = _close(dealId, word, outcome.index, 1);
        Tally memory tally = Settlement.tally(outcome.status);
        _store(dealId, word);
        _settleTask(terms, dealId, outcome, r, vs, tally, effects);
    }

    /// @inheritdoc IDeals
    function setOperator(address operator, bool allowed) external {
        _operators[msg.sender][operator] = allowed;
        emit OperatorSet(msg.sender, operator, allowed);
    }

    /// @inheritdoc IDeals
    function isOperator(address poolOwner, address operator) external view returns (bool) {
        return operator == poolOwner || _operators[poolOwner][operator];
    }

    /// @inheritdoc IDeals
    function start(DealTerms calldata agreed) external {
        DealTerms memory terms = TypedHash.load(agreed);
        (bytes32 dealId, DealWord word) = _known(terms);
        _checkSettlement(terms, dealId);
        _deals[dealId] = word.with(DealWordLibrary.STARTED);
        emit DealStarted(dealId);
    }

    /// @inheritdoc IDeals
    function claim(DealTerms calldata agreed, uint32 first, uint32 count) external {
        DealTerms memory terms = TypedHash.load(agreed);
        (bytes32 dealId, DealWord word) = _known(terms);
        uint256 deadline = _deadline(terms, word);
        if (block.timestamp <= deadline) revert DeadlineNotReached(dealId, deadline);
        uint32 closed;
        (word, closed) = Ranges.closeOpen(_closedBits[dealId], dealId, word, first, count);
        // Memory starts with zeros; writing them costs code.
        // slither-disable-next-line uninitialized-local
        Tally memory tally;
        // Anybody can match a pool's offer, also for work that cannot be done: a pool answers only for what it started. In
        // another mode it may have kept its promise; only the module could know.
        if (terms.mode == MODE_TEE && word.has(DealWordLibrary.STARTED)) tally.slashed = closed;
        else tally.refunded = closed;
        _store(dealId, word);
        emit TasksRefunded(dealId, first, first + count - 1, closed);
        _pay(terms, tally);
    }

    /// @inheritdoc IDeals
    function closeFor(DealTerms calldata agreed, uint32 first, Tally calldata tally) external {
        DealTerms memory terms = TypedHash.load(agreed);
        (bytes32 dealId, DealWord word) = _known(terms);
        address module = _modules[terms.mode];
        if (msg.sender != module) revert NotModule(msg.sender, module);
        word = _close(dealId, word, first, Settlement.count(tally));
        _store(dealId, word);
        emit TasksClosed(dealId, first, tally);
        _pay(terms, tally);
    }

    /// @inheritdoc IDeals
    function deal(bytes32 dealId) external view returns (DealProgress memory) {
        DealWord word = _deals[dealId];
        // casting to 'uint32' is safe because a volume has 24 bits
        // forge-lint: disable-start(unsafe-typecast)
        return DealProgress({
            volume: uint32(word.volume()),
            closed: uint32(word.closed()),
            started: word.has(DealWordLibrary.STARTED),
            whole: word.has(DealWordLibrary.WHOLE),
            termsHash: word.termsHash()
        });
        // forge-lint: disable-end(unsafe-typecast)
    }

    /// @inheritdoc IDeals
    function isOpen(bytes32 dealId, uint32 index) external view returns (bool) {
        return Ranges.isOpen(_closedBits[dealId], _deals[dealId], index);
    }

    /// @inheritdoc IDeals
    function moduleOf(uint8 mode) external view returns (address) {
        return _modules[mode];
    }

    /// @dev A module is never replaced: deals of its mode depend on it.
    function _setModule(uint8 mode, address module) internal {
        address current = _modules[mode];
        if (current != address(0)) revert ModuleFixed(mode, current);
        _modules[mode] = module;
        emit ModuleSet(mode, module);
    }

    /// @dev The last steps of a task whose deal is closed for it. The callback comes last: whatever it calls finds
    /// everything settled.
    function _settleTask(
        DealTerms memory terms,
        bytes32 dealId,
        Outcome calldata outcome,
        bytes32 r,
        bytes32 vs,
        Tally memory tally,
        Effects[] calldata effects
    ) internal {
        _checkCid(outcome.output, outcome.outputCid, outcome.outputCodec);
        if (effects.length > 1) revert TooManyEffects(effects.length);
        address enclave = _enclave(TypedHash.hash(terms.workHash, dealId, outcome, effects), r, vs);
        _emitSettled(dealId, enclave, outcome);
        _pay(terms, tally);
        if (effects.length != 0) _finish(terms, dealId, outcome, effects[0]);
    }

    /// @dev emit TaskSettled(dealId, enclave, outcome, r, vs), without taking apart what lies in calldata in
    /// the event's order: every caller's `r` and `vs` follow the outcome.
    function _emitSettled(bytes32 dealId, address enclave, Outcome calldata outcome) private {
        bytes32 topic = TaskSettled.selector;
        assembly ("memory-safe") {
            let data := mload(0x40)
            calldatacopy(data, outcome, 0x120)
            log3(data, 0x120, topic, dealId, enclave)
        }
    }

    /// @dev Pays everybody for tasks that came to an end.
    function _pay(DealTerms memory terms, Tally memory tally) internal {
        Payout memory payout = Settlement.payout(terms, tally);
        if (payout.pool != 0) _reward(terms.poolOwner, payout.pool, payout.stake);
        _give(terms.appOwner, payout.app);
        if (tally.paid != 0) {
            for (uint256 i = 0; i < terms.datasets.length; ++i) {
                uint256 price = terms.datasets[i].price;
                _give(terms.datasets[i].owner, (price - Settlement.fee(price, terms.feeBps)) * tally.paid);
            }
        }
        _give(feeRecipient, payout.fee);
        _give(terms.payer, payout.refund);
        if (tally.slashed != 0) _slash(terms.poolOwner, payout.kitty);
    }

    /// @dev Reverts unless the caller is the pool's owner or an operator of that owner.
    function _checkOperator(address poolOwner) internal view {
        if (msg.sender == poolOwner) return;
        if (!_operators[poolOwner][msg.sender]) revert NotPoolOperator(msg.sender, poolOwner);
    }

    /// @dev Forgets a finished deal: whoever made its record paid for the storage of it, and gets a part of that back.
    function _store(bytes32 dealId, DealWord word) private {
        bool forget = word.isFinished() && word.has(DealWordLibrary.WHOLE);
        _deals[dealId] = forget ? DealWord.wrap(0) : word;
    }

    function _close(bytes32 dealId, DealWord word, uint256 first, uint256 count) private returns (DealWord) {
        return Ranges.close(_closedBits[dealId], dealId, word, first, count);
    }

    function _finish(DealTerms memory terms, bytes32 dealId, Outcome calldata outcome, Effects calldata effects)
        private
    {
        bytes32 hash = effects.callbackHash;
        emit TaskEffects(dealId, outcome.index, hash, effects.stateBefore, effects.stateAfter, effects.deltaIndex);
        if (terms.callback == address(0) || outcome.status != Status.SUCCESS || hash == 0) return;
        bytes32 given = keccak256(effects.callbackData);
        if (given != hash) revert CallbackMismatch(hash, given);
        bytes32 taskId = TypedHash.id(dealId, outcome.index);
        bytes memory message = abi.encodeCall(IOracleConsumer.receiveResult, (taskId, effects.callbackData));
        _callBack(terms.callback, terms.callbackGas, dealId, outcome.index, message);
    }

    function _callBack(address target, uint256 limit, bytes32 dealId, uint32 index, bytes memory message) private {
        // A call gets at most 63/64 of the gas (EIP-150).
        uint256 needed = limit + limit / 63 + GAS_AFTER_CALLBACK;
        if (gasleft() < needed) revert CallbackGasMissing(gasleft(), needed);
        bool success;
        // What the target returns is not copied: it could be long.
        assembly ("memory-safe") {
            success := call(limit, target, 0, add(message, 0x20), mload(message), 0, 0)
        }
        emit CallbackCalled(dealId, index, target, success);
    }

    function _known(DealTerms memory terms) private view returns (bytes32 dealId, DealWord word) {
        dealId = TypedHash.id(terms.requestHash, terms.firstTask);
        word = _deals[dealId];
        if (word.volume() == 0) revert DealUnknown(dealId);
        bytes24 given = bytes24(TypedHash.hash(terms));
        if (given != word.termsHash()) revert TermsMismatch(dealId, word.termsHash(), given);
    }

    /// @dev What every action of a pool on a deal that the Market itself settles needs.
    function _checkSettlement(DealTerms memory terms, bytes32 dealId) private view {
        if (terms.mode != MODE_TEE) revert WrongMode(terms.mode);
        uint256 deadline = uint256(terms.startedAt) + Params.TASK_DEADLINE_S;
        if (block.timestamp > deadline) revert DeadlinePassed(dealId, deadline);
        _checkOperator(terms.poolOwner);
    }

    function _deadline(DealTerms memory terms, DealWord word) private pure returns (uint256) {
        if (terms.mode != MODE_TEE) return uint256(terms.startedAt) + Params.DEAL_LIFETIME_S;
        bool started = word.has(DealWordLibrary.STARTED);
        return uint256(terms.startedAt) + (started ? Params.TASK_DEADLINE_S : Params.START_WINDOW_S);
    }

    function _checkCid(bytes32 content, bytes32 cid, uint8 codec) private pure {
        bool good = content == 0 ? cid == 0 && codec == 0 : cid != 0 && (codec == CODEC_RAW || codec == CODEC_DAG_PB);
        if (!good) revert BadOutputCid(content, cid, codec);
    }

    function _enclave(bytes32 structHash, bytes32 r, bytes32 vs) private view returns (address enclave) {
        enclave = ECDSA.tryRecover(TypedHash.digest(domainSeparator(), structHash), r, vs);
        if (enclave == address(0) || !IAttestations(attestations).isGranted(enclave)) {
            revert EnclaveNotGranted(enclave);
        }
    }
}
