//! A network that was set up once, of which every run gets a copy.

use crate::support::{
    memory::Canary,
    network::{Network, WorkerMachine},
    process::Home,
};
use serde_json::Value;
use std::{path::Path, process::Command};

/// Copies standard input to standard output, after a moment of work.
const COPY: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (func (export "_start") (local $left i64)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 65536))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (local.set $left (i64.const 150000000))
    (loop $spin
      (local.set $left (i64.sub (local.get $left) (i64.const 1)))
      (br_if $spin (i64.ne (local.get $left) (i64.const 0))))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)))))"#;

/// Folders to copy.
pub(crate) struct Template {
    network: Home,
    worker: Home,
    pub(crate) document: Value,
    pub(crate) canary: Canary,
}

impl Template {
    /// Deploys the contracts, publishes the program, fills wallets.
    pub(crate) fn make() -> Self {
        let network = Network::start(&["--no-worker"]);
        network.publish_text("copy", COPY, "");
        network.home.ok(["account", "deposit", "1000"]);
        let document = network.document();
        let machine = WorkerMachine::new(&network, &document);
        let Network { home, up, .. } = network;
        up.signal("TERM");
        assert_eq!(up.exit_code(), 0);
        Self { network: home, worker: machine.home, document, canary: Canary::random() }
    }

    /// Homes of a requester and a worker of their own.
    pub(crate) fn copies(&self) -> (Home, Home) {
        let (network, mut worker) = (Home::new(), Home::new());
        (worker.passphrase, worker.wallet) = (self.worker.passphrase, self.worker.wallet);
        copy(self.network.root(), network.root());
        copy(self.worker.root(), worker.root());
        (network, worker)
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-r").arg(from.join(".")).arg(to).status().unwrap();
    assert!(copied.success(), "cannot copy {}", from.display());
}
