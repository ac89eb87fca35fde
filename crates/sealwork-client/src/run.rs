//! Running a task: seal, upload, match, watch, verify, open.

use crate::{
    AppView, Client, ClientError, OpenedOutput, RunInput, TaskRecord, TaskState,
    publish::{put_document, random_salt},
};
use alloy_primitives::aliases::U96;
use alloy_sol_types::SolCall;
use sealwork_ports::{
    ErrorKind, EventCursor, MarketEvent, PortError, PostedAppOrder, PostedPoolOrder, TxOutcome,
};
use sealwork_types::{
    Address, AppId, B256, Bytes, DealId, Status, TaskId, U256,
    abi::{IMarket::matchOrdersCall, IRegistry::poolCall, RequestOrder},
    manifest::document_cid,
    order::{TaskParams, TrustMode},
    params::MAX_MANIFEST_BYTES,
    progress::{PoolManifest, StepTime, TaskStep},
    receipt::ReceiptDocument,
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

/// The orders a request is matched with.
struct Offers {
    app: PostedAppOrder,
    pool: PostedPoolOrder,
}

impl Offers {
    fn price(&self) -> U256 {
        U256::from(self.app.order.price).saturating_add(U256::from(self.pool.order.price))
    }
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
        let offers = self.choose_offers(&app, &request).await?;
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

    async fn choose_offers(&self, app: &AppView, request: &RunRequest) -> Result<Offers, ClientError> {
        let none = |kind, problem: &str| ClientError::NoOrder { kind, problem: problem.to_owned() };
        let fits_anybody =
            |restriction: &B256| restriction.is_zero() || *restriction == self.address().into_word();
        let app_order = self
            .parts
            .chain
            .app_orders(app.id)
            .await?
            .into_iter()
            .find(|posted| {
                fits_anybody(&posted.order.requesterRestrict) && posted.order.datasetRestrict.is_zero()
            })
            .ok_or_else(|| none("app", "the app is registered, but nobody may run it now"))?;
        let pool_order = self
            .parts
            .chain
            .pool_orders(None)
            .await?
            .into_iter()
            .find(|posted| {
                fits_anybody(&posted.order.requesterRestrict)
                    && (posted.order.appRestrict.is_zero() || posted.order.appRestrict == app.id.get())
                    && posted.order.modes & TrustMode::Tee.bit() != 0
                    && posted.order.tag & app_order.order.tag == app_order.order.tag
            })
            .ok_or_else(|| none("pool", "no worker offers trust mode tee to this wallet"))?;
        let offers = Offers { app: app_order, pool: pool_order };
        match request.max_price {
            Some(limit) if offers.price() > limit => {
                Err(none("pool", &format!("the cheapest costs {}, the limit is {limit}", offers.price())))
            }
            _ => Ok(offers),
        }
    }

    /// Makes sure that escrow covers the price.
    async fn cover(&self, price: U256, deposit: bool) -> Result<(), ClientError> {
        let available = U256::from(self.account().await?.available);
        if available >= price {
            return Ok(());
        }
        let missing = price.saturating_sub(available);
        if !deposit {
            let text = format!(
                "escrow holds {available}, the task costs {price}; `sealwork account deposit {missing}`"
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
                    pool_url = self.pool_url(found.terms.pool).await.unwrap_or_default();
                }
                if !matches!(found.state, TaskState::Open { .. }) {
                    self.report_progress(&pool_url, found, reporter).await;
                    return Ok(found.clone());
                }
                self.report_progress(&pool_url, found, reporter).await;
            }
            tokio::time::sleep(pause).await;
            pause = MAX_PAUSE.min(pause.mul_f32(1.2));
        }
        let text = format!(
            "deal {deal} was not settled within {} s; `sealwork task wait` goes on waiting, and after the deadline \
             `sealwork task claim` gets the money back",
            timeout.as_secs()
        );
        Err(PortError::new(ErrorKind::Unavailable, text).into())
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

    async fn pool_url(&self, pool: B256) -> Option<String> {
        let answer = self
            .parts
            .chain
            .call(self.network.contracts.registry, poolCall { id: pool }.abi_encode())
            .await
            .ok()?;
        let manifest = poolCall::abi_decode_returns(&answer).ok()?.manifestHash;
        let bytes = self.parts.store.get_small(&document_cid(manifest), MAX_MANIFEST_BYTES).await.ok()?;
        Some(serde_json::from_slice::<PoolManifest>(&bytes).ok()?.url)
    }

    /// Best effort: a pool that does not answer costs nothing but detail.
    async fn report_progress(&self, url: &str, record: &TaskRecord, reporter: &mut Reporter<'_>) {
        if url.is_empty() {
            return;
        }
        if let Ok(progress) = self.parts.progress.progress(url, record.task).await {
            for step in progress.steps {
                if step.step > TaskStep::Matched && step.step < TaskStep::Settled {
                    reporter.reach_at_pool(step);
                }
            }
        }
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
