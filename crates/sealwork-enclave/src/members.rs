//! The CAS members as key source: attested TLS sessions inside the host's pipe.

use crate::{
    EnclaveError, Host, KeySource,
    error::{Refusal, Stop},
    keys::{KeyRequest, KeySourceSetup},
    tls_pipe::TlsPipe,
};
use sealwork_ratls::{
    BoxError, Introduction, MemberSession, SessionError, TlsIdentity, keys::combine_shares,
};
use sealwork_seal::Secret;
use sealwork_types::{
    Address,
    enclave_wire::GrantFrame,
    evidence::{Evidence, ReportData, TeeKind},
    network::TrustAnchors,
};
use std::collections::BTreeMap;

/// Sessions with CAS members, kept open for key releases.
#[derive(Debug)]
struct MemberSessions {
    host: Host,
    anchors: TrustAnchors,
    tee: TeeKind,
    enclave: Address,
    identity: TlsIdentity,
    open: BTreeMap<u32, MemberSession<TlsPipe>>,
}

/// The key source of the product: as many CAS members as the anchors' threshold asks for.
///
/// # Errors
/// [`EnclaveError::Keys`] when no TLS key can be made.
pub fn member_sessions(setup: KeySourceSetup) -> Result<Box<dyn KeySource>, EnclaveError> {
    let KeySourceSetup { host, anchors, tee, enclave } = setup;
    let identity = TlsIdentity::generate().map_err(|error| EnclaveError::Keys(error.into()))?;
    Ok(Box::new(MemberSessions { host, anchors, tee, enclave, identity, open: BTreeMap::new() }))
}

impl KeySource for MemberSessions {
    fn attest(&mut self, now: u64) -> Result<GrantFrame, Stop> {
        self.open.clear();
        let grants = self.ask_threshold(|sessions, member, address| {
            sessions.connect(member, address, now).map(|frame| (address, frame))
        })?;
        join_grants(grants)
    }

    fn app_secret(&mut self, request: &KeyRequest<'_>) -> Result<Secret<[u8; 32]>, Stop> {
        let shares =
            self.ask_threshold(|sessions, member, address| sessions.release(member, address, request))?;
        Ok(combine_shares(&shares))
    }
}

impl MemberSessions {
    /// Asks members in order until the threshold is met; otherwise reports why the last one failed.
    fn ask_threshold<T>(
        &mut self,
        mut ask: impl FnMut(&mut Self, u32, Address) -> Result<T, SessionError>,
    ) -> Result<Vec<T>, Stop> {
        let threshold = usize::from(self.anchors.cas_threshold);
        let members: Vec<(u32, Address)> = (0..).zip(self.anchors.cas_members.iter().copied()).collect();
        let mut answers = Vec::with_capacity(threshold.min(members.len()));
        let mut refusal = Refusal::permanent(format!(
            "the trust anchors name {} CAS members, {threshold} are needed",
            members.len()
        ));
        for (member, address) in members {
            if answers.len() == threshold {
                break;
            }
            match ask(self, member, address) {
                Ok(answer) => answers.push(answer),
                Err(error) => {
                    self.host.check()?;
                    self.open.remove(&member);
                    refusal = refusal_of(address, &error);
                }
            }
        }
        if threshold == 0 || answers.len() < threshold {
            return Err(refusal.into());
        }
        Ok(answers)
    }

    fn connect(&mut self, member: u32, address: Address, now: u64) -> Result<GrantFrame, SessionError> {
        self.open.remove(&member);
        let pipe = TlsPipe::open(self.host.clone(), member)
            .map_err(|error| SessionError::Handshake(self.host.defer(error)))?;
        let nonce = Secret::<[u8; 32]>::random().map_err(|error| SessionError::Quote(error.into()))?;
        let introduction = Introduction {
            identity: &self.identity,
            anchors: &self.anchors,
            member: address,
            enclave: self.enclave,
            nonce: nonce.expose(|bytes| *bytes),
            now,
        };
        let mut quote = |report_data: &ReportData| quote(&self.host, self.tee, report_data);
        let (session, grant) = MemberSession::connect(pipe, &introduction, &mut quote)?;
        self.open.insert(member, session);
        Ok(grant)
    }

    fn release(
        &mut self,
        member: u32,
        address: Address,
        request: &KeyRequest<'_>,
    ) -> Result<Secret<[u8; 32]>, SessionError> {
        let fresh_enough = |session: &&mut MemberSession<TlsPipe>| {
            request.now.saturating_sub(session.established_at()) < request.max_evidence_age_s
        };
        // The member may have closed an idle session, or count its age differently. Only a new one tells for certain.
        if let Some(session) = self.open.get_mut(&member).filter(fresh_enough)
            && let Ok(share) = ask_share(session, request)
        {
            return Ok(share);
        }
        self.connect(member, address, request.now)?;
        let session = self.open.get_mut(&member).expect("connect has just put it there");
        ask_share(session, request)
    }
}

fn ask_share(
    session: &mut MemberSession<TlsPipe>,
    request: &KeyRequest<'_>,
) -> Result<Secret<[u8; 32]>, SessionError> {
    let name = &request.name;
    session.release(name.app, name.policy_hash, name.key_epoch, request.policy).map(|share| share.secret)
}

fn quote(host: &Host, tee: TeeKind, report_data: &ReportData) -> Result<Evidence, BoxError> {
    let evidence = host.quote(report_data).map_err(|error| host.defer(error))??;
    if evidence.tee != tee {
        return Err(format!("the host gave {} evidence, it announced {tee}", evidence.tee).into());
    }
    Ok(evidence)
}

/// Members sign the same statement; a grant carries it once, with the signatures in the order of the addresses.
fn join_grants(grants: Vec<(Address, GrantFrame)>) -> Result<GrantFrame, Stop> {
    let mut grants: BTreeMap<Address, GrantFrame> = grants.into_iter().collect();
    let (_, mut joined) = grants.pop_first().expect("the threshold is at least one");
    for (member, frame) in grants {
        if frame.grant != joined.grant {
            return Err(Refusal::transient(format!(
                "CAS member {member} granted something else than the others"
            ))
            .into());
        }
        joined.signatures.extend(frame.signatures);
    }
    Ok(joined)
}

fn refusal_of(member: Address, error: &SessionError) -> Refusal {
    let mut reason = format!("CAS member {member}: {error}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        reason.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    Refusal { retryable: error.is_retryable(), reason }
}
