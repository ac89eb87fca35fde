//! The policy document: who may run an app and within which limits. Its SHA-256 stands in the registry, and the app's
//! keys are derived from it, so another policy means other keys.

use crate::{
    CodeHash, Measurement, PolicyHash, Sha256Digest,
    bounded::{DocumentError, parse_json},
    evidence::TeeKind,
    generated::params::{
        EVIDENCE_MAX_AGE_S, MAX_MANIFEST_BYTES, MAX_MEMORY_BYTES, MAX_OUTPUT_BYTES, TASK_DEADLINE_S,
    },
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A program that runs longer than a task may last could never be settled.
const MAX_TIME_MS: u64 = TASK_DEADLINE_S.saturating_mul(1_000);

/// Names of environment variables that begin so are the enclave's: it tells a program with them which task it is.
pub const RESERVED_ENVIRONMENT: &str = "SEALWORK_";

/// An enclave that may get the app's keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedEnclave {
    /// Kind of evidence.
    pub tee: TeeKind,
    /// What must run.
    pub measurement: Measurement,
    /// Oldest platform security version accepted.
    pub min_platform_svn: u32,
}

/// Limits of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Linear memory, bytes.
    pub memory_bytes: u64,
    /// Wall clock, milliseconds.
    pub time_ms: u64,
    /// Fuel (about one unit an instruction).
    pub fuel: u64,
    /// Standard output and files in `/out` together, bytes.
    pub output_bytes: u64,
    /// Files in `/in` together, bytes. Standard input streams and has no limit but the order's.
    pub files_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 512 << 20,
            time_ms: 60_000,
            fuel: 200_000_000_000,
            output_bytes: 64 << 20,
            files_bytes: 256 << 20,
        }
    }
}

/// Who may run an app, and within which limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Format version, 1.
    pub version: u16,
    /// The only module that may run.
    pub code_hash: CodeHash,
    /// Enclaves that may run it. Never empty.
    pub enclaves: Vec<AcceptedEnclave>,
    /// Oldest evidence accepted, seconds; at most the protocol's own maximum.
    pub max_evidence_age_s: u64,
    /// Whether debuggable enclaves are accepted. `true` gives up confidentiality.
    pub allow_debug: bool,
    /// Limits of one run.
    pub limits: Limits,
    /// Environment variables of the program; none with [`RESERVED_ENVIRONMENT`].
    pub environment: BTreeMap<String, String>,
}

impl Policy {
    const KIND: &'static str = "policy document";

    /// Reads and checks a policy.
    ///
    /// # Errors
    /// [`DocumentError`] for size, syntax, unknown fields or a value out of range.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        let policy: Self = parse_json(Self::KIND, bytes, MAX_MANIFEST_BYTES)?;
        policy.check()?;
        Ok(policy)
    }

    fn check(&self) -> Result<(), DocumentError> {
        let limits = &self.limits;
        let rules = [
            (self.version == 1, "version", format!("is {}, this version reads 1", self.version)),
            (!self.enclaves.is_empty(), "enclaves", "is empty, name at least one measurement".to_owned()),
            (
                (1..=EVIDENCE_MAX_AGE_S).contains(&self.max_evidence_age_s),
                "max_evidence_age_s",
                format!("is {}, expected 1 to {EVIDENCE_MAX_AGE_S}", self.max_evidence_age_s),
            ),
            (
                (65_536..=MAX_MEMORY_BYTES).contains(&limits.memory_bytes),
                "limits.memory_bytes",
                format!("is {}, expected 65536 to {MAX_MEMORY_BYTES}", limits.memory_bytes),
            ),
            (
                limits.output_bytes <= MAX_OUTPUT_BYTES,
                "limits.output_bytes",
                format!("is {}, expected at most {MAX_OUTPUT_BYTES}", limits.output_bytes),
            ),
            (
                limits.files_bytes <= MAX_MEMORY_BYTES,
                "limits.files_bytes",
                format!("is {}, expected at most {MAX_MEMORY_BYTES}", limits.files_bytes),
            ),
            (
                limits.time_ms <= MAX_TIME_MS,
                "limits.time_ms",
                format!("is {}, expected at most {MAX_TIME_MS}, the deadline of a task", limits.time_ms),
            ),
            (limits.time_ms > 0 && limits.fuel > 0, "limits", "time_ms and fuel must not be zero".to_owned()),
            (
                self.environment.iter().all(|(name, value)| is_variable(name) && !value.contains('\0')),
                "environment",
                "has a name that is not A-Z, a-z, 0-9 or _, or a value with a zero byte".to_owned(),
            ),
            (
                !self.environment.keys().any(|name| name.starts_with(RESERVED_ENVIRONMENT)),
                "environment",
                format!("has a name that begins with {RESERVED_ENVIRONMENT}, which only the enclave sets"),
            ),
        ];
        match rules.into_iter().find(|(holds, ..)| !holds) {
            Some((_, field, problem)) => Err(DocumentError::Value { kind: Self::KIND, field, problem }),
            None => Ok(()),
        }
    }

    /// The bytes that are stored and hashed.
    ///
    /// # Panics
    /// Never: the structure always serializes.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("strings, numbers and hashes always serialize")
    }

    /// Name of the given policy bytes.
    pub fn hash_of(bytes: &[u8]) -> PolicyHash {
        PolicyHash::new(Sha256Digest::of(bytes))
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_leave_reserved_names_to_the_enclave() {
        let with = |name: &str| {
            let accepted = AcceptedEnclave {
                tee: TeeKind::Sim,
                measurement: Measurement::new(crate::B256::repeat_byte(1)),
                min_platform_svn: 0,
            };
            let policy = Policy {
                version: 1,
                code_hash: CodeHash::new(crate::B256::repeat_byte(2)),
                enclaves: vec![accepted],
                max_evidence_age_s: 300,
                allow_debug: false,
                limits: Limits::default(),
                environment: BTreeMap::from([(name.to_owned(), "1".to_owned())]),
            };
            Policy::parse(&policy.to_bytes()).map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(with("SEALWORKER"), Ok(()));
        let refused = with("SEALWORK_TASK_INDEX").unwrap_err();
        assert!(refused.contains("begins with SEALWORK_"), "{refused}");
    }
}
