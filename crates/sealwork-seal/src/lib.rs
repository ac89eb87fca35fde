//! sealwork-seal.
