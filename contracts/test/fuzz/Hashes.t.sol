// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { TypedHash } from "../../src/libraries/TypedHash.sol";
import { Batch, DatasetShare, DealTerms, Effects, Outcome, Receipt, Tally, Work } from "../../src/types/Deals.sol";
import { AppOrder, DatasetOrder, PoolOrder, RequestOrder } from "../../src/types/Orders.sol";
import { vm } from "../utils/Vm.sol";

/// @dev What TypedHash makes of words in calldata, beside EIP-712 written down with abi.encode. That the types' names are
/// right is what the vectors test.
contract HashesTest {
    // forge-lint: disable-next-line(mixed-case-variable)
    bool public constant IS_TEST = true;

    function testFuzz_AppOrder(AppOrder calldata order) public pure {
        vm.assertEq(TypedHash.hash(order), keccak256(abi.encode(TypedHash.APP_ORDER_TYPEHASH, order)));
    }

    function testFuzz_DatasetOrder(DatasetOrder calldata order) public pure {
        vm.assertEq(TypedHash.hash(order), keccak256(abi.encode(TypedHash.DATASET_ORDER_TYPEHASH, order)));
    }

    function testFuzz_PoolOrder(PoolOrder calldata order) public pure {
        vm.assertEq(TypedHash.hash(order), keccak256(abi.encode(TypedHash.POOL_ORDER_TYPEHASH, order)));
    }

    function testFuzz_RequestOrder(RequestOrder calldata order) public pure {
        vm.assertEq(TypedHash.hash(order), _request(order));
    }

    function _request(RequestOrder memory order) private pure returns (bytes32) {
        bytes memory start = abi.encode(
            TypedHash.REQUEST_ORDER_TYPEHASH,
            order.app,
            order.codeHash,
            order.policyHash,
            order.appMaxPrice,
            keccak256(abi.encodePacked(order.datasets)),
            order.datasetMaxPrice,
            order.poolRestrict
        );
        bytes memory middle = abi.encode(
            order.poolMaxPrice,
            order.minStake,
            order.requester,
            order.sponsor,
            order.outputRecipient,
            order.volume,
            order.tag,
            order.category
        );
        bytes memory end = abi.encode(
            order.trust,
            order.mode,
            order.callback,
            order.callbackGas,
            keccak256(order.params),
            order.requirements,
            order.expiry,
            order.nonce,
            order.salt
        );
        return keccak256(bytes.concat(start, middle, end));
    }

    function testFuzz_TermsInCalldataAndInMemory(DealTerms calldata terms) public pure {
        DealTerms memory copy = terms;
        bytes32 expected = _terms(copy);
        vm.assertEq(TypedHash.hash(copy), expected);
        vm.assertEq(TypedHash.hash(TypedHash.load(terms)), expected);
        vm.assertEq(keccak256(abi.encode(TypedHash.load(terms))), keccak256(abi.encode(copy)));
    }

    function _terms(DealTerms memory terms) private pure returns (bytes32) {
        bytes memory shares;
        for (uint256 i = 0; i < terms.datasets.length; ++i) {
            DatasetShare memory share = terms.datasets[i];
            bytes32 hash = keccak256(abi.encode(TypedHash.DATASET_SHARE_TYPEHASH, share.owner, share.price));
            shares = bytes.concat(shares, hash);
        }
        bytes memory start = abi.encode(
            TypedHash.DEAL_TERMS_TYPEHASH,
            terms.requestHash,
            terms.firstTask,
            terms.workHash,
            terms.payer,
            terms.appOwner,
            terms.poolOwner,
            terms.appPrice
        );
        bytes memory end = abi.encode(
            terms.poolPrice,
            terms.stake,
            terms.feeBps,
            terms.mode,
            terms.startedAt,
            terms.callback,
            terms.callbackGas,
            keccak256(shares)
        );
        return keccak256(bytes.concat(start, end));
    }

    /// @dev A changed bit, also one that a narrow field does not have, changes the hash: nothing is read that is not hashed.
    function testFuzz_EveryBitOfTermsCounts(DealTerms calldata terms, uint256 word, uint8 bit) public view {
        bytes memory message = abi.encodeCall(this.loaded, (terms));
        bytes32 before = this.loaded(terms);
        word %= 14;
        assembly ("memory-safe") {
            let place := add(add(message, 0x44), shl(5, word))
            mstore(place, xor(mload(place), shl(bit, 1)))
        }
        (bool done, bytes memory answer) = address(this).staticcall(message);
        vm.assertTrue(!done || abi.decode(answer, (bytes32)) != before);
    }

    function loaded(DealTerms calldata terms) external pure returns (bytes32) {
        return TypedHash.hash(TypedHash.load(terms));
    }

    function testFuzz_ReceiptIsDealOutcomeAndEffects(Receipt calldata given, bytes calldata data, bool more)
        public
        view
    {
        Receipt memory whole = given;
        if (!more) {
            (whole.callbackHash, whole.stateBefore, whole.stateAfter, whole.deltaIndex) = (0, 0, 0, 0);
        }
        Outcome memory outcome;
        (outcome.index, outcome.status, outcome.fuel) = (whole.index, whole.status, whole.fuel);
        (outcome.keyEpoch, outcome.output) = (whole.keyEpoch, whole.output);
        Effects[] memory effects = new Effects[](more ? 1 : 0);
        if (more) {
            effects[0] = Effects(whole.callbackHash, whole.stateBefore, whole.stateAfter, whole.deltaIndex, data);
        }
        bytes32 work = keccak256(abi.encode(TypedHash.WORK_TYPEHASH, whole.work));
        bytes32 expected = this.receipt(whole);
        vm.assertEq(this.parts(work, whole.dealId, outcome, effects), expected);
        vm.assertEq(expected, _receipt(work, whole));
    }

    function receipt(Receipt calldata whole) external pure returns (bytes32) {
        return TypedHash.hash(whole);
    }

    function parts(bytes32 work, bytes32 deal, Outcome calldata outcome, Effects[] calldata effects)
        external
        pure
        returns (bytes32)
    {
        return TypedHash.hash(work, deal, outcome, effects);
    }

    function _receipt(bytes32 work, Receipt memory whole) private pure returns (bytes32) {
        bytes memory start = abi.encode(
            TypedHash.RECEIPT_TYPEHASH, work, whole.dealId, whole.index, whole.status, whole.fuel, whole.keyEpoch
        );
        bytes memory end =
            abi.encode(whole.output, whole.callbackHash, whole.stateBefore, whole.stateAfter, whole.deltaIndex);
        return keccak256(bytes.concat(start, end));
    }

    function testFuzz_Batch(Batch calldata batch) public pure {
        Tally calldata tally = batch.tally;
        bytes32 work = keccak256(abi.encode(TypedHash.WORK_TYPEHASH, batch.work));
        bytes32 ends = keccak256(
            abi.encode(TypedHash.TALLY_TYPEHASH, tally.paid, tally.poolOnly, tally.refunded, tally.slashed)
        );
        bytes32 expected =
            keccak256(abi.encode(TypedHash.BATCH_TYPEHASH, work, batch.dealId, batch.first, ends, batch.root));
        vm.assertEq(TypedHash.hash(batch), expected);
    }

    function testFuzz_DigestAndIdLeaveMemoryAsItWas(bytes32 separator, bytes32 structHash, bytes memory data)
        public
        pure
    {
        bytes32 before = keccak256(data);
        bytes32 digest = TypedHash.digest(separator, structHash);
        bytes32 id = TypedHash.id(separator, uint256(structHash));
        bytes memory later = new bytes(data.length);
        vm.assertEq(keccak256(later), keccak256(new bytes(data.length)));
        vm.assertEq(keccak256(data), before);
        vm.assertEq(digest, keccak256(abi.encodePacked(hex"1901", separator, structHash)));
        vm.assertEq(id, keccak256(abi.encode(separator, structHash)));
    }
}
