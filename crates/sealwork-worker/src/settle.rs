//! Puts a finished task on chain, once; a channel's task is only delivered.

use crate::{agreement::Agreement, engine::Ports, journal::Job, offers};
use alloy_sol_types::SolCall;
use sealwork_ports::{ErrorKind, PortError};
use sealwork_protocol::job::{Execution, JobEvent, Statement};
use sealwork_types::{
    B256, Bytes, Cid,
    abi::{
        Batch, Effects,
        IAttestations::registerCall,
        IBatches::settleBatchCall,
        IMarket::{executeCall, isSaltUsedCall, settleCall},
        Outcome, Receipt,
    },
    deal::{self, Deal},
    params::TASK_DEADLINE_S,
};
use tracing::{info, warn};

/// What came of an attempt to settle.
#[derive(Debug)]
pub(crate) enum Settling {
    /// It stands in this block.
    Mined { transaction: B256, block: u64 },
    /// It is decided, and no block shows it.
    Ended(JobEvent),
    /// Waiting helps: the chain cannot be reached, or the follower is about to tell how the task was closed.
    Waits(String),
}

/// Settles an executed job and says what happened.
pub(crate) async fn settle(ports: &Ports, job: &Job, execution: &Execution) -> Settling {
    match try_settle(ports, job, execution).await {
        Ok(settling) => settling,
        Err(error) if error.is_retryable() => {
            warn!(task = %job.task(), %error, "settle.retry");
            Settling::Waits(error.to_string())
        }
        Err(error) => explain(ports, job, error).await,
    }
}

async fn try_settle(ports: &Ports, job: &Job, execution: &Execution) -> Result<Settling, PortError> {
    let gave_up = |reason: &str| Ok(Settling::Ended(JobEvent::GaveUp { reason: reason.into() }));
    let Some((r, vs)) = deal::compact_signature(&execution.signature) else {
        return gave_up("the enclave's signature is not 65 bytes with a low s");
    };
    let contracts = ports.chain.deployment().contracts;
    let (to, call) = match (&*job.agreement, &execution.statement) {
        (Agreement::Matched(deal), Statement::Task { receipt, output }) => {
            let (outcome, effects) = signed(receipt, *output);
            let call = settleCall { terms: deal.terms.clone(), outcome, r, vs, effects };
            (contracts.market, call.abi_encode())
        }
        (Agreement::Matched(deal), Statement::Batch { batch, receipts }) => {
            (contracts.batches, batch_call(deal, batch, receipts, r, vs))
        }
        (Agreement::Direct(direct), Statement::Task { receipt, output }) => {
            // The offers are chosen now: those of the time of acceptance may be gone.
            let orders = offers::orders(&ports.chain, direct.pool, &direct.request).await?;
            let (outcome, effects) = signed(receipt, *output);
            (contracts.market, executeCall { orders, outcome, r, vs, effects }.abi_encode())
        }
        (Agreement::Channel(_), Statement::Task { .. }) => return Ok(Settling::Ended(JobEvent::Delivered)),
        (Agreement::Direct(_) | Agreement::Channel(_), Statement::Batch { .. }) => {
            return gave_up("the enclave signed a batch where one task was agreed");
        }
    };
    register(ports, execution).await?;
    let outcome = ports.chain.send(to, call).await?;
    info!(task = %job.task(), tasks = job.count, gas = outcome.gas_used, "task.settled");
    Ok(Settling::Mined { transaction: outcome.transaction, block: outcome.block })
}

/// What the enclave signed about one task, as the contract takes it.
fn signed(receipt: &Receipt, output: Option<Cid>) -> (Outcome, Vec<Effects>) {
    let cid = output.filter(|_| !receipt.output.is_zero());
    (deal::outcome(receipt, cid), deal::effects(receipt, Bytes::new()))
}

fn batch_call(deal: &Deal, batch: &Batch, receipts: &Cid, r: B256, vs: B256) -> Vec<u8> {
    let call = settleBatchCall {
        terms: deal.terms.clone(),
        first: batch.first,
        tally: batch.tally.clone(),
        root: batch.root,
        receiptsCid: receipts.digest(),
        receiptsCodec: deal::codec_byte(receipts.codec()),
        r,
        vs,
    };
    call.abi_encode()
}

async fn register(ports: &Ports, execution: &Execution) -> Result<(), PortError> {
    let grant = &execution.grant;
    let one_registration = ports.registering.lock().await;
    if ports.chain.grant(grant.grant.enclave).await?.is_none() {
        let call = registerCall { grant: grant.grant.clone(), signatures: grant.signatures.clone() };
        let attestations = ports.chain.deployment().contracts.attestations;
        let outcome = ports.chain.send(attestations, call.abi_encode()).await?;
        info!(enclave = %grant.grant.enclave, gas = outcome.gas_used, "enclave.registered");
    }
    drop(one_registration);
    Ok(())
}

/// A refused settlement is final for one of three reasons; ask the chain which. That the task is closed is left to the
/// follower, whose event tells our own settlement (sent before a crash, mined after it) from somebody else's.
async fn explain(ports: &Ports, job: &Job, error: PortError) -> Settling {
    let closed = match is_closed(ports, job).await {
        Err(asking) if asking.is_retryable() => return Settling::Waits(asking.to_string()),
        other => other.unwrap_or(false),
    };
    let (now, deadline) = (ports.clock.unix_s(), job.agreement.deadline());
    if closed && now <= deadline.saturating_add(TASK_DEADLINE_S) {
        return Settling::Waits("the chain shows the task closed, how is being looked up".into());
    }
    if now > deadline {
        return Settling::Ended(JobEvent::DeadlinePassed);
    }
    warn!(task = %job.task(), %error, "settle.refused");
    // A chain that answers nonsense may answer better later; a contract's refusal is final.
    if matches!(error.kind, ErrorKind::Rejected | ErrorKind::NotFound) {
        let reason = format!("the receipt cannot be settled: {error}");
        return Settling::Ended(JobEvent::GaveUp { reason });
    }
    Settling::Waits(error.to_string())
}

/// Whether the task was closed by anybody. A deal that the contract does not know is finished and forgotten; a request
/// is used up, or canceled, when its salt is.
async fn is_closed(ports: &Ports, job: &Job) -> Result<bool, PortError> {
    match &*job.agreement {
        Agreement::Matched(_) => ports.chain.is_open(job.deal(), job.first).await.map(|open| !open),
        Agreement::Channel(_) => Ok(false),
        Agreement::Direct(direct) => {
            let request = &direct.request.order;
            let call = isSaltUsedCall { requester: request.requester, salt: request.salt };
            let market = ports.chain.deployment().contracts.market;
            let answer = ports.chain.call(market, call.abi_encode()).await?;
            isSaltUsedCall::abi_decode_returns(&answer).map_err(|error| {
                PortError::because(ErrorKind::Corrupt, "the market does not answer isSaltUsed", error)
            })
        }
    }
}
