//! A subset of the Kubo RPC and of the trustless gateway over a local store, for clients that speak to IPFS nodes.
//!
//! Commands are POST under `/api/v0`; `arg` names the CID; failures are HTTP 500 (400 for a bad request) with
//! `{"Message", "Code", "Type"}`. There is no authentication: bind it to a loopback address. Requests that a web page
//! sent (they carry `Origin`) are refused, so a page cannot reach a store on its reader's machine.

mod blocks;
mod content;
mod failure;
mod pins;
mod query;

use crate::local::LocalStore;
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use failure::Failure;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Serves `store` until `shutdown` resolves, then lets running requests end and flushes.
///
/// # Errors
/// The listener's error, or that of the last flush.
pub async fn serve(
    listener: TcpListener,
    store: LocalStore,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    serve_with(listener, store, std::convert::identity, shutdown).await
}

/// The same with whatever `furnish` puts beside the commands or around them.
///
/// # Errors
/// As [`serve`].
pub async fn serve_with(
    listener: TcpListener,
    store: LocalStore,
    furnish: impl FnOnce(Router) -> Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let served = axum::serve(listener, furnish(router(store.clone()))).with_graceful_shutdown(shutdown).await;
    let flushed = store.flush().await.map_err(std::io::Error::other);
    served.and(flushed)
}

fn router(store: LocalStore) -> Router {
    Router::new()
        .route("/api/v0/version", post(version))
        .route("/api/v0/id", post(id))
        .route("/api/v0/add", post(content::add))
        .route("/api/v0/cat", post(content::cat))
        .route("/api/v0/block/put", post(blocks::put))
        .route("/api/v0/block/get", post(blocks::get))
        .route("/api/v0/block/stat", post(blocks::stat))
        .route("/api/v0/pin/add", post(pins::add))
        .route("/api/v0/pin/rm", post(pins::remove))
        .route("/api/v0/pin/ls", post(pins::list))
        .route("/api/v0/repo/gc", post(pins::collect))
        .route("/api/v0/repo/stat", post(pins::repo_stat))
        .route("/ipfs/{cid}", get(blocks::gateway))
        // Content of any size is streamed; blocks have their own limit.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn(refuse_web_pages))
        .with_state(store)
}

async fn refuse_web_pages(request: Request, next: Next) -> Response {
    if request.headers().contains_key("origin") {
        return Failure::forbidden("requests from web pages are not allowed").into_response();
    }
    next.run(request).await
}

async fn version() -> Json<Value> {
    let system = format!("{}/{}", std::env::consts::ARCH, std::env::consts::OS);
    Json(json!({
        "Version": env!("CARGO_PKG_VERSION"), "Commit": "", "Repo": "sealwork-pack-1", "System": system, "Golang": "",
    }))
}

/// The store has no identity on a network, so the id is empty.
async fn id() -> Json<Value> {
    let agent = concat!("sealwork-store/", env!("CARGO_PKG_VERSION"));
    Json(json!({ "ID": "", "PublicKey": "", "Addresses": [], "AgentVersion": agent, "Protocols": [] }))
}
