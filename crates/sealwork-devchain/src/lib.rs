//! sealwork-devchain.
