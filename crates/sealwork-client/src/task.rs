//! Tasks as the chain shows them.

use crate::{Client, ClientError};
use alloy_sol_types::SolCall;
use sealwork_ports::{ErrorKind, EventCursor, MarketEvent, PortError, TxOutcome};
use sealwork_types::{
    Address, B256, Bytes, Cid, DealId, Status, TaskId, U256,
    abi::{DealTerms, ITasks::claimCall, Receipt},
    order,
    params::{MAX_DEAL_VOLUME, TASK_DEADLINE_S},
    receipt::{ReceiptDocument, Settlement},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Events read at once.
const PAGE: usize = 1_000;

/// Where a task stands on chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum TaskState {
    /// Matched, neither settled nor refunded.
    Open {
        /// When anybody may claim the refund, seconds since 1970.
        deadline: u64,
    },
    /// Settled with a receipt.
    Settled(Box<SettledTask>),
    /// Refunded after the deadline.
    Refunded {
        /// Amount given back.
        amount: U256,
    },
}

/// A settled task as its event shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettledTask {
    /// How it ended.
    pub status: Status,
    /// Enclave that signed.
    pub enclave: Address,
    /// Its statement.
    pub receipt: Receipt,
    /// Its signature.
    pub signature: Bytes,
    /// Where the sealed output lies.
    pub output: Option<Cid>,
    /// Settlement transaction.
    pub transaction: B256,
    /// Its block.
    pub block: u64,
}

/// A task with all that the chain shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskRecord {
    /// Task.
    pub task: TaskId,
    /// Deal.
    pub deal: DealId,
    /// Index in the deal.
    pub index: u32,
    /// What was agreed.
    pub terms: DealTerms,
    /// Requester's signature over the request.
    pub request_signature: Bytes,
    /// Transaction that matched the orders.
    pub matched_in: B256,
    /// Where it stands.
    #[serde(flatten)]
    pub state: TaskState,
}

impl TaskRecord {
    pub(crate) fn of_deal(
        deal: DealId,
        terms: &DealTerms,
        signature: &Bytes,
        transaction: B256,
    ) -> impl Iterator<Item = Self> {
        (0..terms.volume.min(MAX_DEAL_VOLUME)).map(move |index| Self {
            task: order::task_id(deal, index),
            deal,
            index,
            terms: terms.clone(),
            request_signature: signature.clone(),
            matched_in: transaction,
            state: TaskState::Open { deadline: terms.startedAt.saturating_add(TASK_DEADLINE_S) },
        })
    }

    /// Takes a later event about this task into account.
    pub(crate) fn apply(&mut self, event: MarketEvent) {
        match event {
            MarketEvent::Matched { .. } => {}
            MarketEvent::Refunded { amount, .. } => self.state = TaskState::Refunded { amount },
            MarketEvent::Settled { enclave, receipt, signature, output_cid, transaction, block, .. } => {
                self.state = TaskState::Settled(Box::new(SettledTask {
                    status: Status::new(receipt.status),
                    enclave,
                    receipt: *receipt,
                    signature,
                    output: Cid::from_bytes(&output_cid).ok(),
                    transaction,
                    block,
                }));
            }
        }
    }
}

impl Client {
    /// Tasks of the wallet, oldest first.
    ///
    /// # Errors
    /// When the chain cannot be read.
    pub async fn tasks(&self) -> Result<Vec<TaskRecord>, ClientError> {
        let mine = self.address();
        self.scan(|terms| terms.request.requester == mine).await
    }

    /// The task whose id starts with `prefix` (hex, with or without 0x), of any requester.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Rejected` when there are several.
    pub async fn task(&self, prefix: &str) -> Result<TaskRecord, ClientError> {
        let wanted = prefix.trim_start_matches("0x").to_ascii_lowercase();
        let mut found = self.scan(|_| true).await?;
        found.retain(|record| record.task.to_string().trim_start_matches("0x").starts_with(&wanted));
        let many = found.len() > 1;
        match found.pop() {
            Some(record) if !many => Ok(record),
            Some(_) => {
                Err(PortError::new(ErrorKind::Rejected, format!("several tasks start with {prefix}")).into())
            }
            None => Err(PortError::new(ErrorKind::NotFound, format!("no task starts with {prefix}")).into()),
        }
    }

    async fn scan(&self, wanted: impl Fn(&DealTerms) -> bool) -> Result<Vec<TaskRecord>, ClientError> {
        let mut order_seen = Vec::new();
        let mut records = BTreeMap::new();
        let mut cursor = EventCursor::default();
        loop {
            let (events, next) = self.parts.chain.events(cursor, PAGE).await?;
            let caught_up = next.block > self.parts.chain.head().await?.0;
            for event in events {
                match event {
                    MarketEvent::Matched { deal, terms, request_signature, transaction } => {
                        if wanted(&terms) {
                            for record in TaskRecord::of_deal(deal, &terms, &request_signature, transaction) {
                                order_seen.push(record.task);
                                records.insert(record.task, record);
                            }
                        }
                    }
                    MarketEvent::Settled { deal, index, .. } | MarketEvent::Refunded { deal, index, .. } => {
                        if let Some(record) = records.get_mut(&order::task_id(deal, index)) {
                            record.apply(event);
                        }
                    }
                }
            }
            if caught_up || next == cursor {
                return Ok(order_seen.iter().filter_map(|task| records.remove(task)).collect());
            }
            cursor = next;
        }
    }

    /// Claims the refund of an open task whose deadline has passed.
    ///
    /// # Errors
    /// `Rejected` while the deadline has not passed or when the task is closed.
    pub async fn claim(&self, record: &TaskRecord) -> Result<TxOutcome, ClientError> {
        let call = claimCall { dealId: record.deal.get(), terms: record.terms.clone(), index: record.index };
        Ok(self.parts.chain.send(self.network.contracts.tasks, call.abi_encode()).await?)
    }

    /// The receipt document of a settled task, ready for `sealwork verify`.
    ///
    /// The grant and its signatures come from the enclave key's registration on chain.
    ///
    /// # Errors
    /// `NotFound` while the task is not settled.
    pub async fn receipt(&self, record: &TaskRecord) -> Result<ReceiptDocument, ClientError> {
        let TaskState::Settled(settled) = &record.state else {
            return Err(
                PortError::new(ErrorKind::NotFound, format!("task {} is not settled", record.task)).into()
            );
        };
        let registration = self.parts.chain.registration(settled.enclave).await?;
        let transaction = self.parts.chain.transaction(settled.transaction).await?;
        Ok(ReceiptDocument {
            version: 1,
            domain: self.network.anchors.domain,
            receipt: settled.receipt.clone(),
            signature: settled.signature.clone(),
            index: record.index,
            terms: record.terms.clone(),
            request_signature: record.request_signature.clone(),
            grant: registration.grant,
            grant_signatures: registration.signatures,
            settlement: Some(Settlement {
                transaction: settled.transaction,
                block: settled.block,
                sender: transaction.sender,
                gas_used: transaction.gas_used,
            }),
        })
    }
}
