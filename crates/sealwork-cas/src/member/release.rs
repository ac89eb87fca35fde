//! Releasing shares of app secrets.

use super::{KEY_EPOCH, Member, Proven, grant::too_many};
use crate::denial::{Denial, Failure};
use sealwork_attest::{Requirements, appraise};
use sealwork_ratls::keys::app_share;
use sealwork_seal::Secret;
use sealwork_types::{
    AppId, PolicyHash,
    cas_wire::{DenialRule, LogEntry, LogKind},
    policy::Policy,
};

/// What an enclave asks for.
#[derive(Debug)]
pub(crate) struct ReleaseRequest {
    /// App.
    pub(crate) app: AppId,
    /// SHA-256 of `policy`, as registered on chain.
    pub(crate) policy_hash: PolicyHash,
    /// Key epoch.
    pub(crate) key_epoch: u32,
    /// Policy document.
    pub(crate) policy: Vec<u8>,
}

impl Member {
    /// Checks every rule in order, writes the release into the log, and returns the share and the log's size.
    pub(crate) async fn release(
        &self,
        proven: &Proven,
        request: &ReleaseRequest,
    ) -> Result<(Secret<[u8; 32]>, u64), Failure> {
        let now = self.clock.unix_s();
        let ReleaseRequest { app, policy_hash, .. } = *request;
        let policy = read_policy(request)?;
        self.check_policy(&policy, proven, now)?;
        self.check_registered(app, policy_hash).await?;
        if request.key_epoch != KEY_EPOCH {
            let detail = format!("key epoch is {}, this network is at {KEY_EPOCH}", request.key_epoch);
            return Err(Denial::new(DenialRule::KeyEpoch, detail).into());
        }
        if !self.limiter.take(proven.enclave, now) {
            return Err(too_many().into());
        }
        let entry = LogEntry {
            kind: LogKind::Release,
            app: app.get(),
            policy_hash: policy_hash.get(),
            ..self.entry_about(proven, now)
        };
        let log_size = self.append(entry).await?;
        tracing::info!(%app, enclave = %proven.enclave, log_size, "released a share");
        Ok((app_share(&self.secret, &self.key_name(app, policy_hash)), log_size))
    }

    fn check_policy(&self, policy: &Policy, proven: &Proven, now: u64) -> Result<(), Denial> {
        let asked = Requirements {
            accepted: &policy.enclaves,
            max_age_s: policy.max_evidence_age_s,
            allow_debug: policy.allow_debug,
            development: self.anchors.is_development(),
            // Compared when the session began; the claims are of this session only.
            report_data: None,
        };
        appraise(&proven.claims, &asked, now)
            .map(drop)
            .map_err(|error| Denial::because(DenialRule::Appraisal, &error))
    }
}

fn read_policy(request: &ReleaseRequest) -> Result<Policy, Denial> {
    let found = Policy::hash_of(&request.policy);
    if found != request.policy_hash {
        let detail = format!("policy document hashes to {found}, the request says {}", request.policy_hash);
        return Err(Denial::new(DenialRule::Protocol, detail));
    }
    Policy::parse(&request.policy).map_err(|error| Denial::because(DenialRule::Protocol, &error))
}
