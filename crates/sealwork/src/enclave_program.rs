//! The enclave program on this machine: where it lies and what it measures.

use crate::failure::{self, Failure};
use anyhow::{Context, Result};
use sealwork_types::{Measurement, evidence::TeeKind, policy::AcceptedEnclave};
use std::path::PathBuf;

const PROGRAM: &str = "sealwork-enclave";
/// Names another enclave program than the one beside this binary.
const VARIABLE: &str = "SEALWORK_ENCLAVE";

/// Path of the enclave program: `SEALWORK_ENCLAVE`, or beside this binary.
pub(crate) fn path() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(VARIABLE) {
        return Ok(path.into());
    }
    let binary = std::env::current_exe().context("find this program's own path")?;
    let beside = binary.with_file_name(PROGRAM);
    // Test binaries lie one folder deeper than the programs.
    let above = binary.parent().and_then(|folder| folder.parent()).map(|folder| folder.join(PROGRAM));
    [Some(beside), above].into_iter().flatten().find(|path| path.is_file()).ok_or_else(|| {
        Failure::new(failure::FAILED, format!("there is no {PROGRAM} beside {}", binary.display()))
            .hint(format!("build it with `cargo build --release -p {PROGRAM}`, or name it with {VARIABLE}"))
            .into()
    })
}

/// What the enclave program on this machine measures in a simulated TEE.
pub(crate) fn measurement() -> Result<Measurement> {
    let path = path()?;
    sealwork_simtee::measure_file(&path).with_context(|| format!("measure {}", path.display()))
}

/// The enclave program on this machine as policies and CAS members name it.
pub(crate) fn accepted() -> Result<AcceptedEnclave> {
    Ok(AcceptedEnclave { tee: TeeKind::Sim, measurement: measurement()?, min_platform_svn: 0 })
}
