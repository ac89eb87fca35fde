// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Restriction } from "../../src/libraries/Restriction.sol";
import { TypedHash } from "../../src/libraries/TypedHash.sol";
import { DealWordLibrary } from "../../src/types/DealWord.sol";
import { Batch, DealTerms, Effects, Outcome, Receipt, Work } from "../../src/types/Deals.sol";
import { AppOrder, DatasetOrder, PoolOrder, RequestOrder } from "../../src/types/Orders.sol";
import { Grant, LogHead, RecipientCertificate, Voucher } from "../../src/types/Statements.sol";
import { Hasher } from "../utils/Hasher.sol";
import { vm } from "../utils/Vm.sol";
import { ECDSA } from "solady/utils/ECDSA.sol";

/// @dev Reads the vectors that the Rust test `crates/sealwork-types/tests/vectors.rs` writes.
contract VectorsTest {
    // forge-lint: disable-next-line(mixed-case-variable)
    bool public constant IS_TEST = true;

    string private _json;
    Hasher private _hasher;

    function setUp() public {
        _json = vm.readFile("../spec/vectors/eip712.json");
        vm.chainId(vm.parseJsonUint(_json, ".domain.chainId"));
        _hasher = new Hasher(vm.parseJsonAddress(_json, ".domain.verifyingContract"));
    }

    function _abi(string memory name) private view returns (bytes memory) {
        return vm.parseJsonBytes(_json, string.concat(".", name, ".abi"));
    }

    function _word(string memory name, string memory field) private view returns (bytes32) {
        return vm.parseJsonBytes32(_json, string.concat(".", name, field));
    }

    /// @dev The hash, and the signature over it in both lengths.
    function _check(string memory name, bytes32 found) private view {
        vm.assertEq(found, _word(name, ".signingHash"), name);
        address signer = vm.parseJsonAddress(_json, string.concat(".", name, ".signed.signer"));
        bytes memory signature = vm.parseJsonBytes(_json, string.concat(".", name, ".signed.signature"));
        vm.assertEq(ECDSA.recover(found, signature), signer);
        vm.assertEq(ECDSA.recover(found, _word(name, ".signed.r"), _word(name, ".signed.vs")), signer);
    }

    function test_DomainSeparator() public view {
        bytes32 found = TypedHash.domainSeparator(vm.parseJsonAddress(_json, ".domain.verifyingContract"));
        vm.assertEq(found, vm.parseJsonBytes32(_json, ".domain.separator"));
    }

    function test_Orders() public view {
        _check("appOrder", _hasher.appOrder(abi.decode(_abi("appOrder"), (AppOrder))));
        _check("datasetOrder", _hasher.datasetOrder(abi.decode(_abi("datasetOrder"), (DatasetOrder))));
        _check("poolOrder", _hasher.poolOrder(abi.decode(_abi("poolOrder"), (PoolOrder))));
        _check("requestOrder", _hasher.requestOrder(abi.decode(_abi("requestOrder"), (RequestOrder))));
    }

    function test_Statements() public view {
        _check("receipt", _hasher.receipt(abi.decode(_abi("receipt"), (Receipt))));
        _check("batch", _hasher.batch(abi.decode(_abi("batch"), (Batch))));
        _check("voucher", _hasher.voucher(abi.decode(_abi("voucher"), (Voucher))));
        _check("grant", _hasher.grant(abi.decode(_abi("grant"), (Grant))));
        _check("logHead", _hasher.logHead(abi.decode(_abi("logHead"), (LogHead))));
        RecipientCertificate memory certificate = abi.decode(_abi("recipientCertificate"), (RecipientCertificate));
        _check("recipientCertificate", _hasher.recipientCertificate(certificate));
    }

    function test_Ids() public view {
        bytes32 deal = TypedHash.id(_word("dealId", ".requestHash"), vm.parseJsonUint(_json, ".dealId.consumedBefore"));
        vm.assertEq(deal, _word("dealId", ".hash"));
        vm.assertEq(TypedHash.id(deal, vm.parseJsonUint(_json, ".taskId.index")), _word("taskId", ".hash"));
    }

    function test_TermsAndWork() public view {
        DealTerms memory terms = abi.decode(_abi("terms"), (DealTerms));
        bytes32 found = _hasher.terms(terms);
        vm.assertEq(found, _word("terms", ".structHash"));
        bytes memory kept = vm.parseJsonBytes(_json, ".terms.kept");
        // casting to 'bytes32' fills up with zeros
        // forge-lint: disable-next-line(unsafe-typecast)
        vm.assertEq(bytes32(DealWordLibrary.start(found, 1).termsHash()), bytes32(kept));
        RequestOrder memory request = abi.decode(_abi("requestOrder"), (RequestOrder));
        Work memory work = abi.decode(_abi("work"), (Work));
        vm.assertEq(_hasher.work(request, work.input), terms.workHash);
        vm.assertEq(terms.workHash, _word("work", ".structHash"));
    }

    /// @dev A settlement carries a receipt in two parts; together they have the hash of the whole.
    function test_ReceiptInTwoParts() public view {
        Receipt memory receipt = abi.decode(_abi("receipt"), (Receipt));
        Outcome memory outcome;
        outcome.index = receipt.index;
        outcome.status = receipt.status;
        outcome.fuel = receipt.fuel;
        outcome.keyEpoch = receipt.keyEpoch;
        outcome.output = receipt.output;
        Effects[] memory effects = new Effects[](1);
        effects[0].callbackHash = receipt.callbackHash;
        effects[0].stateBefore = receipt.stateBefore;
        effects[0].stateAfter = receipt.stateAfter;
        effects[0].deltaIndex = receipt.deltaIndex;
        bytes32 work = _word("work", ".structHash");
        vm.assertEq(_hasher.parts(work, receipt.dealId, outcome, effects), _word("receipt", ".structHash"));
        vm.assertTrue(_hasher.parts(work, receipt.dealId, outcome, new Effects[](0)) != _word("receipt", ".structHash"));
    }

    function test_Restrictions() public view {
        bytes32 policy = Restriction.policy(_word("policyRestriction", ".policyHash"));
        vm.assertEq(policy, _word("policyRestriction", ".restriction"));
        vm.assertEq(Restriction.leaf(_word("membershipLeaf", ".member")), _word("membershipLeaf", ".leaf"));
    }
}
