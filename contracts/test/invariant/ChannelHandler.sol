// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../src/generated/Params.sol";
import { Voucher } from "../../src/types/Statements.sol";
import { vm } from "../utils/Vm.sol";
import { SettlementHandler } from "./SettlementHandler.sol";

/// @dev What people do with deals of mode 5. That is all that the invariants call.
contract ChannelHandler is SettlementHandler {
    /// @dev One of the latest channels with open tasks, or now and then any deal.
    function _pickChannel(uint256 which) private view returns (uint256) {
        if (which % 16 == 0) return _pick(which >> 4);
        uint256 wanted = (which >> 4) % 4 + 1;
        for (uint256 i = _opened.length; i > 0; --i) {
            if (_isOpenChannel(_opened[i - 1])) --wanted;
            if (wanted == 0) return i - 1;
        }
        return 0;
    }

    function _isOpenChannel(Opened storage deal) private view returns (bool) {
        return deal.terms.mode == 5 && deal.closed < deal.volume;
    }

    function redeem(uint256 which, uint32 count, uint256 odd) external {
        if (_opened.length == 0) return;
        which = _mix(which);
        odd = _mix(odd);
        uint256 place = _pickChannel(which);
        Opened storage deal = _opened[place];
        count %= deal.volume + 2;
        address payer = deal.terms.payer;
        uint256 key = payer == _stranger ? STRANGER : REQUESTER;
        if (odd % 16 == 0) key = POOL_OWNER;
        bytes memory signature = _sign(key, hasher.voucher(Voucher(deal.id, count)));
        bool possible = _isOpenChannel(deal) && key != POOL_OWNER && count > deal.closed
            && _allOpen(deal, deal.closed, count - deal.closed);
        bytes memory call = abi.encodeCall(channels.redeem, (deal.terms, count, signature));
        _do(possible, _author, address(channels), call, "a voucher");
        if (!possible) return;
        _modelEnd(place, deal.closed, [uint256(count - deal.closed), 0, 0, 0]);
        _do(false, _author, address(channels), call, "the same voucher again");
    }

    function startClosing(uint256 which, bool byPayer) external {
        if (_opened.length == 0) return;
        which = _mix(which);
        Opened storage deal = _opened[_pickChannel(which)];
        address sender = byPayer ? deal.terms.payer : deal.terms.poolOwner;
        bool possible = byPayer && _isOpenChannel(deal);
        bytes memory call = abi.encodeCall(channels.startClosing, (deal.terms));
        _do(possible, sender, address(channels), call, "the start of a dispute");
        if (possible && deal.closableAt == 0) deal.closableAt = block.timestamp + Params.CHANNEL_DISPUTE_S;
        vm.assertEq(channels.closableAt(deal.id), deal.closableAt, "end of the dispute");
    }

    function close(uint256 which, bool byPool) external {
        if (_opened.length == 0) return;
        which = _mix(which);
        uint256 place = _pickChannel(which);
        Opened storage deal = _opened[place];
        address sender = byPool && which % 2 == 0 ? deal.terms.poolOwner : _author;
        bool due = sender == deal.terms.poolOwner || (deal.closableAt != 0 && block.timestamp >= deal.closableAt);
        bool possible = due && _isOpenChannel(deal) && _allOpen(deal, deal.closed, deal.volume - deal.closed);
        bytes memory call = abi.encodeCall(channels.close, (deal.terms));
        _do(possible, sender, address(channels), call, "closing a channel");
        if (!possible) return;
        _modelEnd(place, deal.closed, [uint256(0), 0, deal.volume - deal.closed, 0]);
    }
}
