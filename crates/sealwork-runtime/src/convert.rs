//! Integer conversions that cannot fail on the 64-bit machines this crate compiles for.

#[cfg(not(target_pointer_width = "64"))]
compile_error!(
    "sealwork-runtime needs a 64-bit machine: linear memories are reserved as 4 GiB of address space"
);

/// Widens a guest's 32-bit size.
pub(crate) fn to_usize(value: u32) -> usize {
    usize::try_from(value).expect("usize has 64 bits")
}

/// Widens a host size.
pub(crate) fn to_u64(value: usize) -> u64 {
    u64::try_from(value).expect("usize has 64 bits")
}

/// Narrows a 64-bit size to a host size.
pub(crate) fn size_of_u64(value: u64) -> usize {
    usize::try_from(value).expect("usize has 64 bits")
}
