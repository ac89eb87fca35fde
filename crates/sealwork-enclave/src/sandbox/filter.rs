//! The system call filter: an allow-list, everything else kills the process.

use super::SandboxError;
use nix::libc;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter_all_threads,
};
use std::collections::BTreeMap;

/// Calls that only compute, give memory back, tell the time or end the process.
const FREE: &[i64] = &[
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_sched_yield,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Installs the filter on all threads.
pub(super) fn install() -> Result<(), SandboxError> {
    let program = program().map_err(SandboxError::Compile)?;
    apply_filter_all_threads(&program).map_err(SandboxError::Filter)
}

fn program() -> Result<BpfProgram, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = FREE.iter().map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_read, vec![rule(&[descriptor(0)])?]);
    rules.insert(libc::SYS_write, vec![rule(&[descriptor(1)])?, rule(&[descriptor(2)])?]);
    // Fresh memory only (no files), and never executable from the start.
    let anonymous = masked(3, libc::MAP_ANONYMOUS, libc::MAP_ANONYMOUS);
    rules.insert(libc::SYS_mmap, vec![rule(&[anonymous, masked(2, libc::PROT_EXEC, 0)])?]);
    // Compiled code becomes executable after it was written, and is never both.
    let write_execute = libc::PROT_WRITE | libc::PROT_EXEC;
    let protections = [0, libc::PROT_WRITE, libc::PROT_EXEC];
    let mprotect: Result<_, _> =
        protections.into_iter().map(|allowed| rule(&[masked(2, write_execute, allowed)])).collect();
    rules.insert(libc::SYS_mprotect, mprotect?);
    let arch = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, arch)?.try_into()
}

/// One condition: argument `index`, masked, equals `value`.
struct Condition {
    index: u8,
    mask: u64,
    value: u64,
}

fn descriptor(number: u64) -> Condition {
    Condition { index: 0, mask: u64::from(u32::MAX), value: number }
}

fn masked(index: u8, mask: i32, value: i32) -> Condition {
    Condition { index, mask: u64::from(mask.unsigned_abs()), value: u64::from(value.unsigned_abs()) }
}

fn rule(conditions: &[Condition]) -> Result<SeccompRule, BackendError> {
    let conditions: Result<_, _> = conditions
        .iter()
        .map(|c| {
            let operator = SeccompCmpOp::MaskedEq(c.mask);
            SeccompCondition::new(c.index, SeccompCmpArgLen::Qword, operator, c.value)
        })
        .collect();
    SeccompRule::new(conditions?)
}
