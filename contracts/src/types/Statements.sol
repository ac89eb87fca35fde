// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice What CAS members say about an enclave key.
/// @param enclave Address of the enclave's signing key.
/// @param measurement What runs.
/// @param tee Kind of evidence; 0 is simulated.
/// @param hardwareId SHA-256 of the platform's hardware identity.
/// @param expiry When the grant ends, in seconds since 1970.
struct Grant {
    address enclave;
    bytes32 measurement;
    uint8 tee;
    bytes32 hardwareId;
    uint64 expiry;
}

/// @notice What is kept of the latest grant of an enclave key.
/// @param measurement What runs.
/// @param tee Kind of evidence; 0 is simulated.
/// @param hardware First 17 bytes of the SHA-256 of the platform's hardware identity.
/// @param expiry When the grant ends, in seconds since 1970; zero when there is none.
struct Registered {
    bytes32 measurement;
    uint8 tee;
    bytes17 hardware;
    uint64 expiry;
}

/// @notice What CAS members say about an app's sealing key. Travels off chain only.
/// @param app Registry id of the app.
/// @param policyHash Policy that the key belongs to.
/// @param keyEpoch Epoch of the key.
/// @param recipient Digest of the public key.
struct RecipientCertificate {
    bytes32 app;
    bytes32 policyHash;
    uint32 keyEpoch;
    bytes32 recipient;
}

/// @notice A signed head of the CAS release log.
/// @param size Entries in the log.
/// @param root Merkle root over them.
/// @param timestamp When it was signed, in seconds since 1970.
struct LogHead {
    uint64 size;
    bytes32 root;
    uint64 timestamp;
}

/// @notice What the payer of a prepaid channel says. A later voucher, with a higher count, replaces the ones before.
/// @param dealId The channel's deal.
/// @param count Tasks, from the first on, that shall be paid.
struct Voucher {
    bytes32 dealId;
    uint32 count;
}
