//! The worker's public page: `GET /v1/status` and `GET /v1/tasks/{id}`, and the client side of it.

use crate::Worker;
use async_trait::async_trait;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use sealwork_ports::{ErrorKind, PortError, ProgressSource};
use sealwork_types::{TaskId, progress::TaskProgress};
use std::time::Duration;
use tokio::net::TcpListener;

/// Longest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
const TIMEOUT: Duration = Duration::from_secs(3);

/// Serves a worker's status until `shutdown` completes.
///
/// # Errors
/// When the listener fails.
pub async fn serve_status(
    worker: Worker,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/v1/status", get(status))
        .route("/v1/tasks/{task}", get(task))
        .with_state(worker);
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}

async fn status(State(worker): State<Worker>) -> Result<Json<crate::WorkerStatus>, (StatusCode, String)> {
    worker.status().map(Json).map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

async fn task(
    State(worker): State<Worker>,
    Path(task): Path<String>,
) -> Result<Json<TaskProgress>, (StatusCode, String)> {
    let task: TaskId = task
        .parse()
        .map_err(|_| (StatusCode::BAD_REQUEST, "a task id is 0x and 64 hex digits".to_owned()))?;
    worker.progress(task).map(Json).ok_or((StatusCode::NOT_FOUND, format!("task {task} is not known here")))
}

/// Asks workers over HTTP.
#[derive(Clone, Debug, Default)]
pub struct HttpWorker(reqwest::Client);

impl HttpWorker {
    /// The status of the worker at `url`.
    ///
    /// # Errors
    /// `Unavailable` when it does not answer, `Corrupt` when the answer is not a status.
    pub async fn status(&self, url: &str) -> Result<crate::WorkerStatus, PortError> {
        self.get(url, "v1/status").await
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, url: &str, path: &str) -> Result<T, PortError> {
        let asked = format!("{}/{path}", url.trim_end_matches('/'));
        let failed = |error: reqwest::Error| {
            PortError::because(ErrorKind::Unavailable, format!("the worker at {url} does not answer"), error)
        };
        let mut answer = self.0.get(&asked).timeout(TIMEOUT).send().await.map_err(failed)?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Err(PortError::new(ErrorKind::NotFound, format!("{asked} is not known")));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if bytes.len().saturating_add(chunk.len()) > MAX_ANSWER_BYTES {
                return Err(PortError::new(
                    ErrorKind::Limit,
                    format!("{asked} answers more than {MAX_ANSWER_BYTES} bytes"),
                ));
            }
            bytes.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&bytes).map_err(|error| {
            PortError::because(ErrorKind::Corrupt, format!("{asked} is not a worker's answer"), error)
        })
    }
}

#[async_trait]
impl ProgressSource for HttpWorker {
    async fn serves(&self, url: &str) -> bool {
        self.status(url).await.is_ok()
    }

    async fn progress(&self, url: &str, task: TaskId) -> Result<TaskProgress, PortError> {
        self.get(url, &format!("v1/tasks/{task}")).await
    }
}
