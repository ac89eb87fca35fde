//! Where app secrets come from, and the keys made of them.

use crate::{EnclaveError, error::Stop, host::Host};
use sealwork_seal::Secret;
use sealwork_types::{
    Address, AppId, PolicyHash, enclave_wire::GrantFrame, evidence::TeeKind, network::TrustAnchors,
};
use std::{collections::VecDeque, fmt, rc::Rc};

/// Names an app secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyName {
    /// App.
    pub app: AppId,
    /// SHA-256 of the policy document.
    pub policy_hash: PolicyHash,
    /// Key epoch.
    pub key_epoch: u32,
}

/// Asks for an app secret.
#[derive(Clone, Copy, Debug)]
pub struct KeyRequest<'a> {
    /// Which one.
    pub name: KeyName,
    /// The bytes that `name.policy_hash` is the digest of.
    pub policy: &'a [u8],
    /// Oldest evidence that the policy accepts, seconds.
    pub max_evidence_age_s: u64,
    /// Seconds since 1970.
    pub now: u64,
}

/// Convinces the CAS and gets secrets from it.
pub trait KeySource {
    /// Proves to as many members as the threshold asks for that this enclave may sign receipts. `now` is the host's.
    ///
    /// # Errors
    /// [`Stop::Refused`] when a member cannot be reached, proves nothing, or denies.
    fn attest(&mut self, now: u64) -> Result<GrantFrame, Stop>;

    /// Gets an app secret.
    ///
    /// # Errors
    /// [`Stop::Refused`] when a member cannot be reached, proves nothing, or denies.
    fn app_secret(&mut self, request: &KeyRequest<'_>) -> Result<Secret<[u8; 32]>, Stop>;
}

/// What a [`KeySource`] is made from.
#[derive(Debug)]
pub struct KeySourceSetup {
    /// The way to the members.
    pub host: Host,
    /// Whom to trust.
    pub anchors: TrustAnchors,
    /// Evidence that the host offers.
    pub tee: TeeKind,
    /// Address of the enclave's signing key.
    pub enclave: Address,
}

/// Makes the key source when the anchors are known.
pub type MakeKeySource = fn(KeySourceSetup) -> Result<Box<dyn KeySource>, EnclaveError>;

/// App secrets kept, so that a series of tasks asks the CAS once.
const MAX_SECRETS: usize = 16;

/// A key source and the secrets it gave, oldest first.
pub(crate) struct AppKeys {
    source: Box<dyn KeySource>,
    secrets: VecDeque<(KeyName, Rc<Secret<[u8; 32]>>)>,
}

impl AppKeys {
    pub(crate) fn new(source: Box<dyn KeySource>) -> Self {
        Self { source, secrets: VecDeque::new() }
    }

    pub(crate) fn attest(&mut self, now: u64) -> Result<GrantFrame, Stop> {
        self.source.attest(now)
    }

    /// The secret, from memory or from the CAS.
    pub(crate) fn secret(&mut self, request: &KeyRequest<'_>) -> Result<Rc<Secret<[u8; 32]>>, Stop> {
        if let Some((_, secret)) = self.secrets.iter().find(|(name, _)| *name == request.name) {
            return Ok(Rc::clone(secret));
        }
        let secret = Rc::new(self.source.app_secret(request)?);
        if self.secrets.len() >= MAX_SECRETS {
            self.secrets.pop_front();
        }
        self.secrets.push_back((request.name, Rc::clone(&secret)));
        Ok(secret)
    }
}

impl fmt::Debug for AppKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppKeys").field("known", &self.secrets.len()).finish_non_exhaustive()
    }
}
