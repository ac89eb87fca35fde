//! sealwork-runtime.
