//! sealwork-enclave.
