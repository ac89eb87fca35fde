//! A task whose description was checked: nothing of it is taken on the host's word.

use crate::{error::Refusal, keys::KeyName};
use sealwork_protocol::batch::ReceiptBatch;
use sealwork_seal::{age::Recipient, sign};
use sealwork_types::{
    AppId, B256, CodeHash, DealId, PolicyHash, Status, TaskId,
    abi::{Batch, Receipt, RequestOrder},
    batch::{self, BatchedTask, MAX_BATCH_TASKS},
    deal::{long_signature, work},
    enclave_wire::{TaskFrame, decode_request},
    manifest::AppManifest,
    order::{SigningDomain, TaskParams, TrustMode, deal_start, task_id},
    params::TASK_DEADLINE_S,
    policy::{Policy, RESERVED_ENVIRONMENT},
};
use std::collections::BTreeMap;

/// Key epoch until networks rotate keys.
const KEY_EPOCH: u32 = 0;

/// A checked task, or several that follow each other.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) order: RequestOrder,
    pub(crate) params: TaskParams,
    pub(crate) deal: DealId,
    /// Index of the first task.
    pub(crate) first: u32,
    /// Tasks that follow each other from there.
    pub(crate) count: u32,
    pub(crate) policy: Policy,
    pub(crate) policy_hash: PolicyHash,
    pub(crate) output_recipient: Recipient,
}

impl Job {
    /// Checks signature, hashes, ids and expiry. `now` is the later of the host's and the enclave's own time.
    pub(crate) fn check(frame: &TaskFrame, domain: &SigningDomain, now: u64) -> Result<Self, Refusal> {
        let request = decode_request(&frame.request).map_err(|_| {
            Refusal::permanent("the task's request is not the JSON of a signed request order")
        })?;
        let signature = long_signature(&request.signature);
        let signer = sign::recover(domain, &request.order, &signature).map_err(|error| {
            Refusal::permanent(format!("the request order's signature is unusable: {error}"))
        })?;
        let order = request.order;
        if signer != order.requester {
            return Err(Refusal::permanent(format!(
                "the request order names requester {} on chain {}, but {signer} signed it for this network",
                order.requester, domain.chain_id
            )));
        }
        check_order(&order, now)?;
        let deal = frame.deal_id();
        check_count(frame.count)?;
        let last = frame.index.saturating_add(frame.count.saturating_sub(1));
        check_deal(&order, domain, deal, last)?;
        let (policy, policy_hash) = check_documents(frame, &order)?;
        let params = TaskParams::from_bytes(&order.params).map_err(|error| {
            Refusal::permanent(format!("the request order's params are unusable: {error}"))
        })?;
        let output_recipient = check_recipient(frame, &order)?;
        let (first, count) = (frame.index, frame.count);
        Ok(Self { order, params, deal, first, count, policy, policy_hash, output_recipient })
    }

    pub(crate) fn app(&self) -> AppId {
        AppId::new(self.order.app)
    }

    /// Id of one of the tasks.
    pub(crate) fn task(&self, index: u32) -> TaskId {
        task_id(self.deal, index)
    }

    pub(crate) fn code_hash(&self) -> CodeHash {
        self.policy.code_hash
    }

    pub(crate) fn key_name(&self) -> KeyName {
        KeyName { app: self.app(), policy_hash: self.policy_hash, key_epoch: KEY_EPOCH }
    }

    /// The policy's environment, and what tells a program which task it is. No policy has names like these.
    pub(crate) fn environment(&self, index: u32) -> BTreeMap<String, String> {
        let mut environment = self.policy.environment.clone();
        let own = [
            ("DEAL", self.deal.to_string()),
            ("TASK_INDEX", index.to_string()),
            ("TASK_COUNT", self.order.volume.to_string()),
        ];
        environment.extend(own.map(|(name, value)| (format!("{RESERVED_ENVIRONMENT}{name}"), value)));
        environment
    }

    /// What several of the tasks' receipts say together.
    pub(crate) fn batch(&self, tasks: &[BatchedTask]) -> Result<Batch, Refusal> {
        let receipts: Vec<Receipt> =
            batch::receipts(&work(&self.order), self.deal, self.first, KEY_EPOCH, tasks).collect();
        let batch = ReceiptBatch::new(&receipts)
            .map_err(|error| Refusal::transient(format!("the receipts make no batch: {error}")))?;
        Ok(batch.statement().clone())
    }

    /// The statement about one task. Stateless tasks have zero state roots and no callback.
    pub(crate) fn receipt(&self, index: u32, status: Status, output: B256, fuel: u64) -> Receipt {
        Receipt {
            work: work(&self.order),
            dealId: self.deal.get(),
            index,
            status: status.code(),
            fuel,
            keyEpoch: KEY_EPOCH,
            output,
            callbackHash: B256::ZERO,
            stateBefore: B256::ZERO,
            stateAfter: B256::ZERO,
            deltaIndex: 0,
        }
    }
}

fn check_count(count: u32) -> Result<(), Refusal> {
    if (1..=MAX_BATCH_TASKS).contains(&count) {
        return Ok(());
    }
    Err(Refusal::permanent(format!(
        "the host asks for {count} tasks at once, 1 to {MAX_BATCH_TASKS} can be run"
    )))
}

fn check_order(order: &RequestOrder, now: u64) -> Result<(), Refusal> {
    // An order has to be matched before it expires; a deal then has its own deadline.
    let latest = order.expiry.saturating_add(TASK_DEADLINE_S);
    if now > latest {
        return Err(Refusal::permanent(format!(
            "the request order expired at {}, its last deal at {latest}, now it is {now}",
            order.expiry
        )));
    }
    let modes = [TrustMode::Tee, TrustMode::Channel].map(TrustMode::code);
    if !modes.contains(&order.mode) {
        return Err(Refusal::permanent(format!(
            "the order asks for trust mode {}, an enclave runs modes 0 and 5",
            order.mode
        )));
    }
    if !order.datasets.is_empty() {
        return Err(Refusal::permanent(format!(
            "the order names {} datasets, this enclave runs tasks without datasets",
            order.datasets.len()
        )));
    }
    Ok(())
}

/// A deal's id is made of the order's hash and the volume consumed before, so one of few values must fit.
fn check_deal(order: &RequestOrder, domain: &SigningDomain, deal: DealId, index: u32) -> Result<(), Refusal> {
    let hash = domain.order_hash(order);
    let consumed = deal_start(deal, hash, order.volume);
    let consumed = consumed
        .ok_or_else(|| Refusal::permanent(format!("deal {deal} is not one of request order {hash}")))?;
    if index >= order.volume.saturating_sub(consumed) {
        return Err(Refusal::permanent(format!(
            "task index {index} is beyond the order's volume of {}",
            order.volume
        )));
    }
    Ok(())
}

/// The order pins policy and code, and no deal is matched under others: different documents are the host's doing.
fn check_documents(frame: &TaskFrame, order: &RequestOrder) -> Result<(Policy, PolicyHash), Refusal> {
    let manifest =
        AppManifest::parse(&frame.manifest).map_err(|error| Refusal::permanent(error.to_string()))?;
    let policy = Policy::parse(&frame.policy).map_err(|error| Refusal::permanent(error.to_string()))?;
    let policy_hash = Policy::hash_of(&frame.policy);
    if policy_hash.get() != order.policyHash {
        return Err(Refusal::permanent(format!(
            "the order names policy {}, the policy given is {policy_hash}",
            order.policyHash
        )));
    }
    if policy.code_hash.get() != order.codeHash {
        return Err(Refusal::permanent(format!(
            "the order names code {}, the policy {}",
            order.codeHash, policy.code_hash
        )));
    }
    if manifest.policy_hash != policy_hash {
        return Err(Refusal::permanent(format!(
            "the manifest names policy {}, the policy given is {policy_hash}",
            manifest.policy_hash
        )));
    }
    if manifest.code_hash != policy.code_hash {
        return Err(Refusal::permanent(format!(
            "the manifest names code {}, the policy {}",
            manifest.code_hash, policy.code_hash
        )));
    }
    Ok((policy, policy_hash))
}

fn check_recipient(frame: &TaskFrame, order: &RequestOrder) -> Result<Recipient, Refusal> {
    let recipient = Recipient::from_bytes(&frame.output_recipient)
        .map_err(|error| Refusal::permanent(format!("the output recipient is unusable: {error}")))?;
    let digest = recipient.digest();
    if digest != order.outputRecipient {
        return Err(Refusal::permanent(format!(
            "the order names output recipient {}, the one given is {digest}",
            order.outputRecipient
        )));
    }
    Ok(recipient)
}
