// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Artifacts } from "../../../script/Artifacts.sol";
import { Status } from "../../../src/generated/Status.sol";
import { IAttestations } from "../../../src/interfaces/IAttestations.sol";
import { IDeals } from "../../../src/interfaces/IDeals.sol";
import { DealTerms } from "../../../src/types/Deals.sol";
import { Grant } from "../../../src/types/Statements.sol";
import { vm } from "../../utils/Vm.sol";
import { UnitFixture } from "../support/UnitFixture.sol";

/// @dev Revocations and changes of the members.
contract GovernorTest is UnitFixture {
    address private immutable KEY = vm.addr(0xE2);
    address private immutable FIRST = vm.addr(ENCLAVE);
    bytes32 private constant MEASUREMENT = keccak256("measurement");
    bytes32 private constant HARDWARE = keccak256("hardware");

    function _refuse(Grant memory statement, bytes memory failure) private {
        bytes[] memory signatures = _grantSignatures(statement);
        vm.expectRevert(failure);
        attestations.register(statement, signatures);
    }

    function _revoked(address enclave) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAttestations.Revoked.selector, enclave);
    }

    function _notGovernor() private {
        vm.expectRevert(abi.encodeWithSelector(IAttestations.NotGovernor.selector, address(this)));
    }

    function test_RevokeKey_WhenTheKeyIsGranted() public {
        _grant(KEY);
        // it should emit KeyRevoked
        vm.expectEmit();
        emit IAttestations.KeyRevoked(KEY);
        vm.prank(GOVERNOR);
        attestations.revokeKey(KEY);
        // it should end the grant, and no other
        vm.assertFalse(attestations.isGranted(KEY));
        vm.assertTrue(attestations.isGranted(FIRST));
        // it should refuse the key for ever
        _refuse(_grantOf(KEY), _revoked(KEY));
    }

    function test_RevokeKey_WhenAnOpenDealNeedsTheKey() public {
        DealTerms memory terms = _matched(_bundle());
        vm.prank(GOVERNOR);
        attestations.revokeKey(FIRST);
        // it should void the receipts of the key
        bytes memory failure = abi.encodeWithSelector(IDeals.EnclaveNotGranted.selector, FIRST);
        _settleFails(terms, _outcome(0, Status.SUCCESS), failure);
    }

    function test_RevokeKey_RevertWhen_OthersSend() public {
        _notGovernor();
        attestations.revokeKey(KEY);
    }

    function test_RevokeMeasurement_WhenKeysHaveIt() public {
        Grant memory other = _grantOf(KEY);
        other.measurement = "other";
        attestations.register(other, _grantSignatures(other));
        // it should emit MeasurementRevoked
        vm.expectEmit();
        emit IAttestations.MeasurementRevoked(MEASUREMENT);
        vm.prank(GOVERNOR);
        attestations.revokeMeasurement(MEASUREMENT);
        // it should end the grants of these keys only
        vm.assertFalse(attestations.isGranted(FIRST));
        vm.assertTrue(attestations.isGranted(KEY));
        // it should refuse the measurement for ever
        _refuse(_grantOf(OTHER), _revoked(OTHER));
    }

    function test_RevokeMeasurement_WhenTheKeyMovesOn() public {
        vm.prank(GOVERNOR);
        attestations.revokeMeasurement(MEASUREMENT);
        Grant memory statement = _grantOf(FIRST);
        statement.measurement = "fixed";
        attestations.register(statement, _grantSignatures(statement));
        // it should let it be granted with another measurement
        vm.assertTrue(attestations.isGranted(FIRST));
    }

    function test_RevokeMeasurement_WhenNobodyHasIt() public {
        vm.prank(GOVERNOR);
        attestations.revokeMeasurement("never seen");
        // it should refuse it, and leave the others
        Grant memory statement = _grantOf(KEY);
        statement.measurement = "never seen";
        _refuse(statement, _revoked(KEY));
        vm.assertTrue(attestations.isGranted(FIRST));
    }

    function test_RevokeMeasurement_RevertWhen_OthersSend() public {
        _notGovernor();
        attestations.revokeMeasurement(MEASUREMENT);
    }

    function test_RevokeHardware_WhenKeysAreOnIt() public {
        Grant memory other = _grantOf(KEY);
        other.hardwareId = "other";
        attestations.register(other, _grantSignatures(other));
        // it should emit HardwareRevoked
        vm.expectEmit();
        emit IAttestations.HardwareRevoked(HARDWARE);
        vm.prank(GOVERNOR);
        attestations.revokeHardware(HARDWARE);
        // it should end the grants of these keys only
        vm.assertFalse(attestations.isGranted(FIRST));
        vm.assertTrue(attestations.isGranted(KEY));
        // it should refuse the platform for ever
        _refuse(_grantOf(OTHER), _revoked(OTHER));
    }

    function test_RevokeHardware_WhenItHasTheValueOfAMeasurement() public {
        vm.prank(GOVERNOR);
        attestations.revokeHardware(MEASUREMENT);
        // it should keep the two apart
        vm.assertTrue(attestations.isGranted(FIRST));
    }

    function test_RevokeHardware_WhenNobodyIsOnIt() public {
        vm.prank(GOVERNOR);
        attestations.revokeHardware("never seen");
        // it should refuse it, and leave the others
        Grant memory statement = _grantOf(KEY);
        statement.hardwareId = "never seen";
        _refuse(statement, _revoked(KEY));
        vm.assertTrue(attestations.isGranted(FIRST));
    }

    function test_RevokeHardware_RevertWhen_OthersSend() public {
        _notGovernor();
        attestations.revokeHardware(HARDWARE);
    }

    function test_SetMembers_WhenTheGovernorSends() public {
        address[] memory next = new address[](1);
        next[0] = OTHER;
        // it should emit MembersChanged
        vm.expectEmit();
        emit IAttestations.MembersChanged(next, 1);
        vm.prank(GOVERNOR);
        attestations.setMembers(next, 1);
        (address[] memory list, uint8 threshold) = attestations.members();
        vm.assertEq(keccak256(abi.encode(list)), keccak256(abi.encode(next)));
        vm.assertEq(threshold, 1);
        // it should refuse the old members and take the new ones
        address gone = vm.addr(memberKeys[0]);
        _refuse(_grantOf(KEY), abi.encodeWithSelector(IAttestations.UnknownMember.selector, gone));
        Grant memory statement = _grantOf(KEY);
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = _sign(STRANGER, hasher.grant(statement));
        attestations.register(statement, signatures);
        // it should leave registered grants
        vm.assertTrue(attestations.isGranted(FIRST));
    }

    function _badMembers(address first, address second, uint8 threshold, bytes memory failure) private {
        address[] memory list = new address[](2);
        list[0] = first;
        list[1] = second;
        vm.expectRevert(failure);
        vm.prank(GOVERNOR);
        attestations.setMembers(list, threshold);
    }

    function test_SetMembers_RevertWhen_TheyAreNotInOrder() public {
        bytes4 selector = IAttestations.SignersNotAscending.selector;
        _badMembers(address(2), address(2), 1, abi.encodeWithSelector(selector, address(2), address(2)));
        _badMembers(address(2), address(1), 1, abi.encodeWithSelector(selector, address(2), address(1)));
        _badMembers(address(0), address(1), 1, abi.encodeWithSelector(selector, address(0), address(0)));
    }

    function test_SetMembers_RevertWhen_TheThresholdIsOutOfReach() public {
        bytes4 selector = IAttestations.NotEnoughSignatures.selector;
        _badMembers(address(1), address(2), 3, abi.encodeWithSelector(selector, 2, 3));
        _badMembers(address(1), address(2), 0, abi.encodeWithSelector(selector, 2, 0));
    }

    function test_SetMembers_RevertWhen_OthersSend() public {
        _notGovernor();
        attestations.setMembers(new address[](1), 1);
    }

    /// @dev A call of its own, so that its revert can be expected.
    function create(string calldata name, bytes calldata arguments) external returns (address) {
        return Artifacts.create(name, arguments);
    }

    function test_Constructor_RevertWhen_ThereAreNoMembers() public {
        bytes memory arguments = abi.encode(address(market), GOVERNOR, new address[](0), uint8(0));
        vm.expectRevert(abi.encodeWithSelector(IAttestations.NotEnoughSignatures.selector, 0, 0));
        this.create("Attestations", arguments);
    }
}
