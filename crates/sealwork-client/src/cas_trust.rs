//! Checks what CAS members say before anything is sealed.

use crate::{AppView, Client, ClientError};
use sealwork_attest::{Requirements, Roots, appraise, verify};
use sealwork_seal::{age::Recipient, sign};
use sealwork_types::{
    Address, Measurement,
    cas_wire::{SignedRecipient, cas_report_data},
    evidence::TeeKind,
    network::TrustAnchors,
    params::EVIDENCE_MAX_AGE_S,
};

/// One member's evidence, appraised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberReport {
    /// Member.
    pub member: Address,
    /// Kind of evidence.
    pub tee: TeeKind,
    /// What it runs.
    pub measurement: Measurement,
    /// Platform security version.
    pub platform_svn: u32,
}

impl Client {
    /// The app's sealing key, after checking the signature of a CAS member of the network.
    ///
    /// # Errors
    /// [`ClientError::Cas`] when the certificate does not hold; [`ClientError::Port`] when no member answers.
    pub async fn recipient(&self, app: &AppView) -> Result<Recipient, ClientError> {
        let mut last = no_members();
        for member in &self.parts.cas {
            match member.recipient(app.id, app.policy_hash()).await {
                Ok(signed) => return check_recipient(&signed, app, &self.network.anchors),
                Err(error) => last = error.into(),
            }
        }
        Err(last)
    }

    /// Asks every member for fresh evidence and appraises it.
    ///
    /// # Errors
    /// [`ClientError::Cas`] with the first rule that a member fails.
    pub async fn check_members(&self) -> Result<Vec<MemberReport>, ClientError> {
        let mut reports = Vec::new();
        for (member, address) in self.parts.cas.iter().zip(&self.network.anchors.cas_members) {
            let nonce = random_nonce()?;
            let answer = member.evidence(&nonce).await?;
            let now = self.parts.clock.unix_s();
            reports.push(check_member(*address, &nonce, &answer.evidence, &self.network.anchors, now)?);
        }
        if reports.is_empty() { Err(no_members()) } else { Ok(reports) }
    }
}

fn check_member(
    member: Address,
    nonce: &[u8; 32],
    evidence: &sealwork_types::evidence::Evidence,
    anchors: &TrustAnchors,
    now: u64,
) -> Result<MemberReport, ClientError> {
    let untrusted = |problem: String| ClientError::Cas { problem: format!("member {member}: {problem}") };
    let claims =
        verify(evidence, &Roots::from(anchors), now).map_err(|error| untrusted(error.to_string()))?;
    let report_data = cas_report_data(&[], nonce, &[0; 32], member, anchors.digest());
    let requirements = Requirements {
        accepted: &anchors.cas_enclaves,
        max_age_s: EVIDENCE_MAX_AGE_S,
        allow_debug: false,
        development: anchors.is_development(),
        report_data: Some(&report_data),
    };
    appraise(&claims, &requirements, now).map_err(|error| untrusted(error.to_string()))?;
    Ok(MemberReport {
        member,
        tee: claims.tee,
        measurement: claims.measurement,
        platform_svn: claims.platform_svn,
    })
}

/// Checks a recipient certificate: signature by a member, this app, this policy, this key.
///
/// # Errors
/// [`ClientError::Cas`] with what does not hold.
pub fn check_recipient(
    signed: &SignedRecipient,
    app: &AppView,
    anchors: &TrustAnchors,
) -> Result<Recipient, ClientError> {
    let untrusted = |problem: &str| ClientError::Cas { problem: problem.to_owned() };
    let signer = sign::recover(&anchors.domain, &signed.certificate, &signed.signature).unwrap_or_default();
    if !anchors.cas_members.contains(&signer) {
        return Err(untrusted("the sealing key is not signed by a CAS member of this network"));
    }
    if anchors.cas_threshold != 1 {
        return Err(untrusted("this version checks one member's signature, the network asks for more"));
    }
    if signed.app() != app.id || signed.policy() != app.policy_hash() {
        return Err(untrusted("the sealing key is for another app or policy"));
    }
    let recipient =
        Recipient::from_bytes(&signed.recipient).map_err(|_| untrusted("the sealing key is malformed"))?;
    if recipient.digest() != signed.certificate.recipient {
        return Err(untrusted("the sealing key is not the one that was signed"));
    }
    Ok(recipient)
}

fn no_members() -> ClientError {
    ClientError::Cas { problem: "the network document names no CAS member".into() }
}

fn random_nonce() -> Result<[u8; 32], ClientError> {
    sealwork_seal::Secret::<[u8; 32]>::random()
        .map(|nonce| nonce.expose(|bytes| *bytes))
        .map_err(|error| ClientError::Cas { problem: error.to_string() })
}
