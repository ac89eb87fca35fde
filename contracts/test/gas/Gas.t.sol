// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { DealTerms, Receipt } from "../../src/types/Deals.sol";
import { Grant } from "../../src/types/Statements.sol";
import { Bundle, Fixture } from "../utils/Fixture.sol";
import { vm } from "../utils/Vm.sol";

/// @dev Writes `snapshots/Gas.json`: gas of whole transactions, calldata and base cost included, between parties who have
/// used the contracts before.
/// forge-config: default.isolate = true
contract GasTest is Fixture {
    bytes32 private _dealId;
    DealTerms private _stored;

    function setUp() public override {
        super.setUp();
        Bundle memory bundle = _bundle();
        _dealId = _submit(bundle);
        _stored = _terms(bundle, 3);
        _settle(0);
        vm.prank(vm.addr(DEVELOPER));
        registry.registerApp(vm.addr(DEVELOPER), keccak256("warm"), CODE, POLICY, "warm");
    }

    function _settle(uint32 index) private {
        Receipt memory receipt = _receipt(_dealId, _stored, index, 0);
        bytes memory signature = _sign(ENCLAVE, hasher.receipt(receipt));
        bytes memory cid = _cid();
        DealTerms memory terms = _stored;
        vm.prank(vm.addr(POOL_OWNER));
        tasks.settle(terms, index, receipt, signature, cid);
    }

    function test_RegisterApp() public {
        address developer = vm.addr(DEVELOPER);
        vm.prank(developer);
        registry.registerApp(developer, keccak256("gas"), CODE, POLICY, "private-grep");
        vm.snapshotGasLastCall("Gas", "registerApp");
    }

    function test_Deposit() public {
        address requester = vm.addr(REQUESTER);
        token.mint(requester, 1000);
        vm.prank(requester);
        token.approve(address(escrow), 1000);
        vm.prank(requester);
        escrow.deposit(500);
        vm.snapshotGasLastCall("Gas", "deposit");
    }

    function test_MatchOrders() public {
        Bundle memory bundle = _bundle();
        bundle.request.salt = "gas";
        _submit(bundle);
        vm.snapshotGasLastCall("Gas", "matchOrders");
    }

    function test_Settle() public {
        _settle(1);
        vm.snapshotGasLastCall("Gas", "settle");
    }

    function test_Claim() public {
        DealTerms memory terms = _stored;
        vm.warp(block.timestamp + 1 days);
        tasks.claim(_dealId, terms, 1);
        vm.snapshotGasLastCall("Gas", "claim");
    }

    function test_RegisterEnclave() public {
        Grant memory statement = _grantOf(address(0xE5));
        attestations.register(statement, _grantSignatures(statement));
        vm.snapshotGasLastCall("Gas", "registerEnclaveTwoMembers");
        vm.prank(GOVERNOR);
        attestations.setMembers(_members(), 1);
        statement = _grantOf(address(0xE6));
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = _sign(memberKeys[0], hasher.grant(statement));
        attestations.register(statement, signatures);
        vm.snapshotGasLastCall("Gas", "registerEnclaveOneMember");
        statement = _grantOf(address(0xE7));
        statement.hardwareId = keccak256("another platform");
        signatures[0] = _sign(memberKeys[0], hasher.grant(statement));
        attestations.register(statement, signatures);
        vm.snapshotGasLastCall("Gas", "registerEnclaveNewPlatform");
    }
}
