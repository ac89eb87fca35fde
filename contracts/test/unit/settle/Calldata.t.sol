// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Status } from "../../../src/generated/Status.sol";
import { IDeals } from "../../../src/interfaces/IDeals.sol";
import { DealTerms, Outcome } from "../../../src/types/Deals.sol";
import { Bundle } from "../../utils/Fixture.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev Calldata is hashed as it lies there: bits that a narrow type lacks must never count.
contract CalldataTest is UnitFixture {
    function _settlement(DealTerms memory terms) private view returns (bytes memory) {
        Outcome memory outcome = _outcome(0, Status.SUCCESS);
        (bytes32 r, bytes32 vs) = _compact(ENCLAVE, hasher.receipt(_receipt(_dealId(terms), outcome, _none())));
        return abi.encodeCall(market.settle, (terms, outcome, r, vs, _none()));
    }

    /// @dev The highest bit of a word behind the selector, turned over.
    function _flip(bytes memory data, uint256 position) private pure returns (bytes memory changed) {
        changed = bytes.concat(data);
        changed[4 + position] ^= 0x80;
    }

    function _word(bytes memory data, uint256 position) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(add(data, 0x24), position))
        }
    }

    function _call(address sender, bytes memory data) private returns (bool success, bytes memory answer) {
        vm.prank(sender);
        return address(market).call(data);
    }

    function test_Settle_WhenTermsHaveBitsThatTheirTypesLack() public {
        DealTerms memory terms = _matched(_withDatasets(_bundle()));
        bytes memory data = _settlement(terms);
        uint256 start = _word(data, 0);
        for (uint256 i = 0; i < 14; ++i) {
            (bool success, bytes memory answer) = _call(HOST, _flip(data, start + 32 * i));
            // it should not know the deal by such a request, and not the terms otherwise
            vm.assertFalse(success);
            bytes4 expected = i == 0 ? IDeals.DealUnknown.selector : IDeals.TermsMismatch.selector;
            // casting to 'bytes4' takes the error's selector
            // forge-lint: disable-next-line(unsafe-typecast)
            vm.assertEq(bytes4(answer), expected);
        }
        (bool good,) = _call(HOST, data);
        vm.assertTrue(good);
    }

    function test_Settle_WhenDatasetSharesHaveBitsThatTheirTypesLack() public {
        DealTerms memory terms = _matched(_withDatasets(_bundle()));
        bytes memory data = _settlement(terms);
        uint256 shares = _word(data, 0) + _word(data, _word(data, 0) + 32 * 14) + 32;
        for (uint256 i = 0; i < 4; ++i) {
            // it should refuse them
            (bool success,) = _call(HOST, _flip(data, shares + 32 * i));
            vm.assertFalse(success);
        }
        vm.assertEq(market.deal(_dealId(terms)).closed, 0);
    }

    function test_Settle_WhenTheOutcomeHasBitsThatItsTypesLack() public {
        DealTerms memory terms = _matched(_bundle());
        bytes memory data = _settlement(terms);
        for (uint256 i = 1; i < 10; ++i) {
            // The CID (the sixth) is the pool's word.
            if (i == 6) continue;
            // it should refuse them, read or not
            (bool success,) = _call(HOST, _flip(data, 32 * i));
            vm.assertFalse(success);
        }
        vm.assertEq(market.deal(_dealId(terms)).closed, 0);
    }

    function test_MatchOrders_WhenOrdersHaveBitsThatTheirTypesLack() public {
        Bundle memory bundle = _bundle();
        bytes memory data = abi.encodeCall(market.matchOrders, (_orders(bundle)));
        uint256 start = _word(data, 0);
        // App order (10 words), its signature, pool order (15 words).
        for (uint256 i = 0; i < 27; ++i) {
            if (i == 10 || i == 26) continue;
            (bool success,) = _call(OTHER, _flip(data, start + 32 * i));
            // it should refuse them
            vm.assertFalse(success);
        }
        uint256 request = start + _word(data, start + 32 * 27);
        for (uint256 i = 0; i < 24; ++i) {
            // The fifth says where the datasets lie; behind the end there are none, as here.
            if (i == 4) continue;
            (bool success,) = _call(OTHER, _flip(data, request + 32 * i));
            // it should refuse them in the request, too
            vm.assertFalse(success);
        }
        (bool good,) = _call(OTHER, data);
        vm.assertTrue(good);
    }
}
