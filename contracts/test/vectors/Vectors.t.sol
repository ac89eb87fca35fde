// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { TypedHash } from "../../src/libraries/TypedHash.sol";
import { DealTerms, Receipt } from "../../src/types/Deals.sol";
import { AppOrder, DatasetOrder, PoolOrder, RequestOrder } from "../../src/types/Orders.sol";
import { Grant, LogHead, RecipientCertificate } from "../../src/types/Statements.sol";
import { Hasher } from "../utils/Hasher.sol";
import { vm } from "../utils/Vm.sol";

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

    function _check(string memory name, bytes32 found) private view {
        vm.assertEq(found, vm.parseJsonBytes32(_json, string.concat(".", name, ".signingHash")), name);
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
        _check("grant", _hasher.grant(abi.decode(_abi("grant"), (Grant))));
        _check("logHead", _hasher.logHead(abi.decode(_abi("logHead"), (LogHead))));
        RecipientCertificate memory certificate = abi.decode(_abi("recipientCertificate"), (RecipientCertificate));
        _check("recipientCertificate", _hasher.recipientCertificate(certificate));
    }

    function test_Ids() public view {
        bytes32 requestHash = vm.parseJsonBytes32(_json, ".dealId.requestHash");
        uint256 consumed = vm.parseJsonUint(_json, ".dealId.consumedBefore");
        bytes32 dealId = keccak256(abi.encode(requestHash, consumed));
        vm.assertEq(dealId, vm.parseJsonBytes32(_json, ".dealId.hash"));
        bytes32 taskId = keccak256(abi.encode(dealId, vm.parseJsonUint(_json, ".taskId.index")));
        vm.assertEq(taskId, vm.parseJsonBytes32(_json, ".taskId.hash"));
    }

    function test_Terms() public view {
        DealTerms memory terms = abi.decode(_abi("terms"), (DealTerms));
        vm.assertEq(keccak256(abi.encode(terms)), vm.parseJsonBytes32(_json, ".terms.hash"));
        vm.assertEq(terms.requestHash, _hasher.requestOrder(terms.request));
    }
}
