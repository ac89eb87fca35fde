//! sealwork-store.
