//! Takes back what secrets leave behind on the stack.
//!
//! A value that is moved stays where it was, and cryptographic code keeps scalars, hash states and round keys in local
//! variables. Whatever is dropped there is dead but readable until some later call happens to write over it.

use std::hint::black_box;

/// Bytes below the caller's frame that are overwritten: twice the deepest frames of ML-KEM.
const DEPTH: usize = 128 * 1024;

/// Runs `work` in frames of its own and overwrites them. Its result must hold no secret but behind a pointer.
pub(crate) fn wiped<R>(work: impl FnOnce() -> R) -> R {
    let result = in_own_frame(work);
    overwrite();
    result
}

#[inline(never)]
fn in_own_frame<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[inline(never)]
fn overwrite() {
    let zeros = [0_u8; DEPTH];
    black_box(&zeros);
}
