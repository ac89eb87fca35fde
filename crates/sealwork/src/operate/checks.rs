//! What each service needs in order to serve.

use super::{
    Registry,
    pages::{Check, Probe},
};
use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use sealwork_cas::Member;
use sealwork_ports::{Chain, Clock, Store, SystemClock};
use sealwork_store::LocalStore;
use sealwork_types::Cid;
use sealwork_worker::{Worker, WorkerStatus};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A worker that did not see the end of the chain for longer does not know what it shall do.
const FRESH_S: u64 = 60;

/// A worker: its job log, the chain, an enclave, storage.
pub(crate) struct WorkerChecks {
    pub(crate) worker: Worker,
    pub(crate) chain: Arc<dyn Chain>,
    pub(crate) store: Arc<dyn Store>,
    /// Something that the worker itself stored.
    pub(crate) stored: Cid,
}

#[async_trait]
impl Probe for WorkerChecks {
    async fn look(&self, registry: &Registry) -> Vec<Check> {
        let status = self.worker.status();
        if let Ok(status) = &status {
            write_status(registry, status, self.worker.oldest_queued_s().ok().flatten());
        }
        let seen = status.as_ref().map_or(0, |status| status.caught_up_at);
        let log = async { status.map(drop) };
        let chain = async {
            head(&*self.chain, registry).await?;
            let lag = SystemClock.unix_s().saturating_sub(seen);
            ensure!(seen > 0, "the worker has not read the chain to its end yet");
            ensure!(lag <= FRESH_S, "the worker has not seen the chain's end for {lag} s, at most {FRESH_S}");
            Ok(())
        };
        let enclave = async {
            let level = registry.level("sealwork_enclave_attestable");
            ensure!(level.is_some(), "no enclave was attested yet");
            ensure!(level != Some(0.0), "the newest attempt to attest an enclave failed; see the log");
            Ok(())
        };
        vec![
            Check::of("job_log", log).await,
            Check::of("chain", chain).await,
            Check::of("enclave", enclave).await,
            Check::of("storage", self.store.stat(&self.stored)).await,
        ]
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts and seconds are far below 2^53")]
fn write_status(registry: &Registry, status: &WorkerStatus, oldest_s: Option<u64>) {
    let open = [("queued", status.queued), ("running", status.running), ("executed", status.executed)];
    for (state, count) in open {
        registry.set("sealwork_worker_tasks", &[("state", state)], count as f64);
    }
    let ended =
        [("settled", status.settled), ("delivered", status.delivered), ("abandoned", status.abandoned)];
    for (end, count) in ended {
        registry.set("sealwork_worker_tasks_ended_total", &[("end", end)], count as f64);
    }
    let lag = SystemClock.unix_s().saturating_sub(status.caught_up_at);
    registry.set("sealwork_worker_slots", &[], status.slots as f64);
    registry.set("sealwork_worker_draining", &[], f64::from(u8::from(status.draining)));
    registry.set("sealwork_worker_chain_lag_seconds", &[], lag as f64);
    registry.set("sealwork_worker_oldest_task_seconds", &[], oldest_s.unwrap_or(0) as f64);
}

/// A CAS member: its log, the chain, room to write.
pub(crate) struct CasChecks {
    pub(crate) member: Arc<Member>,
    pub(crate) chain: Arc<dyn Chain>,
    pub(crate) folder: PathBuf,
}

#[async_trait]
impl Probe for CasChecks {
    async fn look(&self, registry: &Registry) -> Vec<Check> {
        let member = Arc::clone(&self.member);
        let log = async {
            let head = tokio::task::spawn_blocking(move || member.log_head()).await??;
            #[expect(clippy::cast_precision_loss, reason = "no log has 2^53 entries")]
            registry.set("sealwork_cas_log_entries", &[], head.head.size as f64);
            anyhow::Ok(())
        };
        vec![
            Check::of("log", log).await,
            Check::of("disk", writable(self.folder.clone())).await,
            Check::of("chain", head(&*self.chain, registry)).await,
        ]
    }
}

/// A store: room to write.
pub(crate) struct StoreChecks {
    pub(crate) store: LocalStore,
    pub(crate) folder: PathBuf,
}

#[async_trait]
impl Probe for StoreChecks {
    async fn look(&self, registry: &Registry) -> Vec<Check> {
        let usage = self.store.usage();
        #[expect(clippy::cast_precision_loss, reason = "no store has 2^53 bytes")]
        let (bytes, blocks) = (usage.file_bytes as f64, usage.blocks as f64);
        registry.set("sealwork_store_bytes", &[], bytes);
        registry.set("sealwork_store_blocks", &[], blocks);
        vec![Check::of("disk", writable(self.folder.clone())).await]
    }
}

/// Asks the chain for its newest block.
#[expect(clippy::cast_precision_loss, reason = "block numbers and times are far below 2^53")]
async fn head(chain: &dyn Chain, registry: &Registry) -> Result<()> {
    let (number, time) = chain.head().await?;
    registry.set("sealwork_chain_head", &[], number as f64);
    registry.set("sealwork_chain_head_timestamp_seconds", &[], time as f64);
    Ok(())
}

/// Writes a file to disk and takes it away again.
async fn writable(folder: PathBuf) -> Result<()> {
    tokio::task::spawn_blocking(move || write_and_remove(&folder.join(".probe"))).await?
}

fn write_and_remove(path: &Path) -> Result<()> {
    let written = fs::write(path, b"room").and_then(|()| fs::File::open(path)?.sync_all());
    // It may not be there.
    let _ = fs::remove_file(path);
    written.with_context(|| format!("nothing can be written beside {}", path.display()))
}
