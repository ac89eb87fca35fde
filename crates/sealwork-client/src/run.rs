//! Running a task: seal, upload, match, watch, verify, open.

use crate::{
    AppView, Client, ClientError, OpenedOutput, RunInput, TaskRecord, TaskState,
    offers::Offers,
    publish::{put_document, random_salt},
};
use alloy_primitives::aliases::U96;
use alloy_sol_types::SolCall;
use sealwork_ports::{ErrorKind, EventCursor, MarketEvent, PortError, TxOutcome};
use sealwork_types::{
    Address, AppId, B256, Bytes, DealId, PoolId, Status, TaskId, U256,
    abi::{IMarket::matchOrdersCall, RequestOrder},
    order::{TaskParams, TrustMode},
    progress::{StepTime, TaskStep},
    receipt::ReceiptDocument,
    tokens,
};
use std::time::{Duration, Instant};

/// First pause between looks at a running task; grows to [`MAX_PAUSE`].
const MIN_PAUSE: Duration = Duration::from_millis(10);
const MAX_PAUSE: Duration = Duration::from_millis(500);
/// Events read at once while waiting.
const PAGE: usize = 256;

/// What a requester asks for.
#[derive(Debug)]
pub struct RunRequest {
    /// App.
    pub app: AppId,
    /// What is sealed.
    pub input: RunInput,
    /// Pool to use; `None` takes the cheapest that answers.
    pub pool: Option<PoolId>,
    /// Highest total price accepted, smallest token units; `None` takes the cheapest offer whatever it costs.
    pub max_price: Option<U256>,
    /// How long the order and the sealed input stay valid, seconds.
    pub valid_for_s: u64,
    /// How long to wait for the settlement.
    pub timeout: Duration,
    /// Whether missing escrow money is deposited on the way.
    pub deposit: bool,
}

/// A step that was reached, for progress displays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Step.
    pub step: TaskStep,
    /// Since the step before.
    pub took: Duration,
    /// Since the run began.
    pub elapsed: Duration,
    /// Something short and public to show beside it: a CID, an id, gas.
    pub detail: String,
}

/// A finished task.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// Task.
    pub task: TaskId,
    /// Checked receipt.
    pub receipt: ReceiptDocument,
    /// Opened output, if the status comes with one.
    pub output: Option<OpenedOutput>,
    /// Gas of the match.
    pub match_gas: u64,
    /// Gas of the settlement.
    pub settle_gas: u64,
    /// Price paid, smallest token units.
    pub price: U256,
}

/// Reports steps with the time since the start.
struct Reporter<'a> {
    started: Instant,
    reached: Option<(TaskStep, Duration)>,
    /// The pool's clock and ours when the pool's first step was seen.
    pool_clock: Option<(u64, Duration)>,
    report: &'a mut (dyn FnMut(Progress) + Send),
}

impl Reporter<'_> {
    /// Reports a step as reached now, unless it or a later one was reported already.
    fn reach(&mut self, step: TaskStep, detail: impl Into<String>) {
        self.reach_at(step, self.started.elapsed(), detail);
    }

    /// Reports a step of the pool: later ones at the distance from its first step that the pool's clock shows.
    fn reach_at_pool(&mut self, reached: StepTime) {
        let now = self.started.elapsed();
        let (pool_ms, ours) = *self.pool_clock.get_or_insert((reached.at_ms, now));
        let since = Duration::from_millis(reached.at_ms.saturating_sub(pool_ms));
        self.reach_at(reached.step, now.min(ours.saturating_add(since)), "");
    }

    fn reach_at(&mut self, step: TaskStep, elapsed: Duration, detail: impl Into<String>) {
        let (before, since) = self.reached.unzip();
        if before.is_none_or(|before| before < step) {
            let elapsed = elapsed.max(since.unwrap_or_default());
            let took = elapsed.saturating_sub(since.unwrap_or_default());
            self.reached = Some((step, elapsed));
            (self.report)(Progress { step, took, elapsed, detail: detail.into() });
        }
    }
}

impl Client {
    /// Runs one task from sealing to the opened output, reporting each step as it is reached.
    ///
    /// # Errors
    /// [`ClientError`]; before the match nothing was spent, after it the task can be followed with
    /// [`Client::task`] and the money comes back after the deadline.
    pub async fn run(
        &self,
        request: RunRequest,
        report: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Outcome, ClientError> {
        let mut reporter = Reporter { started: Instant::now(), reached: None, pool_clock: None, report };
        let app = self.app(request.app).await?;
        self.check_members().await?;
        let offers = self.choose_offers(&app, request.pool, request.max_price).await?;
        let expiry = self.parts.clock.unix_s().saturating_add(request.valid_for_s);
        let sealed = self.seal_input(&app, request.input, expiry).await?;
        reporter.reach(TaskStep::Sealed, format!("{} bytes", sealed.sealed_bytes));
        reporter.reach(TaskStep::Uploaded, sealed.params.input_cid.to_string());
        self.cover(offers.price(), request.deposit).await?;
        let (deal, matched) = self.match_orders(&app, &offers, sealed.params, expiry).await?;
        reporter.reach(TaskStep::Matched, format!("deal {}, gas {}", deal.short(), matched.gas_used));
        let record = self.watch(deal, matched, request.timeout, &mut reporter).await?;
        self.conclude(record, matched, offers.price(), &mut reporter).await
    }

    /// Makes sure that escrow covers the price.
    async fn cover(&self, price: U256, deposit: bool) -> Result<(), ClientError> {
        let available = U256::from(self.account().await?.available);
        if available >= price {
            return Ok(());
        }
        let missing = price.saturating_sub(available);
        if !deposit {
            let [available, price, missing] = [available, price, missing].map(tokens::show);
            let text = format!(
                "escrow holds {available} tokens, the task costs {price}; `sealwork account deposit {missing}`"
            );
            return Err(PortError::new(ErrorKind::Rejected, text).into());
        }
        self.deposit(missing).await.map(drop)
    }

    async fn match_orders(
        &self,
        app: &AppView,
        offers: &Offers,
        params: TaskParams,
        expiry: u64,
    ) -> Result<(DealId, TxOutcome), ClientError> {
        let recipient = self.output_identity().recipient();
        put_document(&self.parts.store, recipient.as_bytes().to_vec()).await?;
        let order = RequestOrder {
            app: app.id.get(),
            appMaxPrice: offers.app.order.price,
            datasets: Vec::new(),
            datasetMaxPrice: U96::ZERO,
            poolRestrict: offers.pool.order.pool,
            poolMaxPrice: offers.pool.order.price,
            requester: self.address(),
            sponsor: Address::ZERO,
            outputRecipient: recipient.digest(),
            volume: 1,
            tag: offers.app.order.tag,
            category: offers.pool.order.category,
            trust: 0,
            mode: TrustMode::Tee.code(),
            callback: Address::ZERO,
            callbackGas: 0,
            params: params.to_bytes().into(),
            requirements: B256::ZERO,
            expiry,
            nonce: self.order_nonce().await?,
            salt: random_salt()?,
        };
        self.submit_match(offers, order).await
    }

    async fn submit_match(
        &self,
        offers: &Offers,
        order: RequestOrder,
    ) -> Result<(DealId, TxOutcome), ClientError> {
        let domain = self.network.anchors.domain;
        let signature = self.key.sign(&domain, &order);
        let deal = sealwork_types::order::deal_id(domain.order_hash(&order), 0);
        let call = matchOrdersCall {
            appOrder: offers.app.order.clone(),
            appSignature: offers.app.signature.clone(),
            datasetOrders: Vec::new(),
            datasetSignatures: Vec::<Bytes>::new(),
            poolOrder: offers.pool.order.clone(),
            poolSignature: offers.pool.signature.clone(),
            requestOrder: order,
            requestSignature: signature,
        };
        let outcome = self.parts.chain.send(self.network.contracts.market, call.abi_encode()).await?;
        Ok((deal, outcome))
    }

    /// Waits until the first task of a deal is settled or refunded.
    async fn watch(
        &self,
        deal: DealId,
        matched: TxOutcome,
        timeout: Duration,
        reporter: &mut Reporter<'_>,
    ) -> Result<TaskRecord, ClientError> {
        let mut cursor = EventCursor { block: matched.block, log_index: 0 };
        let mut record: Option<TaskRecord> = None;
        let mut pool_url = String::new();
        let mut pause = MIN_PAUSE;
        let deadline = Instant::now() + timeout;
        while Instant::now() < deadline {
            let (events, next) = self.parts.chain.events(cursor, PAGE).await?;
            cursor = next;
            for event in events {
                self.note(deal, event, &mut record);
            }
            if let Some(found) = &record {
                if pool_url.is_empty() {
                    pool_url = self.pool_url(found.terms.pool).await;
                }
                let abandoned = self.report_progress(&pool_url, found, reporter).await;
                match (&found.state, abandoned) {
                    (TaskState::Open { .. }, None) => {}
                    (TaskState::Open { deadline }, Some(reason)) => {
                        return Err(ClientError::Abandoned { task: found.task, reason, deadline: *deadline });
                    }
                    _ => return Ok(found.clone()),
                }
            }
            tokio::time::sleep(pause).await;
            pause = MAX_PAUSE.min(pause.mul_f32(1.2));
        }
        let task = sealwork_types::order::task_id(deal, 0);
        let text = format!(
            "task {} was not settled within {} s; `sealwork task wait {}` goes on waiting",
            task.short(),
            timeout.as_secs(),
            task.short()
        );
        Err(PortError::new(ErrorKind::Limit, text).into())
    }

    fn note(&self, wanted: DealId, event: MarketEvent, record: &mut Option<TaskRecord>) {
        match event {
            MarketEvent::Matched { deal, terms, request_signature, transaction } if deal == wanted => {
                *record = TaskRecord::of_deal(deal, &terms, &request_signature, transaction).next();
            }
            MarketEvent::Settled { deal, index: 0, .. } | MarketEvent::Refunded { deal, index: 0, .. }
                if deal == wanted =>
            {
                if let Some(record) = record {
                    record.apply(event);
                }
            }
            MarketEvent::Matched { .. } | MarketEvent::Settled { .. } | MarketEvent::Refunded { .. } => {}
        }
    }

    /// Reports what the pool says; the reason if it gave the task up. Best effort: a pool that does not answer costs
    /// nothing but detail.
    async fn report_progress(
        &self,
        url: &str,
        record: &TaskRecord,
        reporter: &mut Reporter<'_>,
    ) -> Option<String> {
        if url.is_empty() {
            return None;
        }
        let progress = self.parts.progress.progress(url, record.task).await.ok()?;
        for reached in progress.steps {
            if reached.step > TaskStep::Matched && reached.step < TaskStep::Settled {
                reporter.reach_at_pool(reached);
            }
        }
        progress.abandoned
    }

    async fn conclude(
        &self,
        record: TaskRecord,
        matched: TxOutcome,
        price: U256,
        reporter: &mut Reporter<'_>,
    ) -> Result<Outcome, ClientError> {
        let receipt = self.receipt(&record).await?;
        let settle_gas = receipt.settlement.as_ref().map_or(0, |settlement| settlement.gas_used);
        reporter.reach(TaskStep::Settled, format!("status {}, gas {settle_gas}", receipt.status()));
        sealwork_protocol::receipt::check(&receipt, &self.network.anchors)?;
        reporter.reach(TaskStep::Verified, format!("signed by enclave {}", receipt.grant.enclave));
        let output = self.fetch(&record, &receipt).await?;
        if let Some(output) = &output {
            let bytes: usize = output.bundle.files.iter().map(|file| file.bytes.len()).sum();
            reporter.reach(
                TaskStep::Opened,
                format!("{} bytes", bytes.saturating_add(output.bundle.stdout.len())),
            );
        }
        Ok(Outcome {
            status: receipt.status(),
            task: record.task,
            receipt,
            output,
            match_gas: matched.gas_used,
            settle_gas,
            price,
        })
    }
}
