// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../src/generated/Params.sol";
import { DealTerms, Effects, Outcome, Receipt } from "../../src/types/Deals.sol";
import { DatasetOrder, Orders, RequestOrder } from "../../src/types/Orders.sol";
import { Grant } from "../../src/types/Statements.sol";
import { Bundle } from "../utils/Fixture.sol";
import { vm } from "../utils/Vm.sol";
import { MoneyHandler } from "./MoneyHandler.sol";

// Numbers are drawn from the bits of seeds, or counted in tests.
// forge-lint: disable-start(unsafe-typecast)

/// @dev What people do with orders, apps and enclave keys.
abstract contract OrderHandler is MoneyHandler {
    /// @dev A request that has volume left, or had.
    RequestOrder private _pending;
    uint256 private _pendingUsed;
    uint256 private _counter;
    bool private _strangerOwnsApp;
    bytes32 private _policyNow = POLICY;
    bytes32 private _policyNext;
    uint256 private _effectiveAt;
    uint256 internal _enclave = 0xE100;
    uint256 private _grantedUntil;
    bool private _revoked;

    /// @dev Everything that one seed decides about orders.
    function _draw(uint256 seed) private returns (Bundle memory bundle) {
        seed = _mix(seed);
        bundle = seed % 3 == 0 ? _withDatasets(_bundle()) : _bundle();
        seed >>= 8;
        bundle.app.price = uint96(uint8(seed)) * 3;
        bundle.pool.price = uint16(seed >> 8);
        bundle.pool.stake = uint16(seed >> 24) % 3 == 0 ? 0 : uint16(seed >> 24);
        bundle.request.volume = _volume(seed >> 40);
        bundle.app.volume = uint8(seed >> 64) < 160 ? type(uint32).max : uint32(uint8(seed >> 72)) + 1;
        bundle.pool.volume = uint8(seed >> 80) < 200 ? type(uint32).max : uint32(uint8(seed >> 88)) + 1;
        bundle.request.mode = uint8(seed >> 96) % 4 == 0 ? 5 : 0;
        if (uint8(seed >> 104) % 4 == 0) bundle.request.sponsor = _stranger;
        bundle.request.appMaxPrice = bundle.app.price;
        bundle.request.poolMaxPrice = bundle.pool.price;
        bundle.request.nonce = _purses[_requester].nonce;
        bundle.request.policyHash = _policy();
        bundle.request.salt = bytes32(++_counter);
        bundle.request.expiry = uint64(block.timestamp + 1 days);
        _renewOffers(bundle);
    }

    function _volume(uint256 seed) private pure returns (uint32) {
        uint256 kind = seed % 16;
        seed = (seed >> 4) % 16;
        if (kind < 8) return uint32(seed % 5 + 1);
        if (kind < 13) return uint32(seed + 25);
        return kind < 15 ? uint32(seed + 40) : uint32(seed + 250);
    }

    /// @dev New offers, valid now, for a request that may be old.
    function _renewOffers(Bundle memory bundle) private {
        bytes32 salt = bytes32(++_counter);
        uint64 expiry = uint64(block.timestamp);
        (bundle.app.salt, bundle.app.expiry, bundle.app.nonce) = (salt, expiry, _purses[_developer()].nonce);
        bundle.pool.modes = 0x21;
        (bundle.pool.salt, bundle.pool.expiry) = (salt, expiry);
        bundle.pool.nonce = _purses[_provider].nonce;
        for (uint256 i = 0; i < bundle.datasets.length; ++i) {
            DatasetOrder memory order = bundle.datasets[i];
            (order.salt, order.expiry, order.nonce) = (salt, expiry, _purses[_dataOwner].nonce);
        }
    }

    function _developerKey() private view returns (uint256) {
        return _strangerOwnsApp ? STRANGER : DEVELOPER;
    }

    function _developer() private view returns (address) {
        return _strangerOwnsApp ? _stranger : _author;
    }

    function _policy() private view returns (bytes32) {
        return _effectiveAt != 0 && _effectiveAt <= block.timestamp ? _policyNext : _policyNow;
    }

    function _signed(Bundle memory bundle) private view returns (Orders memory orders) {
        orders = _orders(bundle);
        orders.appSignature = _sign(_developerKey(), hasher.appOrder(bundle.app));
    }

    function _agreed(Bundle memory bundle, uint256 used) private view returns (DealTerms memory terms) {
        terms = _terms(bundle, uint32(used));
        terms.appOwner = _developer();
        terms.feeBps = market.fee();
    }

    function matchOrders(uint256 seed, uint8 bySponsor) external {
        Bundle memory bundle = _draw(seed);
        _match(bundle, 0, bySponsor % 4 == 0 || _approve(bundle.request, bySponsor % 4 == 1), bySponsor % 4 == 0);
    }

    /// @dev The sponsor approves on chain; says whether it has.
    function _approve(RequestOrder memory request, bool wanted) private returns (bool) {
        if (request.sponsor == address(0)) return true;
        if (!wanted) return false;
        bytes memory call = abi.encodeCall(market.approveOrder, (hasher.requestOrder(request)));
        _do(true, request.sponsor, address(market), call, "an approval");
        return true;
    }

    /// @dev More tasks of a request that has been matched in part; refused when nothing is left.
    function matchRest(uint256 seed, bool bySponsor) external {
        if (_pending.volume == 0) return;
        Bundle memory bundle = _draw(seed);
        RequestOrder memory request = _pending;
        (bundle.app.price, bundle.pool.price) = (request.appMaxPrice, request.poolMaxPrice);
        if (bundle.datasets.length != request.datasets.length) {
            bundle.datasets = request.datasets.length == 0 ? new DatasetOrder[](0) : _withDatasets(_bundle()).datasets;
        }
        bundle.request = request;
        _renewOffers(bundle);
        _match(bundle, _pendingUsed, bySponsor || _isApproved(request), bySponsor);
    }

    function _isApproved(RequestOrder memory request) private view returns (bool approved) {
        if (request.sponsor == address(0)) return true;
        (,, approved) = market.orderState(request.sponsor, hasher.requestOrder(request));
    }

    function _match(Bundle memory bundle, uint256 used, bool sponsored, bool bySponsor) private {
        RequestOrder memory request = bundle.request;
        uint256 volume = used < request.volume ? request.volume - used : 0;
        volume = _least(_least(volume, bundle.app.volume), bundle.pool.volume);
        for (uint256 i = 0; i < bundle.datasets.length; ++i) {
            volume = _least(volume, bundle.datasets[i].volume);
        }
        DealTerms memory terms = _agreed(bundle, used);
        bool possible = volume != 0 && _isValid(request) && sponsored && _covers(terms.payer, _price(terms) * volume)
            && _covers(terms.poolOwner, uint256(terms.stake) * volume);
        address sender = bySponsor ? _stranger : _author;
        bytes memory call = abi.encodeCall(market.matchOrders, (_signed(bundle)));
        _do(possible, sender, address(market), call, "a match");
        if (!possible) return;
        Opened memory deal;
        (deal.id, deal.salt, deal.policy, deal.terms) = (_dealId(terms), request.salt, request.policyHash, terms);
        deal.volume = uint32(volume);
        deal.whole = volume == request.volume;
        _modelOpen(deal);
        vm.assertEq(market.deal(deal.id).volume, volume, "volume of the deal");
        _pending = request;
        _pendingUsed = used + volume;
    }

    function _isValid(RequestOrder memory request) private view returns (bool) {
        return !_isUsed[request.salt] && block.timestamp <= request.expiry
            && request.nonce >= _purses[request.requester].nonce && request.policyHash == _policy();
    }

    function _least(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }

    /// @dev One transaction; then the same again, which must fail.
    function execute(uint256 seed, uint16 status, bool oldSalt) external {
        seed = _mix(seed);
        Bundle memory bundle = _draw(seed);
        (bundle.request.volume, bundle.request.mode) = (1, 0);
        if (oldSalt && _usedSalts.length != 0) bundle.request.salt = _usedSalts[seed % _usedSalts.length];
        DealTerms memory terms = _agreed(bundle, 0);
        terms.stake = 0;
        _grantIf(seed >> 128 & 3 != 0);
        Outcome memory outcome = _outcome(0, _status(status));
        bytes memory call = _executeCall(bundle, outcome);
        bool possible = _isValid(bundle.request) && _covers(terms.payer, _price(terms)) && _isGranted()
            && _approve(bundle.request, seed >> 136 & 3 != 0);
        _do(possible, _provider, address(market), call, "an execution");
        if (!possible) return;
        _modelTake(terms.payer, _price(terms));
        uint256[4] memory ends;
        ends[uint256(_endOf(outcome.status))] = 1;
        _modelPay(terms, ends);
        _modelUse(bundle.request.salt);
        _do(false, _provider, address(market), call, "a second execution");
        bytes memory again = abi.encodeCall(market.matchOrders, (_signed(bundle)));
        _do(false, _provider, address(market), again, "a match after an execution");
    }

    /// @dev Every row of the status table, and one that is in no row.
    function _status(uint16 seed) internal pure returns (uint16) {
        seed %= 22;
        return seed < 10 ? seed : seed + 90;
    }

    function _executeCall(Bundle memory bundle, Outcome memory outcome) private view returns (bytes memory) {
        bytes32 dealId = keccak256(abi.encode(hasher.requestOrder(bundle.request), uint256(0)));
        Effects[] memory none = new Effects[](0);
        (bytes32 r, bytes32 vs) = _receiptSignature(dealId, bundle.request.policyHash, outcome);
        return abi.encodeCall(market.execute, (_signed(bundle), outcome, r, vs, none));
    }

    function _receiptSignature(bytes32 dealId, bytes32 policy, Outcome memory outcome)
        internal
        view
        returns (bytes32, bytes32)
    {
        Receipt memory receipt = _receipt(dealId, outcome, new Effects[](0));
        receipt.work.policyHash = policy;
        return _compact(_enclave, hasher.receipt(receipt));
    }

    function cancelRest(bool everything) external {
        if (_pending.volume == 0) return;
        address owner = _requester;
        if (everything) {
            _do(true, owner, address(market), abi.encodeCall(market.raiseNonce, ()), "a new nonce");
            ++_purses[owner].nonce;
        } else {
            _do(true, owner, address(market), abi.encodeCall(market.cancelRequest, (_pending.salt)), "a cancellation");
            _modelUse(_pending.salt);
        }
    }

    /// @dev An offer that was canceled, or whose signer raised the nonce, makes no deal.
    function cancelOffer(uint256 seed, bool byNonce) external {
        seed = _mix(seed);
        Bundle memory bundle = _draw(seed);
        bundle.request.sponsor = address(0);
        address owner = seed % 2 == 0 ? _developer() : _provider;
        bytes32 hash = seed % 2 == 0 ? hasher.appOrder(bundle.app) : hasher.poolOrder(bundle.pool);
        bytes memory call = byNonce ? abi.encodeCall(market.raiseNonce, ()) : abi.encodeCall(market.cancelOffer, (hash));
        _do(true, owner, address(market), call, "a cancellation");
        if (byNonce) ++_purses[owner].nonce;
        call = abi.encodeCall(market.matchOrders, (_signed(bundle)));
        _do(false, owner, address(market), call, "a match of a canceled offer");
    }

    function transferApp() external {
        address to = _strangerOwnsApp ? _author : _stranger;
        bytes memory call = abi.encodeCall(registry.transferFrom, (_developer(), to, uint256(appId)));
        _do(true, _developer(), address(registry), call, "a transfer of an app");
        _strangerOwnsApp = !_strangerOwnsApp;
    }

    function updateApp(bytes32 policy, bool withdrawn) external {
        bytes32 current = _policy();
        bool announced = _effectiveAt > block.timestamp;
        bytes memory call = withdrawn
            ? abi.encodeCall(registry.withdrawUpdate, (appId))
            : abi.encodeCall(registry.announceUpdate, (appId, policy, CODE, policy));
        bool possible = !withdrawn || announced;
        _do(possible, _developer(), address(registry), call, "an update");
        if (!possible) return;
        _policyNow = current;
        (_policyNext, _effectiveAt) =
            withdrawn ? (bytes32(0), 0) : (policy, block.timestamp + Params.APP_UPDATE_DELAY_S);
        (, bytes32 found) = registry.appPolicy(appId);
        vm.assertEq(found, current, "nothing changes before its time");
    }

    function revoke(uint256 kind) external {
        Grant memory statement = _statement();
        kind %= 3;
        bytes memory call = kind == 0
            ? abi.encodeCall(attestations.revokeKey, (statement.enclave))
            : kind == 1
                ? abi.encodeCall(attestations.revokeMeasurement, (statement.measurement))
                : abi.encodeCall(attestations.revokeHardware, (statement.hardwareId));
        _do(true, GOVERNOR, address(attestations), call, "a revocation");
        _revoked = true;
    }

    function _isGranted() internal view returns (bool granted) {
        granted = !_revoked && block.timestamp < _grantedUntil;
        vm.assertTrue(attestations.isGranted(vm.addr(_enclave)) == granted);
    }

    /// @dev Gives the enclave a grant, as a new one if the present one is revoked.
    function _grantIf(bool wanted) internal {
        if (!wanted || _isGranted()) return;
        if (_revoked) ++_enclave;
        _revoked = false;
        Grant memory statement = _statement();
        _grantedUntil = statement.expiry;
        attestations.register(statement, _grantSignatures(statement));
    }

    function _statement() private view returns (Grant memory statement) {
        statement = _grantOf(vm.addr(_enclave));
        statement.measurement = keccak256(abi.encode("measurement", _enclave));
        statement.hardwareId = keccak256(abi.encode("hardware", _enclave));
    }
}

// forge-lint: disable-end(unsafe-typecast)
