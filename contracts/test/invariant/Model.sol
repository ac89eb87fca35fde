// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../src/generated/Params.sol";
import { DealProgress, DealTerms } from "../../src/types/Deals.sol";
import { Account } from "../../src/types/Records.sol";
import { Fixture } from "../utils/Fixture.sol";
import { vm } from "../utils/Vm.sol";

// Numbers are drawn from the bits of seeds, or counted in tests.
// forge-lint: disable-start(unsafe-typecast)

/// @dev A second, simple implementation of what the Market does with money and tasks: no packing, no sums of products,
/// one task after the other. The handlers do everything twice and compare.
abstract contract Model is Fixture {
    struct Purse {
        uint256 available;
        uint256 withdrawing;
        uint256 withdrawableAt;
        uint256 merit;
        uint64 nonce;
    }

    struct Opened {
        bytes32 id;
        bytes32 salt;
        bytes32 policy;
        DealTerms terms;
        uint32 volume;
        uint32 closed;
        bool whole;
        bool started;
        uint256 closableAt;
    }

    /// @dev What a task's end means for money.
    enum End {
        Paid,
        PoolOnly,
        Refunded,
        Slashed
    }

    uint256 internal constant PARTIES = 6;
    /// @dev Tasks of one deal that are looked at after every call.
    uint256 private constant GLANCE = 4;

    /// @dev Kept because every address of a key costs a multiplication on the curve.
    address internal _requester = vm.addr(REQUESTER);
    /// @dev Also the sponsor, and at times the owner of the app.
    address internal _stranger = vm.addr(STRANGER);
    address internal _provider = vm.addr(POOL_OWNER);
    address internal _author = vm.addr(DEVELOPER);
    address internal _dataOwner = vm.addr(DATA_OWNER);
    address[PARTIES] private _parties = [_requester, _stranger, _provider, _author, _dataOwner, FEES];
    mapping(address owner => Purse) internal _purses;
    uint256 internal _pot;
    /// @dev Price and stakes of all open tasks.
    uint256 internal _open;
    uint256 internal _deposited;
    Opened[] internal _opened;
    mapping(bytes32 dealId => mapping(uint256 index => bool)) internal _isClosed;
    bytes32[] internal _usedSalts;
    mapping(bytes32 salt => bool) internal _isUsed;
    /// @dev Where the checks that take turns are.
    uint256 private _turn;
    uint256 private _mixed;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < 3; ++i) {
            _fund(_party(i), 50_000_000_000);
        }
        for (uint256 i = 0; i < PARTIES; ++i) {
            Account memory account = market.account(_party(i));
            _purses[_party(i)].available = account.available;
            _deposited += account.available;
        }
    }

    function _party(uint256 which) internal view returns (address) {
        return _parties[which % PARTIES];
    }

    /// @dev Fuzzers like small numbers and repeat them; decisions that many bits make need all of them.
    function _mix(uint256 seed) internal returns (uint256) {
        return uint256(keccak256(abi.encode(seed, ++_mixed)));
    }

    /// @dev Calls as somebody; what happens must be what the model says.
    function _do(bool expected, address sender, address target, bytes memory data, string memory what) internal {
        vm.prank(sender);
        (bool done,) = target.call(data);
        if (done != expected) revert(string.concat(what, expected ? " must be possible" : " must be refused"));
    }

    function _covers(address owner, uint256 amount) internal view returns (bool) {
        return _purses[owner].available + _purses[owner].withdrawing >= amount;
    }

    function _modelTake(address owner, uint256 amount) internal {
        Purse storage purse = _purses[owner];
        uint256 first = amount < purse.available ? amount : purse.available;
        purse.available -= first;
        purse.withdrawing -= amount - first;
    }

    function _modelOpen(Opened memory deal) internal {
        uint256 price = _price(deal.terms);
        _modelTake(deal.terms.payer, price * deal.volume);
        _modelTake(deal.terms.poolOwner, uint256(deal.terms.stake) * deal.volume);
        _open += (price + deal.terms.stake) * deal.volume;
        _store(deal);
        if (deal.whole) _modelUse(deal.salt);
    }

    /// @dev Field by field: without the IR pipeline nested arrays cannot be copied into storage.
    function _store(Opened memory deal) private {
        Opened storage place = _opened.push();
        (place.id, place.salt, place.policy) = (deal.id, deal.salt, deal.policy);
        (place.volume, place.whole) = (deal.volume, deal.whole);
        DealTerms memory from = deal.terms;
        DealTerms storage to = place.terms;
        (to.requestHash, to.firstTask, to.workHash) = (from.requestHash, from.firstTask, from.workHash);
        (to.payer, to.appOwner, to.poolOwner) = (from.payer, from.appOwner, from.poolOwner);
        (to.appPrice, to.poolPrice, to.stake, to.feeBps) = (from.appPrice, from.poolPrice, from.stake, from.feeBps);
        (to.mode, to.startedAt) = (from.mode, from.startedAt);
        (to.callback, to.callbackGas) = (from.callback, from.callbackGas);
        for (uint256 i = 0; i < from.datasets.length; ++i) {
            to.datasets.push(from.datasets[i]);
        }
    }

    function _modelUse(bytes32 salt) internal {
        if (!_isUsed[salt]) _usedSalts.push(salt);
        _isUsed[salt] = true;
    }

    /// @dev Ends open tasks one after the other.
    function _modelEnd(uint256 which, uint256 first, uint256[4] memory ends) internal {
        Opened storage deal = _opened[which];
        uint256 index = first;
        for (uint256 end = 0; end < 4; ++end) {
            for (uint256 i = 0; i < ends[end]; ++i) {
                vm.assertFalse(_isClosed[deal.id][index]);
                _isClosed[deal.id][index++] = true;
            }
        }
        _modelPay(deal.terms, ends);
        uint256 count = index - first;
        deal.closed += uint32(count);
        _open -= (_price(deal.terms) + deal.terms.stake) * count;
    }

    function _modelPay(DealTerms memory terms, uint256[4] memory ends) internal {
        for (uint256 end = 0; end < 4; ++end) {
            for (uint256 i = 0; i < ends[end]; ++i) {
                _payOne(terms, End(end));
            }
        }
        if (ends[3] != 0) _purses[terms.poolOwner].merit = 0;
    }

    function _payOne(DealTerms memory terms, End end) private {
        bool worked = end == End.Paid || end == End.PoolOnly;
        _pay(worked ? terms.poolOwner : terms.payer, terms.poolPrice, worked ? terms.feeBps : 0);
        bool paid = end == End.Paid;
        _pay(paid ? terms.appOwner : terms.payer, terms.appPrice, paid ? terms.feeBps : 0);
        for (uint256 i = 0; i < terms.datasets.length; ++i) {
            _pay(paid ? terms.datasets[i].owner : terms.payer, terms.datasets[i].price, paid ? terms.feeBps : 0);
        }
        if (end == End.Slashed) _pot += terms.stake;
        else _purses[terms.poolOwner].available += terms.stake;
        if (worked) _purses[terms.poolOwner].merit += terms.stake;
    }

    function _pay(address owner, uint256 amount, uint256 bps) private {
        uint256 cut = amount * bps / 10_000;
        _purses[owner].available += amount - cut;
        _purses[FEES].available += cut;
    }

    function _price(DealTerms memory terms) internal pure returns (uint256 total) {
        total = uint256(terms.appPrice) + terms.poolPrice;
        for (uint256 i = 0; i < terms.datasets.length; ++i) {
            total += terms.datasets[i].price;
        }
    }

    /// @dev The status table, written down once more.
    function _endOf(uint16 status) internal pure returns (End) {
        if (status == 1 || status == 6 || status == 7) return End.Slashed;
        if (status == 3 || status == 5 || status == 107) return End.PoolOnly;
        bool paid = status == 0 || status == 4 || status == 8 || (status >= 100 && status <= 104) || status == 106
            || status == 108;
        return paid ? End.Paid : End.Refunded;
    }

    function _isForgotten(Opened storage deal) internal view returns (bool) {
        return deal.whole && deal.closed == deal.volume;
    }

    function _allOpen(Opened storage deal, uint256 first, uint256 count) internal view returns (bool) {
        if (count == 0 || first >= deal.volume || count > deal.volume - first) return false;
        for (uint256 i = first; i < first + count; ++i) {
            if (_isClosed[deal.id][i]) return false;
        }
        return true;
    }

    /// @dev Money, down to the last unit.
    function checkMoney() external view {
        uint256 total = _open + _pot;
        for (uint256 i = 0; i < PARTIES; ++i) {
            address owner = _party(i);
            Account memory account = market.account(owner);
            Purse storage purse = _purses[owner];
            vm.assertEq(account.available, purse.available, "available");
            vm.assertEq(account.withdrawing, purse.withdrawing, "withdrawing");
            vm.assertEq(account.merit, purse.merit, "merit");
            vm.assertEq(account.nonce, purse.nonce, "nonce");
            total += uint256(account.available) + account.withdrawing;
        }
        vm.assertEq(market.kitty(), _pot, "kitty");
        vm.assertEq(token.balanceOf(address(market)), total, "accounts, open tasks and kitty are the token balance");
        vm.assertEq(total, _deposited, "nothing comes from nowhere");
    }

    /// @dev One deal and one salt at each call, in turn.
    function checkNext() external {
        ++_turn;
        if (_opened.length != 0) {
            Opened storage deal = _opened[_turn % _opened.length];
            _checkProgress(deal);
            for (uint256 i = 0; i < GLANCE; ++i) {
                _checkTask(deal, (_turn * GLANCE + i) % deal.volume);
            }
        }
        if (_usedSalts.length != 0) {
            vm.assertTrue(market.isSaltUsed(_requester, _usedSalts[_turn % _usedSalts.length]));
        }
    }

    function checkAll() external view {
        for (uint256 i = 0; i < _opened.length; ++i) {
            _checkProgress(_opened[i]);
            for (uint256 task = 0; task < _opened[i].volume; ++task) {
                _checkTask(_opened[i], task);
            }
        }
        for (uint256 i = 0; i < _usedSalts.length; ++i) {
            vm.assertTrue(market.isSaltUsed(_requester, _usedSalts[i]));
        }
    }

    function _checkProgress(Opened storage deal) private view {
        DealProgress memory progress = market.deal(deal.id);
        if (_isForgotten(deal)) {
            vm.assertEq(keccak256(abi.encode(progress)), keccak256(new bytes(160)), "forgotten for ever");
            vm.assertTrue(_isUsed[deal.salt]);
        } else {
            vm.assertEq(progress.volume, deal.volume, "volume");
            vm.assertEq(progress.closed, deal.closed, "number of closed tasks");
            vm.assertTrue(progress.started == deal.started);
            vm.assertTrue(progress.whole == deal.whole);
        }
    }

    function _checkTask(Opened storage deal, uint256 index) private view {
        bool open = market.isOpen(deal.id, uint32(index));
        if (open == _isClosed[deal.id][index]) revert("which tasks are closed");
    }

    function _deadline(Opened storage deal) internal view returns (uint256) {
        if (deal.terms.mode != 0) return deal.terms.startedAt + Params.DEAL_LIFETIME_S;
        return deal.terms.startedAt + (deal.started ? Params.TASK_DEADLINE_S : Params.START_WINDOW_S);
    }
}

// forge-lint: disable-end(unsafe-typecast)
