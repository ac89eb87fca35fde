// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "./generated/Params.sol";
import { IAttestations } from "./interfaces/IAttestations.sol";
import { TypedHash } from "./libraries/TypedHash.sol";
import { Grant, LogHead } from "./types/Statements.sol";
import { ECDSA } from "solady/utils/ECDSA.sol";

/// @title Attestations
/// @notice See IAttestations, which documents every function, event and error.
contract Attestations is IAttestations {
    /// @dev One word. `revocations` is the value of the counter at the last registration: while it stays, nothing that
    /// the registration checked can have been revoked, and a receipt costs two storage reads. `measurement` and
    /// `hardware` are numbers of values that many grants share.
    struct Entry {
        uint64 expiry;
        uint64 revocations;
        uint32 measurement;
        uint32 hardware;
        uint8 tee;
    }

    /// @dev What is known about a measurement or a platform. `number` is zero until a grant names it.
    struct Known {
        uint32 number;
        bool revoked;
    }

    /// @dev One word that every registration reads. `values` is the last number given to a measurement or platform.
    struct Counters {
        uint64 revocations;
        uint32 values;
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
    mapping(bytes32 hardwareId => Known) private _hardware;
    mapping(uint32 number => bytes32) private _values;
    mapping(address member => bool) private _isMember;
    mapping(address member => LogHead) private _heads;
    address[] private _members;
    Counters private _counters;

    modifier onlyGovernor() {
        _onlyGovernor();
        _;
    }

    /// @param market_ Names the deployment in signatures.
    /// @param governor_ Sets members and revokes.
    /// @param members_ CAS members, ascending.
    /// @param threshold_ Signatures that a grant needs.
    constructor(address market_, address governor_, address[] memory members_, uint8 threshold_) {
        market = market_;
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
        if (_isRevoked(enclave, statement.measurement, statement.hardwareId)) revert Revoked(enclave);
        _checkSignatures(_digest(TypedHash.hash(statement)), signatures);

        _grants[enclave] = Entry({
            expiry: expiry,
            revocations: _counters.revocations,
            measurement: _number(_measurements[statement.measurement], statement.measurement),
            hardware: _number(_hardware[statement.hardwareId], statement.hardwareId),
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
        _hardware[hardwareId].revoked = true;
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
    function grant(address enclave) external view returns (Grant memory statement) {
        Entry memory entry = _grants[enclave];
        if (entry.expiry == 0) return statement;
        return Grant(enclave, _values[entry.measurement], entry.tee, _values[entry.hardware], entry.expiry);
    }

    /// @inheritdoc IAttestations
    function isGranted(address enclave) external view returns (bool) {
        Entry memory entry = _grants[enclave];
        if (entry.expiry <= block.timestamp) return false;
        if (entry.revocations == _counters.revocations) return true;
        return !_isRevoked(enclave, _values[entry.measurement], _values[entry.hardware]);
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
        for (uint256 i = 0; i < _members.length; ++i) {
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

    /// @dev Number of a value, given at first use. Only what members signed gets here.
    function _number(Known storage known, bytes32 value) private returns (uint32 number) {
        number = known.number;
        if (number != 0) return number;
        number = ++_counters.values;
        known.number = number;
        _values[number] = value;
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

    function _isRevoked(address enclave, bytes32 measurement, bytes32 hardwareId) private view returns (bool) {
        return _revokedKeys[enclave] || _measurements[measurement].revoked || _hardware[hardwareId].revoked;
    }

    function _digest(bytes32 structHash) private view returns (bytes32) {
        return TypedHash.digest(TypedHash.domainSeparator(market), structHash);
    }

    function _onlyGovernor() private view {
        if (msg.sender != governor) revert NotGovernor(msg.sender);
    }
}
