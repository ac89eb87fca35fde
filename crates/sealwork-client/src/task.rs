//! Tasks as the chain shows them.

use crate::{BatchSettlement, Client, ClientError, DealRecord};
use sealwork_ports::{ErrorKind, PortError};
use sealwork_types::{
    Address, B256, Bytes, Cid, DealId, Status, TaskId, U256,
    abi::{Effects, Outcome, Receipt},
    deal::{self, Deal},
    order::task_id,
    receipt::{ReceiptDocument, Settlement},
};
use serde::{Serialize, Serializer};
use std::sync::Arc;

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
    /// Settled with others by a batch of receipts, in which its own stands ([`Client::receipt`]).
    #[serde(rename = "settled")]
    Batched {
        /// The batch.
        batch: Arc<BatchSettlement>,
    },
    /// Closed with others by a channel or another module of the Market.
    Closed {
        /// Transaction that closed it.
        transaction: B256,
    },
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

/// What an event says about the settlement of a task.
#[derive(Debug)]
pub(crate) struct SettledEvent {
    pub(crate) enclave: Address,
    pub(crate) outcome: Box<Outcome>,
    pub(crate) effects: Option<Box<Effects>>,
    pub(crate) signature: Bytes,
    pub(crate) transaction: B256,
    pub(crate) block: u64,
}

impl SettledTask {
    pub(crate) fn of(deal: &Deal, event: SettledEvent) -> Self {
        let receipt = deal.receipt(&event.outcome, event.effects.as_deref());
        Self {
            status: Status::new(receipt.status),
            enclave: event.enclave,
            receipt,
            signature: event.signature,
            output: deal::output_cid(&event.outcome).filter(|_| !event.outcome.output.is_zero()),
            transaction: event.transaction,
            block: event.block,
        }
    }
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
    #[serde(flatten, serialize_with = "fields")]
    pub agreed: Arc<Deal>,
    /// Transaction that matched the orders, and also settled them if it executed the request.
    pub matched_in: B256,
    /// Where it stands.
    #[serde(flatten)]
    pub state: TaskState,
}

fn fields<S: Serializer>(deal: &Arc<Deal>, serializer: S) -> Result<S::Ok, S::Error> {
    deal.serialize(serializer)
}

impl TaskRecord {
    /// Whether one transaction matched and settled the task.
    pub fn in_one_transaction(&self) -> bool {
        matches!(&self.state, TaskState::Settled(settled) if settled.transaction == self.matched_in)
    }
}

impl Client {
    /// Tasks of the wallet, oldest first.
    ///
    /// # Errors
    /// When the chain cannot be read.
    pub async fn tasks(&self) -> Result<Vec<TaskRecord>, ClientError> {
        let mine = self.address();
        let deals = self.deals(|deal| deal.request.requester == mine).await?;
        Ok(deals.iter().flat_map(DealRecord::tasks).collect())
    }

    /// The task whose id starts with `prefix` (hex, with or without 0x), of any requester.
    ///
    /// # Errors
    /// `NotFound` when there is none or the chain does not show what was agreed in it, `Rejected` when there are several.
    pub async fn task(&self, prefix: &str) -> Result<TaskRecord, ClientError> {
        let executed = |id| starts_with(task_id(id, 0).get(), prefix);
        let found = self.find_deals(executed, |_| true).await?;
        let task =
            only("task", prefix, found.deals.iter().flat_map(DealRecord::tasks), |record| record.task.get());
        found.or_unreadable(task)
    }

    /// The receipt document of a settled task, ready for `sealwork verify`.
    ///
    /// The grant and its signatures come from the enclave key's registration on chain, or from the batch's document.
    ///
    /// # Errors
    /// `NotFound` while the task is not settled; for a task of a batch also as [`Client::batch`].
    pub async fn receipt(&self, record: &TaskRecord) -> Result<ReceiptDocument, ClientError> {
        let settled = match &record.state {
            TaskState::Settled(settled) => settled,
            TaskState::Batched { batch } => {
                let found = self.batch(&record.agreed, batch).await?.receipt(record.index);
                return found.ok_or_else(|| not_settled(record));
            }
            TaskState::Open { .. } | TaskState::Closed { .. } | TaskState::Refunded { .. } => {
                return Err(not_settled(record));
            }
        };
        let registration = self.parts.chain.registration(settled.enclave).await?;
        let transaction = self.parts.chain.transaction(settled.transaction).await?;
        Ok(ReceiptDocument {
            version: ReceiptDocument::VERSION,
            domain: self.network.anchors.domain,
            receipt: settled.receipt.clone(),
            signature: settled.signature.clone(),
            batch: None,
            deal: Deal::clone(&record.agreed),
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

fn not_settled(record: &TaskRecord) -> ClientError {
    PortError::new(ErrorKind::NotFound, format!("task {} is not settled", record.task)).into()
}

/// Whether an id starts with `prefix` in hex, with or without 0x.
pub(crate) fn starts_with(id: B256, prefix: &str) -> bool {
    format!("{id:x}").starts_with(&prefix.trim_start_matches("0x").to_ascii_lowercase())
}

/// The only one among `candidates` whose name starts with `prefix` in hex.
pub(crate) fn only<T>(
    kind: &str,
    prefix: &str,
    candidates: impl Iterator<Item = T>,
    name: impl Fn(&T) -> B256,
) -> Result<T, ClientError> {
    let mut fitting = candidates.filter(|candidate| starts_with(name(candidate), prefix));
    match (fitting.next(), fitting.next()) {
        (Some(found), None) => Ok(found),
        (Some(_), Some(_)) => {
            Err(PortError::new(ErrorKind::Rejected, format!("several {kind}s start with {prefix}")).into())
        }
        (None, _) => {
            Err(PortError::new(ErrorKind::NotFound, format!("no {kind} starts with {prefix}")).into())
        }
    }
}
