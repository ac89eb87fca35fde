// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Attestations } from "../../src/Attestations.sol";
import { Params } from "../../src/generated/Params.sol";
import { IAttestations } from "../../src/interfaces/IAttestations.sol";
import { Grant, LogHead } from "../../src/types/Statements.sol";
import { Fixture } from "../utils/Fixture.sol";
import { vm } from "../utils/Vm.sol";

contract AttestationsTest is Fixture {
    address internal enclave = vm.addr(0xE2);

    function test_RegisteredGrantCanBeRead() public {
        Grant memory statement = _grantOf(enclave);
        bytes[] memory signatures = _grantSignatures(statement);
        vm.expectEmit();
        emit IAttestations.EnclaveRegistered(
            enclave, statement.measurement, 0, statement.hardwareId, statement.expiry, signatures
        );
        attestations.register(statement, signatures);
        vm.assertTrue(attestations.isGranted(enclave));
        vm.assertEq(keccak256(abi.encode(attestations.grant(enclave))), keccak256(abi.encode(statement)));
        vm.assertEq(attestations.grant(address(1)).enclave, address(0));
        vm.assertFalse(attestations.isGranted(address(1)));
    }

    function test_GrantsKeepTheirMeasurementsAndPlatformsApart() public {
        Grant memory first = _grantOf(address(0xE5));
        Grant memory second = _grantOf(address(0xE6));
        // One value in both places, and a key that moves to another measurement.
        first.hardwareId = keccak256("measurement");
        second.measurement = keccak256("second");
        second.hardwareId = keccak256("third");
        attestations.register(first, _grantSignatures(first));
        attestations.register(second, _grantSignatures(second));
        vm.assertEq(keccak256(abi.encode(attestations.grant(first.enclave))), keccak256(abi.encode(first)));
        vm.assertEq(keccak256(abi.encode(attestations.grant(second.enclave))), keccak256(abi.encode(second)));
        second.measurement = keccak256("measurement");
        attestations.register(second, _grantSignatures(second));
        vm.assertEq(keccak256(abi.encode(attestations.grant(second.enclave))), keccak256(abi.encode(second)));

        vm.prank(GOVERNOR);
        attestations.revokeHardware(keccak256("measurement"));
        vm.assertFalse(attestations.isGranted(first.enclave));
        vm.assertTrue(attestations.isGranted(second.enclave));
        vm.assertTrue(attestations.isGranted(vm.addr(ENCLAVE)));
    }

    function test_RevertWhen_RevokedBeforeTheFirstGrant() public {
        vm.startPrank(GOVERNOR);
        attestations.revokeMeasurement(keccak256("never seen"));
        attestations.revokeHardware(keccak256("never seen"));
        vm.stopPrank();
        Grant memory statement = _grantOf(address(0xE5));
        statement.measurement = keccak256("never seen");
        bytes[] memory signatures = _grantSignatures(statement);
        vm.expectRevert(abi.encodeWithSelector(IAttestations.Revoked.selector, statement.enclave));
        attestations.register(statement, signatures);
        statement = _grantOf(address(0xE5));
        statement.hardwareId = keccak256("never seen");
        signatures = _grantSignatures(statement);
        vm.expectRevert(abi.encodeWithSelector(IAttestations.Revoked.selector, statement.enclave));
        attestations.register(statement, signatures);
    }

    function test_GrantEndsAtItsExpiryAndCanBeExtended() public {
        _grant(enclave);
        uint64 expiry = attestations.grant(enclave).expiry;
        vm.warp(expiry - 1);
        vm.assertTrue(attestations.isGranted(enclave));
        vm.warp(expiry);
        vm.assertFalse(attestations.isGranted(enclave));
        _grant(enclave);
        vm.assertTrue(attestations.isGranted(enclave));
    }

    function test_RevertWhen_GrantIsExpiredOrTooLong() public {
        Grant memory statement = _grantOf(enclave);
        statement.expiry = uint64(block.timestamp);
        _refuse(statement, abi.encodeWithSelector(IAttestations.GrantExpired.selector, enclave, statement.expiry));
        uint64 latest = uint64(block.timestamp + Params.GRANT_LIFETIME_S + 300);
        statement.expiry = latest + 1;
        _refuse(statement, abi.encodeWithSelector(IAttestations.GrantTooLong.selector, latest + 1, latest));
        statement.expiry = latest;
        attestations.register(statement, _grantSignatures(statement));
    }

    function _refuse(Grant memory statement, bytes memory failure) private {
        bytes[] memory signatures = _grantSignatures(statement);
        vm.expectRevert(failure);
        attestations.register(statement, signatures);
    }

    function test_RevertWhen_ALaterGrantIsRegistered() public {
        Grant memory statement = _grantOf(enclave);
        uint64 expiry = statement.expiry;
        _grant(enclave);
        _grant(enclave);
        --statement.expiry;
        _refuse(
            statement, abi.encodeWithSelector(IAttestations.GrantSuperseded.selector, enclave, expiry, statement.expiry)
        );
    }

    function test_RevertWhen_SignaturesAreMissingUnknownOrUnordered() public {
        Grant memory statement = _grantOf(enclave);
        bytes32 digest = hasher.grant(statement);
        bytes[] memory one = new bytes[](1);
        one[0] = _sign(memberKeys[0], digest);
        vm.expectRevert(abi.encodeWithSelector(IAttestations.NotEnoughSignatures.selector, 1, 2));
        attestations.register(statement, one);

        bytes[] memory two = new bytes[](2);
        two[0] = one[0];
        two[1] = _sign(STRANGER, digest);
        vm.expectRevert(abi.encodeWithSelector(IAttestations.UnknownMember.selector, vm.addr(STRANGER)));
        attestations.register(statement, two);

        two[1] = one[0];
        address first = vm.addr(memberKeys[0]);
        vm.expectRevert(abi.encodeWithSelector(IAttestations.SignersNotAscending.selector, first, first));
        attestations.register(statement, two);

        two[0] = _sign(memberKeys[1], digest);
        address second = vm.addr(memberKeys[1]);
        vm.expectRevert(abi.encodeWithSelector(IAttestations.SignersNotAscending.selector, second, first));
        attestations.register(statement, two);

        two[0] = hex"1234";
        vm.expectRevert(abi.encodeWithSelector(IAttestations.UnknownMember.selector, address(0)));
        attestations.register(statement, two);
    }

    function test_RevertWhen_SimulatedOutsideADevelopmentChain() public {
        Grant memory statement = _grantOf(enclave);
        bytes[] memory signatures = _grantSignatures(statement);
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(IAttestations.SimulatedEvidenceRefused.selector, 1));
        attestations.register(statement, signatures);
        vm.chainId(1337);
        vm.expectPartialRevert(IAttestations.UnknownMember.selector);
        attestations.register(statement, signatures);
    }

    function test_RevokedKeyMeasurementOrHardwareNoLongerCounts() public {
        _grant(enclave);
        vm.prank(GOVERNOR);
        attestations.revokeHardware(keccak256("unrelated"));
        vm.assertTrue(attestations.isGranted(enclave));
        vm.expectEmit();
        emit IAttestations.KeyRevoked(enclave);
        vm.prank(GOVERNOR);
        attestations.revokeKey(enclave);
        vm.assertFalse(attestations.isGranted(enclave));
        vm.assertTrue(attestations.isGranted(vm.addr(ENCLAVE)));
        _refuse(_grantOf(enclave), abi.encodeWithSelector(IAttestations.Revoked.selector, enclave));

        vm.expectEmit();
        emit IAttestations.HardwareRevoked(keccak256("hardware"));
        vm.prank(GOVERNOR);
        attestations.revokeHardware(keccak256("hardware"));
        vm.assertFalse(attestations.isGranted(vm.addr(ENCLAVE)));
        _refuse(_grantOf(address(7)), abi.encodeWithSelector(IAttestations.Revoked.selector, address(7)));

        Grant memory statement = _grantOf(address(7));
        statement.hardwareId = keccak256("other");
        attestations.register(statement, _grantSignatures(statement));
        vm.expectEmit();
        emit IAttestations.MeasurementRevoked(keccak256("measurement"));
        vm.prank(GOVERNOR);
        attestations.revokeMeasurement(keccak256("measurement"));
        vm.assertFalse(attestations.isGranted(address(7)));
        statement.expiry += 1;
        _refuse(statement, abi.encodeWithSelector(IAttestations.Revoked.selector, address(7)));
    }

    function test_GovernorReplacesTheMembers() public {
        (address[] memory list, uint8 threshold) = attestations.members();
        vm.assertEq(keccak256(abi.encode(list)), keccak256(abi.encode(_members())));
        vm.assertEq(threshold, 2);
        address[] memory next = new address[](1);
        next[0] = vm.addr(STRANGER);
        vm.expectEmit();
        emit IAttestations.MembersChanged(next, 1);
        vm.prank(GOVERNOR);
        attestations.setMembers(next, 1);
        address gone = vm.addr(memberKeys[0]);
        _refuse(_grantOf(enclave), abi.encodeWithSelector(IAttestations.UnknownMember.selector, gone));
        Grant memory statement = _grantOf(enclave);
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = _sign(STRANGER, hasher.grant(statement));
        attestations.register(statement, signatures);
    }

    function test_RevertWhen_MembersMakeNoSense() public {
        address[] memory list = new address[](2);
        list[0] = address(2);
        list[1] = address(2);
        vm.startPrank(GOVERNOR);
        vm.expectRevert(abi.encodeWithSelector(IAttestations.SignersNotAscending.selector, address(2), address(2)));
        attestations.setMembers(list, 1);
        vm.expectRevert(abi.encodeWithSelector(IAttestations.NotEnoughSignatures.selector, 2, 3));
        attestations.setMembers(list, 3);
        vm.expectRevert(abi.encodeWithSelector(IAttestations.NotEnoughSignatures.selector, 2, 0));
        attestations.setMembers(list, 0);
        list[0] = address(0);
        vm.expectRevert(abi.encodeWithSelector(IAttestations.SignersNotAscending.selector, address(0), address(0)));
        attestations.setMembers(list, 1);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IAttestations.NotEnoughSignatures.selector, 0, 0));
        new Attestations(address(market), GOVERNOR, new address[](0), 0);
    }

    function test_RevertWhen_CallerIsNotTheGovernor() public {
        bytes memory failure = abi.encodeWithSelector(IAttestations.NotGovernor.selector, address(this));
        vm.expectRevert(failure);
        attestations.setMembers(new address[](1), 1);
        vm.expectRevert(failure);
        attestations.revokeKey(enclave);
        vm.expectRevert(failure);
        attestations.revokeMeasurement(0);
        vm.expectRevert(failure);
        attestations.revokeHardware(0);
    }

    function test_LogHeadsOnlyGrow() public {
        address member = vm.addr(memberKeys[1]);
        LogHead memory head = LogHead({ size: 7, root: "root", timestamp: 1 });
        bytes memory signature = _sign(memberKeys[1], hasher.logHead(head));
        vm.expectEmit();
        emit IAttestations.LogHeadAnchored(member, 7, "root");
        attestations.anchorLogHead(head, signature);
        vm.assertEq(keccak256(abi.encode(attestations.logHead(member))), keccak256(abi.encode(head)));
        vm.expectRevert(abi.encodeWithSelector(IAttestations.HeadRegression.selector, uint64(7), uint64(7)));
        attestations.anchorLogHead(head, signature);
        signature = _sign(STRANGER, hasher.logHead(head));
        vm.expectRevert(abi.encodeWithSelector(IAttestations.UnknownMember.selector, vm.addr(STRANGER)));
        attestations.anchorLogHead(head, signature);
    }
}
