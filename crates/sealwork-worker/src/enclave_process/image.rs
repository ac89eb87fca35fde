//! The enclave program as it was measured: a sealed copy in memory, so that the bytes that run are the bytes that were
//! hashed, whatever happens to the file afterwards.

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use sealwork_ports::{ErrorKind, PortError};
use sealwork_types::{Measurement, Sha256Digest};
use std::{
    fmt,
    fs::File,
    io::{self, Read, Write},
    os::fd::{AsRawFd, OwnedFd},
    path::{Path, PathBuf},
};

/// Largest program that is taken into memory.
const MAX_IMAGE_BYTES: u64 = 1 << 30;
const BLOCK_BYTES: usize = 64 << 10;

/// A program in memory that nobody can change any more.
pub struct EnclaveImage {
    file: File,
    measurement: Measurement,
}

impl EnclaveImage {
    /// Copies and measures a program.
    ///
    /// # Errors
    /// [`PortError`] of kind `Local` when the file cannot be read or has more than 1 GiB.
    pub fn load(path: &Path) -> Result<Self, PortError> {
        let failed = |error: io::Error| {
            PortError::because(
                ErrorKind::Local,
                format!("load the enclave program {}", path.display()),
                error,
            )
        };
        let source = File::open(path).map_err(failed)?;
        let mut copy = File::from(anonymous_file().map_err(failed)?);
        let digest = copy_measured(source, &mut copy).map_err(failed)?;
        let seals = SealFlags::SEAL | SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK;
        fcntl_add_seals(&copy, seals).map_err(|error| failed(error.into()))?;
        Ok(Self { file: copy, measurement: Measurement::new(digest) })
    }

    /// SHA-256 of the program.
    pub const fn measurement(&self) -> Measurement {
        self.measurement
    }

    /// A path that the child resolves to its own copy of the descriptor, before `exec` closes it.
    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }
}

impl fmt::Debug for EnclaveImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnclaveImage").field("measurement", &self.measurement).finish_non_exhaustive()
    }
}

/// `EXEC` asks for an executable file where the system makes others by default; kernels before 6.3 do not know it.
fn anonymous_file() -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let name = "sealwork-enclave";
    memfd_create(name, flags | MemfdFlags::EXEC).or_else(|_| memfd_create(name, flags)).map_err(Into::into)
}

fn copy_measured(source: impl Read, copy: &mut impl Write) -> io::Result<sealwork_types::B256> {
    let mut source = source.take(MAX_IMAGE_BYTES + 1);
    let (mut digest, mut total) = (Sha256Digest::new(), 0_u64);
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        let count = match source.read(&mut block) {
            Ok(0) => return Ok(digest.finish()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = block.get(..count).unwrap_or_default();
        total = total.saturating_add(bytes.len() as u64);
        if total > MAX_IMAGE_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the program has more than 1 GiB"));
        }
        digest.update(bytes);
        copy.write_all(bytes)?;
    }
}
