//! sealwork-simtee.
