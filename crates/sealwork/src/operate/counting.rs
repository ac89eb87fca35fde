//! Counts events by their names.

use super::Registry;
use std::{fmt, sync::Arc};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Layer};

/// What an event counts as.
#[derive(Clone, Copy, Debug)]
enum Rule {
    /// One of a metric, with a label unless it is empty.
    One(&'static str, &'static str, &'static str),
    /// A mined transaction for a purpose, with its gas.
    Transaction(&'static str),
    /// One denial, by its rule.
    Denial,
    /// A step of a task, with the time since the step before.
    Step,
}

const RETRIES: &str = "sealwork_worker_retries_total";
const REFUSALS: &str = "sealwork_worker_refusals_total";

/// The events that count. A test finds each in the sources.
const RULES: &[(&str, Rule)] = &[
    ("task.settled", Rule::Transaction("settle")),
    ("enclave.registered", Rule::Transaction("register")),
    ("deal.started", Rule::Transaction("start")),
    ("voucher.redeemed", Rule::Transaction("redeem")),
    ("task.reached", Rule::Step),
    ("task.postponed", Rule::One(RETRIES, "cause", "task")),
    ("settle.retry", Rule::One(RETRIES, "cause", "settle")),
    ("start.retry", Rule::One(RETRIES, "cause", "start")),
    ("chain.unavailable", Rule::One(RETRIES, "cause", "chain")),
    ("enclave.not_ready", Rule::One(RETRIES, "cause", "enclave")),
    ("task.failed", Rule::One(REFUSALS, "what", "task")),
    ("settle.refused", Rule::One(REFUSALS, "what", "settle")),
    ("start.refused", Rule::One(REFUSALS, "what", "start")),
    ("deal.refused", Rule::One(REFUSALS, "what", "deal")),
    ("channel.refused", Rule::One(REFUSALS, "what", "channel")),
    ("voucher.refused", Rule::One(REFUSALS, "what", "voucher")),
    ("enclave is ready", Rule::One("sealwork_enclave_starts_total", "", "")),
    ("enclave ended", Rule::One("sealwork_enclave_ends_total", "", "")),
    ("enclave is attested", Rule::One("sealwork_enclave_attestations_total", "", "")),
    ("granted an enclave key", Rule::One("sealwork_cas_grants_total", "", "")),
    ("released a share", Rule::One("sealwork_cas_releases_total", "", "")),
    ("denied", Rule::Denial),
    ("the chain cannot be asked", Rule::One("sealwork_chain_endpoint_failures_total", "", "")),
    ("a chain endpoint fails", Rule::One("sealwork_chain_endpoint_failures_total", "", "")),
    ("the chain replaced blocks", Rule::One("sealwork_chain_rewinds_total", "", "")),
];

/// Rules of denials as labels; others count as `other`, so that the set stays fixed.
const DENIALS: &[&str] =
    &["Protocol", "Evidence", "Appraisal", "Registration", "ChainUnavailable", "KeyEpoch", "RateLimit"];

/// The layer that counts.
pub(super) struct Counting(Arc<Registry>);

impl Counting {
    pub(super) fn new(registry: Arc<Registry>) -> Self {
        registry.set("sealwork_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
        for (_, rule) in RULES {
            // What never happened is told as zero, so that the first time is seen as a change.
            match *rule {
                Rule::One(metric, "", _) => registry.add(metric, &[], 0),
                Rule::One(metric, label, value) => registry.add(metric, &[(label, value)], 0),
                Rule::Transaction(_) | Rule::Denial | Rule::Step => {}
            }
        }
        Self(registry)
    }

    fn count(&self, rule: Rule, fields: &Fields) {
        let registry = &self.0;
        match rule {
            Rule::One(metric, "", _) => registry.add(metric, &[], 1),
            Rule::One(metric, label, value) => registry.add(metric, &[(label, value)], 1),
            Rule::Transaction(purpose) => {
                registry.add("sealwork_worker_transactions_total", &[("purpose", purpose)], 1);
                registry.add("sealwork_worker_gas_total", &[("purpose", purpose)], fields.gas);
                registry.add("sealwork_worker_settled_tasks_total", &[], fields.tasks);
            }
            Rule::Denial => {
                let rule = DENIALS.iter().find(|known| **known == fields.rule).copied().unwrap_or("other");
                registry.add("sealwork_cas_denials_total", &[("rule", rule)], 1);
            }
            Rule::Step => {
                let step = fields.step.to_ascii_lowercase();
                if let Some(took_ms) = fields.took_ms {
                    let seconds = std::time::Duration::from_millis(took_ms).as_secs_f64();
                    registry.observe("sealwork_worker_step_seconds", &[("step", &step)], seconds);
                }
            }
        }
    }

    /// Whether enclaves can be attested, by the newest news.
    fn attestable(&self, fields: &Fields) {
        let told = match fields.message.as_str() {
            "enclave is ready" | "enclave is attested" => Some(1.0),
            "enclave.not_ready" => Some(0.0),
            "task.postponed" if fields.reason.contains("no attested enclave") => Some(0.0),
            _ => None,
        };
        if let Some(level) = told {
            self.0.set("sealwork_enclave_attestable", &[], level);
        }
    }
}

impl<S: Subscriber> Layer<S> for Counting {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if let Some((_, rule)) = RULES.iter().find(|(name, _)| *name == fields.message) {
            self.count(*rule, &fields);
        }
        self.attestable(&fields);
    }
}

/// The fields that rules look at.
#[derive(Debug, Default)]
struct Fields {
    message: String,
    rule: String,
    step: String,
    reason: String,
    gas: u64,
    tasks: u64,
    took_ms: Option<u64>,
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "gas" => self.gas = value,
            "tasks" => self.tasks = value,
            "took_ms" => self.took_ms = Some(value),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = match field.name() {
            "message" => &mut self.message,
            "rule" => &mut self.rule,
            "step" => &mut self.step,
            "reason" => &mut self.reason,
            _ => return,
        };
        *text = format!("{value:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};
    use tracing_subscriber::layer::SubscriberExt;

    #[test]
    fn events_become_numbers() {
        let registry = Arc::new(Registry::default());
        let subscriber = tracing_subscriber::registry().with(Counting::new(Arc::clone(&registry)));
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(tasks = 50_u32, gas = 90_000_u64, "task.settled");
            tracing::info!(rule = ?"unheard of", "denied");
            tracing::info!(step = ?sealwork_types::progress::TaskStep::Running, took_ms = 20_u64, "task.reached");
            tracing::warn!(slot = 0, "enclave.not_ready");
            tracing::warn!("something else");
        });
        let text = registry.text();
        for line in [
            "sealwork_worker_gas_total{purpose=\"settle\"} 90000",
            "sealwork_worker_settled_tasks_total 50",
            "sealwork_cas_denials_total{rule=\"other\"} 1",
            "sealwork_worker_step_seconds_count{step=\"running\"} 1",
            "sealwork_worker_retries_total{cause=\"enclave\"} 1",
            "sealwork_worker_retries_total{cause=\"chain\"} 0",
            "sealwork_enclave_attestable 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in {text}");
        }
    }

    #[test]
    fn every_counted_event_is_written_somewhere() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut sources = String::new();
        for name in ["worker", "cas", "chain"] {
            gather(&crates.join(format!("sealwork-{name}/src")), &mut sources);
        }
        for (event, _) in RULES {
            assert!(sources.contains(&format!("\"{event}\"")), "nothing writes {event:?}");
        }
    }

    fn gather(folder: &Path, sources: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                gather(&path, sources);
            } else {
                sources.push_str(&fs::read_to_string(&path).unwrap());
            }
        }
    }
}
