//! sealwork-worker.
