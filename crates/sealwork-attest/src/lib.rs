//! sealwork-attest.
