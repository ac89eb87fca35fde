//! `GET /health`, `/ready` and `/metrics` beside a server's own pages.

use super::{
    Registry,
    bodies::{Counter, count},
};
use async_trait::async_trait;
use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use std::{sync::Arc, time::Duration};

/// Longest time for one check.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a service needs in order to serve.
#[async_trait]
pub(crate) trait Probe: Send + Sync + 'static {
    /// Looks at everything that is needed and writes down what was seen.
    async fn look(&self, registry: &Registry) -> Vec<Check>;
}

/// One thing that a service needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// What it is, for programs.
    pub(crate) check: &'static str,
    /// Whether it is there.
    pub(crate) ok: bool,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
}

impl Check {
    /// The outcome of a check that must come in time.
    pub(super) async fn of<T, E: std::fmt::Display>(
        check: &'static str,
        asked: impl Future<Output = Result<T, E>>,
    ) -> Self {
        let problem = match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("no answer within {} s", PATIENCE.as_secs())),
        };
        Self { check, ok: problem.is_none(), problem }
    }
}

/// The pages of one server.
#[derive(Clone)]
pub(crate) struct Pages {
    server: &'static str,
    registry: Arc<Registry>,
    probe: Arc<dyn Probe>,
}

impl Pages {
    pub(crate) fn new(server: &'static str, registry: Arc<Registry>, probe: Arc<dyn Probe>) -> Self {
        Self { server, registry, probe }
    }

    /// A server's router with the pages, and everything counted. `health` is left out where the server has its own.
    pub(crate) fn beside(self, router: Router, health: bool) -> Router {
        let counter = Counter { registry: Arc::clone(&self.registry), server: self.server };
        let mut pages = Router::new().route("/ready", get(ready)).route("/metrics", get(metrics));
        if health {
            pages = pages.route("/health", get(|| async { Json(serde_json::json!({ "status": "ok" })) }));
        }
        router.merge(pages.with_state(self)).layer(from_fn_with_state(counter, count))
    }
}

async fn ready(State(pages): State<Pages>) -> Response {
    let checks = pages.probe.look(&pages.registry).await;
    let ready = checks.iter().all(|check| check.ok);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(serde_json::json!({ "ready": ready, "checks": checks }))).into_response()
}

async fn metrics(State(pages): State<Pages>) -> Response {
    // Whatever is wrong shows in the numbers; the text comes in any case.
    drop(pages.probe.look(&pages.registry).await);
    let head = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (head, pages.registry.text()).into_response()
}
