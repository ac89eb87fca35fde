//! Counters, gauges and histograms, and their Prometheus text. Every label value is one of a fixed set.

use super::process;
use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Upper bounds of the buckets of every histogram, seconds.
const BOUNDS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0, 3_600.0];

/// A metric's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Every metric that this program has, and what it means. `docs/operating.md` lists the same.
pub(super) const METRICS: &[(&str, Kind, &str)] = &[
    ("sealwork_build_info", Kind::Gauge, "1, with the version as label."),
    ("sealwork_worker_tasks", Kind::Gauge, "Tasks that are queued, running, or executed and not settled."),
    ("sealwork_worker_tasks_ended_total", Kind::Counter, "Tasks that ended, since the job log was made."),
    ("sealwork_worker_oldest_task_seconds", Kind::Gauge, "Age of the oldest deal with a queued task."),
    ("sealwork_worker_slots", Kind::Gauge, "Tasks that can run at the same time."),
    (
        "sealwork_worker_draining",
        Kind::Gauge,
        "1 while the worker finishes what it has begun and takes no more.",
    ),
    (
        "sealwork_worker_step_seconds",
        Kind::Histogram,
        "Time from the step before to this one, for each task.",
    ),
    ("sealwork_worker_settled_tasks_total", Kind::Counter, "Tasks that this process settled."),
    (
        "sealwork_worker_transactions_total",
        Kind::Counter,
        "Transactions that this process sent and saw mined.",
    ),
    ("sealwork_worker_gas_total", Kind::Counter, "Gas that these transactions used."),
    ("sealwork_worker_retries_total", Kind::Counter, "Attempts that will be repeated, by what failed."),
    ("sealwork_worker_refusals_total", Kind::Counter, "What was given up or refused for good."),
    (
        "sealwork_worker_chain_lag_seconds",
        Kind::Gauge,
        "Time since the worker had read the chain to its end.",
    ),
    ("sealwork_enclave_starts_total", Kind::Counter, "Enclave processes that became ready."),
    ("sealwork_enclave_ends_total", Kind::Counter, "Enclave processes that ended with something to say."),
    ("sealwork_enclave_attestations_total", Kind::Counter, "Grants that enclaves got."),
    ("sealwork_enclave_attestable", Kind::Gauge, "1 if the newest attempt to attest an enclave succeeded."),
    ("sealwork_cas_grants_total", Kind::Counter, "Enclave keys granted."),
    ("sealwork_cas_releases_total", Kind::Counter, "Shares released."),
    ("sealwork_cas_denials_total", Kind::Counter, "Requests denied, by rule."),
    ("sealwork_cas_log_entries", Kind::Gauge, "Entries of the release log."),
    ("sealwork_chain_head", Kind::Gauge, "Number of the newest block."),
    ("sealwork_chain_head_timestamp_seconds", Kind::Gauge, "Time in the newest block."),
    ("sealwork_chain_rewinds_total", Kind::Counter, "Times that the chain replaced blocks."),
    (
        "sealwork_chain_endpoint_failures_total",
        Kind::Counter,
        "Failures of chain endpoints, and of asking the chain.",
    ),
    (
        "sealwork_storage_bytes_total",
        Kind::Counter,
        "Content that this process read from and wrote to storage.",
    ),
    ("sealwork_store_bytes", Kind::Gauge, "Bytes of stored blocks."),
    ("sealwork_store_blocks", Kind::Gauge, "Stored blocks."),
    ("sealwork_http_requests_total", Kind::Counter, "Requests answered, by class of status."),
    ("sealwork_http_bytes_total", Kind::Counter, "Bytes of bodies that came in and went out."),
    ("sealwork_trace_spans_total", Kind::Counter, "Spans that were exported, and that could not be."),
];

#[derive(Clone, Debug)]
enum Value {
    Count(u64),
    Level(f64),
    Times { buckets: [u64; BOUNDS.len()], count: u64, sum: f64 },
}

/// Values by metric and labels.
#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<BTreeMap<&'static str, BTreeMap<String, Value>>>);

/// A label with its value.
pub(crate) type Label<'a> = (&'static str, &'a str);

impl Registry {
    /// Counts.
    pub(crate) fn add(&self, metric: &'static str, labels: &[Label<'_>], by: u64) {
        self.change(metric, labels, Value::Count(0), |value| {
            if let Value::Count(count) = value {
                *count = count.saturating_add(by);
            }
        });
    }

    /// Sets a gauge, or a counter that somebody else keeps.
    pub(crate) fn set(&self, metric: &'static str, labels: &[Label<'_>], to: f64) {
        self.change(metric, labels, Value::Level(to), |value| *value = Value::Level(to));
    }

    /// The value of a gauge.
    pub(crate) fn level(&self, metric: &'static str) -> Option<f64> {
        match self.lock().get(metric)?.get("")? {
            Value::Level(level) => Some(*level),
            Value::Count(_) | Value::Times { .. } => None,
        }
    }

    /// Takes a time into a histogram.
    pub(crate) fn observe(&self, metric: &'static str, labels: &[Label<'_>], seconds: f64) {
        let empty = Value::Times { buckets: [0; BOUNDS.len()], count: 0, sum: 0.0 };
        self.change(metric, labels, empty, |value| {
            if let Value::Times { buckets, count, sum } = value {
                let fitting = BOUNDS.iter().zip(buckets).filter(|(bound, _)| seconds <= **bound);
                fitting.for_each(|(_, bucket)| *bucket += 1);
                *count += 1;
                *sum += seconds;
            }
        });
    }

    /// Everything as Prometheus text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> fmt::Result {
        let values = self.lock().clone();
        for (metric, kind, help) in METRICS {
            let Some(series) = values.get(metric) else { continue };
            let kind_name = match kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            writeln!(text, "# HELP {metric} {help}\n# TYPE {metric} {kind_name}")?;
            for (labels, value) in series {
                series_text(text, metric, labels, value)?;
            }
        }
        process::write(text)
    }

    fn change(
        &self,
        metric: &'static str,
        labels: &[Label<'_>],
        fresh: Value,
        change: impl FnOnce(&mut Value),
    ) {
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        change(self.lock().entry(metric).or_default().entry(labels.join(",")).or_insert(fresh));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, BTreeMap<String, Value>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn series_text(text: &mut String, metric: &str, labels: &str, value: &Value) -> fmt::Result {
    let braced = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
    match value {
        Value::Count(count) => writeln!(text, "{metric}{braced} {count}"),
        Value::Level(level) => writeln!(text, "{metric}{braced} {level}"),
        Value::Times { buckets, count, sum } => {
            let comma = if labels.is_empty() { "" } else { "," };
            for (bound, bucket) in BOUNDS.iter().zip(buckets) {
                writeln!(text, "{metric}_bucket{{{labels}{comma}le=\"{bound}\"}} {bucket}")?;
            }
            writeln!(text, "{metric}_bucket{{{labels}{comma}le=\"+Inf\"}} {count}")?;
            writeln!(text, "{metric}_sum{braced} {sum}\n{metric}_count{braced} {count}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_a_head_for_each_metric_and_a_line_for_each_series() {
        let registry = Registry::default();
        registry.add("sealwork_worker_retries_total", &[("cause", "chain")], 2);
        registry.add("sealwork_worker_retries_total", &[("cause", "task")], 1);
        registry.set("sealwork_chain_head", &[], 7.0);
        registry.observe("sealwork_worker_step_seconds", &[("step", "running")], 0.02);
        registry.observe("sealwork_worker_step_seconds", &[("step", "running")], 7_000.0);
        let text = registry.text();
        for line in [
            "# TYPE sealwork_worker_retries_total counter",
            "sealwork_worker_retries_total{cause=\"chain\"} 2",
            "sealwork_worker_retries_total{cause=\"task\"} 1",
            "sealwork_chain_head 7",
            "sealwork_worker_step_seconds_bucket{step=\"running\",le=\"0.01\"} 0",
            "sealwork_worker_step_seconds_bucket{step=\"running\",le=\"0.025\"} 1",
            "sealwork_worker_step_seconds_bucket{step=\"running\",le=\"+Inf\"} 2",
            "sealwork_worker_step_seconds_count{step=\"running\"} 2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in {text}");
        }
        assert_eq!(text.matches("# TYPE sealwork_worker_retries_total").count(), 1);
        assert_eq!(registry.level("sealwork_chain_head"), Some(7.0));
    }

    #[test]
    fn names_follow_the_conventions_and_are_documented() {
        let page = include_str!("../../../../docs/operating.md");
        for (name, kind, help) in METRICS {
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            assert!(help.ends_with('.'), "{name}");
            assert!(page.contains(&format!("`{name}")), "docs/operating.md does not say what {name} is");
        }
    }
}
