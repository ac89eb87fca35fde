//! The CAS as clients see it.

use crate::PortError;
use async_trait::async_trait;
use sealwork_types::{
    AppId, PolicyHash,
    cas_wire::{LogEntry, MemberEvidence, MemberInfo, Nonce, SignedLogHead, SignedRecipient},
};

/// One CAS member's public side. A cluster is a list of these; answers are checked by the caller.
#[async_trait]
pub trait KeyService: Send + Sync + 'static {
    /// Who the member is.
    async fn info(&self) -> Result<MemberInfo, PortError>;

    /// The app's sealing key under the policy that is registered on chain.
    async fn recipient(&self, app: AppId, policy: PolicyHash) -> Result<SignedRecipient, PortError>;

    /// Fresh evidence over the caller's nonce.
    async fn evidence(&self, nonce: &Nonce) -> Result<MemberEvidence, PortError>;

    /// Newest signed head of the release log.
    async fn log_head(&self) -> Result<SignedLogHead, PortError>;

    /// Entries `[from, from + count)`, fewer at the end; `count` at most 1,000.
    async fn log_entries(&self, from: u64, count: u64) -> Result<Vec<LogEntry>, PortError>;
}
