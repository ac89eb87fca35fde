//! Descriptors that the launching process left open.

use nix::unistd::close;
use std::{fs, io, os::fd::RawFd};

/// Descriptors that stay: standard input, output and error.
const STANDARD: RawFd = 2;

/// Closes every descriptor above the standard ones.
pub(super) fn close_inherited() -> io::Result<()> {
    // The directory's own descriptor is in the list; it is gone again when the list is complete.
    let open: Vec<RawFd> = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|descriptor| *descriptor > STANDARD)
        .collect();
    for descriptor in open {
        // Nothing in this process owns a descriptor yet, and EBADF only says that it is closed already.
        let _ = close(descriptor);
    }
    Ok(())
}
