//! Confines itself like the enclave and then tries what it must not be able to do. Used by `tests/sandbox.rs`, which
//! expects the kernel to end it.
//!
//! Exit code 0: the attempt did no harm and was allowed; 3: it was refused with an error; 4: an unknown attempt. Death
//! by SIGSYS is what a forbidden attempt should end in.

use rustix::process::Pid;
use sealwork_enclave::drop_privileges;
use std::{
    fs::File,
    net::UdpSocket,
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
    thread,
};

fn main() -> ExitCode {
    let attempt = std::env::args().nth(1).unwrap_or_default();
    let own_id = rustix::process::getpid();
    let report = drop_privileges().and_then(|privileges| privileges.lock()).expect("this kernel has seccomp");
    match attempt_it(&attempt, own_id) {
        Some(true) => {
            // Also shows that writing to standard error is allowed.
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "{report:?}");
            ExitCode::SUCCESS
        }
        Some(false) => ExitCode::from(3),
        None => ExitCode::from(4),
    }
}

fn attempt_it(attempt: &str, own_id: Pid) -> Option<bool> {
    Some(match attempt {
        "nothing" => true,
        "memory" => vec![1_u8; 64 << 20].iter().all(|byte| *byte == 1),
        "open" => File::open("/etc/hostname").is_ok(),
        "create" => File::create("/tmp/sealwork-probe").is_ok(),
        "socket" => UdpSocket::bind("127.0.0.1:0").is_ok(),
        "execve" => {
            let error = Command::new("/bin/true").exec();
            drop(error);
            false
        }
        "fork" => Command::new("/bin/true").status().is_ok(),
        "thread" => thread::Builder::new().spawn(|| ()).is_ok(),
        "kill" => rustix::process::kill_process(own_id, rustix::process::Signal::CONT).is_ok(),
        "dumpable" => {
            rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::Dumpable).is_ok()
        }
        _ => return None,
    })
}
