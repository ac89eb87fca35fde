//! sealwork-ratls.
