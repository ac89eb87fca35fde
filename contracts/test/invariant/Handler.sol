// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../src/generated/Params.sol";
import { DealTerms, Receipt } from "../../src/types/Deals.sol";
import { Account } from "../../src/types/Records.sol";
import { Bundle, Fixture } from "../utils/Fixture.sol";
import { vm } from "../utils/Vm.sol";

/// @dev Does what parties do, in any order, and keeps count of it.
contract Handler is Fixture {
    struct Opened {
        bytes32 id;
        DealTerms terms;
    }

    Opened[] private _opened;
    /// @dev How often a task was closed successfully.
    mapping(bytes32 dealId => mapping(uint32 index => uint256)) public closings;
    /// @dev Price of all tasks that are not closed.
    uint256 public openPrice;
    uint256 private _salt;

    function count() external view returns (uint256) {
        return _opened.length;
    }

    function dealAt(uint256 position) external view returns (bytes32 id, uint32 volume) {
        return (_opened[position].id, _opened[position].terms.volume);
    }

    function contracts() external view returns (address, address, address) {
        return (address(token), address(escrow), address(tasks));
    }

    function parties() public pure returns (address[6] memory) {
        return [
            vm.addr(REQUESTER),
            vm.addr(DEVELOPER),
            vm.addr(POOL_OWNER),
            vm.addr(DATA_OWNER),
            address(0xFE),
            vm.addr(STRANGER)
        ];
    }

    function deposit(uint256 who, uint96 amount) external {
        _fund(parties()[who % 6], amount % 1_000_000);
    }

    function requestWithdrawal(uint256 who, uint256 amount) external {
        address party = parties()[who % 6];
        uint256 available = _available(party);
        if (available == 0) return;
        vm.prank(party);
        escrow.requestWithdrawal(amount % available + 1);
    }

    function withdraw(uint256 who) external {
        address party = parties()[who % 6];
        Account memory account = escrow.account(party);
        if (account.withdrawing == 0) return;
        if (block.timestamp < account.withdrawableAt) vm.warp(account.withdrawableAt);
        vm.prank(party);
        escrow.withdraw();
    }

    function matchOrders(uint8 volume, uint16 price, bool datasets) external {
        Bundle memory bundle = datasets ? _withDatasets(_bundle()) : _bundle();
        bundle.pool.price = price;
        bundle.request.poolMaxPrice = price;
        bundle.request.volume = uint32(volume) % 5 + 1;
        _renew(bundle);
        uint256 unit = uint256(APP_PRICE) + price + (datasets ? 2 * DATASET_PRICE : 0);
        Account memory account = escrow.account(vm.addr(REQUESTER));
        uint256 cost = unit * bundle.request.volume;
        if (uint256(account.available) + account.withdrawing < cost) return;
        bytes32 id = _submit(bundle);
        _opened.push(Opened({ id: id, terms: _terms(bundle, bundle.request.volume) }));
        openPrice += cost;
    }

    /// @dev Fresh orders that are valid now.
    function _renew(Bundle memory bundle) private {
        bytes32 salt = bytes32(++_salt);
        uint64 expiry = uint64(block.timestamp + 1);
        (bundle.app.salt, bundle.pool.salt, bundle.request.salt) = (salt, salt, salt);
        (bundle.app.expiry, bundle.pool.expiry, bundle.request.expiry) = (expiry, expiry, expiry);
        for (uint256 i = 0; i < bundle.datasets.length; ++i) {
            bundle.datasets[i].salt = salt;
            bundle.datasets[i].expiry = expiry;
        }
    }

    function settle(uint256 which, uint32 index, uint16 status) external {
        if (_opened.length == 0) return;
        Opened memory opened = _opened[which % _opened.length];
        index %= opened.terms.volume;
        if (!attestations.isGranted(vm.addr(ENCLAVE))) _grant(vm.addr(ENCLAVE));
        Receipt memory receipt = _receipt(opened.id, opened.terms, index, status % 120);
        bytes memory signature = _sign(ENCLAVE, hasher.receipt(receipt));
        vm.prank(opened.terms.poolOwner);
        try tasks.settle(opened.terms, index, receipt, signature, _cid()) {
            _close(opened, index);
        } catch { }
    }

    function claim(uint256 which, uint32 index) external {
        if (_opened.length == 0) return;
        Opened memory opened = _opened[which % _opened.length];
        index %= opened.terms.volume;
        try tasks.claim(opened.id, opened.terms, index) {
            _close(opened, index);
        } catch { }
    }

    function _close(Opened memory opened, uint32 index) private {
        ++closings[opened.id][index];
        openPrice -= uint256(opened.terms.appPrice) + opened.terms.poolPrice + opened.terms.datasets.length
        * uint256(DATASET_PRICE);
    }

    function wait(uint16 time) external {
        vm.warp(block.timestamp + uint256(time) % (Params.TASK_DEADLINE_S + 10));
    }
}
