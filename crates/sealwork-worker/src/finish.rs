//! What an enclave said when it was done, checked before it is written down.

use crate::{engine::Ports, journal::Job};
use futures::{StreamExt, stream};
use sealwork_ports::PortError;
use sealwork_protocol::{
    batch::ReceiptBatch,
    job::{Execution, JobEvent, Statement},
};
use sealwork_seal::sign;
use sealwork_types::{
    Bytes, Cid,
    abi::Receipt,
    batch::{BatchDocument, receipts},
    enclave_wire::{BatchDone, GrantFrame},
};
use std::sync::Arc;

/// What is known beside what the enclave said.
pub(crate) struct Finished<'a> {
    pub(crate) ports: &'a Arc<Ports>,
    pub(crate) job: &'a Job,
    pub(crate) grant: GrantFrame,
    /// What the enclave put out, in storage.
    pub(crate) output: Option<Cid>,
}

const REPLACED: &str = "the enclave was replaced while its task was being fetched";
const OTHER: &str = "the enclave signed a receipt of another task";

/// A receipt of one task.
pub(crate) fn task(finished: &Finished<'_>, receipt: Receipt, signature: Bytes) -> JobEvent {
    let Finished { ports, job, grant, output } = finished;
    let domain = ports.chain.deployment().domain;
    if sign::recover(&domain, &receipt, &signature).ok() != Some(grant.grant.enclave) {
        return interrupted(REPLACED);
    }
    let (deal, work) = (job.deal().get(), job.agreement.work());
    if receipt.dealId != deal || receipt.index != job.first || receipt.work != work || job.count != 1 {
        return interrupted(OTHER);
    }
    let statement = Statement::Task { receipt: Box::new(receipt), output: *output };
    executed(statement, signature, grant.clone())
}

/// A statement about many tasks. Its receipts go into storage, where their requester finds them.
pub(crate) async fn batch(finished: Finished<'_>, done: BatchDone) -> Result<JobEvent, PortError> {
    let Finished { ports, job, grant, output } = finished;
    let domain = ports.chain.deployment().domain;
    let BatchDone { statement, signature, tasks } = done;
    if sign::recover(&domain, &statement, &signature).ok() != Some(grant.grant.enclave) {
        return Ok(interrupted(REPLACED));
    }
    let (work, deal, first) = (job.agreement.work(), job.deal(), job.first);
    // Stateless tasks are of the only key epoch.
    let key_epoch = 0;
    let told: Vec<Receipt> = receipts(&work, deal, first, key_epoch, &tasks).collect();
    let expected = ReceiptBatch::new(&told).ok().filter(|_| told.len() <= job.count as usize);
    if expected.is_none_or(|expected| *expected.statement() != statement) {
        return Ok(interrupted(OTHER));
    }
    let document = BatchDocument {
        version: BatchDocument::VERSION,
        domain,
        work,
        deal,
        first,
        key_epoch,
        tasks,
        outputs: output,
        tally: statement.tally.clone(),
        root: statement.root,
        signature: signature.clone(),
        grant: grant.grant.clone(),
        grant_signatures: grant.signatures.clone(),
    };
    let bytes = bytes::Bytes::from(document.to_bytes());
    let receipts = ports.store.put(stream::once(async move { Ok(bytes) }).boxed()).await?;
    Ok(executed(Statement::Batch { batch: Box::new(statement), receipts }, signature, grant))
}

fn executed(statement: Statement, signature: Bytes, grant: GrantFrame) -> JobEvent {
    JobEvent::Executed(Box::new(Execution { statement, signature, grant }))
}

fn interrupted(reason: &str) -> JobEvent {
    JobEvent::Interrupted { reason: reason.into() }
}
