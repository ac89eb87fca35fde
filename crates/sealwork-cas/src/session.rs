//! One enclave's session: which message may come when.

use crate::{
    CasError, Member,
    denial::{Denial, Failure},
    member::{Claimed, Proven, ReleaseRequest},
};
use sealwork_seal::Secret;
use sealwork_types::{
    AppId, B256, PolicyHash,
    cas_wire::{DenialRule, FromMember, Nonce, ToMember},
};
use std::sync::Arc;
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::spawn_blocking,
};

/// Denied releases after which a session ends.
const MAX_DENIALS: u32 = 8;

/// A session after the TLS handshake.
#[derive(Debug)]
pub(crate) struct Session {
    member: Arc<Member>,
    tls_key: Vec<u8>,
    exporter: [u8; 32],
    state: State,
    denials: u32,
}

#[derive(Debug)]
enum State {
    /// Nothing was said.
    New,
    /// The enclave must put this nonce into its evidence.
    Challenged(Nonce),
    /// The enclave may ask for shares.
    Proven(Box<Proven>),
    /// Nothing more is answered.
    Ended,
}

impl Session {
    /// A session with the holder of `tls_key`.
    pub(crate) const fn new(member: Arc<Member>, tls_key: Vec<u8>, exporter: [u8; 32]) -> Self {
        Self { member, tls_key, exporter, state: State::New, denials: 0 }
    }

    /// Whether the enclave proved itself.
    pub(crate) const fn is_proven(&self) -> bool {
        matches!(self.state, State::Proven(_))
    }

    /// Whether the connection should be closed.
    pub(crate) const fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// The answer to a message.
    ///
    /// # Errors
    /// When this member is broken; the session ends without an answer.
    pub(crate) async fn answer(&mut self, message: ToMember) -> Result<FromMember, CasError> {
        match self.serve(message).await {
            Ok(answer) => Ok(answer),
            Err(Failure::Denied(denial)) => Ok(self.deny(denial)),
            Err(Failure::Broken(error)) => {
                self.state = State::Ended;
                Err(error)
            }
        }
    }

    /// The answer to bytes that are no message.
    pub(crate) fn malformed(&mut self) -> FromMember {
        self.state = State::Ended;
        self.deny(Denial::new(
            DenialRule::Protocol,
            "frame is not a known message of at most the allowed size",
        ))
    }

    async fn serve(&mut self, message: ToMember) -> Result<FromMember, Failure> {
        // A session that fails on its way to `Proven` is over.
        match (std::mem::replace(&mut self.state, State::Ended), message) {
            (State::New, ToMember::Hello { nonce }) => self.challenge(nonce).await,
            (State::Challenged(nonce), ToMember::Prove { evidence, enclave }) => {
                let (tls_key, exporter) = (&self.tls_key[..], &self.exporter);
                let claimed =
                    Claimed { evidence: evidence.into(), enclave, nonce: &nonce, tls_key, exporter };
                let (proven, grant) = self.member.grant(claimed).await?;
                self.state = State::Proven(Box::new(proven));
                let grant = serde_json::to_vec(&grant).expect("numbers, hashes and bytes always serialize");
                Ok(FromMember::Granted { grant })
            }
            (State::Proven(proven), ToMember::Release { app, policy_hash, key_epoch, policy }) => {
                let request = ReleaseRequest {
                    app: AppId::new(B256::from(app)),
                    policy_hash: PolicyHash::new(B256::from(policy_hash)),
                    key_epoch,
                    policy,
                };
                let released = self.member.release(&proven, &request).await;
                self.state = State::Proven(proven);
                let (share, log_size) = released?;
                Ok(FromMember::Released { share: share.expose(|bytes| *bytes), log_size })
            }
            (State::New | State::Challenged(_) | State::Proven(_) | State::Ended, message) => {
                Err(Denial::new(DenialRule::Protocol, format!("{} may not come now", name(&message))).into())
            }
        }
    }

    async fn challenge(&mut self, nonce: Nonce) -> Result<FromMember, Failure> {
        let (member, exporter) = (Arc::clone(&self.member), self.exporter);
        let evidence = blocking(move || member.session_evidence(&nonce, &exporter)).await?;
        let own = Secret::<[u8; 32]>::random().map_err(CasError::from)?.expose(|bytes| *bytes);
        self.state = State::Challenged(own);
        Ok(FromMember::Challenge { evidence: evidence.into(), nonce: own })
    }

    fn deny(&mut self, denial: Denial) -> FromMember {
        self.denials += 1;
        if self.denials >= MAX_DENIALS {
            self.state = State::Ended;
        }
        tracing::info!(rule = ?denial.rule, detail = %denial.detail, "denied");
        FromMember::Denied { rule: denial.rule, detail: denial.detail }
    }
}

/// Work that may block: on a thread of its own where the runtime has several.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        return work();
    }
    spawn_blocking(work).await.expect("the work does not panic and is not aborted")
}

const fn name(message: &ToMember) -> &'static str {
    match message {
        ToMember::Hello { .. } => "Hello",
        ToMember::Prove { .. } => "Prove",
        ToMember::Release { .. } => "Release",
    }
}
