//! Why a block, a tree or a store operation failed, and how each failure looks through the `Store` port.

use crate::block::GeneralCid;
use sealwork_ports::{ErrorKind, PortError};
use sealwork_types::B256;
use std::{io, path::PathBuf};

/// A failure of the block layer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// The file system failed. Nothing half-written became visible.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The disk or quota is full. The store stays readable, and writable once there is space.
    #[error("no space left to {action} {}; free some or run gc", path.display())]
    DiskFull {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A segment file has damage in a part that was durable once.
    #[error("segment {} is damaged at byte {offset}: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        problem: &'static str,
    },
    /// The stored bytes of a block no longer have its digest.
    #[error("stored bytes of block {digest} do not match it; delete the block and fetch it again")]
    Corrupt {
        /// SHA-256 the block should have.
        digest: B256,
    },
    /// A block above the size limit.
    #[error("block of {found} bytes is above the limit of {limit}")]
    TooLarge {
        /// Bytes given.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Another process has the store open.
    #[error("store {} is in use by another process", path.display())]
    InUse {
        /// Directory of the store.
        path: PathBuf,
    },
    /// An earlier write or flush failed in a way that leaves the file's tail unknown.
    #[error("store {} refuses writes after a failed flush; reopen it", path.display())]
    ReadOnly {
        /// The active segment.
        path: PathBuf,
    },
}

impl BlockError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge];
        if full.contains(&source.kind()) {
            Self::DiskFull { action, path, source }
        } else {
            Self::Io { action, path, source }
        }
    }

    const fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { .. } | Self::DiskFull { .. } | Self::InUse { .. } | Self::ReadOnly { .. } => {
                ErrorKind::Local
            }
            Self::Damaged { .. } | Self::Corrupt { .. } => ErrorKind::Corrupt,
            Self::TooLarge { .. } => ErrorKind::Limit,
        }
    }
}

/// A failure to read a tree of blocks as a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DagError {
    /// A block of the tree is not there.
    #[error("block {cid} is not in the store")]
    Missing {
        /// The block.
        cid: GeneralCid,
    },
    /// Bytes that were given for a block do not have its digest.
    #[error("bytes given for block {cid} do not match it")]
    WrongBytes {
        /// The block.
        cid: GeneralCid,
    },
    /// A node that is not well-formed dag-pb and UnixFS.
    #[error("node {cid} is malformed: {problem}")]
    Malformed {
        /// The node.
        cid: GeneralCid,
        /// What is wrong.
        problem: &'static str,
    },
    /// A well-formed CID or node that is not part of a plain file.
    #[error("{cid} cannot be read as a file: {found}; expected raw or dag-pb under sha2-256")]
    Unsupported {
        /// The block.
        cid: GeneralCid,
        /// What it is.
        found: &'static str,
    },
    /// A part has another size than its parent says.
    #[error("part {cid} has {found} bytes, its parent says {expected}")]
    Size {
        /// The part.
        cid: GeneralCid,
        /// Bytes its parent names.
        expected: u64,
        /// Bytes it has.
        found: u64,
    },
    /// A limit on the shape or size of the tree.
    #[error("{cid} has {found} {what}, the limit is {limit}")]
    Limit {
        /// Where the limit was met.
        cid: GeneralCid,
        /// What is limited.
        what: &'static str,
        /// Amount found.
        found: u64,
        /// Amount allowed.
        limit: u64,
    },
    /// The block layer failed.
    #[error("cannot use the block store")]
    Block(#[from] BlockError),
}

impl DagError {
    const fn kind(&self) -> ErrorKind {
        match self {
            Self::Missing { .. } => ErrorKind::NotFound,
            Self::WrongBytes { .. } | Self::Malformed { .. } | Self::Size { .. } => ErrorKind::Corrupt,
            Self::Unsupported { .. } => ErrorKind::Rejected,
            Self::Limit { .. } => ErrorKind::Limit,
            Self::Block(error) => error.kind(),
        }
    }
}

/// A failure to import content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// The content could not be read.
    #[error("cannot read the content")]
    Read(#[source] io::Error),
    /// Blocks could not be stored.
    #[error("cannot store the content")]
    Block(#[from] BlockError),
}

/// Puts a typed failure behind the port, with what was tried.
pub(crate) trait IntoPort {
    /// Wraps the failure.
    fn into_port(self, action: impl Into<String>) -> PortError;
}

impl IntoPort for BlockError {
    fn into_port(self, action: impl Into<String>) -> PortError {
        PortError::because(self.kind(), action, self)
    }
}

impl IntoPort for DagError {
    fn into_port(self, action: impl Into<String>) -> PortError {
        PortError::because(self.kind(), action, self)
    }
}
