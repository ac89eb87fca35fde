//! Evidence as it travels, and the facts that verifiers take from it.

use crate::{B256, Measurement};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Largest evidence that is looked at.
pub const MAX_EVIDENCE_BYTES: usize = 64 * 1024;

/// The kinds of trusted execution environment. Numbers are append-only; they stand in grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TeeKind {
    /// Simulated. Never accepted outside a development chain, and only where a policy names it.
    Sim,
    /// Intel SGX.
    Sgx,
    /// Intel TDX.
    Tdx,
    /// AMD SEV-SNP.
    Snp,
    /// AWS Nitro.
    Nitro,
}

impl TeeKind {
    /// Number in grants.
    pub const fn code(self) -> u8 {
        match self {
            Self::Sim => 0,
            Self::Sgx => 1,
            Self::Tdx => 2,
            Self::Snp => 3,
            Self::Nitro => 4,
        }
    }
}

impl fmt::Display for TeeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sim => "sim",
            Self::Sgx => "sgx",
            Self::Tdx => "tdx",
            Self::Snp => "snp",
            Self::Nitro => "nitro",
        })
    }
}

/// Raw evidence with the name of its format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Format.
    pub tee: TeeKind,
    /// The format's own bytes, certificates included.
    pub bytes: crate::Bytes,
}

/// 64 bytes that an enclave chooses and its evidence signs.
pub type ReportData = [u8; 64];

/// Facts that verified evidence establishes. Holding one means signatures and chain were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Format.
    pub tee: TeeKind,
    /// What runs.
    pub measurement: Measurement,
    /// What it chose to say.
    pub report_data: ReportData,
    /// Whether the host may look inside.
    pub debug: bool,
    /// Security version of the platform; higher is newer. Meaning per format.
    pub platform_svn: u32,
    /// SHA-256 of the platform's hardware identity.
    pub hardware_id: B256,
    /// When the evidence was made, if the format says; seconds since 1970.
    pub issued_at: Option<u64>,
}
