//! A member in the same process as a [`KeyService`].

use crate::{
    Member,
    denial::{Denial, with_causes},
};
use async_trait::async_trait;
use sealwork_ports::{ErrorKind, KeyService, PortError};
use sealwork_types::{
    AppId, PolicyHash,
    cas_wire::{DenialRule, LogEntry, MemberEvidence, MemberInfo, Nonce, SignedLogHead, SignedRecipient},
};
use std::sync::Arc;

/// Asks a member in the same process; what the platform and the disk take blocks the caller.
#[derive(Clone, Debug)]
pub struct DirectKeyService(Arc<Member>);

impl DirectKeyService {
    /// Asks this member.
    pub const fn new(member: Arc<Member>) -> Self {
        Self(member)
    }
}

fn denied(denial: Denial) -> PortError {
    let kind = match denial.rule {
        DenialRule::Registration | DenialRule::KeyEpoch => ErrorKind::NotFound,
        DenialRule::ChainUnavailable | DenialRule::RateLimit => ErrorKind::Unavailable,
        DenialRule::Protocol | DenialRule::Evidence | DenialRule::Appraisal => ErrorKind::Rejected,
    };
    PortError::because(kind, format!("ask the CAS member: {denial}"), denial)
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> PortError {
    let action = format!("ask the CAS member: {}", with_causes(&error));
    PortError::because(ErrorKind::Unavailable, action, error)
}

#[async_trait]
impl KeyService for DirectKeyService {
    async fn info(&self) -> Result<MemberInfo, PortError> {
        Ok(self.0.info())
    }

    async fn recipient(&self, app: AppId, policy: PolicyHash) -> Result<SignedRecipient, PortError> {
        self.0.recipient(app, policy).await.map_err(denied)
    }

    async fn evidence(&self, nonce: &Nonce) -> Result<MemberEvidence, PortError> {
        self.0.evidence(nonce)
    }

    async fn log_head(&self) -> Result<SignedLogHead, PortError> {
        self.0.log_head().map_err(broken)
    }

    async fn log_entries(&self, from: u64, count: u64) -> Result<Vec<LogEntry>, PortError> {
        self.0.log_entries(from, count).map_err(broken)
    }
}
