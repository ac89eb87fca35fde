//! Compiled programs that the host keeps from one enclave to the next.
//!
//! Compiling takes a hundred milliseconds, checking a tag a fraction of one. But what comes back is machine code: whoever
//! can make the tag owns this process, its signing key and every app's secrets in it. So the tag's key must be one that
//! only enclaves like this can have:
//!
//! 1. It is derived from the app's secret, which the CAS gives to nobody but enclaves that the policy accepts and the
//!    network grants. A policy that accepts more than this measurement, or debuggable enclaves, gets no shelf.
//! 2. A policy may accept older platforms than another app in the same process does. [`Floor`] keeps them apart.

use crate::{
    error::{EnclaveError, Stop},
    host::{Host, Source},
};
use sealwork_runtime::{Engine, Module};
use sealwork_seal::{Secret, kdf};
use sealwork_types::{
    B256, Bytes, CodeHash,
    abi::Grant,
    domains,
    enclave_wire::{CompiledName, FromEnclave, MAX_CHUNK_BYTES},
    params::MAX_MODULE_BYTES,
    policy::Policy,
};

/// Most bytes of a compiled program. Those of ordinary modules have three to seven times the module's.
const MAX_COMPILED_BYTES: usize = 4 * MAX_MODULE_BYTES;

/// The place of one program at the host, and the key to what lies there.
pub(crate) struct Shelf<'a> {
    pub(crate) name: CompiledName,
    pub(crate) secret: &'a Secret<[u8; 32]>,
    pub(crate) code_hash: CodeHash,
    pub(crate) measurement: B256,
    pub(crate) policy: &'a Policy,
    pub(crate) floor: &'a mut Floor,
}

/// Whether nobody but enclaves with this one's measurement, and none that can be looked into, gets secrets under the policy.
pub(crate) fn is_ours_alone(policy: &Policy, grant: &Grant) -> bool {
    let [accepted] = &policy.enclaves[..] else { return false };
    !policy.allow_debug && accepted.measurement.get() == grant.measurement && accepted.tee.code() == grant.tee
}

impl Shelf<'_> {
    fn tag(&self, digest: &B256) -> [u8; 32] {
        let context = [self.code_hash.get(), self.measurement, *digest];
        let context = context.each_ref().map(|part| part.as_slice());
        self.secret.expose(|secret| kdf::derive(domains::COMPILED_CODE, secret, &context)).expose(|tag| *tag)
    }

    /// What the host kept, if it is authentic, fits this machine, and may stand beside the secrets of this process.
    pub(crate) fn restore(&mut self, host: &Host, engine: &Engine) -> Result<Option<Module>, EnclaveError> {
        if !self.floor.allows(self.policy) {
            return Ok(None);
        }
        let kept = self.fetch(host)?;
        let module = engine.restore(&kept, &|digest| self.tag(digest));
        if module.is_some() {
            self.floor.restored(self.policy);
        }
        Ok(module)
    }

    fn fetch(&self, host: &Host) -> Result<Vec<u8>, EnclaveError> {
        let mut kept = Vec::new();
        loop {
            let chunk = host.chunk(Source::Compiled(self.name))?;
            if chunk.is_empty() {
                return Ok(kept);
            }
            let found = kept.len().saturating_add(chunk.len());
            if found > MAX_COMPILED_BYTES {
                let (what, limit) = ("a compiled program", MAX_COMPILED_BYTES);
                return Err(EnclaveError::Oversized { what, found, limit });
            }
            kept.extend_from_slice(&chunk);
        }
    }

    /// Lets the host keep a program.
    pub(crate) fn keep(&self, host: &Host, engine: &Engine, module: &Module) -> Result<(), EnclaveError> {
        let kept = engine.keep(module, &|digest| self.tag(digest));
        let Some(kept) = kept.filter(|kept| kept.len() <= MAX_COMPILED_BYTES) else { return Ok(()) };
        let name = self.name;
        for piece in kept.chunks(MAX_CHUNK_BYTES) {
            let bytes = Bytes::copy_from_slice(piece);
            host.send(&FromEnclave::KeepCompiled { name, bytes })?;
        }
        host.send(&FromEnclave::KeepCompiled { name, bytes: Bytes::new() })
    }
}

/// Keeps code that came back apart from secrets that its key's holders may not have.
///
/// A policy with a lower `min_platform_svn` shares its secret, and so the tag's key, with platforms that another policy
/// does not trust. Code under the lower one is therefore not restored beside secrets under a higher one, and once it was
/// restored, the process ends rather than ask for such a secret.
#[derive(Debug, Default)]
pub(crate) struct Floor {
    /// Highest version that a secret in this process was given for.
    demanded: u32,
    /// Lowest version under which code was restored.
    restored: Option<u32>,
}

impl Floor {
    /// To be asked before the secret of a policy.
    pub(crate) fn demand(&mut self, policy: &Policy) -> Result<(), Stop> {
        let version = demand_of(policy);
        if self.restored.is_some_and(|restored| restored < version) {
            return Err(EnclaveError::Outgrown { version }.into());
        }
        self.demanded = self.demanded.max(version);
        Ok(())
    }

    /// Whether code may be restored under the policy.
    fn allows(&self, policy: &Policy) -> bool {
        demand_of(policy) >= self.demanded
    }

    /// Code was restored under the policy.
    fn restored(&mut self, policy: &Policy) {
        let version = demand_of(policy);
        self.restored = Some(self.restored.map_or(version, |restored| restored.min(version)));
    }
}

/// The lowest platform version that a policy accepts.
fn demand_of(policy: &Policy) -> u32 {
    policy.enclaves.iter().map(|accepted| accepted.min_platform_svn).min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwork_types::{
        Address, Measurement,
        evidence::TeeKind,
        policy::{AcceptedEnclave, Limits},
    };

    fn policy(versions: &[u32]) -> Policy {
        let accepted = |version: &u32| AcceptedEnclave {
            tee: TeeKind::Sim,
            measurement: Measurement::new(B256::repeat_byte(1)),
            min_platform_svn: *version,
        };
        Policy {
            version: 1,
            code_hash: CodeHash::new(B256::ZERO),
            enclaves: versions.iter().map(accepted).collect(),
            max_evidence_age_s: 300,
            allow_debug: false,
            limits: Limits::default(),
            environment: Default::default(),
        }
    }

    #[test]
    fn only_policies_that_accept_nobody_else_have_a_shelf() {
        let grant = |byte, tee| Grant {
            enclave: Address::ZERO,
            measurement: B256::repeat_byte(byte),
            tee,
            hardwareId: B256::ZERO,
            expiry: 0,
        };
        assert!(is_ours_alone(&policy(&[3]), &grant(1, 0)));
        assert!(!is_ours_alone(&policy(&[3]), &grant(2, 0)), "another measurement");
        assert!(!is_ours_alone(&policy(&[3]), &grant(1, 1)), "another kind of evidence");
        assert!(!is_ours_alone(&policy(&[3, 3]), &grant(1, 0)), "one more enclave");
        assert!(!is_ours_alone(&Policy { allow_debug: true, ..policy(&[3]) }, &grant(1, 0)), "debuggable");
    }

    #[test]
    fn restored_code_never_meets_secrets_of_stricter_policies() {
        let mut floor = Floor::default();
        floor.demand(&policy(&[2])).unwrap();
        assert!(!floor.allows(&policy(&[1])), "a secret of version 2 is here");
        assert!(floor.allows(&policy(&[2])));
        floor.demand(&policy(&[3])).unwrap();
        floor.restored(&policy(&[3]));
        floor.demand(&policy(&[1])).unwrap();
        floor.demand(&policy(&[3])).unwrap();
        let refused = floor.demand(&policy(&[4]));
        assert!(matches!(refused, Err(Stop::Fatal(EnclaveError::Outgrown { version: 4 }))), "{refused:?}");
    }
}
