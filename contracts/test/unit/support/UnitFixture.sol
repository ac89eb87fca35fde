// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccounts } from "../../../src/interfaces/IAccounts.sol";
import { IOrders } from "../../../src/interfaces/IOrders.sol";
import { DealTerms, Effects, Outcome } from "../../../src/types/Deals.sol";
import { Orders } from "../../../src/types/Orders.sol";
import { Bundle, Fixture } from "../../utils/Fixture.sol";
import { vm } from "../../utils/Vm.sol";

/// @dev What the unit tests of all contracts share.
abstract contract UnitFixture is Fixture {
    /// @dev Price of one task without datasets, and with both of them.
    uint256 internal constant PRICE = 1300;
    uint256 internal constant PRICE_WITH_DATASETS = 1440;

    address internal immutable DEV = vm.addr(DEVELOPER);
    address internal immutable HOST = vm.addr(POOL_OWNER);
    address internal immutable USER = vm.addr(REQUESTER);
    address internal immutable DATA = vm.addr(DATA_OWNER);
    address internal immutable OTHER = vm.addr(STRANGER);

    /// @dev Matches, and returns what was agreed.
    function _matched(Bundle memory bundle) internal returns (DealTerms memory) {
        _submit(bundle);
        return _terms(bundle, 0);
    }

    function _bundleOf(uint32 volume) internal view returns (Bundle memory bundle) {
        bundle = _bundle();
        bundle.app.volume = type(uint32).max;
        bundle.pool.volume = type(uint32).max;
        bundle.request.volume = volume;
    }

    function _appHash(Bundle memory bundle) internal view returns (bytes32) {
        return hasher.appOrder(bundle.app);
    }

    function _poolHash(Bundle memory bundle) internal view returns (bytes32) {
        return hasher.poolOrder(bundle.pool);
    }

    function _requestHash(Bundle memory bundle) internal view returns (bytes32) {
        return hasher.requestOrder(bundle.request);
    }

    /// @dev The id of a request's first deal.
    function _firstDeal(Bundle memory bundle) internal view returns (bytes32) {
        return keccak256(abi.encode(_requestHash(bundle), uint256(0)));
    }

    function _consumed(bytes32 orderHash) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IOrders.OrderConsumed.selector, orderHash);
    }

    function _badSignature(bytes32 orderHash, address signer) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IOrders.BadSignature.selector, orderHash, signer);
    }

    function _poor(address owner, uint256 available, uint256 needed) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IAccounts.InsufficientFunds.selector, owner, available, needed);
    }

    function _matchFails(Orders memory orders, bytes memory failure) internal {
        vm.expectRevert(failure);
        market.matchOrders(orders);
    }

    function _settleFails(DealTerms memory terms, Outcome memory outcome, bytes memory failure) internal {
        _settle(terms, outcome, new Effects[](0), failure);
    }

    function _approve(address signer, bytes32 orderHash) internal {
        vm.prank(signer);
        market.approveOrder(orderHash);
    }

    function _cancel(address signer, bytes32 orderHash) internal {
        vm.prank(signer);
        market.cancelOffer(orderHash);
    }

    function _none() internal pure returns (Effects[] memory) {
        return new Effects[](0);
    }

    /// @dev 64 bytes (EIP-2098).
    function _short(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 vs) = _compact(key, digest);
        return abi.encodePacked(r, vs);
    }

    /// @dev Everything that the Market owes somebody, but for what open deals hold.
    function _owed() internal view returns (uint256) {
        return
            _available(DEV) + _available(HOST) + _available(USER) + _available(DATA) + _available(FEES) + market.kitty();
    }
}
