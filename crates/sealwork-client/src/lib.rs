//! sealwork-client.
