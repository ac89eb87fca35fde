//! Sends spans to a collector: OTLP over HTTP with JSON bodies, in batches. A collector that is away costs its spans and
//! nothing else.

use super::Registry;
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::sync::{mpsc, oneshot};

/// Spans that may wait.
const QUEUE: usize = 8_192;
/// Spans in one request.
const BATCH: usize = 512;
/// How long spans wait for company.
const LINGER: Duration = Duration::from_secs(1);
/// How long the collector may take, and how long the end of a process waits for it.
const TIMEOUT: Duration = Duration::from_secs(3);

/// A finished span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) trace: [u8; 16],
    pub(super) id: [u8; 8],
    pub(super) parent: Option<[u8; 8]>,
    pub(super) name: String,
    pub(super) start: SystemTime,
    pub(super) end: SystemTime,
    pub(super) attributes: Vec<(&'static str, String)>,
}

enum Order {
    Send(Box<Span>),
    Flush(oneshot::Sender<()>),
}

/// The way to the collector. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Exporter {
    orders: mpsc::Sender<Order>,
    registry: Arc<Registry>,
}

impl Exporter {
    /// The exporter that `SEALWORK_OTLP` or the standard variables ask for. Must be called inside the runtime.
    pub(super) fn from_environment(service: &'static str, registry: Arc<Registry>) -> Option<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let whole = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        let base = variable("SEALWORK_OTLP").or_else(|| variable("OTEL_EXPORTER_OTLP_ENDPOINT"));
        let url = base.map(|base| format!("{}/v1/traces", base.trim_end_matches('/'))).or(whole)?;
        Some(Self::to(url, service, registry))
    }

    pub(super) fn to(url: String, service: &'static str, registry: Arc<Registry>) -> Self {
        let (orders, queue) = mpsc::channel(QUEUE);
        tokio::spawn(serve(
            Collector { url, service, http: reqwest::Client::new() },
            queue,
            Arc::clone(&registry),
        ));
        Self { orders, registry }
    }

    /// Sends a span some time, or drops it when too many wait.
    pub(super) fn push(&self, span: Span) {
        if self.orders.try_send(Order::Send(Box::new(span))).is_err() {
            self.registry.add("sealwork_trace_spans_total", &[("outcome", "dropped")], 1);
        }
    }

    /// Waits a moment for everything that was pushed before to be sent.
    pub(super) async fn flush(&self) {
        let (done, sent) = oneshot::channel();
        let flushing = async {
            if self.orders.send(Order::Flush(done)).await.is_ok() {
                // An exporter that ended has nothing to wait for.
                let _ = sent.await;
            }
        };
        // A collector that is away must not keep a process from ending.
        let _ = tokio::time::timeout(TIMEOUT, flushing).await;
    }
}

struct Collector {
    url: String,
    service: &'static str,
    http: reqwest::Client,
}

async fn serve(collector: Collector, mut queue: mpsc::Receiver<Order>, registry: Arc<Registry>) {
    let mut spans = Vec::new();
    loop {
        let order = tokio::time::timeout(LINGER, queue.recv()).await;
        let flushed = match order {
            Ok(None) => return,
            Ok(Some(Order::Send(span))) => {
                spans.push(*span);
                if spans.len() < BATCH {
                    continue;
                }
                None
            }
            Ok(Some(Order::Flush(done))) => Some(done),
            Err(_) => None,
        };
        if !spans.is_empty() {
            let (batch, count) = (std::mem::take(&mut spans), spans.len() as u64);
            let outcome = if collector.send(&batch).await { "sent" } else { "lost" };
            registry.add(
                "sealwork_trace_spans_total",
                &[("outcome", outcome)],
                count.max(batch.len() as u64),
            );
        }
        if let Some(done) = flushed {
            // Whoever asked may have stopped waiting.
            let _ = done.send(());
        }
    }
}

impl Collector {
    async fn send(&self, spans: &[Span]) -> bool {
        let spans: Vec<Value> = spans.iter().map(span_object).collect();
        let body = json!({ "resourceSpans": [{
            "resource": { "attributes": [attribute("service.name", self.service)] },
            "scopeSpans": [{
                "scope": { "name": "sealwork", "version": env!("CARGO_PKG_VERSION") },
                "spans": spans,
            }],
        }] });
        let answer = self.http.post(&self.url).json(&body).timeout(TIMEOUT).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }
}

fn span_object(span: &Span) -> Value {
    let attributes: Vec<_> = span.attributes.iter().map(|(key, value)| attribute(key, value)).collect();
    json!({
        "traceId": hex::encode(span.trace), "spanId": hex::encode(span.id),
        "parentSpanId": span.parent.map(hex::encode).unwrap_or_default(),
        "name": span.name, "kind": 1, "attributes": attributes,
        "startTimeUnixNano": nanoseconds(span.start), "endTimeUnixNano": nanoseconds(span.end),
    })
}

fn attribute(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn nanoseconds(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}
