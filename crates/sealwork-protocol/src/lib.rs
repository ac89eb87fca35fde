//! sealwork-protocol.
