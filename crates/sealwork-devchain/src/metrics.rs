//! What is counted, as Prometheus text. Every label value is one of a fixed set.

use crate::{block::Block, node::Node};
use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// Upper bounds of the block time buckets in microseconds, with the text Prometheus wants.
const BLOCK_TIMES: [(u64, &str); 10] = [
    (100, "0.0001"),
    (250, "0.00025"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (1_000_000, "1"),
];

/// Counters of one chain.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    blocks: AtomicU64,
    transactions: AtomicU64,
    gas: AtomicU64,
    block_times: [AtomicU64; BLOCK_TIMES.len()],
    block_micros: AtomicU64,
    calls: Mutex<BTreeMap<&'static str, Arc<Calls>>>,
}

/// Calls of one method.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    answered: AtomicU64,
    failed: AtomicU64,
}

impl Calls {
    pub(crate) fn count(&self, succeeded: bool) {
        let counter = if succeeded { &self.answered } else { &self.failed };
        counter.fetch_add(1, Relaxed);
    }
}

impl Metrics {
    /// A block was made; `elapsed` is the time that making it took.
    pub(crate) fn block(&self, block: &Block, elapsed: Duration) {
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        self.blocks.fetch_add(1, Relaxed);
        self.transactions.fetch_add(u64::try_from(block.transactions.len()).unwrap_or(u64::MAX), Relaxed);
        self.gas.fetch_add(block.header.gas_used, Relaxed);
        self.block_micros.fetch_add(micros, Relaxed);
        for ((bound, _), bucket) in BLOCK_TIMES.iter().zip(&self.block_times) {
            if micros <= *bound {
                bucket.fetch_add(1, Relaxed);
            }
        }
    }

    /// The counter of a method.
    pub(crate) fn calls(&self, method: &'static str) -> Arc<Calls> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(calls.entry(method).or_default())
    }

    /// Everything as Prometheus text.
    pub(crate) fn text(&self, node: &Node) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut text, node);
        text
    }

    fn write(&self, text: &mut String, node: &Node) -> fmt::Result {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let (ready, waiting) = {
            let chain = node.chain();
            let (ready, queued) = crate::rpc::split_pool(&chain);
            (count(ready), count(queued))
        };
        for (name, kind, help, value) in [
            ("height", "gauge", "Number of the newest block.", node.head().number()),
            ("blocks_total", "counter", "Blocks made by this process.", self.blocks.load(Relaxed)),
            (
                "transactions_total",
                "counter",
                "Transactions mined by this process.",
                self.transactions.load(Relaxed),
            ),
            ("gas_total", "counter", "Gas used by these transactions.", self.gas.load(Relaxed)),
            (
                "base_fee_wei",
                "gauge",
                "Base fee of the next block, wei per gas.",
                node.head().next.base_fee_per_gas.unwrap_or_default(),
            ),
            ("pool_pending", "gauge", "Waiting transactions that the next block can take.", ready),
            (
                "pool_queued",
                "gauge",
                "Waiting transactions that lack an earlier one or the base fee.",
                waiting,
            ),
            ("storage_bytes", "gauge", "Bytes of stored blocks and state.", node.storage.bytes()),
            (
                "storage_queue",
                "gauge",
                "Blocks that are made and not stored yet.",
                count(node.storage.waiting()),
            ),
        ] {
            head(text, name, kind, help)?;
            writeln!(text, "sealwork_devchain_{name} {value}")?;
        }
        self.write_block_times(text)?;
        self.write_calls(text)
    }

    fn write_block_times(&self, text: &mut String) -> fmt::Result {
        head(text, "block_seconds", "histogram", "Time to make a block, without storing it.")?;
        for ((_, bound), bucket) in BLOCK_TIMES.iter().zip(&self.block_times) {
            let value = bucket.load(Relaxed);
            writeln!(text, "sealwork_devchain_block_seconds_bucket{{le=\"{bound}\"}} {value}")?;
        }
        let (blocks, micros) = (self.blocks.load(Relaxed), self.block_micros.load(Relaxed));
        writeln!(text, "sealwork_devchain_block_seconds_bucket{{le=\"+Inf\"}} {blocks}")?;
        let seconds = Duration::from_micros(micros).as_secs_f64();
        writeln!(text, "sealwork_devchain_block_seconds_sum {seconds}")?;
        writeln!(text, "sealwork_devchain_block_seconds_count {blocks}")
    }

    fn write_calls(&self, text: &mut String) -> fmt::Result {
        head(text, "rpc_calls_total", "counter", "JSON-RPC calls by method and result.")?;
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (method, calls) in calls {
            for (result, counter) in [("ok", &calls.answered), ("error", &calls.failed)] {
                let value = counter.load(Relaxed);
                if value > 0 {
                    writeln!(
                        text,
                        "sealwork_devchain_rpc_calls_total{{method=\"{method}\",result=\"{result}\"}} {value}"
                    )?;
                }
            }
        }
        Ok(())
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(text, "# HELP sealwork_devchain_{name} {help}\n# TYPE sealwork_devchain_{name} {kind}")
}
