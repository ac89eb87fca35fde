//! What a confined process cannot do any more, tried by a child that confines itself like the enclave.
#![expect(clippy::unwrap_used, reason = "helpers outside of test functions")]

use std::{
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Command, Output},
};

const SIGSYS: i32 = 31;

fn probe() -> PathBuf {
    // Cargo builds a package's examples beside its tests.
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(|deps| deps.parent()).unwrap().join("examples/sandbox_probe")
}

fn attempt(what: &str) -> Output {
    Command::new(probe()).arg(what).output().unwrap()
}

#[test]
fn may_compute_and_use_memory() {
    for allowed in ["nothing", "memory"] {
        let output = attempt(allowed);
        assert!(output.status.success(), "{allowed}: {}", output.status);
    }
}

#[test]
fn is_killed_for_files_sockets_processes_and_threads() {
    for forbidden in ["open", "create", "socket", "execve", "fork", "thread", "kill", "dumpable"] {
        let output = attempt(forbidden);
        assert_eq!(output.status.signal(), Some(SIGSYS), "{forbidden}: {}", output.status);
    }
}
