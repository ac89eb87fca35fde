//! A network of one test, and workers in processes of their own.

use super::process::{Daemon, Home};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A running `sealwork up` with its home.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) home: Home,
    pub(crate) up: Daemon,
    pub(crate) ready: Value,
}

impl Network {
    /// Starts a network on free ports with further options of `up`.
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::start_in(Home::new(), options)
    }

    /// Starts a network in a home that may hold an earlier one.
    pub(crate) fn start_in(home: Home, options: &[&str]) -> Self {
        let up = home.start(["up", "--port", "0"].iter().chain(options));
        let ready = up.ready();
        assert_eq!(ready["ready"], true, "{ready:#}");
        Self { home, up, ready }
    }

    /// Publishes a project at a price in whole tokens and returns the app's id.
    pub(crate) fn publish(&self, project: &Path, price: &str) -> String {
        let published = self.home.ok([Path::new("publish"), project, Path::new("--price"), Path::new(price)]);
        published["app"].as_str().unwrap().to_owned()
    }

    /// Publishes a module given as WebAssembly text.
    pub(crate) fn publish_text(&self, name: &str, text: &str, limits: &str) -> String {
        let module = wat::parse_str(text).unwrap();
        self.publish(&project(&self.home, name, &module, limits), "2")
    }

    /// The key of the simulated vendor.
    pub(crate) fn sim_root(&self) -> PathBuf {
        self.home.path("local/sim-root.key")
    }

    /// The network document.
    pub(crate) fn document(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.home.path("network.json")).unwrap()).unwrap()
    }
}

/// Writes a project folder around a compiled module; `more` goes to the end of its `sealwork.toml`.
pub(crate) fn project(home: &Home, name: &str, module: &[u8], more: &str) -> PathBuf {
    let folder = home.path(&format!("projects/{name}"));
    home.write(&format!("projects/{name}/program.wasm"), module);
    let text = format!("name = \"{name}\"\nmodule = \"program.wasm\"\n{more}\n");
    home.write(&format!("projects/{name}/sealwork.toml"), text);
    folder
}

/// A worker's machine: its own home, its own funded wallet.
#[derive(Debug)]
pub(crate) struct WorkerMachine {
    pub(crate) home: Home,
    pub(crate) sim_root: PathBuf,
}

impl WorkerMachine {
    /// Prepares a machine for a network that is reached as `document` says.
    pub(crate) fn new(network: &Network, document: &Value) -> Self {
        let mut home = Home::new();
        home.passphrase = Some("correct horse battery");
        home.wallet = "operator";
        home.write("network.json", document.to_string());
        home.ok(["wallet", "new", "operator"]);
        home.ok(["account", "faucet", "10"]);
        Self { home, sim_root: network.sim_root() }
    }

    /// Starts the worker and waits until it serves.
    pub(crate) fn start(&self) -> Daemon {
        self.start_with(&[])
    }

    /// The same with further options.
    pub(crate) fn start_with(&self, options: &[&str]) -> Daemon {
        self.start_in(&[], options)
    }

    /// The same with more variables.
    pub(crate) fn start_in(&self, variables: &[(&str, &str)], options: &[&str]) -> Daemon {
        let sim_root = self.sim_root.to_str().unwrap();
        let arguments = ["worker", "start", "--sim-root", sim_root, "--price", "1"];
        let worker = self.home.start_in(variables, arguments.iter().chain(options));
        let ready = worker.ready();
        assert_eq!(ready["ready"], true, "{ready:#}");
        worker
    }

    /// What `worker status` shows.
    pub(crate) fn status(&self) -> Value {
        self.home.ok(["worker", "status"])
    }
}
