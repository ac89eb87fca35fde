//! What happens around JSON-RPC on the HTTP port: metrics, and pages of any origin may call.

use crate::node::Node;
use jsonrpsee::server::{HttpBody, HttpRequest, HttpResponse};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower::{Layer, Service};

/// Adds `GET /metrics` and the headers with which browsers let pages of other origins call.
#[derive(Clone, Debug)]
pub(super) struct Surroundings(pub(super) Arc<Node>);

/// The same around one connection's service.
#[derive(Clone, Debug)]
pub(super) struct Surrounded<S> {
    inner: S,
    node: Arc<Node>,
}

impl<S> Layer<S> for Surroundings {
    type Service = Surrounded<S>;

    fn layer(&self, inner: S) -> Surrounded<S> {
        Surrounded { inner, node: Arc::clone(&self.0) }
    }
}

impl<S, B> Service<HttpRequest<B>> for Surrounded<S>
where
    S: Service<HttpRequest<B>, Response = HttpResponse>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = HttpResponse;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest<B>) -> Self::Future {
        let own = match (request.method().as_str(), request.uri().path()) {
            ("GET", "/metrics") => Some(metrics(&self.node)),
            ("OPTIONS", _) => Some(preflight()),
            _ => None,
        };
        if let Some(response) = own {
            return Box::pin(std::future::ready(Ok(response)));
        }
        let answer = self.inner.call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            open(&mut response);
            Ok(response)
        })
    }
}

fn metrics(node: &Node) -> HttpResponse {
    let mut response = HttpResponse::new(HttpBody::from(node.metrics.text(node)));
    set(&mut response, "content-type", "text/plain; version=0.0.4; charset=utf-8");
    response
}

/// The answer to a browser that asks before it calls.
fn preflight() -> HttpResponse {
    let mut response = HttpResponse::new(HttpBody::empty());
    open(&mut response);
    set(&mut response, "access-control-allow-methods", "GET,POST");
    set(&mut response, "access-control-allow-headers", "content-type");
    set(&mut response, "allow", "GET,HEAD,POST");
    response
}

fn open(response: &mut HttpResponse) {
    set(response, "access-control-allow-origin", "*");
    set(response, "vary", "origin, access-control-request-method, access-control-request-headers");
}

fn set(response: &mut HttpResponse, name: &'static str, value: &'static str) {
    if let Ok(value) = value.parse() {
        response.headers_mut().insert(name, value);
    }
}
