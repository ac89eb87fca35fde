//! Running a task: seal, upload, match or hand over, watch, verify, open.

use crate::{
    AppView, Client, ClientError, OpenedOutput, Plan, Proposal, RunInput, TaskRecord,
    offers::{Offers, Wanted},
    salts::random_salt,
    watch::{Reporter, Watched},
};
use alloy_sol_types::SolCall;
use sealwork_types::{
    AppId, B256, DealId, PoolId, Status, TaskId, U256,
    abi::RequestOrder,
    manifest::document_cid,
    order::{TaskParams, TrustMode, deal_id},
    progress::TaskStep,
    receipt::ReceiptDocument,
};
use std::time::Duration;

/// A request that is handed to a pool is valid for at least this long, seconds: large inputs take time to upload.
const LEAST_HANDED_S: u64 = 600;

/// How a task comes on chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Settlement {
    /// The requester matches the orders, which locks the money; the pool settles.
    #[default]
    Deal,
    /// The request goes straight to the pool, which matches and settles in one transaction when the task is done. Nothing
    /// is locked before.
    OneTransaction,
}

/// What a requester asks for.
#[derive(Debug)]
pub struct RunRequest {
    /// App.
    pub app: AppId,
    /// What is sealed.
    pub input: RunInput,
    /// Tasks, each on the same input; programs tell them apart by `SEALWORK_TASK_INDEX`. More than one are for
    /// [`Client::run_bag`].
    pub volume: u32,
    /// Pool to use; `None` takes the cheapest that answers.
    pub pool: Option<PoolId>,
    /// Highest price of one task accepted, smallest token units; `None` takes the cheapest offer whatever it costs.
    pub max_price: Option<U256>,
    /// How long the order and the sealed input stay valid, seconds.
    pub valid_for_s: u64,
    /// How long to wait for the settlement.
    pub timeout: Duration,
    /// Whether missing money is deposited on the way.
    pub deposit: bool,
    /// How it comes on chain.
    pub settlement: Settlement,
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
    /// Gas of the match; `None` when the settlement matched as well.
    pub match_gas: Option<u64>,
    /// Gas of the settlement.
    pub settle_gas: u64,
    /// Price paid, smallest token units.
    pub price: U256,
}

/// What a run would use and cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Pool that would run it.
    pub pool: PoolId,
    /// Price of the app, smallest token units.
    pub app_price: U256,
    /// Price of the pool, smallest token units.
    pub pool_price: U256,
    /// The transactions and their money.
    pub plan: Plan,
}

impl Client {
    /// What a run would use and cost, without sealing or sending anything. The match is tried out with an input of the
    /// right size.
    ///
    /// # Errors
    /// As [`Client::run`] up to the match.
    pub async fn quote(&self, request: &RunRequest) -> Result<Quote, ClientError> {
        let app = self.app(request.app).await?;
        let offers = self.offers(&app, request).await?;
        let expiry = self.expiry(request).await?;
        let stand_in =
            TaskParams { input_cid: document_cid(B256::repeat_byte(1)), input_digest: B256::repeat_byte(1) };
        let order = self.task_request(&app, &offers, stand_in, expiry, random_salt()?).await?;
        let order = RequestOrder { volume: request.volume, ..order };
        let (_, matching) = self.submission(&offers, order, request.deposit).await?;
        let plan = match request.settlement {
            Settlement::Deal => matching,
            Settlement::OneTransaction => {
                // The pool tries the same match before it takes the request.
                self.rehearse(&matching).await?;
                self.payment_plan(offers.price(), request.deposit).await?
            }
        };
        Ok(Quote {
            pool: PoolId::new(offers.pool.order.pool),
            app_price: U256::from(offers.app.order.price),
            pool_price: U256::from(offers.pool.order.price),
            plan,
        })
    }

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
        let mut reporter = Reporter::new(report);
        let timeout = request.timeout;
        let watched = self.bring_on_chain(request, &mut reporter).await?;
        let record = self.watch(&watched, timeout, &mut reporter).await?;
        self.conclude(record, watched.match_gas, &mut reporter).await
    }

    /// Seals and stores the input and matches the request, or hands it over.
    pub(crate) async fn bring_on_chain(
        &self,
        request: RunRequest,
        reporter: &mut Reporter<'_>,
    ) -> Result<Watched, ClientError> {
        let app = self.app(request.app).await?;
        self.check_members().await?;
        let offers = self.offers(&app, &request).await?;
        let expiry = self.expiry(&request).await?;
        let RunRequest { input, deposit, settlement, volume, .. } = request;
        let sealed = self.seal_input(&app, input, expiry).await?;
        reporter.reach(TaskStep::Sealed, format!("{} bytes", sealed.sealed_bytes));
        reporter.reach(TaskStep::Uploaded, sealed.params.input_cid.to_string());
        self.store_output_recipient().await?;
        let salt = self.parts.salts.next()?;
        let order = self.task_request(&app, &offers, sealed.params, expiry, salt).await?;
        let order = RequestOrder { volume, ..order };
        Ok(match settlement {
            Settlement::Deal => {
                let (deal, plan) = self.submission(&offers, order, deposit).await?;
                let matched = self.carry_out_last(&plan).await?;
                reporter.reach(TaskStep::Matched, format!("deal {}, gas {}", deal.short(), matched.gas_used));
                Watched { deal, from_block: matched.block, match_gas: Some(matched.gas_used), handed: None }
            }
            Settlement::OneTransaction => self.hand_over(&offers, order, deposit, reporter).await?,
        })
    }

    async fn offers(&self, app: &AppView, request: &RunRequest) -> Result<Offers, ClientError> {
        let RunRequest { pool, max_price, settlement, volume, .. } = *request;
        let wanted = Wanted { pool, max_price, mode: TrustMode::Tee, settlement, volume };
        self.choose_offers(app, &wanted).await
    }

    /// When order and sealed input end. A request that was handed over costs money as long as it is valid, so that one is
    /// void when nobody waits for it any more.
    async fn expiry(&self, request: &RunRequest) -> Result<u64, ClientError> {
        let valid_for_s = match request.settlement {
            Settlement::Deal => request.valid_for_s,
            Settlement::OneTransaction => {
                request.valid_for_s.min(request.timeout.as_secs().max(LEAST_HANDED_S))
            }
        };
        Ok(self.now().await?.saturating_add(valid_for_s))
    }

    /// A request for one task that takes exactly these offers.
    async fn task_request(
        &self,
        app: &AppView,
        offers: &Offers,
        params: TaskParams,
        expiry: u64,
        salt: B256,
    ) -> Result<RequestOrder, ClientError> {
        let order = self.request_for(app.id, &app.registered, salt, expiry).await?;
        Ok(RequestOrder {
            appMaxPrice: offers.app.order.price,
            poolRestrict: offers.pool.order.pool,
            poolMaxPrice: offers.pool.order.price,
            minStake: offers.pool.order.stake,
            tag: offers.app.order.tag,
            category: offers.pool.order.category,
            params: params.to_bytes().into(),
            ..order
        })
    }

    /// Signs a request and matches it with the offers, with a deposit of what is missing in the same transaction.
    async fn submission(
        &self,
        offers: &Offers,
        order: RequestOrder,
        deposit: bool,
    ) -> Result<(DealId, Plan), ClientError> {
        let domain = self.network.anchors.domain;
        let signature = self.key.sign(&domain, &order);
        let deal = deal_id(domain.order_hash(&order), 0);
        let proposal = Proposal {
            app: (offers.app.order.clone(), offers.app.signature.clone()),
            pool: (offers.pool.order.clone(), offers.pool.signature.clone()),
            request: (order, signature),
            datasets: Vec::new(),
            memberships: Vec::new(),
        };
        let volume = proposal.request.0.volume;
        let price = offers.price().saturating_mul(U256::from(volume));
        let plan = self.covered("match the orders", price, proposal.call().abi_encode(), deposit).await?;
        Ok((
            deal,
            plan.spending(format!("locked for {volume} task{}", if volume == 1 { "" } else { "s" }), price),
        ))
    }

    async fn conclude(
        &self,
        record: TaskRecord,
        match_gas: Option<u64>,
        reporter: &mut Reporter<'_>,
    ) -> Result<Outcome, ClientError> {
        let receipt = self.receipt(&record).await?;
        let settle_gas = receipt.settlement.as_ref().map_or(0, |settlement| settlement.gas_used);
        reporter.reach(TaskStep::Settled, format!("status {}, gas {settle_gas}", receipt.status()));
        sealwork_protocol::receipt::check(&receipt, &self.network.anchors)?;
        reporter.reach(TaskStep::Verified, format!("signed by enclave {}", receipt.grant.enclave));
        let output = self.fetch(&record, &receipt).await?;
        if let Some(output) = &output {
            reporter.reach(TaskStep::Opened, format!("{} bytes", output.bytes()));
        }
        Ok(Outcome {
            status: receipt.status(),
            task: record.task,
            // Somebody else may have matched what was handed to a pool.
            match_gas: match_gas.filter(|_| !record.in_one_transaction()),
            price: record.agreed.price(),
            receipt,
            output,
            settle_gas,
        })
    }
}
