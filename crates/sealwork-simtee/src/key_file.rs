//! Key files: JSON, readable by their owner only, complete or absent.

use crate::CryptoError;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Largest key file that is read.
const MAX_KEY_FILE_BYTES: u64 = 4096;

/// Why a key file was not read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file system said no.
    #[error("cannot {action} key file {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// File.
        path: PathBuf,
        /// The system's own error.
        #[source]
        source: io::Error,
    },
    /// Others can read it.
    #[error("key file {} has mode {mode:03o}, expected 600: `chmod 600` it", path.display())]
    Permissions {
        /// File.
        path: PathBuf,
        /// Mode found.
        mode: u32,
    },
    /// Not a key file of this kind.
    #[error("{} is not a key file of this version: {problem}", path.display())]
    Malformed {
        /// File.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// No key could be made.
    #[error("no key for {}", path.display())]
    Crypto {
        /// File that would hold it.
        path: PathBuf,
        /// Cause.
        #[source]
        source: CryptoError,
    },
}

/// Writes a new file with mode 600, complete or not at all. `Ok(false)` when the file exists.
pub(crate) fn create<T: Serialize>(path: &Path, content: &T) -> Result<bool, KeyFileError> {
    let wrap = |action| move |source| KeyFileError::Io { action, path: path.to_owned(), source };
    let body = serde_json::to_vec(content).map_err(|error| wrap("encode")(error.into()))?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(wrap("create the folder of"))?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = PathBuf::from(name);
    let written = write_private(&temporary, &body).and_then(|()| match fs::hard_link(&temporary, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        linked => linked.map(|()| true),
    });
    let removed = fs::remove_file(&temporary);
    let created = written.map_err(wrap("write"))?;
    removed.map_err(wrap("clean up after"))?;
    Ok(created)
}

fn write_private(path: &Path, body: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(body)?;
    file.sync_all()
}

/// Reads a key file; `None` when there is none.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, KeyFileError> {
    let wrap = |action| move |source| KeyFileError::Io { action, path: path.to_owned(), source };
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(wrap("open"))?,
    };
    let mode = file.metadata().map_err(wrap("inspect"))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Permissions { path: path.to_owned(), mode });
    }
    let mut body = Vec::new();
    file.take(MAX_KEY_FILE_BYTES).read_to_end(&mut body).map_err(wrap("read"))?;
    serde_json::from_slice(&body)
        .map(Some)
        .map_err(|error| KeyFileError::Malformed { path: path.to_owned(), problem: error.to_string() })
}
