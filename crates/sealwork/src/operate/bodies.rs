//! Counts requests and the bytes of their bodies, whatever a server streams.

use super::Registry;
use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http_body::{Frame, SizeHint};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// Who counts, and for which server.
#[derive(Clone)]
pub(super) struct Counter {
    pub(super) registry: Arc<Registry>,
    pub(super) server: &'static str,
}

/// Counts a request and its answer.
pub(super) async fn count(State(counter): State<Counter>, request: Request, next: Next) -> Response {
    let request = request.map(|body| Body::new(Counted { body, counter: counter.clone(), direction: "in" }));
    let response = next.run(request).await;
    let class = match response.status().as_u16() {
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    };
    let labels = [("server", counter.server), ("status", class)];
    counter.registry.add("sealwork_http_requests_total", &labels, 1);
    response.map(|body| Body::new(Counted { body, counter, direction: "out" }))
}

/// A body that is counted while it passes.
struct Counted {
    body: Body,
    counter: Counter,
    direction: &'static str,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(bytes) = frame.data_ref()
        {
            let labels = [("server", self.counter.server), ("direction", self.direction)];
            self.counter.registry.add("sealwork_http_bytes_total", &labels, bytes.len() as u64);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
