//! Tasks in channels: taken against a voucher, run like any other, delivered instead of settled; vouchers are redeemed
//! when it is time.

use crate::{
    RequestError, Worker,
    agreement::PaidRequest,
    engine::RETRY_PAUSE,
    error::WorkerError,
    journal::ChannelRecord,
    requests::{self, unsuitable},
};
use alloy_sol_types::SolCall;
use sealwork_ports::PortError;
use sealwork_protocol::job::{Execution, JobState};
use sealwork_seal::sign;
use sealwork_types::{
    DealId, OrderHash, TaskId,
    abi::{IChannels::redeemCall, Voucher},
    channel::{self, ChannelState, ChannelTask, TaskReceipt},
    deal::long_signature,
    order::{self, deal_id},
    params::DEAL_LIFETIME_S,
    progress::AcceptedRequest,
};
use std::time::Duration;
use tracing::{info, warn};

/// Jobs of all kinds that may be open before channels have to wait.
const MAX_OPEN_JOBS: usize = 1_024;
/// How often vouchers that are due are looked for.
const PAUSE: Duration = Duration::from_secs(2);
/// A voucher is redeemed at the latest so long after it came.
const REDEEM_AFTER_S: u64 = 86_400;
/// A channel's money is the payer's again after its lifetime; the last voucher is redeemed so long before.
const BEFORE_END_S: u64 = 2 * 86_400;

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
        let now = self.ports.clock.unix_s();
        let record = self.channel_record(channel)?;
        self.check_channel_task(&record, &task, now)?;
        let domain = self.ports.chain.deployment().domain;
        let request_hash = domain.signing_hash(&task.request.order);
        requests::check_signature(&task.request, request_hash)?;
        self.check_voucher(&record, &task)?;
        let deal = deal_id(OrderHash::new(request_hash), 0);
        let accepted = AcceptedRequest { deal, task: order::task_id(deal, 0) };
        let _one_at_a_time = self.accepting.lock().await;
        if self.journal.agreement(deal)?.is_some() {
            return Ok(accepted);
        }
        self.check_input(&task.request.order).await?;
        let paid = PaidRequest { request: task.request, request_hash, channel, accepted_at: now };
        if self.journal.accept_paid(paid, task.count, &task.voucher)?.is_none() {
            let state = self.channel_record(channel)?.state();
            return Err(RequestError::Voucher { count: task.count, next: state.used.saturating_add(1) });
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

    /// What the enclave said about a task; `None` while it is not done, or not known.
    ///
    /// # Errors
    /// [`RequestError::Journal`].
    pub fn receipt(&self, task: TaskId) -> Result<Option<TaskReceipt>, RequestError> {
        Ok(self.journal.job(task)?.and_then(|job| match job.state {
            JobState::Delivered(execution) => Some(receipt(*execution)),
            JobState::Queued { .. }
            | JobState::Running { .. }
            | JobState::Executed(_)
            | JobState::Settled { .. }
            | JobState::Abandoned { .. } => None,
        }))
    }

    fn channel_record(&self, channel: DealId) -> Result<ChannelRecord, RequestError> {
        self.journal.channel(channel)?.ok_or(RequestError::NoChannel { channel })
    }

    fn check_channel_task(
        &self,
        record: &ChannelRecord,
        task: &ChannelTask,
        now: u64,
    ) -> Result<(), RequestError> {
        let terms = &record.deal.terms;
        let end = terms.startedAt.saturating_add(DEAL_LIFETIME_S.saturating_sub(BEFORE_END_S));
        if record.closing || record.is_over() || now > end {
            return Err(RequestError::ChannelEnds { channel: record.deal.id() });
        }
        if let Some((field, problem)) = channel::misfit(&record.deal.request, &task.request.order) {
            return Err(RequestError::Unsuitable { field, problem });
        }
        requests::check_common(&task.request.order, now)?;
        let open = usize::try_from(self.journal.open_count()?).unwrap_or(usize::MAX);
        let limit = MAX_OPEN_JOBS;
        if open >= limit { Err(RequestError::Busy { open, limit }) } else { Ok(()) }
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

    /// Redeems vouchers in time: when the payer asks for the rest, when a channel is used up, and now and then.
    pub(crate) async fn redeem_vouchers(&self) -> Result<(), WorkerError> {
        loop {
            let now = self.ports.clock.unix_s();
            for record in self.journal.open_channels()? {
                if is_due(&record, now) {
                    self.redeem(&record).await;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The follower hears of it; until then the voucher is due, so wait for its block.
    async fn redeem(&self, record: &ChannelRecord) {
        let (channel, count) = (record.deal.id(), record.count);
        match self.send_voucher(record).await {
            Ok(gas) => {
                info!(%channel, count, gas, "voucher.redeemed");
                if let Err(error) = self.journal.channel_closed(channel, count) {
                    warn!(%channel, %error, "voucher.not_noted");
                }
            }
            Err(error) => {
                warn!(%channel, count, %error, "voucher.refused");
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
    }

    async fn send_voucher(&self, record: &ChannelRecord) -> Result<u64, PortError> {
        let call = redeemCall {
            terms: record.deal.terms.clone(),
            count: record.count,
            signature: record.voucher.clone(),
        };
        let channels = self.ports.chain.deployment().contracts.channels;
        Ok(self.ports.chain.send(channels, call.abi_encode()).await?.gas_used)
    }
}

fn is_due(record: &ChannelRecord, now: u64) -> bool {
    let end = record.deal.terms.startedAt.saturating_add(DEAL_LIFETIME_S);
    record.is_redeemable()
        && (record.closing
            || record.count >= record.deal.volume
            || now >= record.unredeemed_since.saturating_add(REDEEM_AFTER_S)
            || now >= end.saturating_sub(BEFORE_END_S))
}

fn receipt(execution: Execution) -> TaskReceipt {
    TaskReceipt {
        receipt: execution.receipt,
        signature: execution.signature,
        grant: execution.grant.grant,
        grant_signatures: execution.grant.signatures,
        output: execution.output_cid,
    }
}
