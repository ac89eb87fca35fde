// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { Grant, LogHead, Registered } from "../types/Statements.sol";

/// @title Enclave keys
/// @notice Keeps which enclave keys the CAS members have granted, and the heads of the members' release logs.
interface IAttestations {
    /// @notice An enclave key may sign receipts until `expiry`.
    event EnclaveRegistered(
        address indexed enclave,
        bytes32 indexed measurement,
        uint8 tee,
        bytes32 hardwareId,
        uint64 expiry,
        bytes[] signatures
    );
    /// @notice Receipts by this key are no longer taken.
    event KeyRevoked(address indexed enclave);
    /// @notice Receipts by keys with this measurement are no longer taken.
    event MeasurementRevoked(bytes32 indexed measurement);
    /// @notice Receipts by keys on this platform are no longer taken.
    event HardwareRevoked(bytes32 indexed hardwareId);
    /// @notice Other members sign grants from now on.
    event MembersChanged(address[] members, uint8 threshold);
    /// @notice A member's log has grown.
    event LogHeadAnchored(address indexed member, uint64 size, bytes32 root);

    /// @notice The grant's time is over.
    error GrantExpired(address enclave, uint64 expiry);
    /// @notice The grant lasts longer than it may.
    error GrantTooLong(uint64 expiry, uint64 latest);
    /// @notice The key is registered with a grant that ends later.
    error GrantSuperseded(address enclave, uint64 current, uint64 given);
    /// @notice Fewer signatures, or fewer members, than the threshold.
    error NotEnoughSignatures(uint256 given, uint256 threshold);
    /// @notice The signature is not by a member.
    error UnknownMember(address signer);
    /// @notice Members must come in ascending order, without repeats.
    error SignersNotAscending(address previous, address next);
    /// @notice Simulated evidence counts on development chains only.
    error SimulatedEvidenceRefused(uint256 chainId);
    /// @notice The key, its measurement or its platform is revoked.
    error Revoked(address enclave);
    /// @notice Only the governor may do this.
    error NotGovernor(address caller);
    /// @notice A member's log can only grow.
    error HeadRegression(uint64 current, uint64 given);

    /// @notice Registers an enclave key, or extends its time.
    /// @param statement What the members signed.
    /// @param signatures By at least the threshold of members, ascending by address, 65 or 64 bytes each.
    function register(Grant calldata statement, bytes[] calldata signatures) external;

    /// @notice The latest grant of a key; all zero when there is none.
    /// @param enclave Address of the key.
    /// @return What was registered; it may have expired or be revoked.
    function grant(address enclave) external view returns (Registered memory);

    /// @notice Whether receipts by this key are taken now.
    /// @param enclave Address of the key.
    /// @return Whether the grant is in force and nothing about it is revoked.
    function isGranted(address enclave) external view returns (bool);

    /// @notice Who signs grants.
    /// @return list Members, ascending.
    /// @return threshold Signatures that a grant needs.
    function members() external view returns (address[] memory list, uint8 threshold);

    /// @notice Replaces the members. Only the governor. Grants that are registered stay.
    /// @param list Members, ascending.
    /// @param threshold Signatures that a grant needs.
    function setMembers(address[] calldata list, uint8 threshold) external;

    /// @notice Revokes one key for ever. Only the governor.
    /// @param enclave Address of the key.
    function revokeKey(address enclave) external;

    /// @notice Revokes a measurement for ever. Only the governor.
    /// @param measurement What may no longer run.
    function revokeMeasurement(bytes32 measurement) external;

    /// @notice Revokes a platform for ever. Only the governor.
    /// @param hardwareId SHA-256 of the platform's hardware identity.
    function revokeHardware(bytes32 hardwareId) external;

    /// @notice Keeps the head of a member's release log, which must have grown.
    /// @param head What the member signed.
    /// @param signature By the member.
    function anchorLogHead(LogHead calldata head, bytes calldata signature) external;

    /// @notice The latest head of a member's release log; all zero when there is none.
    /// @param member Address of the member.
    /// @return What the member signed last.
    function logHead(address member) external view returns (LogHead memory);
}
