//! A local network of the real programs, in a folder of its own.

use crate::shell::{Running, started};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A folder that is removed in the end.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("sealwork-bench-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("create {}", path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays lies in the system's folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Starts an anvil, unless there is none in `contracts/node_modules`; and its endpoint.
pub(crate) fn anvil(root: &Path) -> Result<Option<(Running, String)>> {
    let program = root.join("contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil");
    if !program.is_file() {
        return Ok(None);
    }
    let mut command = Command::new(&program);
    command.args(["--port", "0"]);
    started(command, |line| {
        line.strip_prefix("Listening on ").map(|address| format!("http://{}", address.trim()))
    })
    .map(Some)
}

/// What `sealwork up --json` says when everything runs.
#[derive(Debug, Deserialize)]
struct Ready {
    worker: String,
}

/// `sealwork up` and what it needs.
#[derive(Debug)]
pub(crate) struct Network {
    sealwork: PathBuf,
    ready: Ready,
    up: Running,
    home: Scratch,
}

impl Network {
    /// Starts a network on the embedded chain.
    pub(crate) fn on_devchain(sealwork: &Path) -> Result<Self> {
        Self::start(sealwork, Scratch::new("devchain")?)
    }

    fn start(sealwork: &Path, home: Scratch) -> Result<Self> {
        let mut command = Command::new(sealwork);
        command.args(["--json", "--home"]).arg(home.path()).args(["up", "--port", "0"]);
        let (up, ready) = started(command, |line| serde_json::from_str(line).ok())?;
        Ok(Self { sealwork: sealwork.to_path_buf(), ready, up, home })
    }

    /// Status page of the worker.
    pub(crate) fn worker(&self) -> &str {
        &self.ready.worker
    }

    /// Most memory that the process `sealwork up` has held so far, MiB.
    pub(crate) fn peak_memory(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.up.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes: f64 = line
            .and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse().ok())
            .context("the kernel does not tell the memory of `sealwork up`")?;
        Ok(kibibytes / 1_024.0)
    }

    /// The network document.
    pub(crate) fn document(&self) -> String {
        self.home.path().join("network.json").display().to_string()
    }

    /// Runs a command of the wallet that the network made; the JSON objects it printed.
    pub(crate) fn command(&self, words: &[&str]) -> Result<Vec<Value>> {
        let output = Command::new(&self.sealwork)
            .args(["--json", "--home"])
            .arg(self.home.path())
            .args(words)
            .current_dir(self.home.path())
            .stderr(Stdio::inherit())
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            bail!("`sealwork {}` failed with {}: {text}", words.join(" "), output.status);
        }
        text.lines()
            .map(|line| serde_json::from_str(line).with_context(|| format!("read {line:?}")))
            .collect()
    }

    /// Publishes an example and returns the app's id.
    pub(crate) fn publish(&self, root: &Path, example: &str) -> Result<String> {
        let project = root.join("examples").join(example).display().to_string();
        let answers = self.command(&["publish", &project])?;
        let app = answers.last().and_then(|answer| answer.get("app")?.as_str());
        app.map(str::to_owned).context("`sealwork publish` printed no app")
    }
}
