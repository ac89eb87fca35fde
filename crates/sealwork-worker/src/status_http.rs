//! The worker's public page: `GET /v1/status`, `GET /v1/tasks/{id}` and `POST /v1/requests`, and the client side of it.

use crate::{RequestError, Worker, channel_http};
use async_trait::async_trait;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use sealwork_ports::{ErrorKind, PortError, ProgressSource, RequestTaker};
use sealwork_types::{
    DealId, TaskId,
    bounded::parse_json,
    channel::{ChannelState, ChannelTask, TaskReceipt},
    order::SignedRequest,
    progress::{AcceptedRequest, RefusedRequest, TaskProgress},
};
use std::time::Duration;
use tokio::net::TcpListener;

/// Longest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
const TIMEOUT: Duration = Duration::from_secs(3);
/// Longest request that is read.
const MAX_REQUEST_BYTES: usize = 16 * 1024;
/// Checking a request asks chain and storage several times.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves a worker's status until `shutdown` completes.
///
/// # Errors
/// When the listener fails.
pub async fn serve_status(
    worker: Worker,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    serve_status_with(worker, listener, std::convert::identity, shutdown).await
}

/// The same with whatever `furnish` puts beside the pages or around them.
///
/// # Errors
/// When the listener fails.
pub async fn serve_status_with(
    worker: Worker,
    listener: TcpListener,
    furnish: impl FnOnce(Router) -> Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/v1/status", get(status))
        .route("/v1/tasks/{task}", get(task))
        .route("/v1/requests", post(request).layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES)))
        .merge(channel_http::routes())
        .with_state(worker);
    axum::serve(listener, furnish(router)).with_graceful_shutdown(shutdown).await
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

async fn request(State(worker): State<Worker>, body: Bytes) -> Response {
    let request = match parse_json::<SignedRequest>("signed request", &body, MAX_REQUEST_BYTES) {
        Ok(request) => request,
        Err(error) => return refusal(StatusCode::BAD_REQUEST, "malformed", &error),
    };
    within(worker.accept(request)).await
}

/// What a worker says to a request, if it says it in time.
pub(crate) async fn within<T: serde::Serialize>(
    answer: impl Future<Output = Result<T, RequestError>>,
) -> Response {
    match tokio::time::timeout(REQUEST_TIMEOUT, answer).await {
        Ok(answer) => respond(answer, StatusCode::ACCEPTED),
        Err(late) => refusal(StatusCode::SERVICE_UNAVAILABLE, "unavailable", &late),
    }
}

const fn status_of(error: &RequestError) -> StatusCode {
    match error {
        RequestError::Disabled => StatusCode::FORBIDDEN,
        RequestError::Unsuitable { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        RequestError::NotCovered { .. } => StatusCode::PAYMENT_REQUIRED,
        RequestError::NoChannel { .. } | RequestError::NoTask { .. } => StatusCode::NOT_FOUND,
        RequestError::NoMatch { .. } | RequestError::Voucher { .. } => StatusCode::CONFLICT,
        RequestError::ChannelEnds { .. } | RequestError::GivenUp { .. } => StatusCode::GONE,
        RequestError::NotDone { .. } | RequestError::Busy { .. } | RequestError::Port(_) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        RequestError::Journal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What was asked for, or why not.
pub(crate) fn respond<T: serde::Serialize>(answer: Result<T, RequestError>, success: StatusCode) -> Response {
    match answer {
        Ok(answer) => (success, Json(answer)).into_response(),
        Err(error) => refusal(status_of(&error), error.code(), &error),
    }
}

pub(crate) fn refusal(status: StatusCode, code: &str, error: &dyn std::error::Error) -> Response {
    let refused = RefusedRequest { code: code.to_owned(), message: error.to_string() };
    (status, Json(refused)).into_response()
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

    pub(crate) async fn post<T: serde::de::DeserializeOwned>(
        &self,
        url: &str,
        path: &str,
        body: &impl serde::Serialize,
    ) -> Result<T, PortError> {
        let asked = format!("{}/{path}", url.trim_end_matches('/'));
        let answer = self.0.post(&asked).json(body).timeout(REQUEST_TIMEOUT).send().await;
        let answer = answer.map_err(|error| silent(url, error))?;
        answered(url, &asked, answer).await
    }

    pub(crate) async fn get<T: serde::de::DeserializeOwned>(
        &self,
        url: &str,
        path: &str,
    ) -> Result<T, PortError> {
        let asked = format!("{}/{path}", url.trim_end_matches('/'));
        let answer = self.0.get(&asked).timeout(TIMEOUT).send().await.map_err(|error| silent(url, error))?;
        answered(url, &asked, answer).await
    }
}

/// What a worker answers, or why it does not.
async fn answered<T: serde::de::DeserializeOwned>(
    url: &str,
    asked: &str,
    answer: reqwest::Response,
) -> Result<T, PortError> {
    let status = answer.status();
    let bytes = read(url, asked, answer).await?;
    if status.is_success() {
        return decode(asked, &bytes);
    }
    let kind = match status {
        StatusCode::NOT_FOUND => ErrorKind::NotFound,
        status if status.is_server_error() => ErrorKind::Unavailable,
        _ => ErrorKind::Rejected,
    };
    let why = serde_json::from_slice::<RefusedRequest>(&bytes)
        .map_or_else(|_| format!("{asked}: {status}"), |said| format!("({}): {}", said.code, said.message));
    Err(PortError::new(kind, format!("the worker at {url} refuses {why}")))
}

fn silent(url: &str, error: reqwest::Error) -> PortError {
    PortError::because(ErrorKind::Unavailable, format!("the worker at {url} does not answer"), error)
}

async fn read(url: &str, asked: &str, mut answer: reqwest::Response) -> Result<Vec<u8>, PortError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| silent(url, error))? {
        if bytes.len().saturating_add(chunk.len()) > MAX_ANSWER_BYTES {
            let problem = format!("{asked} answers more than {MAX_ANSWER_BYTES} bytes");
            return Err(PortError::new(ErrorKind::Limit, problem));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn decode<T: serde::de::DeserializeOwned>(asked: &str, bytes: &[u8]) -> Result<T, PortError> {
    serde_json::from_slice(bytes).map_err(|error| {
        PortError::because(ErrorKind::Corrupt, format!("{asked} is not a worker's answer"), error)
    })
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

#[async_trait]
impl RequestTaker for HttpWorker {
    async fn takes(&self, url: &str) -> bool {
        self.status(url).await.is_ok_and(|status| status.takes_requests)
    }

    async fn submit(&self, url: &str, request: &SignedRequest) -> Result<AcceptedRequest, PortError> {
        self.post(url, "v1/requests", request).await
    }

    async fn channel(&self, url: &str, channel: DealId) -> Result<ChannelState, PortError> {
        self.get(url, &format!("v1/channels/{channel}")).await
    }

    async fn submit_in_channel(
        &self,
        url: &str,
        channel: DealId,
        task: &ChannelTask,
    ) -> Result<AcceptedRequest, PortError> {
        self.post(url, &format!("v1/channels/{channel}/tasks"), task).await
    }

    async fn receipt(&self, url: &str, task: TaskId) -> Result<TaskReceipt, PortError> {
        self.get(url, &format!("v1/tasks/{task}/receipt")).await
    }
}
