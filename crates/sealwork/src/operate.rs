//! What an operator sees of a service: logs, metrics, traces, pages for probes, and the service manager's socket.
//!
//! ```text
//! tracing events ──► log on standard error
//!                ├─► Counting ──► Registry ──► GET /metrics
//!                └─► Spanning ──► Exporter ──► OTLP over HTTP, when asked for
//! ```
//!
//! Services only write events; what is counted and exported is decided here, by the names of events. Values are sizes, ids
//! and times, never what somebody sealed.

mod bodies;
mod checks;
mod counting;
mod export;
mod notify;
mod pages;
mod process;
mod registry;
mod spanning;
mod storage;

pub(crate) use checks::{CasChecks, StoreChecks, WorkerChecks};
pub(crate) use notify::Supervisor;
pub(crate) use pages::Pages;
pub(crate) use registry::Registry;
pub(crate) use storage::CountedStore;

use crate::cli::LogFormat;
use counting::Counting;
use export::Exporter;
use sealwork_client::Progress;
use sealwork_types::TaskId;
use spanning::Spanning;
use std::{sync::Arc, time::SystemTime};
use tracing::Metadata;
use tracing_subscriber::{
    EnvFilter, Layer, filter::filter_fn, layer::SubscriberExt, util::SubscriberInitExt,
};

/// What is counted and exported by this process.
#[derive(Clone, Debug)]
pub(crate) struct Operate {
    registry: Arc<Registry>,
    exporter: Option<Exporter>,
}

impl Operate {
    /// Starts logging to standard error; `SEALWORK_LOG` chooses what (`info`, `sealwork_worker=debug`, …). Must be called
    /// inside the runtime, once.
    pub(crate) fn start(format: LogFormat, service: &'static str) -> Self {
        let registry = Arc::new(Registry::default());
        let exporter = Exporter::from_environment(service, Arc::clone(&registry));
        let chosen = EnvFilter::try_from_env("SEALWORK_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
        let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let log = match format {
            LogFormat::Json => log.json().with_filter(chosen).boxed(),
            LogFormat::Text => log.with_target(false).with_filter(chosen).boxed(),
        };
        let counting = Counting::new(Arc::clone(&registry)).with_filter(filter_fn(is_ours));
        let spanning =
            exporter.clone().map(|exporter| Spanning::new(exporter).with_filter(filter_fn(is_ours)));
        // A second subscriber in one process is a mistake of the caller; the first one goes on.
        let _ = tracing_subscriber::registry().with(log).with(counting).with(spanning).try_init();
        Self { registry, exporter }
    }

    /// The counters.
    pub(crate) fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.registry)
    }

    /// Exports the steps of a task as its requester saw them.
    pub(crate) fn export_steps(&self, task: TaskId, begun: SystemTime, steps: &[Progress]) {
        if let Some(exporter) = &self.exporter {
            spanning::requester_spans(task, begun, steps).into_iter().for_each(|span| exporter.push(span));
        }
    }

    /// Sends what was not sent yet.
    pub(crate) async fn flush(&self) {
        if let Some(exporter) = &self.exporter {
            exporter.flush().await;
        }
    }
}

/// Other crates' events are for the log alone.
fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_event() && metadata.target().starts_with("sealwork")
}
