//! Checking a member's release log from outside.

use crate::{http::ConsistencyProof, log::leaf_bytes};
use sealwork_protocol::merkle::{self, MemoryTree};
use sealwork_seal::sign;
use sealwork_types::{
    Address, B256,
    cas_wire::{LogEntry, SignedLogHead},
    order::SigningDomain,
};

/// The first thing about a log that is wrong. Each is evidence against the member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// An entry does not stand where it says.
    #[error("log entry {expected} says that it is entry {found}")]
    Index {
        /// Position.
        expected: u64,
        /// Index in the entry.
        found: u64,
    },
    /// The head is not signed by the member.
    #[error("log head is not signed by member {expected}")]
    Signature {
        /// The member.
        expected: Address,
    },
    /// There are more or fewer entries than the head says.
    #[error("log has {found} entries, its head says {expected}")]
    Size {
        /// In the head.
        expected: u64,
        /// Entries seen.
        found: u64,
    },
    /// The entries are not those that the head signs.
    #[error("log entries have root {found}, the head says {expected}")]
    Root {
        /// In the head.
        expected: B256,
        /// Of the entries.
        found: B256,
    },
    /// The newer log does not begin with the older one.
    #[error("the log of {to} entries does not begin with the log of {from} entries: the past was rewritten")]
    Rewritten {
        /// Entries of the older head.
        from: u64,
        /// Entries of the newer head.
        to: u64,
    },
}

/// Takes a log's entries in order and compares them with its signed head.
#[derive(Clone, Debug)]
pub struct LogAuditor {
    domain: SigningDomain,
    member: Address,
    tree: MemoryTree,
}

impl LogAuditor {
    /// An auditor of `member`'s log that has seen no entries.
    pub fn new(domain: SigningDomain, member: Address) -> Self {
        Self { domain, member, tree: MemoryTree::new() }
    }

    /// Entries seen.
    pub fn len(&self) -> u64 {
        self.tree.len()
    }

    /// Whether no entries were seen.
    pub fn is_empty(&self) -> bool {
        self.tree.is_empty()
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// [`AuditError::Index`].
    pub fn push(&mut self, entry: &LogEntry) -> Result<(), AuditError> {
        let expected = self.len();
        if entry.index != expected {
            return Err(AuditError::Index { expected, found: entry.index });
        }
        self.tree.push(merkle::leaf_hash(&leaf_bytes(entry)));
        Ok(())
    }

    /// Checks that the entries seen are exactly those that the head signs.
    ///
    /// # Errors
    /// [`AuditError`].
    pub fn check(&self, signed: &SignedLogHead) -> Result<(), AuditError> {
        self.check_signature(signed)?;
        let head = &signed.head;
        if head.size != self.len() {
            return Err(AuditError::Size { expected: head.size, found: self.len() });
        }
        let found = self.tree.root();
        if head.root == found { Ok(()) } else { Err(AuditError::Root { expected: head.root, found }) }
    }

    /// Checks that the log under `new` begins with the log under `old`, both signed by the member.
    ///
    /// # Errors
    /// [`AuditError`].
    pub fn check_consistency(
        &self,
        old: &SignedLogHead,
        new: &SignedLogHead,
        proof: &ConsistencyProof,
    ) -> Result<(), AuditError> {
        self.check_signature(old)?;
        self.check_signature(new)?;
        let (from, to) = (old.head.size, new.head.size);
        let named = proof.from == from && proof.to == to;
        if named && merkle::verify_consistency(from, old.head.root, to, new.head.root, &proof.path) {
            return Ok(());
        }
        Err(AuditError::Rewritten { from, to })
    }

    fn check_signature(&self, signed: &SignedLogHead) -> Result<(), AuditError> {
        match sign::recover(&self.domain, &signed.head, &signed.signature) {
            Ok(signer) if signer == self.member => Ok(()),
            _ => Err(AuditError::Signature { expected: self.member }),
        }
    }
}

/// Checks a whole log against its signed head.
///
/// # Errors
/// [`AuditError`].
pub fn verify_log<'a>(
    domain: SigningDomain,
    member: Address,
    entries: impl IntoIterator<Item = &'a LogEntry>,
    head: &SignedLogHead,
) -> Result<(), AuditError> {
    let mut auditor = LogAuditor::new(domain, member);
    entries.into_iter().try_for_each(|entry| auditor.push(entry))?;
    auditor.check(head)
}
