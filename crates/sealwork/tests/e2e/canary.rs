//! What a requester seals is nowhere in the clear but at the requester and in the enclave: not in the memory of the
//! worker or of storage and CAS, not in any file they write, not in any byte that the worker sends or receives.

use crate::support::{
    eventually,
    memory::{Canary, children},
    network::{Network, WorkerMachine},
    proxy::Proxy,
};
use serde_json::Value;
use std::path::Path;

/// Copies standard input to standard output, spins for a few seconds, and copies it again.
const ECHO: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (func $echo
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12))))
  (func (export "_start") (local $left i64)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 65536))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $echo)
    (local.set $left (i64.const 10000000000))
    (loop $spin
      (local.set $left (i64.sub (local.get $left) (i64.const 1)))
      (br_if $spin (i64.ne (local.get $left) (i64.const 0))))
    (call $echo)))"#;

/// The worker's endpoints, each behind a recorder.
struct Recorders(Vec<(&'static str, Proxy)>);

impl Recorders {
    /// Puts a recorder in front of each endpoint of a network document.
    fn in_front_of(document: &mut Value) -> Self {
        let mut recorders = Vec::new();
        for (name, pointer) in
            [("chain", "/rpc"), ("storage", "/store"), ("CAS", "/cas/0/url"), ("attested TLS", "/cas/0/tls")]
        {
            let endpoint = document.pointer_mut(pointer).unwrap();
            let text = endpoint.as_str().unwrap().to_owned();
            let (scheme, target) =
                text.split_once("://").map_or(("", text.as_str()), |(scheme, rest)| (scheme, rest));
            let proxy = Proxy::to(target.trim_end_matches('/'));
            let prefix = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
            *endpoint = format!("{prefix}{}", proxy.address).into();
            recorders.push((name, proxy));
        }
        Self(recorders)
    }

    fn of(&self, name: &str) -> Vec<Vec<u8>> {
        self.0.iter().find(|(own, _)| *own == name).unwrap().1.recorded()
    }
}

#[test]
fn the_worker_never_holds_a_byte_of_plaintext() {
    let canary = Canary::random();
    let network = Network::start(&["--no-worker"]);
    network.publish_text("echo", ECHO, "");
    let mut document = network.document();
    let recorders = Recorders::in_front_of(&mut document);
    let machine = WorkerMachine::new(&network, &document);
    let worker = machine.start();

    // Arguments, a file and standard input, each as raw bytes and as text.
    let requester = &network.home;
    let secret = [&canary.raw[..], b" ", canary.hex.as_bytes(), b"\n"].concat();
    let (file, receipt) = (requester.path("private/secret"), requester.path("private/receipt.json"));
    requester.write("private/secret", &secret);
    let run = requester.start([
        "run",
        "echo",
        "--file",
        file.to_str().unwrap(),
        "--stdin",
        file.to_str().unwrap(),
        "--receipt",
        receipt.to_str().unwrap(),
        "--",
        &canary.hex,
    ]);
    let reached = |line: &Value, step: &str| line["step"] == step;
    run.answer("running program", |line| reached(line, "running"));

    // While the program runs: the enclave holds the secret, and so does the requester's own process.
    let enclaves = children(worker.pid());
    assert_eq!(enclaves.len(), 1, "one enclave runs");
    eventually("the enclave reads its input", || canary.in_process(enclaves[0]).0);
    assert!(canary.in_process(run.pid()).0.is_some(), "the scan finds what is there");
    let others = [("worker", worker.pid()), ("chain, storage and CAS", network.up.pid())];
    for (name, pid) in others {
        let (found, looked_at) = canary.in_process(pid);
        assert_eq!(found, None, "memory of {name}");
        assert!(looked_at > 1 << 20, "only {looked_at} bytes of {name} were looked at");
    }
    assert_eq!(machine.status()["running"], 1, "the program ran all the time");

    let answer = run.answer("answer", |line| !line["status"].is_null() || !line["error"].is_null());
    assert_eq!(answer["status"], "SUCCESS", "{answer}");
    assert_eq!(
        answer["stdout"].as_str().unwrap().matches(&canary.hex).count(),
        2,
        "the output holds the secret"
    );
    assert_eq!(run.exit_code(), 0);

    // Afterwards.
    for (name, pid) in others {
        assert_eq!(canary.in_process(pid).0, None, "memory of {name} afterwards");
    }
    let status = machine.status().to_string();
    assert_eq!(canary.find(status.as_bytes()), None, "status page");
    no_file_holds_it(&canary, &network, &machine);
    no_recorded_byte_holds_it(&canary, &recorders);
}

fn no_file_holds_it(canary: &Canary, network: &Network, machine: &WorkerMachine) {
    let control = canary.in_files(&network.home.path("private"));
    assert!(control.0.is_some(), "the scan finds the requester's own file");
    for folder in [network.home.path("local"), machine.home.root().to_path_buf()] {
        let (found, looked_at) = canary.in_files(&folder);
        assert_eq!(found, None);
        assert!(looked_at > 1_000, "{} holds only {looked_at} bytes", folder.display());
    }
    assert_eq!(canary.in_files(Path::new("/dev/shm")).0, None);
}

fn no_recorded_byte_holds_it(canary: &Canary, recorders: &Recorders) {
    for (name, _) in &recorders.0 {
        for tape in recorders.of(name) {
            assert_eq!(canary.find(&tape), None, "bytes between worker and {name}");
        }
    }
    // The recorders sit where the data flows: the sealed input and output went through storage, the key through TLS.
    let sealed = recorders.of("storage").iter().filter(|tape| find(tape, b"age-encryption.org/v1")).count();
    assert!(sealed >= 2, "sealed input and output were recorded");
    assert!(recorders.of("attested TLS").iter().map(Vec::len).sum::<usize>() > 1_000);
    assert!(recorders.of("chain").iter().any(|tape| find(tape, b"eth_sendRawTransaction")));
}

fn find(bytes: &[u8], text: &[u8]) -> bool {
    memchr::memmem::find(bytes, text).is_some()
}
