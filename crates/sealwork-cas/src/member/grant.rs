//! Granting enclave keys.

use super::Member;
use crate::denial::{Denial, Failure};
use sealwork_attest::{Requirements, appraise, verify};
use sealwork_types::{
    Address, B256, Sha256Digest,
    abi::Grant,
    cas_wire::{DenialRule, LogEntry, LogKind, Nonce, enclave_report_data},
    enclave_wire::GrantFrame,
    evidence::{Claims, Evidence},
    params::{EVIDENCE_MAX_AGE_S, GRANT_LIFETIME_S},
};

/// What an enclave says about itself in one session.
#[derive(Debug)]
pub(crate) struct Claimed<'a> {
    /// Evidence.
    pub(crate) evidence: Evidence,
    /// Signing key.
    pub(crate) enclave: Address,
    /// The nonce that this member gave.
    pub(crate) nonce: &'a Nonce,
    /// TLS key of the session.
    pub(crate) tls_key: &'a [u8],
    /// Exporter value of the session.
    pub(crate) exporter: &'a [u8; 32],
}

/// An enclave that was appraised in this session.
#[derive(Clone, Debug)]
pub(crate) struct Proven {
    /// Signing key.
    pub(crate) enclave: Address,
    /// Verified facts; `issued_at` is always set.
    pub(crate) claims: Claims,
    /// SHA-256 of the evidence.
    pub(crate) evidence: B256,
}

impl Member {
    /// Appraises an enclave and grants its key.
    pub(crate) async fn grant(&self, claimed: Claimed<'_>) -> Result<(Proven, GrantFrame), Failure> {
        let now = self.clock.unix_s();
        let proven = self.prove(&claimed, now)?;
        if !self.limiter.take(proven.enclave, now) {
            return Err(too_many().into());
        }
        let grant = Grant {
            enclave: proven.enclave,
            measurement: proven.claims.measurement.get(),
            tee: proven.claims.tee.code(),
            hardwareId: proven.claims.hardware_id,
            expiry: now.saturating_add(GRANT_LIFETIME_S),
        };
        let entry = LogEntry {
            kind: LogKind::Grant,
            app: B256::ZERO,
            policy_hash: B256::ZERO,
            ..self.entry_about(&proven, now)
        };
        self.append(entry).await?;
        let signatures = vec![self.key.sign(&self.anchors.domain, &grant)];
        tracing::info!(enclave = %grant.enclave, measurement = %grant.measurement, "granted an enclave key");
        Ok((proven, GrantFrame { grant, signatures }))
    }

    fn prove(&self, claimed: &Claimed<'_>, now: u64) -> Result<Proven, Denial> {
        let mut claims = verify(&claimed.evidence, &self.roots, now)
            .map_err(|error| Denial::because(DenialRule::Evidence, &error))?;
        let expected = enclave_report_data(
            claimed.tls_key,
            claimed.nonce,
            claimed.exporter,
            claimed.enclave,
            self.anchors_digest,
        );
        let development = self.anchors.is_development();
        let asked = Requirements {
            accepted: &self.grantable,
            max_age_s: EVIDENCE_MAX_AGE_S,
            allow_debug: self.grant_debuggable && development,
            development,
            report_data: Some(&expected),
        };
        appraise(&claims, &asked, now).map_err(|error| Denial::because(DenialRule::Appraisal, &error))?;
        claims.issued_at.get_or_insert(now);
        Ok(Proven { enclave: claimed.enclave, claims, evidence: Sha256Digest::of(&claimed.evidence.bytes) })
    }

    /// A log entry about an enclave; the caller says what was released. The log sets the index.
    pub(super) fn entry_about(&self, proven: &Proven, now: u64) -> LogEntry {
        LogEntry {
            index: 0,
            time: now,
            kind: LogKind::Release,
            app: B256::ZERO,
            policy_hash: B256::ZERO,
            key_epoch: super::KEY_EPOCH,
            enclave: proven.enclave,
            measurement: proven.claims.measurement.get(),
            evidence: proven.evidence,
        }
    }
}

pub(super) fn too_many() -> Denial {
    Denial::new(DenialRule::RateLimit, "this enclave asks too often; wait some seconds")
}
