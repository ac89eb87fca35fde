//! Where things lie on this machine.

use crate::{
    cli::Global,
    failure::{self, Failure},
};
use anyhow::{Context, Result};
use sealwork_types::{AppId, network::NetworkDocument};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Paths that follow from the global options.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    root: PathBuf,
    network: Option<PathBuf>,
}

impl Home {
    pub(crate) fn new(global: &Global) -> Result<Self> {
        let root = match &global.home {
            Some(home) => home.clone(),
            None => std::env::home_dir()
                .context("this user has no home folder; give --home DIR")?
                .join(".sealwork"),
        };
        fs::create_dir_all(&root).with_context(|| format!("create {}", root.display()))?;
        Ok(Self { root, network: global.network.clone() })
    }

    /// A home in another folder, with its own network.
    pub(crate) fn beside(&self, root: &Path) -> Result<Self> {
        fs::create_dir_all(root).with_context(|| format!("create {}", root.display()))?;
        Ok(Self { root: root.to_path_buf(), network: None })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(crate) fn network_path(&self) -> PathBuf {
        self.network.clone().unwrap_or_else(|| self.path("network.json"))
    }

    /// The network document in force.
    pub(crate) fn network(&self) -> Result<NetworkDocument> {
        read_network(&self.network_path())
    }

    /// Remembers the name of a published app.
    pub(crate) fn remember_app(&self, name: &str, id: AppId) -> Result<()> {
        let mut apps = self.apps();
        apps.insert(name.to_owned(), id);
        write_atomically(&self.path("apps.json"), &serde_json::to_vec_pretty(&apps)?)
    }

    /// An app by id or by remembered name.
    pub(crate) fn app(&self, text: &str) -> Option<AppId> {
        self.apps().get(text).copied().or_else(|| text.parse().ok())
    }

    fn apps(&self) -> BTreeMap<String, AppId> {
        fs::read(self.path("apps.json"))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }
}

pub(crate) fn read_network(path: &Path) -> Result<NetworkDocument> {
    let bytes = fs::read(path).map_err(|error| {
        Failure::new(failure::FAILED, format!("there is no network document at {} ({error})", path.display()))
            .hint("start a local network with `sealwork up`, or name a document with --network FILE")
    })?;
    NetworkDocument::parse(&bytes).with_context(|| format!("read {}", path.display()))
}

/// Replaces a file at once: readers see the old or the new content, never half of it.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_extension("new");
    fs::write(&temporary, bytes).with_context(|| format!("write {}", temporary.display()))?;
    fs::rename(&temporary, path).with_context(|| format!("write {}", path.display()))
}
