//! sealwork-chain.
