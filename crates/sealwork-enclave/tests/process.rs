//! The real binary: what it gave up when it says that it is ready, and how it ends.
#![expect(clippy::unwrap_used, reason = "helpers outside of test functions")]

use sealwork_types::{
    Address,
    enclave_wire::{FromEnclave, SandboxReport, ToEnclave, read_message, write_message},
    evidence::TeeKind,
    network::TrustAnchors,
    order::SigningDomain,
};
use std::{
    collections::BTreeSet,
    fs,
    io::{Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

const BINARY: &str = env!("CARGO_BIN_EXE_sealwork-enclave");

struct Running {
    child: Child,
    to: ChildStdin,
    from: ChildStdout,
    sandbox: SandboxReport,
}

fn launch(command: &mut Command) -> (Child, ChildStdin, ChildStdout) {
    let mut child = command
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    (child, to, from)
}

fn init() -> ToEnclave {
    let anchors = TrustAnchors {
        domain: SigningDomain { chain_id: 31_337, market: Address::repeat_byte(1) },
        cas_members: vec![Address::repeat_byte(2)],
        cas_threshold: 1,
        cas_enclaves: Vec::new(),
        sim_roots: Vec::new(),
    };
    ToEnclave::Init { anchors: serde_json::to_vec(&anchors).unwrap(), tee: TeeKind::Sim }
}

fn ready(command: &mut Command) -> Running {
    let (child, mut to, mut from) = launch(command);
    write_message(&mut to, &init()).unwrap();
    let FromEnclave::Ready { sandbox, .. } = read_message(&mut from).unwrap() else {
        panic!("expected Ready")
    };
    Running { child, to, from, sandbox }
}

impl Running {
    fn proc_file(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.child.id())).unwrap()
    }

    fn status_field(&self, name: &str) -> String {
        let status = self.proc_file("status");
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("no {name} in {status}")).trim().to_owned()
    }

    fn stop(mut self) {
        write_message(&mut self.to, &ToEnclave::Stop).unwrap();
        assert!(self.child.wait().unwrap().success());
        let mut rest = Vec::new();
        self.from.read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty());
    }
}

#[test]
fn is_confined_before_it_reads_the_first_message() {
    let running = ready(&mut Command::new(BINARY));
    assert_eq!(running.status_field("NoNewPrivs"), "1");
    assert_eq!(running.status_field("Seccomp"), "2", "a filter is installed");
    assert_eq!(running.status_field("Threads"), "1");
    if running.sandbox.capabilities {
        assert_eq!(running.status_field("CapEff").trim_start_matches('0'), "");
        assert_eq!(running.status_field("CapPrm").trim_start_matches('0'), "");
    }
    let limits = running.proc_file("limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    running.stop();
}

#[test]
fn keeps_no_descriptor_of_its_launcher() {
    let script = format!("exec 7</etc/hostname 9>/dev/null; exec {BINARY}");
    let running = ready(Command::new("/bin/sh").args(["-c", &script]));
    // Only root may look into a process that is not dumpable, and for everybody else there is nothing to see.
    match fs::read_dir(format!("/proc/{}/fd", running.child.id())) {
        Ok(entries) => {
            let open: BTreeSet<String> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            assert_eq!(open, ["0", "1", "2"].map(str::to_owned).into());
        }
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied),
    }
    running.stop();
}

#[test]
fn ends_well_when_the_pipe_closes() {
    let (mut child, to, _from) = launch(&mut Command::new(BINARY));
    drop(to);
    assert!(child.wait().unwrap().success());
    let Running { mut child, to, .. } = ready(&mut Command::new(BINARY));
    drop(to);
    assert!(child.wait().unwrap().success());
}

#[test]
fn ends_with_one_line_when_the_host_breaks_the_protocol() {
    for garbage in [&[0xff; 8][..], &[1, 0, 0, 0, 99], &[5, 0, 0, 0, 1]] {
        let (mut child, mut to, _from) = launch(&mut Command::new(BINARY));
        to.write_all(garbage).unwrap();
        drop(to);
        assert_eq!(child.wait().unwrap().code(), Some(1));
        let mut text = String::new();
        child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        assert!(text.starts_with("fatal: ") && text.lines().count() == 1, "{text}");
    }
}
