//! The chain of a run: the real contracts on the embedded chain, blocks by the clock, reorganizations, and endpoints
//! between it and everybody who asks.

use crate::{faults::Faults, process::Life, trace::Trace};
use alloy_primitives::{B256, hex, keccak256};
use anyhow::{Context, Result, ensure};
use futures::{FutureExt, future::BoxFuture};
use sealwork_chain::TextTransport;
use sealwork_devchain::LocalChain;
use serde_json::{Value, json};
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Blocks that a reorganization replaces at most.
const DEEPEST: u64 = 12;
/// How long a client waits for an endpoint that says nothing.
const PATIENCE: Duration = Duration::from_secs(20);

/// The chain and every transaction that was ever sent to it.
#[derive(Clone, Debug)]
pub(crate) struct SimChain {
    local: LocalChain,
    sent: Arc<Mutex<Vec<Sent>>>,
    /// Older blocks are never replaced.
    first: u64,
    faults: Faults,
    trace: Trace,
}

#[derive(Clone, Debug)]
struct Sent {
    raw: String,
    hash: B256,
    /// Whether an endpoint kept it to itself.
    swallowed: bool,
}

impl SimChain {
    /// A chain whose blocks are made by [`SimChain::run`].
    ///
    /// # Errors
    /// When the chain does not do as it is told.
    pub(crate) async fn new(local: LocalChain, faults: Faults, trace: Trace) -> Result<Self> {
        let mut chain = Self { local, sent: Arc::default(), first: 0, faults, trace };
        chain.ask("evm_setAutomine", json!([false])).await?;
        chain.first = chain.head().await?;
        Ok(chain)
    }

    /// Makes blocks for ever, and now and then others in their place.
    pub(crate) async fn run(&self, period: Duration) {
        loop {
            tokio::time::sleep(period).await;
            let outcome = if self.faults.roll(self.faults.rates.reorg) {
                self.reorganize().await
            } else {
                self.mine().await
            };
            if let Err(error) = outcome {
                self.trace.violation(format_args!("the chain itself failed: {error:#}"));
            }
        }
    }

    /// Makes a block of what waits.
    ///
    /// # Errors
    /// When the chain does not do as it is told.
    pub(crate) async fn mine(&self) -> Result<()> {
        self.ask("evm_mine", json!([])).await.map(drop)
    }

    /// Replaces some blocks by one more. Transactions of the old ones come back, come back late, or wait to be sent again.
    async fn reorganize(&self) -> Result<()> {
        let head = self.head().await?;
        let depth = self.faults.between(1..=DEEPEST).min(head.saturating_sub(self.first));
        if depth == 0 {
            return self.mine().await;
        }
        self.ask("anvil_rollback", json!([depth])).await?;
        self.trace.note(format_args!("{depth} blocks are replaced"));
        let mut lost = self.missing().await?;
        for _ in 0..=depth {
            let back = usize::try_from(self.faults.between(0..=lost.len() as u64)).unwrap_or(0);
            for sent in lost.drain(..back) {
                if !self.faults.roll(200) {
                    self.pass_on(&sent.raw).await;
                }
            }
            self.mine().await?;
        }
        Ok(())
    }

    /// Transactions that no block has.
    async fn missing(&self) -> Result<Vec<Sent>> {
        let mut missing = Vec::new();
        let sent = self.sent().clone();
        for sent in sent {
            let receipt = self.ask("eth_getTransactionReceipt", json!([sent.hash])).await?;
            if receipt.is_null() {
                missing.push(sent);
            }
        }
        Ok(missing)
    }

    /// Passes on everything that replaced blocks lost, as other machines would. What an endpoint kept to itself only its
    /// sender has.
    ///
    /// # Errors
    /// When the chain does not do as it is told.
    pub(crate) async fn pass_everything_on(&self) -> Result<()> {
        for sent in self.missing().await? {
            if !sent.swallowed {
                self.pass_on(&sent.raw).await;
            }
        }
        Ok(())
    }

    /// Whether transactions wait for a block.
    ///
    /// # Errors
    /// When the chain does not answer.
    pub(crate) async fn has_missing(&self) -> Result<bool> {
        let status = self.ask("txpool_status", json!([])).await?;
        Ok(number(&status, "pending") != Some(0))
    }

    /// Some were used up by others meanwhile; the chain says so and nobody minds.
    async fn pass_on(&self, raw: &str) {
        let _ = self.ask("eth_sendRawTransaction", json!([raw])).await;
    }

    /// Number of the newest block.
    ///
    /// # Errors
    /// When the chain does not answer.
    pub(crate) async fn head(&self) -> Result<u64> {
        let number = self.ask("eth_blockNumber", json!([])).await?;
        Ok(u64::from_str_radix(number.as_str().context("a number")?.trim_start_matches("0x"), 16)?)
    }

    async fn ask(&self, method: &str, params: Value) -> Result<Value> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer: Value = serde_json::from_str(&self.local.request(&request.to_string()).await)?;
        ensure!(answer.get("error").is_none(), "{method}: {answer}");
        Ok(answer.get("result").cloned().unwrap_or_default())
    }

    /// An endpoint for a process, with faults. One that is not honest also lies: nobody who asks only such endpoints can
    /// know what they leave out.
    pub(crate) fn endpoint(
        &self,
        life: Life,
        honest: bool,
    ) -> TextTransport<impl Fn(String) -> BoxFuture<'static, io::Result<String>> + use<>> {
        let chain = self.clone();
        TextTransport::new(move |request| {
            let (chain, life) = (chain.clone(), life.clone());
            async move { chain.answer(&life, &request, honest).await }.boxed()
        })
    }

    /// An endpoint that never fails.
    pub(crate) fn honest(
        &self,
    ) -> TextTransport<impl Fn(String) -> BoxFuture<'static, io::Result<String>> + use<>> {
        let chain = self.clone();
        TextTransport::new(move |request| {
            let chain = chain.clone();
            async move {
                chain.note_sent(&request, false);
                Ok(chain.local.request(&request).await)
            }
            .boxed()
        })
    }

    async fn answer(&self, life: &Life, request: &str, honest: bool) -> io::Result<String> {
        let (faults, rates) = (&self.faults, &self.faults.rates);
        self.trace.watch("a request to the chain", request.as_bytes());
        life.point("a request to the chain").await;
        tokio::time::sleep(faults.pause(1..=40)).await;
        if faults.roll(rates.rpc_stalls) {
            tokio::time::sleep(PATIENCE).await;
            return Err(io::ErrorKind::TimedOut.into());
        }
        if faults.roll(rates.rpc_lost) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let mut answer = self.take(request, honest).await?;
        if faults.roll(rates.rpc_twice) {
            answer = self.take(request, honest).await?;
        }
        life.point("an answer of the chain").await;
        if faults.roll(rates.rpc_answer_lost) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(answer)
    }

    /// Answers a request, or keeps a transaction to itself, or lies.
    async fn take(&self, request: &str, honest: bool) -> io::Result<String> {
        let (faults, rates) = (&self.faults, &self.faults.rates);
        if request.contains("eth_sendRawTransaction") {
            let swallowed = !honest && faults.roll(rates.tx_swallowed);
            if let Some(hash) = self.note_sent(request, swallowed) {
                let id = serde_json::from_str::<Value>(request)?.get("id").cloned().unwrap_or_default();
                self.trace.note("a transaction is taken and not passed on");
                return Ok(json!({ "jsonrpc": "2.0", "id": id, "result": hash }).to_string());
            }
        }
        let answer = self.local.request(request).await;
        if faults.is_active() && !honest {
            return Ok(self.bend(request, answer).await);
        }
        Ok(answer)
    }

    /// Remembers a transaction; its hash when it is swallowed.
    fn note_sent(&self, request: &str, swallowed: bool) -> Option<B256> {
        let request: Value = serde_json::from_str(request).ok()?;
        if request.get("method")?.as_str()? != "eth_sendRawTransaction" {
            return None;
        }
        let raw = request.get("params")?.get(0)?.as_str()?.to_owned();
        let hash = keccak256(hex::decode(&raw).ok()?);
        let mut sent = self.sent();
        if !sent.iter().any(|other| other.hash == hash) {
            sent.push(Sent { raw, hash, swallowed });
        }
        swallowed.then_some(hash)
    }

    /// Answers as an endpoint that is behind, or has lost something.
    async fn bend(&self, request: &str, answer: String) -> String {
        let (faults, rates) = (&self.faults, &self.faults.rates);
        let lags = if faults.roll(rates.rpc_lags) { faults.between(1..=3) } else { 0 };
        let omits = faults.roll(rates.rpc_omits_logs);
        let forgets = faults.roll(rates.rpc_forgets);
        if lags == 0 && !omits && !forgets {
            return answer;
        }
        let (Ok(asked), Ok(mut answers)) =
            (serde_json::from_str::<Value>(request), serde_json::from_str::<Value>(&answer))
        else {
            return answer;
        };
        let head = self.head().await.unwrap_or_default();
        let bent = Bent { newest: head.saturating_sub(lags), lags: lags > 0, omits, forgets };
        match (&asked, &mut answers) {
            (Value::Array(asked), Value::Array(answers)) => {
                asked.iter().zip(answers).for_each(|(asked, answer)| bent.apply(asked, answer));
            }
            (asked, answer) => bent.apply(asked, answer),
        }
        answers.to_string()
    }

    fn sent(&self) -> MutexGuard<'_, Vec<Sent>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an endpoint gets wrong.
struct Bent {
    /// Newest block that it knows.
    newest: u64,
    lags: bool,
    omits: bool,
    forgets: bool,
}

impl Bent {
    fn apply(&self, asked: &Value, answer: &mut Value) {
        let Some(result) = answer.get_mut("result") else { return };
        match asked.get("method").and_then(Value::as_str) {
            Some("eth_blockNumber") if self.lags => *result = json!(format!("{:#x}", self.newest)),
            Some("eth_getBlockByNumber") if self.lags && number(result, "number") > Some(self.newest) => {
                *result = Value::Null;
            }
            Some("eth_getTransactionReceipt")
                if self.forgets || self.lags && number(result, "blockNumber") > Some(self.newest) =>
            {
                *result = Value::Null;
            }
            Some("eth_getLogs") => self.thin(result),
            _ => {}
        }
    }

    fn thin(&self, logs: &mut Value) {
        let Some(logs) = logs.as_array_mut() else { return };
        if self.lags {
            logs.retain(|log| number(log, "blockNumber") <= Some(self.newest));
        }
        if self.omits {
            logs.pop();
        }
    }
}

fn number(value: &Value, field: &str) -> Option<u64> {
    u64::from_str_radix(value.get(field)?.as_str()?.trim_start_matches("0x"), 16).ok()
}
