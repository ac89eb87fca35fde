//! The program that is measured: confines itself, then serves its host over standard input and output.
//!
//! Standard error carries one line, and only when something ends the process. Exit code 0 means that the host said `Stop`
//! or closed the pipe; 1 that it broke the protocol; 2 that this machine cannot confine the process; 3 a defect here.

use sealwork_enclave::{Host, drop_privileges, member_sessions, serve, warm_up};
use sealwork_runtime::Engine;
use sealwork_types::enclave_wire::SandboxReport;
use std::{
    error::Error,
    io::{self, Write},
    panic::PanicHookInfo,
    process::ExitCode,
};

const HOST_AT_FAULT: u8 = 1;
const NOT_CONFINED: u8 = 2;
const DEFECT: i32 = 3;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(end_on_panic));
    let (engine, sandbox) = match confine() {
        Ok(confined) => confined,
        Err(error) => return fatal(&*error, NOT_CONFINED),
    };
    match serve(&Host::new(io::stdin(), io::stdout()), engine, sandbox, member_sessions) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fatal(&error, HOST_AT_FAULT),
    }
}

/// What needs files or system calls happens between the two steps of giving them up.
fn confine() -> Result<(Engine, SandboxReport), Box<dyn Error>> {
    let privileges = drop_privileges()?;
    let engine = Engine::new()?;
    warm_up()?;
    Ok((engine, privileges.lock()?))
}

fn fatal(error: &dyn Error, code: u8) -> ExitCode {
    let mut line = format!("fatal: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    say(&line);
    ExitCode::from(code)
}

/// Names the place only: a panic's message may quote data.
#[expect(clippy::exit, reason = "unwinding would run more code in a state that should not exist")]
fn end_on_panic(panic: &PanicHookInfo<'_>) {
    match panic.location() {
        Some(place) => say(&format!("fatal: defect at {}:{}", place.file(), place.line())),
        None => say("fatal: defect"),
    }
    std::process::exit(DEFECT)
}

fn say(line: &str) {
    // Nobody is left to hear of a failure here.
    let _ = writeln!(io::stderr(), "{line}");
}
