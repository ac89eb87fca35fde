// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../../src/generated/Params.sol";
import { IAttestations } from "../../../src/interfaces/IAttestations.sol";
import { Grant, LogHead, Registered } from "../../../src/types/Statements.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev Grants of enclave keys, their members and the members' logs.
contract AttestationsTest is UnitFixture {
    address private immutable KEY = vm.addr(0xE2);
    bytes32 private constant MEASUREMENT = keccak256("measurement");

    function _register(Grant memory statement) private {
        attestations.register(statement, _grantSignatures(statement));
    }

    function _refuse(Grant memory statement, bytes memory failure) private {
        bytes[] memory signatures = _grantSignatures(statement);
        vm.expectRevert(failure);
        attestations.register(statement, signatures);
    }

    function _isEntry(Grant memory statement) private view {
        Registered memory entry = attestations.grant(statement.enclave);
        vm.assertEq(entry.measurement, statement.measurement);
        vm.assertEq(entry.tee, statement.tee);
        vm.assertEq(entry.hardware, bytes17(statement.hardwareId));
        vm.assertEq(entry.expiry, statement.expiry);
    }

    function test_Register_WhenEnoughMembersSign() public {
        Grant memory statement = _grantOf(KEY);
        bytes[] memory signatures = _grantSignatures(statement);
        // it should emit EnclaveRegistered
        vm.expectEmit();
        emit IAttestations.EnclaveRegistered(KEY, MEASUREMENT, 0, statement.hardwareId, statement.expiry, signatures);
        vm.prank(OTHER);
        attestations.register(statement, signatures);
        // it should keep the grant
        vm.assertTrue(attestations.isGranted(KEY));
        _isEntry(statement);
    }

    function test_Register_WhenAllMembersSignWith64Bytes() public {
        Grant memory statement = _grantOf(KEY);
        bytes[] memory signatures = new bytes[](3);
        for (uint256 i = 0; i < 3; ++i) {
            signatures[i] = _short(memberKeys[i], hasher.grant(statement));
        }
        attestations.register(statement, signatures);
        // it should keep the grant
        vm.assertTrue(attestations.isGranted(KEY));
    }

    function test_Register_WhenTheGrantIsExtended() public {
        _register(_grantOf(KEY));
        vm.warp(attestations.grant(KEY).expiry);
        vm.assertFalse(attestations.isGranted(KEY));
        Grant memory statement = _grantOf(KEY);
        _register(statement);
        // it should count again
        vm.assertTrue(attestations.isGranted(KEY));
        _isEntry(statement);
    }

    function test_Register_WhenTheKeyMovesToAnotherMeasurement() public {
        Grant memory statement = _grantOf(KEY);
        _register(statement);
        statement.measurement = "second";
        statement.hardwareId = "platform";
        _register(statement);
        // it should keep the latest grant
        _isEntry(statement);
        statement.measurement = MEASUREMENT;
        _register(statement);
        _isEntry(statement);
    }

    function test_Register_WhenTheEvidenceIsReal() public {
        Grant memory statement = _grantOf(KEY);
        statement.tee = 1;
        _register(statement);
        // it should keep its kind
        vm.assertEq(attestations.grant(KEY).tee, 1);
    }

    function test_Register_WhenItLastsAsLongAsItMay() public {
        Grant memory statement = _grantOf(KEY);
        statement.expiry = uint64(block.timestamp + Params.GRANT_LIFETIME_S + 300);
        _register(statement);
        // it should keep the grant
        _isEntry(statement);
    }

    function test_Register_RevertWhen_TheGrantIsExpired() public {
        Grant memory statement = _grantOf(KEY);
        statement.expiry = uint64(block.timestamp);
        _refuse(statement, abi.encodeWithSelector(IAttestations.GrantExpired.selector, KEY, statement.expiry));
    }

    function test_Register_RevertWhen_TheGrantIsTooLong() public {
        Grant memory statement = _grantOf(KEY);
        uint64 latest = uint64(block.timestamp + Params.GRANT_LIFETIME_S + 300);
        statement.expiry = latest + 1;
        _refuse(statement, abi.encodeWithSelector(IAttestations.GrantTooLong.selector, latest + 1, latest));
    }

    function test_Register_RevertWhen_ALaterGrantIsRegistered() public {
        Grant memory statement = _grantOf(KEY);
        uint64 expiry = statement.expiry;
        _register(statement);
        _register(statement);
        --statement.expiry;
        _refuse(statement, abi.encodeWithSelector(IAttestations.GrantSuperseded.selector, KEY, expiry, expiry - 1));
    }

    function test_Register_RevertWhen_EvidenceIsSimulatedOutsideADevelopmentChain() public {
        Grant memory statement = _grantOf(KEY);
        bytes[] memory signatures = _grantSignatures(statement);
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(IAttestations.SimulatedEvidenceRefused.selector, 1));
        attestations.register(statement, signatures);
        // On the other development chain only the signatures are wrong.
        vm.chainId(1337);
        vm.expectPartialRevert(IAttestations.UnknownMember.selector);
        attestations.register(statement, signatures);
    }

    function test_Register_RevertWhen_SignaturesAreMissing() public {
        Grant memory statement = _grantOf(KEY);
        bytes[] memory one = new bytes[](1);
        one[0] = _sign(memberKeys[0], hasher.grant(statement));
        vm.expectRevert(abi.encodeWithSelector(IAttestations.NotEnoughSignatures.selector, 1, 2));
        attestations.register(statement, one);
    }

    function _refuseTwo(uint256 first, bytes memory second, bytes memory failure) private {
        Grant memory statement = _grantOf(KEY);
        bytes[] memory two = new bytes[](2);
        two[0] = _sign(first, hasher.grant(statement));
        two[1] = second;
        vm.expectRevert(failure);
        attestations.register(statement, two);
    }

    function test_Register_RevertWhen_ASignerIsNoMember() public {
        bytes memory second = _sign(STRANGER, hasher.grant(_grantOf(KEY)));
        _refuseTwo(memberKeys[0], second, abi.encodeWithSelector(IAttestations.UnknownMember.selector, OTHER));
    }

    function test_Register_RevertWhen_ASignatureIsNone() public {
        _refuseTwo(memberKeys[0], hex"1234", abi.encodeWithSelector(IAttestations.UnknownMember.selector, address(0)));
    }

    function test_Register_RevertWhen_AMemberSignsTwice() public {
        bytes memory second = _sign(memberKeys[0], hasher.grant(_grantOf(KEY)));
        address member = vm.addr(memberKeys[0]);
        bytes memory failure = abi.encodeWithSelector(IAttestations.SignersNotAscending.selector, member, member);
        _refuseTwo(memberKeys[0], second, failure);
    }

    function test_Register_RevertWhen_SignersAreNotInOrder() public {
        bytes memory second = _sign(memberKeys[0], hasher.grant(_grantOf(KEY)));
        bytes memory failure = abi.encodeWithSelector(
            IAttestations.SignersNotAscending.selector, vm.addr(memberKeys[1]), vm.addr(memberKeys[0])
        );
        _refuseTwo(memberKeys[1], second, failure);
    }

    function test_Grant_WhenThereIsNone() public view {
        // it should be all zero
        vm.assertEq(keccak256(abi.encode(attestations.grant(OTHER))), keccak256(new bytes(128)));
    }

    function test_IsGranted_WhenTheExpiryComes() public {
        _register(_grantOf(KEY));
        uint64 expiry = attestations.grant(KEY).expiry;
        vm.warp(expiry - 1);
        // it should end with that second
        vm.assertTrue(attestations.isGranted(KEY));
        vm.warp(expiry);
        vm.assertFalse(attestations.isGranted(KEY));
    }

    function test_IsGranted_WhenThereIsNoGrant() public view {
        // it should be false
        vm.assertFalse(attestations.isGranted(OTHER));
    }

    function test_Members_WhenAsked() public view {
        // it should be those of the deployment
        (address[] memory list, uint8 threshold) = attestations.members();
        vm.assertEq(keccak256(abi.encode(list)), keccak256(abi.encode(_members())));
        vm.assertEq(threshold, 2);
    }

    function test_AnchorLogHead_WhenTheLogGrew() public {
        address member = vm.addr(memberKeys[1]);
        LogHead memory head = LogHead({ size: 7, root: "root", timestamp: 1 });
        bytes memory signature = _sign(memberKeys[1], hasher.logHead(head));
        // it should emit LogHeadAnchored
        vm.expectEmit();
        emit IAttestations.LogHeadAnchored(member, 7, "root");
        attestations.anchorLogHead(head, signature);
        // it should keep the head
        vm.assertEq(keccak256(abi.encode(attestations.logHead(member))), keccak256(abi.encode(head)));
    }

    function test_AnchorLogHead_RevertWhen_TheLogDidNotGrow() public {
        LogHead memory head = LogHead({ size: 7, root: "root", timestamp: 1 });
        attestations.anchorLogHead(head, _sign(memberKeys[1], hasher.logHead(head)));
        head.root = "other";
        bytes memory signature = _sign(memberKeys[1], hasher.logHead(head));
        vm.expectRevert(abi.encodeWithSelector(IAttestations.HeadRegression.selector, uint64(7), uint64(7)));
        attestations.anchorLogHead(head, signature);
    }

    function test_AnchorLogHead_RevertWhen_TheLogIsEmpty() public {
        LogHead memory head;
        bytes memory signature = _sign(memberKeys[1], hasher.logHead(head));
        vm.expectRevert(abi.encodeWithSelector(IAttestations.HeadRegression.selector, uint64(0), uint64(0)));
        attestations.anchorLogHead(head, signature);
    }

    function test_AnchorLogHead_RevertWhen_TheSignerIsNoMember() public {
        LogHead memory head = LogHead({ size: 7, root: "root", timestamp: 1 });
        bytes memory signature = _sign(STRANGER, hasher.logHead(head));
        vm.expectRevert(abi.encodeWithSelector(IAttestations.UnknownMember.selector, OTHER));
        attestations.anchorLogHead(head, signature);
    }

    function test_LogHead_WhenThereIsNone() public view {
        // it should be all zero
        vm.assertEq(keccak256(abi.encode(attestations.logHead(OTHER))), keccak256(new bytes(96)));
    }
}
