//! Tasks in channels: taken against a voucher, run like any other, delivered instead of settled; vouchers are redeemed
//! when it is time.

use crate::{
    RequestError, Worker,
    agreement::{Agreement, PaidRequest},
    engine::RETRY_PAUSE,
    error::WorkerError,
    journal::{ChannelRecord, Job},
    requests::{self, unsuitable},
};
use alloy_sol_types::SolCall;
use sealwork_ports::{ErrorKind, PortError};
use sealwork_protocol::job::{Execution, JobState, Statement};
use sealwork_seal::sign;
use sealwork_types::{
    DealId, OrderHash, TaskId,
    abi::{IChannels::redeemCall, Voucher},
    channel::{self, ChannelState, ChannelTask, TaskReceipt},
    deal::long_signature,
    order::{self, SignedRequest, deal_id},
    progress::AcceptedRequest,
};
use std::{sync::atomic::Ordering, time::Duration};
use tracing::{info, warn};

/// Jobs of all kinds that may be open before channels have to wait.
const MAX_OPEN_JOBS: usize = 1_024;
/// Tasks of one channel that may be open at a time.
const MAX_PENDING: u32 = 64;
/// Tasks of a channel that may end without counting, before it takes no more: each may have cost a whole run.
const MAX_GIVEN_BACK: u32 = 16;
/// Beside those, one for so many that count.
const COUNTED_FOR_ONE: u32 = 8;
/// A channel may have been closed on chain since the worker last looked; older knowledge than this is not acted on.
const STALE_AFTER_S: u64 = 600;
/// How often vouchers that are due are looked for.
const PAUSE: Duration = Duration::from_secs(2);
/// What was earned is redeemed at the latest so long after its oldest voucher came.
const REDEEM_AFTER_S: u64 = 86_400;
/// A channel's money is the payer's again after its lifetime; what was earned is redeemed so long before.
const BEFORE_END_S: u64 = 2 * 86_400;
/// When a channel is being closed, tasks that run are waited for until so long before vouchers are not taken any more.
const BEFORE_CLOSING_S: u64 = 900;

impl Worker {
    /// Takes a task of a channel. Accepting a request twice is accepting it once.
    ///
    /// # Errors
    /// [`RequestError`]; then nothing was accepted.
    pub async fn accept_in_channel(
        &self,
        channel: DealId,
        task: ChannelTask,
    ) -> Result<AcceptedRequest, RequestError> {
        let domain = self.ports.chain.deployment().domain;
        let request_hash = domain.signing_hash(&task.request.order);
        let deal = deal_id(OrderHash::new(request_hash), 0);
        let accepted = AcceptedRequest { deal, task: order::task_id(deal, 0) };
        if self.journal.agreement(deal)?.is_some() {
            return Ok(accepted);
        }
        let now = self.ports.clock.unix_s();
        let record = self.channel_record(channel)?;
        self.check_channel(&record, now)?;
        check_task(&record, &task, now)?;
        requests::check_signature(&task.request, request_hash)?;
        self.check_voucher(&record, &task)?;
        // May take long: storage looks for what it does not have.
        self.check_input(&task.request.order).await?;
        let _one_at_a_time = self.accepting.lock().await;
        if self.journal.agreement(deal)?.is_some() {
            return Ok(accepted);
        }
        let paid = PaidRequest { request: task.request, request_hash, channel, accepted_at: now };
        if self.journal.accept_paid(paid, task.count, &task.voucher)?.is_none() {
            let record = self.channel_record(channel)?;
            self.check_channel(&record, now)?;
            return Err(RequestError::Voucher { count: task.count, next: record.used.saturating_add(1) });
        }
        info!(%channel, %deal, count = task.count, "task.accepted");
        self.news.notify_waiters();
        Ok(accepted)
    }

    /// Where a channel of this pool stands.
    ///
    /// # Errors
    /// [`RequestError`] when it is not known here.
    pub fn channel(&self, channel: DealId) -> Result<ChannelState, RequestError> {
        Ok(self.channel_record(channel)?.state())
    }

    /// What the enclave said about a task of a channel.
    ///
    /// # Errors
    /// [`RequestError::NoTask`], [`RequestError::NotDone`] or [`RequestError::GivenUp`] when there is nothing to tell.
    pub fn receipt(&self, task: TaskId) -> Result<TaskReceipt, RequestError> {
        let job = self.journal.handed(task)?;
        let job = job.filter(|job| matches!(*job.agreement, Agreement::Channel(_)));
        let Some(Job { agreement, state, .. }) = job else { return Err(RequestError::NoTask { task }) };
        match state {
            JobState::Delivered(execution) => {
                receipt(&agreement, *execution).ok_or(RequestError::NoTask { task })
            }
            JobState::Abandoned { reason } => Err(RequestError::GivenUp { reason }),
            JobState::Queued { .. }
            | JobState::Running { .. }
            | JobState::Executed(_)
            | JobState::Settled { .. } => Err(RequestError::NotDone { task }),
        }
    }

    fn channel_record(&self, channel: DealId) -> Result<ChannelRecord, RequestError> {
        self.journal.channel(channel)?.ok_or(RequestError::NoChannel { channel })
    }

    /// Whether the channel takes a task now.
    fn check_channel(&self, record: &ChannelRecord, now: u64) -> Result<(), RequestError> {
        let seen = self.caught_up.load(Ordering::Relaxed);
        if now > seen.saturating_add(STALE_AFTER_S) {
            let text = "the worker has not seen the newest block of the chain for a while";
            return Err(PortError::new(ErrorKind::Unavailable, text).into());
        }
        let spoiled = MAX_GIVEN_BACK.saturating_add(record.earned() / COUNTED_FOR_ONE);
        if record.closing.is_some()
            || record.is_over()
            || record.given_back > spoiled
            || now > record.end().saturating_sub(BEFORE_END_S)
        {
            return Err(RequestError::ChannelEnds { channel: record.deal.id() });
        }
        let jobs = usize::try_from(self.journal.counts()?.open()).unwrap_or(usize::MAX);
        let pending = usize::try_from(record.pending).unwrap_or(usize::MAX);
        for (open, limit) in [(jobs, MAX_OPEN_JOBS), (pending, MAX_PENDING as usize)] {
            if open >= limit {
                return Err(RequestError::Busy { open, limit });
            }
        }
        Ok(())
    }

    /// The contract also takes vouchers by contracts; a worker that must not ask the chain for each task does not.
    fn check_voucher(&self, record: &ChannelRecord, task: &ChannelTask) -> Result<(), RequestError> {
        if task.count > record.deal.volume {
            let problem = format!("covers {} tasks, the channel has {}", task.count, record.deal.volume);
            return Err(unsuitable("voucher", problem));
        }
        let domain = self.ports.chain.deployment().domain;
        let voucher = Voucher { dealId: record.deal.id().get(), count: task.count };
        let signer = sign::recover(&domain, &voucher, &long_signature(&task.voucher))
            .map_err(|error| unsuitable("voucher", error))?;
        let payer = record.deal.terms.payer;
        if signer != payer {
            return Err(unsuitable("voucher", format!("is by {signer}, {payer} pays this channel")));
        }
        Ok(())
    }

    /// Redeems what was earned, in time: when the payer asks for the rest, when a channel is used up, and now and then.
    pub(crate) async fn redeem_vouchers(&self) -> Result<(), WorkerError> {
        loop {
            let now = self.ports.clock.unix_s();
            for record in self.journal.open_channels()? {
                if is_due(&record, now) {
                    self.redeem(&record).await?;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn redeem(&self, record: &ChannelRecord) -> Result<(), WorkerError> {
        let (channel, count) = (record.deal.id(), record.earned());
        let Some(signature) = self.journal.voucher(channel, count)? else {
            warn!(%channel, count, "voucher.missing");
            return Ok(());
        };
        let call = redeemCall { terms: record.deal.terms.clone(), count, signature }.abi_encode();
        match self.ports.chain.send(self.ports.chain.deployment().contracts.channels, call).await {
            Ok(outcome) => {
                info!(%channel, count, gas = outcome.gas_used, "voucher.redeemed");
                // The follower will say so too; until then the voucher would be due again.
                self.journal.channel_closed(channel, count, outcome.block)?;
            }
            Err(error) => {
                warn!(%channel, count, %error, "voucher.refused");
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
        Ok(())
    }
}

/// What needs no look at anything else.
fn check_task(record: &ChannelRecord, task: &ChannelTask, now: u64) -> Result<(), RequestError> {
    if let Some((field, problem)) = channel::misfit(&record.deal, &task.request.order) {
        return Err(RequestError::Unsuitable { field, problem });
    }
    requests::check_common(&task.request.order, now)
}

fn is_due(record: &ChannelRecord, now: u64) -> bool {
    let idle = record.pending == 0;
    let closes = |until: u64| idle || now >= until.saturating_sub(BEFORE_CLOSING_S);
    record.is_redeemable()
        && (record.closing.is_some_and(closes)
            || record.earned() >= record.deal.volume
            || now >= record.unredeemed_since.saturating_add(REDEEM_AFTER_S)
            || now >= record.end().saturating_sub(BEFORE_END_S))
}

/// `None` for a statement about many tasks, which a channel has none of.
fn receipt(agreement: &Agreement, execution: Execution) -> Option<TaskReceipt> {
    let Statement::Task { receipt, output } = execution.statement else { return None };
    let order = agreement.request().clone();
    Some(TaskReceipt {
        request: SignedRequest { order, signature: agreement.request_signature().clone() },
        receipt: *receipt,
        signature: execution.signature,
        grant: execution.grant.grant,
        grant_signatures: execution.grant.signatures,
        output,
    })
}
