//! Channels over HTTP: `GET /v1/channels/{id}`, `POST /v1/channels/{id}/tasks`, `GET /v1/tasks/{id}/receipt`.

use crate::{
    Worker,
    status_http::{refusal, respond, within},
};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use sealwork_types::{DealId, TaskId, bounded::parse_json, channel::ChannelTask};

/// Longest task that is read.
const MAX_TASK_BYTES: usize = 16 * 1024;

pub(crate) fn routes() -> Router<Worker> {
    Router::new()
        .route("/v1/channels/{channel}", get(channel))
        .route("/v1/channels/{channel}/tasks", post(task).layer(DefaultBodyLimit::max(MAX_TASK_BYTES)))
        .route("/v1/tasks/{task}/receipt", get(receipt))
}

async fn channel(State(worker): State<Worker>, Path(channel): Path<String>) -> Response {
    match channel.parse::<DealId>() {
        Ok(channel) => respond(worker.channel(channel), StatusCode::OK),
        Err(error) => refusal(StatusCode::BAD_REQUEST, "malformed", &error),
    }
}

async fn task(State(worker): State<Worker>, Path(channel): Path<String>, body: Bytes) -> Response {
    let channel = match channel.parse::<DealId>() {
        Ok(channel) => channel,
        Err(error) => return refusal(StatusCode::BAD_REQUEST, "malformed", &error),
    };
    match parse_json::<ChannelTask>("channel task", &body, MAX_TASK_BYTES) {
        Ok(task) => within(worker.accept_in_channel(channel, task)).await,
        Err(error) => refusal(StatusCode::BAD_REQUEST, "malformed", &error),
    }
}

async fn receipt(State(worker): State<Worker>, Path(task): Path<String>) -> Response {
    match task.parse::<TaskId>() {
        Ok(task) => respond(worker.receipt(task), StatusCode::OK),
        Err(error) => refusal(StatusCode::BAD_REQUEST, "malformed", &error),
    }
}
