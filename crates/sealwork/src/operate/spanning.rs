//! Makes spans of events and of a run's steps.
//!
//! Ids are derived, so that the sides of a task meet in one trace without telling each other: the trace of a task is the
//! first 16 bytes of its id, and its root span the next 8. An enclave's life is a trace too, named after its address.

use super::export::{Exporter, Span};
use sealwork_client::Progress;
use sealwork_types::{Address, TaskId};
use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Layer};

/// Events of an enclave's life that become spans without length.
const MOMENTS: &[(&str, &str)] = &[
    ("enclave is ready", "enclave.ready"),
    ("enclave is attested", "enclave.attested"),
    ("granted an enclave key", "cas.grant"),
    ("released a share", "cas.release"),
];

/// The layer that makes spans.
pub(super) struct Spanning(Exporter);

impl Spanning {
    pub(super) const fn new(exporter: Exporter) -> Self {
        Self(exporter)
    }
}

impl<S: Subscriber> Layer<S> for Spanning {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if let Some(span) = step_span(&fields).or_else(|| moment(&fields)) {
            self.0.push(span);
        }
    }
}

/// The time between two steps of a task at its worker.
fn step_span(fields: &Fields) -> Option<Span> {
    if fields.message != "task.reached" {
        return None;
    }
    let task: TaskId = fields.task.parse().ok()?;
    let end = UNIX_EPOCH + Duration::from_millis(fields.at_ms?);
    let start = end - Duration::from_millis(fields.took_ms.unwrap_or(0));
    Some(of_task(task, fields.step.to_ascii_lowercase(), start, end))
}

fn moment(fields: &Fields) -> Option<Span> {
    let (_, name) = MOMENTS.iter().find(|(event, _)| *event == fields.message)?;
    let enclave: Address = fields.enclave.parse().ok()?;
    let now = SystemTime::now();
    Some(Span {
        trace: *enclave.0.first_chunk()?,
        id: rand::random(),
        parent: None,
        name: (*name).to_owned(),
        start: now,
        end: now,
        attributes: vec![("sealwork.enclave", fields.enclave.clone())],
    })
}

/// The steps of a run, below a root that lasts from its begin to its end.
pub(super) fn requester_spans(task: TaskId, begun: SystemTime, steps: &[Progress]) -> Vec<Span> {
    let last = steps.last().map_or(Duration::ZERO, |step| step.elapsed);
    let mut root = of_task(task, "task".into(), begun, begun + last);
    (root.id, root.parent) = (root_of(task), None);
    let step = |step: &Progress| {
        let end = begun + step.elapsed;
        of_task(task, format!("{:?}", step.step).to_ascii_lowercase(), end - step.took, end)
    };
    std::iter::once(root).chain(steps.iter().map(step)).collect()
}

fn of_task(task: TaskId, name: String, start: SystemTime, end: SystemTime) -> Span {
    let [trace @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = task.get().0;
    let attributes = vec![("sealwork.task", task.to_string())];
    Span { trace, id: rand::random(), parent: Some(root_of(task)), name, start, end, attributes }
}

/// The root span of a task.
fn root_of(task: TaskId) -> [u8; 8] {
    let mut root = [0; 8];
    root.iter_mut().zip(task.get().0.into_iter().skip(16)).for_each(|(to, from)| *to = from);
    root
}

#[derive(Debug, Default)]
struct Fields {
    message: String,
    task: String,
    step: String,
    enclave: String,
    at_ms: Option<u64>,
    took_ms: Option<u64>,
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "at_ms" => self.at_ms = Some(value),
            "took_ms" => self.took_ms = Some(value),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = match field.name() {
            "message" => &mut self.message,
            "task" => &mut self.task,
            "step" => &mut self.step,
            "enclave" => &mut self.enclave,
            _ => return,
        };
        *text = format!("{value:?}");
    }
}
