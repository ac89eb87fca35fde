//! Deals as the chain's events show them, and what can be done with one.

use crate::{
    BatchSettlement, Client, ClientError, Plan, TaskRecord, TaskState,
    task::{SettledEvent, SettledTask, only, starts_with},
};
use sealwork_ports::MarketEvent;
use sealwork_types::{
    B256, DealId, U256,
    abi::IMarket::claimCall,
    deal::Deal,
    order::TrustMode,
    params::{DEAL_LIFETIME_S, MAX_DEAL_VOLUME},
};
use std::{collections::BTreeMap, sync::Arc};

/// A deal with all that its events tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DealRecord {
    /// Deal.
    pub id: DealId,
    /// What was agreed.
    pub deal: Arc<Deal>,
    /// Transaction that matched the orders, and also settled them if it executed the request.
    pub matched_in: B256,
    /// Whether the pool said that it works on it.
    pub started: bool,
    /// How tasks that are not open any more ended, by index.
    closed: BTreeMap<u32, TaskState>,
}

impl DealRecord {
    pub(crate) fn new(id: DealId, deal: Deal, matched_in: B256) -> Self {
        Self { id, deal: Arc::new(deal), matched_in, started: false, closed: BTreeMap::new() }
    }

    /// When anybody may claim the refund of open tasks, seconds since 1970.
    pub fn deadline(&self) -> u64 {
        if self.deal.terms.mode == TrustMode::Tee.code() {
            return self.deal.deadline(self.started);
        }
        self.deal.terms.startedAt.saturating_add(DEAL_LIFETIME_S)
    }

    /// Tasks in the deal, at most what a deal may have.
    pub fn volume(&self) -> u32 {
        self.deal.volume.min(MAX_DEAL_VOLUME)
    }

    /// Tasks that are not open any more.
    pub fn closed(&self) -> usize {
        self.closed.len()
    }

    /// Tasks that are neither settled nor refunded.
    pub fn open(&self) -> u32 {
        self.volume().saturating_sub(u32::try_from(self.closed.len()).unwrap_or(u32::MAX))
    }

    /// Price of all tasks together, smallest token units.
    pub fn price(&self) -> U256 {
        self.deal.price().saturating_mul(U256::from(self.volume()))
    }

    /// How a task ended; `None` while it is open.
    pub(crate) fn state(&self, index: u32) -> Option<&TaskState> {
        self.closed.get(&index)
    }

    /// One task.
    pub fn task(&self, index: u32) -> TaskRecord {
        let open = || TaskState::Open { deadline: self.deadline() };
        TaskRecord {
            task: self.deal.task(index),
            deal: self.id,
            index,
            agreed: Arc::clone(&self.deal),
            matched_in: self.matched_in,
            state: self.closed.get(&index).cloned().unwrap_or_else(open),
        }
    }

    /// Every task, in order.
    pub fn tasks(&self) -> impl Iterator<Item = TaskRecord> {
        (0..self.volume()).map(|index| self.task(index))
    }

    /// Takes a later event of this deal into account.
    pub(crate) fn apply(&mut self, event: MarketEvent) {
        match event {
            MarketEvent::Matched { .. } | MarketEvent::Executed { .. } | MarketEvent::Closing { .. } => {}
            MarketEvent::Started { .. } => self.started = true,
            MarketEvent::Settled { enclave, outcome, effects, signature, transaction, block, .. } => {
                let index = outcome.index;
                let event = SettledEvent { enclave, outcome, effects, signature, transaction, block };
                let settled = SettledTask::of(&self.deal, event);
                self.closed.insert(index, TaskState::Settled(Box::new(settled)));
            }
            // `Closed` follows and finds the tasks taken.
            MarketEvent::Batched { enclave, batch, transaction, block, .. } => {
                let batch = Arc::new(BatchSettlement::of(enclave, *batch, transaction, block));
                for index in self.range(batch.first, batch.end()) {
                    self.closed.insert(index, TaskState::Batched { batch: Arc::clone(&batch) });
                }
            }
            MarketEvent::Closed { first, count, transaction, .. } => {
                for index in self.range(first, first.saturating_add(count)) {
                    self.closed.entry(index).or_insert(TaskState::Closed { transaction });
                }
            }
            MarketEvent::Refunded { first, last, .. } => {
                let amount = self.deal.price();
                for index in self.range(first, last.saturating_add(1)) {
                    self.closed.entry(index).or_insert(TaskState::Refunded { amount });
                }
            }
        }
    }

    /// Indexes from `first` to before `end` that the deal has.
    fn range(&self, first: u32, end: u32) -> std::ops::Range<u32> {
        first.min(self.volume())..end.min(self.volume())
    }
}

impl Client {
    /// Deals that `wanted` accepts, oldest first. One that was executed in one transaction through a contract other than
    /// the Market is left out: the chain does not show what was agreed in it.
    ///
    /// # Errors
    /// When the chain cannot be read.
    pub async fn deals(&self, wanted: impl Fn(&Deal) -> bool) -> Result<Vec<DealRecord>, ClientError> {
        Ok(self.find_deals(|_| true, wanted).await?.deals)
    }

    /// The deal whose id starts with `prefix` (hex, with or without 0x), of anybody.
    ///
    /// # Errors
    /// `NotFound` when there is none or the chain does not show what was agreed in it, `Rejected` when there are several.
    pub async fn deal(&self, prefix: &str) -> Result<DealRecord, ClientError> {
        let mut found = self.find_deals(|id| starts_with(id.get(), prefix), |_| true).await?;
        let deals = std::mem::take(&mut found.deals).into_iter();
        found.or_unreadable(only("deal", prefix, deals, |record| record.id.get()))
    }

    /// Claims the refund of those among `count` tasks from `first` on that are open after the deadline. The payer gets
    /// the price back, whoever sends it.
    pub fn claim_plan(&self, record: &DealRecord, first: u32, count: u32) -> Plan {
        let call = claimCall { terms: record.deal.terms.clone(), first, count };
        let what = format!("claim the refund of deal {}", record.id.short());
        Plan::of(what, self.network.contracts.market, &call)
    }
}
