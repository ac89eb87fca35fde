//! sealwork-cas.
