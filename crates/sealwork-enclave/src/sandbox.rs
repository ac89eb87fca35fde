//! Gives up everything a process can give up, before the first byte of the host is read.
//!
//! Two steps, because engine and random number generator must be set up between them: [`drop_privileges`] closes
//! descriptors and enters empty name spaces; [`Privileges::lock`] installs the system call filter, which is the last word: from
//! then on the process can compute, use memory, read descriptor 0 and write descriptors 1 and 2. Anything else ends it.
//!
//! A kernel may lack name spaces or landlock; that is reported ([`SandboxReport`]) and tolerated, because the filter alone
//! already forbids what they forbid. Without the filter nothing starts.

mod descriptors;
mod filter;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetStatus, Scope,
};
use nix::sched::{CloneFlags, unshare};
use rustix::{
    mm::{MlockAllFlags, mlockall},
    process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit},
    thread::{CapabilitySet, CapabilitySets, set_capabilities, set_name, set_no_new_privs},
};
use sealwork_types::enclave_wire::SandboxReport;
use std::io;

/// Newest landlock version whose rights are all denied; older kernels deny what they know.
const LANDLOCK: ABI = ABI::V6;

/// Why a process could not be confined.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// Descriptors beside the three standard ones could not be listed.
    #[error("cannot list the open descriptors in /proc/self/fd")]
    Descriptors(#[source] io::Error),
    /// A restriction that every supported kernel has was refused.
    #[error("the kernel refused {restriction}")]
    Restriction {
        /// Its name.
        restriction: &'static str,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// The filter could not be built for this processor.
    #[error("the system call filter does not compile")]
    Compile(#[source] seccompiler::BackendError),
    /// The filter was refused.
    #[error("the kernel refused the system call filter, expected Linux 4.14 or newer with seccomp")]
    Filter(#[source] seccompiler::Error),
}

/// A process that has given up everything but system calls.
#[derive(Debug)]
#[must_use = "only `lock` installs the filter"]
pub struct Privileges {
    report: SandboxReport,
}

/// First step. Must run while the process has one thread, and before it opens anything.
///
/// # Errors
/// [`SandboxError`] when a restriction that does not depend on the kernel's configuration fails.
pub fn drop_privileges() -> Result<Privileges, SandboxError> {
    descriptors::close_inherited().map_err(SandboxError::Descriptors)?;
    // Only for people who look at a list of processes: a program that runs from memory has no name of its own.
    let _ = set_name(c"sealwork-enclave");
    set_no_new_privs(true).map_err(refused("no new privileges"))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(refused("not being dumpable"))?;
    limit(Resource::Core, 0, "core file limit")?;
    // In this order: raising the limit on locked memory is a right that ends with the old name space.
    let memory_locked = lock_memory();
    let namespaces = enter_empty_namespaces();
    let landlock = deny_files_and_ports();
    limit(Resource::Nofile, 3, "open file limit")?;
    Ok(Privileges { report: SandboxReport { landlock, namespaces, capabilities: false, memory_locked } })
}

impl Privileges {
    /// Second step: drops capabilities and installs the filter on every thread.
    ///
    /// # Errors
    /// [`SandboxError`] when the filter cannot be installed.
    pub fn lock(mut self) -> Result<SandboxReport, SandboxError> {
        self.report.capabilities = drop_capabilities();
        filter::install()?;
        Ok(self.report)
    }
}

fn refused(restriction: &'static str) -> impl FnOnce(rustix::io::Errno) -> SandboxError {
    move |errno| SandboxError::Restriction { restriction, source: errno.into() }
}

fn limit(resource: Resource, value: u64, name: &'static str) -> Result<(), SandboxError> {
    setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) }).map_err(refused(name))
}

/// A user name space first, because an ordinary user may make the others only inside one of their own.
fn enter_empty_namespaces() -> bool {
    let others = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWUTS;
    unshare(CloneFlags::CLONE_NEWUSER | others).is_ok()
}

fn deny_files_and_ports() -> bool {
    let restrict = || {
        Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(LANDLOCK))?
            .handle_access(AccessNet::from_all(LANDLOCK))?
            .scope(Scope::from_all(LANDLOCK))?
            .create()?
            .restrict_self()
    };
    restrict().is_ok_and(|status| status.ruleset != RulesetStatus::NotEnforced)
}

/// Locks pages as they are touched. Only without a limit: under one, a program's memory would count against it.
fn lock_memory() -> bool {
    let unlimited = Rlimit { current: None, maximum: None };
    let limit = getrlimit(Resource::Memlock);
    if limit.current.is_some() && setrlimit(Resource::Memlock, unlimited).is_err() {
        return false;
    }
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT).is_ok()
}

fn drop_capabilities() -> bool {
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none }).is_ok()
}
