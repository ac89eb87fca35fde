//! What can go wrong in a member, apart from denials.

use sealwork_ports::PortError;
use sealwork_ratls::TlsError;
use sealwork_seal::RandomError;
use sealwork_types::Address;
use std::{io, path::PathBuf};

/// A member cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CasError {
    /// The configuration contradicts itself.
    #[error("{field} {problem}")]
    Config {
        /// Field.
        field: &'static str,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// The signing key is not a member's.
    #[error("signing key {found} is not a CAS member of this network, members: {expected:?}")]
    NotAMember {
        /// The key's address.
        found: Address,
        /// Members of the anchors.
        expected: Vec<Address>,
    },
    /// A state file cannot be used.
    #[error("cannot {action} {}", path.display())]
    State {
        /// What was tried.
        action: &'static str,
        /// File or folder.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// The release log cannot be used. Nothing is released.
    #[error("release log cannot be used")]
    Log(#[from] LogError),
    /// TLS could not be set up.
    #[error("TLS cannot be set up")]
    Tls(#[from] TlsError),
    /// No randomness.
    #[error("no random bytes for a secret")]
    Random(#[from] RandomError),
    /// Enclaves would refuse this member: its evidence is not what the anchors ask for.
    #[error("enclaves of this network would refuse this member: {problem}")]
    NotAcceptable {
        /// First rule that the member's own evidence breaks.
        problem: String,
    },
    /// The platform gave no evidence about this member.
    #[error("no evidence about this member")]
    Quote(#[source] PortError),
}

/// The release log failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The database failed.
    #[error("release log database failed")]
    Database(#[source] Box<redb::Error>),
    /// What the database holds is not a log.
    #[error("release log is damaged at {what} {index}")]
    Damaged {
        /// Table.
        what: &'static str,
        /// Key.
        index: u64,
    },
    /// Asked for something outside the log.
    #[error("position {position} is outside the log of {size} entries")]
    Range {
        /// Asked for.
        position: u64,
        /// Entries.
        size: u64,
    },
}

macro_rules! from_redb {
    ($($error:ident),*) => {$(
        impl From<redb::$error> for LogError {
            fn from(error: redb::$error) -> Self {
                Self::Database(Box::new(error.into()))
            }
        }
    )*};
}

from_redb!(DatabaseError, TransactionError, TableError, StorageError, CommitError);
