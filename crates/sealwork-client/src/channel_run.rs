//! Running a task in a channel: a voucher pays, the receipt comes from the pool, nothing goes on chain.

use crate::{
    AppView, Client, ClientError, DealRecord, Outcome, RunInput, batch::OutputPlace, channels::channel,
    orders::rejected, salts::random_salt, watch::Reporter,
};
use sealwork_ports::{ErrorKind, PortError};
use sealwork_protocol::receipt;
use sealwork_types::{
    AppId, DealId, Fault, TaskId, U256,
    abi::RequestOrder,
    channel::{ChannelState, ChannelTask, TaskReceipt, task_deal},
    deal::Deal,
    order::{SignedRequest, TaskParams, TrustMode, deal_id, task_id},
    progress::TaskStep,
    receipt::ReceiptDocument,
};
use std::time::Duration;
use tokio::time::Instant;

/// Pause between looks at a running task.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a pool may take to see a channel on chain.
const SEEN_WITHIN: Duration = Duration::from_secs(15);
/// A pool that does not answer is asked again so often, so much later.
const SENT_AGAIN: u32 = 2;
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// Vouchers are signed anew so often when other tasks of the channel come in between.
const ATTEMPTS: u32 = 8;

/// How to run a task in a channel.
#[derive(Debug)]
pub struct ChannelRun {
    /// What is sealed.
    pub input: RunInput,
    /// How long the order and the sealed input stay valid, seconds.
    pub valid_for_s: u64,
    /// How long to wait for the receipt.
    pub timeout: Duration,
}

impl Client {
    /// Runs one task of a channel from sealing to the opened output, reporting each step as it is reached.
    ///
    /// # Errors
    /// [`ClientError`]. A task that the pool gives up, or that ends by a fault of the worker, does not count: the next one
    /// is paid by the same voucher. What is not done in time can be had later with [`Client::fetch_in_channel`].
    pub async fn run_in_channel(
        &self,
        record: &DealRecord,
        run: ChannelRun,
        report: &mut (dyn FnMut(crate::Progress) + Send),
    ) -> Result<Outcome, ClientError> {
        let mut reporter = Reporter::new(report);
        self.next_in_channel(record).await?;
        let deal = &record.deal;
        let (app, url) = (self.channel_app(deal).await?, self.channel_pool(deal).await?);
        self.check_members().await?;
        let expiry = self.now().await?.saturating_add(run.valid_for_s);
        let sealed = self.seal_input(&app, run.input, expiry).await?;
        reporter.reach(TaskStep::Sealed, format!("{} bytes", sealed.sealed_bytes));
        reporter.reach(TaskStep::Uploaded, sealed.params.input_cid.to_string());
        self.store_output_recipient().await?;
        let request = self.channel_request(deal, sealed.params, expiry).await?;
        let hash = self.network.anchors.domain.order_hash(&request.order);
        let task = task_id(deal_id(hash, 0), 0);
        let count = self.submit_in_channel(&url, record, &request).await?;
        reporter.reach(TaskStep::Accepted, format!("task {task}, {count} of {} paid", deal.volume));
        self.receive(record, task, run.timeout, &mut reporter).await
    }

    /// Waits for a task of a channel that was sent before, checks its receipt and opens its output.
    ///
    /// # Errors
    /// As [`Client::run_in_channel`] from there on.
    pub async fn fetch_in_channel(
        &self,
        record: &DealRecord,
        task: TaskId,
        timeout: Duration,
        report: &mut (dyn FnMut(crate::Progress) + Send),
    ) -> Result<Outcome, ClientError> {
        let requester = channel(record)?.deal.request.requester;
        if requester != self.address() {
            let text = format!(
                "the channel is {requester}'s, not {}'s; choose its wallet with --wallet",
                self.address()
            );
            return Err(rejected(text));
        }
        self.receive(record, task, timeout, &mut Reporter::new(report)).await
    }

    /// Which task of the channel a voucher pays next, from 1, by what the chain shows and the pool says.
    ///
    /// # Errors
    /// `Rejected` when the channel is not this wallet's, used up, or being closed.
    pub async fn next_in_channel(&self, record: &DealRecord) -> Result<u32, ClientError> {
        self.check_payer(record)?;
        let url = self.channel_pool(&record.deal).await?;
        let state = self.seen_channel(&url, record.id).await?;
        if state.closing || state.closed >= record.deal.volume || state.used >= record.deal.volume {
            let text = format!(
                "channel {} is used up or being closed: {} of {} tasks are used; open another",
                record.id.short(),
                state.used,
                record.deal.volume
            );
            return Err(rejected(text));
        }
        Ok(state.used.saturating_add(1))
    }

    async fn receive(
        &self,
        record: &DealRecord,
        task: TaskId,
        timeout: Duration,
        reporter: &mut Reporter<'_>,
    ) -> Result<Outcome, ClientError> {
        let url = self.channel_pool(&record.deal).await?;
        let deadline = Instant::now() + timeout;
        let received = self.await_receipt(&url, record.id, task, deadline, reporter).await?;
        let request = &received.request;
        let hash = self.network.anchors.domain.order_hash(&request.order);
        if task_id(deal_id(hash, 0), 0) != task || request.order.requester != self.address() {
            let text = format!("the pool at {url} gives a receipt of another task");
            return Err(PortError::new(ErrorKind::Corrupt, text).into());
        }
        let document = self.channel_document(task_deal(&record.deal, request, hash.get()), &received);
        self.conclude_in_channel(task, document, &received, reporter).await
    }

    /// The channel's app, as long as it runs what the channel was opened for.
    async fn channel_app(&self, deal: &Deal) -> Result<AppView, ClientError> {
        let app = self.app(AppId::new(deal.request.app)).await?;
        let wanted = (deal.request.codeHash, deal.request.policyHash);
        if (app.registered.codeHash, app.registered.policyHash) != wanted {
            let text = "the app was updated since the channel was opened; close it and open another";
            return Err(rejected(text.into()));
        }
        Ok(app)
    }

    async fn channel_pool(&self, deal: &Deal) -> Result<String, ClientError> {
        let url = self.pool_url(deal.pool).await;
        if url.is_empty() {
            return Err(rejected(format!("pool {} does not say where tasks are sent", deal.pool)));
        }
        Ok(url)
    }

    async fn channel_request(
        &self,
        deal: &Deal,
        params: TaskParams,
        expiry: u64,
    ) -> Result<SignedRequest, ClientError> {
        let app = AppId::new(deal.request.app);
        let registered = self.parts.chain.app(app).await?;
        let order = RequestOrder {
            mode: TrustMode::Channel.code(),
            poolRestrict: deal.pool,
            params: params.to_bytes().into(),
            ..self.request_for(app, &registered, random_salt()?, expiry).await?
        };
        let signature = self.key.sign(&self.network.anchors.domain, &order);
        Ok(SignedRequest { order, signature })
    }

    /// Pays the next task of the channel with this request, and says which one it is. When another task came in between,
    /// the voucher is for one more.
    async fn submit_in_channel(
        &self,
        url: &str,
        record: &DealRecord,
        request: &SignedRequest,
    ) -> Result<u32, ClientError> {
        for _ in 0..ATTEMPTS {
            let count = self.next_in_channel(record).await?;
            let voucher = self.sign_next(record, count)?;
            let task = ChannelTask { request: request.clone(), count, voucher };
            match self.send_task(url, record.id, &task).await {
                Ok(()) => return Ok(count),
                Err(error) if error.kind != ErrorKind::Rejected => return Err(error.into()),
                // Perhaps the voucher is late; anything else stays as it is.
                Err(error) if self.next_in_channel(record).await.ok() == Some(count) => {
                    return Err(error.into());
                }
                Err(_) => {}
            }
        }
        let text = format!("{ATTEMPTS} other tasks of the channel came first; send fewer at the same time");
        Err(PortError::new(ErrorKind::Unavailable, text).into())
    }

    /// Sends a task, again when no answer comes: the pool accepts it once.
    async fn send_task(&self, url: &str, channel: DealId, task: &ChannelTask) -> Result<(), PortError> {
        let mut left = SENT_AGAIN;
        loop {
            match self.parts.requests.submit_in_channel(url, channel, task).await {
                Err(error) if error.is_retryable() && left > 0 => {
                    left -= 1;
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
                answer => return answer.map(drop),
            }
        }
    }

    /// The channel as its pool sees it, which may need a moment after it was opened.
    async fn seen_channel(&self, url: &str, id: DealId) -> Result<ChannelState, ClientError> {
        let until = Instant::now() + SEEN_WITHIN;
        loop {
            match self.parts.requests.channel(url, id).await {
                Err(error) if error.kind == ErrorKind::NotFound && Instant::now() < until => {
                    tokio::time::sleep(PAUSE).await;
                }
                answer => return Ok(answer?),
            }
        }
    }

    async fn await_receipt(
        &self,
        url: &str,
        channel: DealId,
        task: TaskId,
        deadline: Instant,
        reporter: &mut Reporter<'_>,
    ) -> Result<TaskReceipt, ClientError> {
        loop {
            if let Ok(progress) = self.parts.progress.progress(url, task).await {
                reporter.report_pool(&progress.steps);
            }
            let why = match self.parts.requests.receipt(url, task).await {
                Err(error) if error.is_retryable() => error,
                answer => return Ok(answer?),
            };
            if Instant::now() >= deadline {
                let text = format!(
                    "no receipt came in time ({why}); `sealwork channel fetch {} {task}` waits on",
                    channel.short()
                );
                return Err(PortError::new(ErrorKind::Unavailable, text).into());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn channel_document(&self, deal: Deal, received: &TaskReceipt) -> ReceiptDocument {
        ReceiptDocument {
            version: ReceiptDocument::VERSION,
            domain: self.network.anchors.domain,
            receipt: received.receipt.clone(),
            signature: received.signature.clone(),
            batch: None,
            deal,
            grant: received.grant.clone(),
            grant_signatures: received.grant_signatures.clone(),
            settlement: None,
        }
    }

    async fn conclude_in_channel(
        &self,
        task: TaskId,
        document: ReceiptDocument,
        received: &TaskReceipt,
        reporter: &mut Reporter<'_>,
    ) -> Result<Outcome, ClientError> {
        receipt::check(&document, &self.network.anchors)?;
        let (now, expiry) = (self.now().await?, document.grant.expiry);
        if expiry < now {
            let problem = format!("its grant ended at {expiry}, now it is {now}");
            return Err(ClientError::Cas { problem });
        }
        reporter.reach(TaskStep::Verified, format!("signed by enclave {}", document.grant.enclave));
        let place = received.output.map(|cid| OutputPlace { cid, bytes: None });
        let output = self.fetch_output(task, &document, place).await?;
        if let Some(output) = &output {
            reporter.reach(TaskStep::Opened, format!("{} bytes", output.bytes()));
        }
        let counts = !matches!(document.status().fault(), Fault::Worker | Fault::Unproven);
        Ok(Outcome {
            status: document.status(),
            task,
            price: if counts { document.deal.price() } else { U256::ZERO },
            receipt: document,
            output,
            match_gas: None,
            settle_gas: 0,
        })
    }
}
