//! Running a task in a channel: a voucher pays, the receipt comes from the pool, nothing goes on chain.

use crate::{
    AppView, Client, ClientError, DealRecord, Outcome, RunInput, channels::channel, orders::rejected,
    salts::random_salt, watch::Reporter,
};
use sealwork_ports::{ErrorKind, PortError};
use sealwork_protocol::receipt;
use sealwork_types::{
    AppId, DealId, TaskId,
    abi::RequestOrder,
    channel::{ChannelState, ChannelTask, TaskReceipt, task_deal},
    deal::Deal,
    order::{SignedRequest, TaskParams, TrustMode, deal_id, task_id},
    progress::TaskStep,
    receipt::ReceiptDocument,
};
use std::time::{Duration, Instant};

/// Pause between looks at a running task.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a pool may take to see a channel on chain.
const SEEN_WITHIN: Duration = Duration::from_secs(15);
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
    /// is paid by the same voucher.
    pub async fn run_in_channel(
        &self,
        record: &DealRecord,
        run: ChannelRun,
        report: &mut (dyn FnMut(crate::Progress) + Send),
    ) -> Result<Outcome, ClientError> {
        let mut reporter = Reporter::new(report);
        let deal = &channel(record)?.deal;
        let (app, url) = (self.channel_app(deal).await?, self.channel_pool(deal).await?);
        self.check_members().await?;
        let expiry = self.now().await?.saturating_add(run.valid_for_s);
        let sealed = self.seal_input(&app, run.input, expiry).await?;
        reporter.reach(TaskStep::Sealed, format!("{} bytes", sealed.sealed_bytes));
        reporter.reach(TaskStep::Uploaded, sealed.params.input_cid.to_string());
        self.store_output_recipient().await?;
        let request = self.channel_request(&app, sealed.params, expiry).await?;
        let hash = self.network.anchors.domain.order_hash(&request.order);
        let task = task_id(deal_id(hash, 0), 0);
        let deadline = Instant::now() + run.timeout;
        self.submit_in_channel(&url, record, &request).await?;
        let received = self.await_receipt(&url, task, deadline, &mut reporter).await?;
        let document = self.channel_document(task_deal(deal, &request, hash.get()), &received);
        self.conclude_in_channel(task, document, &received, &mut reporter).await
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
        app: &AppView,
        params: TaskParams,
        expiry: u64,
    ) -> Result<SignedRequest, ClientError> {
        let order = RequestOrder {
            mode: TrustMode::Channel.code(),
            params: params.to_bytes().into(),
            ..self.request_for(app.id, &app.registered, random_salt()?, expiry).await?
        };
        let signature = self.key.sign(&self.network.anchors.domain, &order);
        Ok(SignedRequest { order, signature })
    }

    /// Pays the next task of the channel with this request. When another task came in between, the voucher is for one more.
    async fn submit_in_channel(
        &self,
        url: &str,
        record: &DealRecord,
        request: &SignedRequest,
    ) -> Result<(), ClientError> {
        let mut count = self.seen_channel(url, record.id).await?.used.saturating_add(1);
        for _ in 0..ATTEMPTS {
            let voucher = self.sign_voucher(record, count)?.signature;
            let task = ChannelTask { request: request.clone(), count, voucher };
            let Err(error) = self.parts.requests.submit_in_channel(url, record.id, &task).await else {
                return Ok(());
            };
            let next = self.parts.requests.channel(url, record.id).await?.used.saturating_add(1);
            if error.kind != ErrorKind::Rejected || next == count {
                return Err(error.into());
            }
            count = next;
        }
        let text = format!("{ATTEMPTS} other tasks of the channel came first; send fewer at the same time");
        Err(PortError::new(ErrorKind::Unavailable, text).into())
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
        task: TaskId,
        deadline: Instant,
        reporter: &mut Reporter<'_>,
    ) -> Result<TaskReceipt, ClientError> {
        while Instant::now() < deadline {
            if let Ok(progress) = self.parts.progress.progress(url, task).await {
                reporter.report_pool(&progress.steps);
                if let Some(reason) = progress.abandoned {
                    let text =
                        format!("the worker gave the task up, so it does not count in the channel: {reason}");
                    return Err(rejected(text));
                }
            }
            match self.parts.requests.receipt(url, task).await {
                Err(error) if error.kind == ErrorKind::NotFound || error.is_retryable() => {}
                answer => return Ok(answer?),
            }
            tokio::time::sleep(PAUSE).await;
        }
        let text = format!("no receipt of task {} came in time; the pool may still work on it", task.short());
        Err(PortError::new(ErrorKind::Limit, text).into())
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
        reporter.reach(TaskStep::Verified, format!("signed by enclave {}", document.grant.enclave));
        let output = self.fetch_output(task, &document, received.output).await?;
        if let Some(output) = &output {
            reporter.reach(TaskStep::Opened, format!("{} bytes", output.bytes()));
        }
        Ok(Outcome {
            status: document.status(),
            task,
            price: document.deal.price(),
            receipt: document,
            output,
            match_gas: None,
            settle_gas: 0,
        })
    }
}
