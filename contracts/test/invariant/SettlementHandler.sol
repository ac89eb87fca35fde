// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../src/generated/Params.sol";
import { Batch, DealTerms, Effects, Outcome, Tally, Work } from "../../src/types/Deals.sol";
import { vm } from "../utils/Vm.sol";
import { OrderHandler } from "./OrderHandler.sol";

// Numbers are drawn from the bits of seeds, or counted in tests.
// forge-lint: disable-start(unsafe-typecast)

/// @dev What people do with deals of mode 0.
abstract contract SettlementHandler is OrderHandler {
    /// @dev Mostly the latest deals.
    function _pick(uint256 which) internal view returns (uint256) {
        uint256 recent = which % 4 == 0 ? _opened.length : 6;
        if (recent > _opened.length) recent = _opened.length;
        return _opened.length - 1 - (which >> 2) % recent;
    }

    /// @dev Mostly a deal with open tasks that a receipt (or else a claim) can close now.
    function _pickOpen(uint256 which, bool settleable) private view returns (uint256) {
        if (which % 8 == 0) return _pick(which >> 3);
        uint256 length = _opened.length;
        uint256 start_ = (which >> 3) % length;
        for (uint256 i = 0; i < length; ++i) {
            uint256 place = (start_ + i) % length;
            Opened storage deal = _opened[place];
            bool fits = settleable ? _settleable(deal) : block.timestamp > _deadline(deal);
            if (deal.closed < deal.volume && fits) return place;
        }
        return start_;
    }

    /// @dev Mostly the first task from there on that is open.
    function _pickTask(Opened storage deal, uint32 index, bool any) private view returns (uint32) {
        for (uint32 i = 0; i < deal.volume && !any; ++i) {
            uint32 next = (index % deal.volume + i) % deal.volume;
            if (!_isClosed[deal.id][next]) return next;
        }
        return index % deal.volume;
    }

    function _settleable(Opened storage deal) private view returns (bool) {
        return
            deal.terms.mode == 0 && !_isForgotten(deal)
                && block.timestamp <= deal.terms.startedAt + Params.TASK_DEADLINE_S;
    }

    function settle(uint256 which, uint32 index, uint16 status, uint256 odd) external {
        if (_opened.length == 0) return;
        which = _mix(which);
        odd = _mix(odd);
        uint256 place = _pickOpen(which, true);
        Opened storage deal = _opened[place];
        index = odd % 16 == 0 ? deal.volume + index % 8 : _pickTask(deal, index, odd % 16 == 1);
        _grantIf(odd >> 8 & 7 != 0);
        address sender = odd >> 16 & 15 == 0 ? _stranger : _provider;
        Outcome memory outcome = _outcome(index, _status(status));
        bytes memory call = _settleCall(deal.terms, deal.policy, outcome);
        bool possible = _settleable(deal) && _allOpen(deal, index, 1) && sender == deal.terms.poolOwner && _isGranted();
        _do(possible, sender, address(market), call, "a settlement");
        if (!possible) return;
        uint256[4] memory ends;
        ends[uint256(_endOf(outcome.status))] = 1;
        _modelEnd(place, index, ends);
        _do(false, sender, address(market), call, "a second settlement");
    }

    function _settleCall(DealTerms memory terms, bytes32 policy, Outcome memory outcome)
        private
        view
        returns (bytes memory)
    {
        Effects[] memory none = new Effects[](0);
        (bytes32 r, bytes32 vs) = _receiptSignature(_dealId(terms), policy, outcome);
        return abi.encodeCall(market.settle, (terms, outcome, r, vs, none));
    }

    function settleBatch(uint256 which, uint32 first, uint256 tasks, uint256 odd) external {
        if (_opened.length == 0) return;
        which = _mix(which);
        tasks = _mix(tasks);
        odd = _mix(odd);
        uint256 place = _pickOpen(which, true);
        Opened storage deal = _opened[place];
        first = _pickTask(deal, first, odd % 8 == 0);
        Tally memory tally = _tally(deal.volume - (first < deal.volume ? first : 0), tasks, odd >> 24);
        _grantIf(odd >> 8 & 7 != 0);
        address sender = odd >> 16 & 15 == 0 ? _stranger : _provider;
        uint256[4] memory ends = [uint256(tally.paid), tally.poolOnly, tally.refunded, tally.slashed];
        uint256 count = ends[0] + ends[1] + ends[2] + ends[3];
        bool possible =
            _settleable(deal) && _allOpen(deal, first, count) && sender == deal.terms.poolOwner && _isGranted();
        bytes memory call = _batchCall(deal, first, tally);
        _do(possible, sender, address(batches), call, "a batch");
        if (!possible) return;
        _modelEnd(place, first, ends);
        _do(false, sender, address(batches), call, "a second batch");
    }

    /// @dev Some of the tasks, in four parts; now and then more than there are, or none.
    function _tally(uint256 left, uint256 seed, uint256 odd) private pure returns (Tally memory) {
        uint256 count = odd % 16 == 0 ? left + 1 : odd % 16 == 1 ? 0 : seed % (odd % 16 < 8 ? 4 : left) % left + 1;
        if (odd % 16 > 12) count = left;
        uint256[3] memory cuts;
        uint256 rest = count;
        for (uint256 i = 0; i < 3; ++i) {
            cuts[i] = (seed >> (64 * (i + 1))) % (rest + 1);
            rest -= cuts[i];
        }
        return Tally(uint32(rest), uint32(cuts[0]), uint32(cuts[1]), uint32(cuts[2]));
    }

    function _batchCall(Opened storage deal, uint32 first, Tally memory tally) private view returns (bytes memory) {
        bytes32 root = keccak256(abi.encode(deal.id, first));
        Batch memory batch = Batch(Work(appId, CODE, deal.policy, INPUT), deal.id, first, tally, root);
        (bytes32 r, bytes32 vs) = _compact(_enclave, hasher.batch(batch));
        return abi.encodeCall(batches.settleBatch, (deal.terms, first, tally, root, root, 0x55, r, vs));
    }

    function start(uint256 which, bool byPool) external {
        if (_opened.length == 0) return;
        which = _mix(which);
        Opened storage deal = _opened[_pickOpen(which, true)];
        address sender = byPool ? deal.terms.poolOwner : _stranger;
        bool possible = byPool && _settleable(deal);
        _do(possible, sender, address(market), abi.encodeCall(market.start, (deal.terms)), "a start");
        if (possible) deal.started = true;
    }

    function claim(uint256 which, uint32 first, uint32 count) external {
        if (_opened.length == 0) return;
        which = _mix(which);
        uint256 place = _pickOpen(which, false);
        Opened storage deal = _opened[place];
        first %= deal.volume;
        count = count % 8 == 0 ? count % 64 : count % (deal.volume - first) + 1;
        _claim(place, first, count);
    }

    function _claim(uint256 place, uint32 first, uint32 count) private {
        Opened storage deal = _opened[place];
        bool inside = count != 0 && first < deal.volume && count <= deal.volume - first;
        uint256 open = inside ? _countOpen(deal, first, count) : 0;
        bool possible = !_isForgotten(deal) && block.timestamp > _deadline(deal) && open != 0;
        bytes memory call = abi.encodeCall(market.claim, (deal.terms, first, count));
        _do(possible, _stranger, address(market), call, "a claim");
        if (!possible) return;
        uint256[4] memory one;
        one[uint256(_endOfClaim(deal))] = 1;
        for (uint256 i = first; i < uint256(first) + count; ++i) {
            if (!_isClosed[deal.id][i]) _modelEnd(place, i, one);
        }
        vm.assertEq(_countOpen(deal, first, count), 0, "all of the range is closed");
    }

    function _countOpen(Opened storage deal, uint256 first, uint256 count) private view returns (uint256 open) {
        for (uint256 i = first; i < first + count; ++i) {
            if (!_isClosed[deal.id][i]) ++open;
        }
    }

    /// @dev A pool answers only for what it started.
    function _endOfClaim(Opened storage deal) private view returns (End) {
        return deal.terms.mode == 0 && deal.started ? End.Slashed : End.Refunded;
    }

    /// @dev After the last deadline nothing keeps the rest of a deal from its owners.
    function finishClaims() external {
        for (uint256 i = 0; i < _opened.length; ++i) {
            Opened storage deal = _opened[i];
            if (deal.closed < deal.volume) _claim(i, 0, deal.volume);
            vm.assertEq(deal.closed, deal.volume, "the whole deal is closed");
        }
    }

    /// @dev Terms that differ in one word name no deal that anything can be done with, and only modules close tasks.
    function tamper(uint256 which, uint256 field, uint256 difference) external {
        if (_opened.length == 0) return;
        which = _mix(which);
        DealTerms memory terms = _opened[_pick(which)].terms;
        uint32 volume = _opened[_pick(which)].volume;
        field %= 15;
        address payer = terms.payer;
        if (field != 14) _change(terms, field, difference);
        address module = field == 14 ? payer : market.moduleOf(terms.mode);
        bytes memory call = abi.encodeCall(market.closeFor, (terms, 0, Tally(volume, 0, 0, 0)));
        _do(false, module, address(market), call, "closing by a module");
        if (field == 14) return;
        _do(false, payer, address(market), abi.encodeCall(market.claim, (terms, 0, volume)), "a claim by other terms");
        _do(false, terms.poolOwner, address(market), abi.encodeCall(market.start, (terms)), "a start by other terms");
        call = abi.encodeCall(channels.startClosing, (terms));
        _do(false, terms.payer, address(channels), call, "the start of a dispute by other terms");
        _do(
            false, terms.poolOwner, address(channels), abi.encodeCall(channels.close, (terms)), "closing by other terms"
        );
    }

    function _change(DealTerms memory terms, uint256 field, uint256 difference) private pure {
        uint8[14] memory bits = [255, 32, 255, 160, 160, 160, 96, 96, 96, 16, 8, 64, 160, 32];
        difference = difference % (2 ** bits[field]);
        if (difference == 0) difference = 1;
        assembly ("memory-safe") {
            let place := add(terms, shl(5, field))
            mstore(place, xor(mload(place), difference))
        }
    }
}

// forge-lint: disable-end(unsafe-typecast)
