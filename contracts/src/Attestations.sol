// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "./generated/Params.sol";
import { IAttestations } from "./interfaces/IAttestations.sol";
import { TypedHash } from "./libraries/TypedHash.sol";
import { Grant, LogHead, Registered } from "./types/Statements.sol";
import { ECDSA } from "solady/utils/ECDSA.sol";

/// @title Attestations
/// @notice See IAttestations, which documents every function, event and error.
contract Attestations is IAttestations {
    /// @dev One word, so that a receipt costs two storage reads.
    /// @param expiry Receipts are taken before this time, in seconds since 1970.
    /// @param revocations Value of the counter at the last registration: while the counter has this value, nothing that
    /// the registration checked can have been revoked.
    /// @param measurement Number of a measurement, which many grants share.
    /// @param hardware Start of the platform's id, a hash: nobody finds a second platform with the same 136 bits.
    /// @param tee Row of the table of TEEs.
    struct Entry {
        uint40 expiry;
        uint40 revocations;
        uint32 measurement;
        bytes17 hardware;
        uint8 tee;
    }

    /// @dev What is known about a measurement.
    /// @param number Zero until a grant names the measurement.
    /// @param revoked Whether receipts by enclaves with it are refused.
    struct Known {
        uint32 number;
        bool revoked;
    }

    /// @dev One word that every registration reads.
    /// @param revocations How often the governor has revoked something.
    /// @param measurements Last number given to a measurement.
    /// @param threshold Signatures that a grant needs.
    struct Counters {
        uint40 revocations;
        uint32 measurements;
        uint8 threshold;
    }

    uint8 private constant TEE_SIMULATED = 0;
    /// @dev Difference between the members' clocks and the chain's that is tolerated (s).
    uint256 private constant CLOCK_SLACK_S = 300;

    /// @notice Names the deployment in signatures.
    address public immutable market;
    /// @notice Sets members and revokes.
    address public immutable governor;

    mapping(address enclave => Entry) private _grants;
    mapping(address enclave => bool) private _revokedKeys;
    mapping(bytes32 measurement => Known) private _measurements;
    mapping(bytes17 hardware => bool) private _revokedHardware;
    mapping(uint32 number => bytes32) private _numbered;
    mapping(address member => bool) private _isMember;
    mapping(address member => LogHead) private _heads;
    address[] private _members;
    Counters private _counters;

    /// @dev For what only the governor may do.
    modifier onlyGovernor() {
        _onlyGovernor();
        _;
    }

    /// @param market_ Names the deployment in signatures.
    /// @param governor_ Sets members and revokes.
    /// @param members_ CAS members, ascending.
    /// @param threshold_ Signatures that a grant needs.
    constructor(address market_, address governor_, address[] memory members_, uint8 threshold_) {
        // Zero names no deployment, as any other wrong address; the script that deploys compares.
        // slither-disable-next-line missing-zero-check
        market = market_;
        // Zero: nobody can replace members or revoke.
        // slither-disable-next-line missing-zero-check
        governor = governor_;
        _setMembers(members_, threshold_);
    }

    /// @inheritdoc IAttestations
    function register(Grant calldata statement, bytes[] calldata signatures) external {
        address enclave = statement.enclave;
        uint64 expiry = statement.expiry;
        if (expiry <= block.timestamp) revert GrantExpired(enclave, expiry);
        // casting to 'uint64' is safe because seconds since 1970 are far below 2^63
        // forge-lint: disable-next-line(unsafe-typecast)
        uint64 latest = uint64(block.timestamp + Params.GRANT_LIFETIME_S + CLOCK_SLACK_S);
        if (expiry > latest) revert GrantTooLong(expiry, latest);
        if (statement.tee == TEE_SIMULATED && !Params.is_DEVELOPMENT_CHAIN_IDS(block.chainid)) {
            revert SimulatedEvidenceRefused(block.chainid);
        }
        uint64 current = _grants[enclave].expiry;
        if (expiry < current) revert GrantSuperseded(enclave, current, expiry);
        bytes17 hardware = bytes17(statement.hardwareId);
        if (_isRevoked(enclave, statement.measurement, hardware)) revert Revoked(enclave);
        _checkSignatures(_digest(TypedHash.hash(statement)), signatures);

        _grants[enclave] = Entry({
            // casting to 'uint40' is safe because `latest` bounds the expiry
            // forge-lint: disable-next-line(unsafe-typecast)
            expiry: uint40(expiry),
            revocations: _counters.revocations,
            measurement: _number(statement.measurement),
            hardware: hardware,
            tee: statement.tee
        });
        emit EnclaveRegistered(enclave, statement.measurement, statement.tee, statement.hardwareId, expiry, signatures);
    }

    /// @inheritdoc IAttestations
    function setMembers(address[] calldata list, uint8 threshold) external onlyGovernor {
        _setMembers(list, threshold);
    }

    /// @inheritdoc IAttestations
    function revokeKey(address enclave) external onlyGovernor {
        _revokedKeys[enclave] = true;
        ++_counters.revocations;
        emit KeyRevoked(enclave);
    }

    /// @inheritdoc IAttestations
    function revokeMeasurement(bytes32 measurement) external onlyGovernor {
        _measurements[measurement].revoked = true;
        ++_counters.revocations;
        emit MeasurementRevoked(measurement);
    }

    /// @inheritdoc IAttestations
    function revokeHardware(bytes32 hardwareId) external onlyGovernor {
        // casting to 'bytes17' takes the part that `Entry` keeps
        // forge-lint: disable-next-line(unsafe-typecast)
        _revokedHardware[bytes17(hardwareId)] = true;
        ++_counters.revocations;
        emit HardwareRevoked(hardwareId);
    }

    /// @inheritdoc IAttestations
    function anchorLogHead(LogHead calldata head, bytes calldata signature) external {
        address member = ECDSA.tryRecoverCalldata(_digest(TypedHash.hash(head)), signature);
        if (!_isMember[member]) revert UnknownMember(member);
        uint64 current = _heads[member].size;
        if (head.size <= current) revert HeadRegression(current, head.size);
        _heads[member] = head;
        emit LogHeadAnchored(member, head.size, head.root);
    }

    /// @inheritdoc IAttestations
    function grant(address enclave) external view returns (Registered memory) {
        Entry memory entry = _grants[enclave];
        return Registered(_numbered[entry.measurement], entry.tee, entry.hardware, entry.expiry);
    }

    /// @inheritdoc IAttestations
    function isGranted(address enclave) external view returns (bool) {
        Entry memory entry = _grants[enclave];
        if (entry.expiry <= block.timestamp) return false;
        if (entry.revocations == _counters.revocations) return true;
        return !_isRevoked(enclave, _numbered[entry.measurement], entry.hardware);
    }

    /// @inheritdoc IAttestations
    function members() external view returns (address[] memory list, uint8 threshold) {
        return (_members, _counters.threshold);
    }

    /// @inheritdoc IAttestations
    function logHead(address member) external view returns (LogHead memory) {
        return _heads[member];
    }

    function _setMembers(address[] memory list, uint8 threshold) private {
        if (threshold == 0 || list.length < threshold) revert NotEnoughSignatures(list.length, threshold);
        uint256 former = _members.length;
        for (uint256 i = 0; i < former; ++i) {
            _isMember[_members[i]] = false;
        }
        address previous = address(0);
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] <= previous) revert SignersNotAscending(previous, list[i]);
            previous = list[i];
            _isMember[previous] = true;
        }
        _members = list;
        _counters.threshold = threshold;
        emit MembersChanged(list, threshold);
    }

    /// @dev Number of a measurement, given at first use. Only what members signed gets here.
    function _number(bytes32 measurement) private returns (uint32 number) {
        number = _measurements[measurement].number;
        if (number != 0) return number;
        number = ++_counters.measurements;
        _measurements[measurement].number = number;
        _numbered[number] = measurement;
    }

    /// @dev Every signature given must be good, so that nobody can pad a grant.
    function _checkSignatures(bytes32 digest, bytes[] calldata signatures) private view {
        uint256 threshold = _counters.threshold;
        if (signatures.length < threshold) revert NotEnoughSignatures(signatures.length, threshold);
        address previous = address(0);
        for (uint256 i = 0; i < signatures.length; ++i) {
            address signer = ECDSA.tryRecoverCalldata(digest, signatures[i]);
            if (!_isMember[signer]) revert UnknownMember(signer);
            if (signer <= previous) revert SignersNotAscending(previous, signer);
            previous = signer;
        }
    }

    function _isRevoked(address enclave, bytes32 measurement, bytes17 hardware) private view returns (bool) {
        return _revokedKeys[enclave] || _measurements[measurement].revoked || _revokedHardware[hardware];
    }

    function _digest(bytes32 structHash) private view returns (bytes32) {
        return TypedHash.digest(TypedHash.domainSeparator(market), structHash);
    }

    function _onlyGovernor() private view {
        if (msg.sender != governor) revert NotGovernor(msg.sender);
    }
}
