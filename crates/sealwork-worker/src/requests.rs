//! Requests that come over HTTP: checked as the contract will check them, journaled, then run like any other job.
//!
//! Nothing is locked on chain until the task is done, so a request is accepted only when the payer's account covers it
//! beside all others that are open here.

use crate::{
    Worker,
    agreement::{DirectRequest, payer},
    error::JournalError,
    offers,
};
use alloy_sol_types::SolCall;
use sealwork_ports::{ErrorKind, PortError};
use sealwork_seal::sign;
use sealwork_types::{
    Address, B256, DealId, OrderHash, TaskId, U256,
    abi::{IMarket::matchOrdersCall, Orders, RequestOrder},
    deal::long_signature,
    order::{self, SignedRequest, TaskParams, TrustMode, deal_id},
    progress::AcceptedRequest,
};
use tracing::info;

/// Requests that may be open here at a time.
const MAX_OPEN_REQUESTS: usize = 256;
/// A request that expires sooner is refused: its task may take longer.
const LEAST_TIME_S: u64 = 30;

/// Why a request is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The worker's operator does not want it.
    #[error("this worker takes no requests over HTTP; have the order matched on chain")]
    Disabled,
    /// The request is of a kind that is not served this way.
    #[error("the request's {field} {problem}")]
    Unsuitable {
        /// Field of the order.
        field: &'static str,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// The payer's account is too small now.
    #[error(
        "the task costs {price}, account {payer} has {free} beside its other open requests; deposit more"
    )]
    NotCovered {
        /// Whose account pays.
        payer: Address,
        /// Price of the task, in the smallest unit of the token.
        price: U256,
        /// What the account has left for it.
        free: U256,
    },
    /// The contract would refuse it.
    #[error("the orders do not match: {reason}")]
    NoMatch {
        /// What the contract says.
        reason: String,
    },
    /// The channel is not one of this pool, or not yet seen on chain.
    #[error("channel {channel} is not known here; open one with this pool, or wait until its block is seen")]
    NoChannel {
        /// The channel.
        channel: DealId,
    },
    /// The channel takes no more tasks.
    #[error(
        "channel {channel} takes no more tasks: it is used up, at its end, being closed, or too many of its tasks failed; open another"
    )]
    ChannelEnds {
        /// The channel.
        channel: DealId,
    },
    /// The voucher does not cover the task.
    #[error("the voucher is for {count} tasks, the next task needs one for {next}")]
    Voucher {
        /// Tasks that it covers.
        count: u32,
        /// Tasks that it should cover.
        next: u32,
    },
    /// No task of a channel has this id here.
    #[error("task {task} is no task of a channel that is known here; its id is what `channel run` printed")]
    NoTask {
        /// The task.
        task: TaskId,
    },
    /// There is no receipt yet.
    #[error("task {task} is not done yet")]
    NotDone {
        /// The task.
        task: TaskId,
    },
    /// There will be no receipt.
    #[error("the worker gave the task up, so it does not count in the channel: {reason}")]
    GivenUp {
        /// Why.
        reason: String,
    },
    /// Too much to do.
    #[error("{open} tasks are open here, at most {limit} may be; try later or elsewhere")]
    Busy {
        /// Open requests.
        open: usize,
        /// How many may be.
        limit: usize,
    },
    /// Chain or storage cannot be asked.
    #[error("the request cannot be checked now")]
    Port(#[from] PortError),
    /// The job log failed.
    #[error("the request cannot be written down")]
    Journal(#[from] JournalError),
}

impl RequestError {
    /// One word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Unsuitable { .. } => "unsuitable",
            Self::NotCovered { .. } => "not-covered",
            Self::NoMatch { .. } => "no-match",
            Self::NoChannel { .. } => "no-channel",
            Self::ChannelEnds { .. } => "channel-ends",
            Self::Voucher { .. } => "voucher",
            Self::NoTask { .. } => "no-task",
            Self::NotDone { .. } => "not-done",
            Self::GivenUp { .. } => "given-up",
            Self::Busy { .. } => "busy",
            Self::Port(_) => "unavailable",
            Self::Journal(_) => "failed",
        }
    }
}

impl Worker {
    /// Takes a request for one task, to be settled in one transaction. Accepting a request twice is accepting it once.
    ///
    /// # Errors
    /// [`RequestError`]; then nothing was accepted.
    pub async fn accept(&self, request: SignedRequest) -> Result<AcceptedRequest, RequestError> {
        if !self.config.takes_requests {
            return Err(RequestError::Disabled);
        }
        check(&request.order, self.ports.clock.unix_s())?;
        let domain = self.ports.chain.deployment().domain;
        let request_hash = domain.signing_hash(&request.order);
        check_signature(&request, request_hash)?;
        let deal = deal_id(OrderHash::new(request_hash), 0);
        let accepted = AcceptedRequest { deal, task: order::task_id(deal, 0) };
        if self.journal.agreement(deal)?.is_some() {
            return Ok(accepted);
        }
        self.check_input(&request.order).await?;
        let _one_at_a_time = self.accepting.lock().await;
        let price = self.check_match(&request).await?;
        self.check_cover(&request.order, price).await?;
        self.journal.accept(DirectRequest {
            request,
            request_hash,
            pool: self.config.pool,
            accepted_at: self.ports.clock.unix_s(),
            price,
        })?;
        info!(%deal, %price, "request.accepted");
        self.news.notify_waiters();
        Ok(accepted)
    }

    pub(crate) async fn check_input(&self, order: &RequestOrder) -> Result<(), RequestError> {
        let params = TaskParams::from_bytes(&order.params).map_err(|error| unsuitable("params", error))?;
        match self.ports.store.stat(&params.input_cid).await {
            Err(error) if error.kind == ErrorKind::NotFound => {
                Err(unsuitable("input", "is not in storage; put it there first"))
            }
            other => Ok(other.map(drop)?),
        }
    }

    /// Tries the match without sending it, and gives the price.
    async fn check_match(&self, request: &SignedRequest) -> Result<U256, RequestError> {
        let chain = &self.ports.chain;
        let orders = offers::orders(chain, self.config.pool, request).await.map_err(no_match)?;
        let price = price(&orders);
        let call = matchOrdersCall { orders }.abi_encode();
        chain.call(chain.deployment().contracts.market, call).await.map_err(no_match)?;
        Ok(price)
    }

    async fn check_cover(&self, order: &RequestOrder, price: U256) -> Result<(), RequestError> {
        let payer = payer(order);
        let (open, promised) = self.journal.promised(payer)?;
        if open >= MAX_OPEN_REQUESTS {
            return Err(RequestError::Busy { open, limit: MAX_OPEN_REQUESTS });
        }
        let account = self.ports.chain.account(payer).await?;
        let cover = U256::from(account.available).saturating_add(U256::from(account.withdrawing));
        let free = cover.saturating_sub(promised);
        if price > free {
            return Err(RequestError::NotCovered { payer, price, free });
        }
        Ok(())
    }
}

/// What needs no look at anything else.
fn check(order: &RequestOrder, now: u64) -> Result<(), RequestError> {
    if order.mode != TrustMode::Tee.code() {
        return Err(unsuitable(
            "mode",
            format!("is {}, in one transaction only mode 0 is settled", order.mode),
        ));
    }
    if order.volume != 1 {
        let problem = format!("is {}, in one transaction one task is settled", order.volume);
        return Err(unsuitable("volume", problem));
    }
    check_common(order, now)
}

/// What holds for every request that comes over HTTP.
pub(crate) fn check_common(order: &RequestOrder, now: u64) -> Result<(), RequestError> {
    if !order.datasets.is_empty() {
        return Err(unsuitable("datasets", "are not empty, this worker runs tasks without datasets"));
    }
    if order.expiry < now.saturating_add(LEAST_TIME_S) {
        let problem =
            format!("is {}, it is {now} now and the task needs at least {LEAST_TIME_S} s", order.expiry);
        return Err(unsuitable("expiry", problem));
    }
    Ok(())
}

/// The enclave takes requests by keys only; contracts and approvals are for the chain.
pub(crate) fn check_signature(request: &SignedRequest, hash: B256) -> Result<(), RequestError> {
    let signer = sign::recover_hash(hash, &long_signature(&request.signature))
        .map_err(|error| unsuitable("signature", error))?;
    if signer != request.order.requester {
        let problem = format!("is by {signer}, the order names requester {}", request.order.requester);
        return Err(unsuitable("signature", problem));
    }
    Ok(())
}

fn price(orders: &Orders) -> U256 {
    U256::from(orders.app.price).saturating_add(U256::from(orders.pool.price))
}

pub(crate) fn unsuitable(field: &'static str, problem: impl std::fmt::Display) -> RequestError {
    RequestError::Unsuitable { field, problem: problem.to_string() }
}

fn no_match(error: PortError) -> RequestError {
    match error.kind {
        ErrorKind::Rejected | ErrorKind::NotFound => RequestError::NoMatch { reason: error.to_string() },
        ErrorKind::Unavailable | ErrorKind::Corrupt | ErrorKind::Limit | ErrorKind::Local => error.into(),
    }
}
