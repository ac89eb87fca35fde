//! Puts a finished task on chain, once.

use crate::{engine::Ports, journal::Job};
use alloy_sol_types::SolCall;
use sealwork_ports::{ErrorKind, PortError};
use sealwork_protocol::job::{Execution, JobEvent};
use sealwork_types::{
    Bytes,
    abi::{IAttestations::registerCall, ITasks::settleCall},
    params::TASK_DEADLINE_S,
};
use tracing::{info, warn};

/// Settles an executed job and says what happened; `None` when the chain cannot be reached and waiting helps.
pub(crate) async fn settle(ports: &Ports, job: &Job, execution: &Execution) -> Option<JobEvent> {
    match try_settle(ports, job, execution).await {
        Ok(event) => Some(event),
        Err(error) if error.is_retryable() => {
            warn!(task = %job.task(), %error, "settle.retry");
            None
        }
        Err(error) => explain(ports, job, error).await,
    }
}

async fn try_settle(ports: &Ports, job: &Job, execution: &Execution) -> Result<JobEvent, PortError> {
    let contracts = ports.chain.deployment().contracts;
    let grant = &execution.grant;
    let one_registration = ports.registering.lock().await;
    if ports.chain.grant(grant.grant.enclave).await?.is_none() {
        let call = registerCall { grant: grant.grant.clone(), signatures: grant.signatures.clone() };
        let outcome = ports.chain.send(contracts.attestations, call.abi_encode()).await?;
        info!(enclave = %grant.grant.enclave, gas = outcome.gas_used, "enclave.registered");
    }
    drop(one_registration);
    let call = settleCall {
        terms: job.terms.clone(),
        index: job.index,
        receipt: execution.receipt.clone(),
        signature: execution.signature.clone(),
        outputCid: execution.output_cid.map_or_else(Bytes::new, |cid| cid.to_bytes().into()),
    };
    let outcome = ports.chain.send(contracts.tasks, call.abi_encode()).await?;
    info!(task = %job.task(), gas = outcome.gas_used, "task.settled");
    Ok(JobEvent::Settled { transaction: outcome.transaction })
}

/// A refused settlement is final for one of three reasons; ask the chain which. That the task is closed is left to the
/// follower, whose event tells our own settlement (sent before a crash, mined after it) from somebody else's.
async fn explain(ports: &Ports, job: &Job, error: PortError) -> Option<JobEvent> {
    match ports.chain.is_closed(job.deal, job.index).await {
        Ok(true) => return None,
        Err(asking) if asking.is_retryable() => return None,
        _ => {}
    }
    let deadline = job.terms.startedAt.saturating_add(TASK_DEADLINE_S);
    if ports.clock.unix_s() > deadline {
        return Some(JobEvent::DeadlinePassed);
    }
    warn!(task = %job.task(), %error, "settle.refused");
    // A chain that answers nonsense may answer better later; a contract's refusal is final.
    (error.kind == ErrorKind::Rejected)
        .then(|| JobEvent::GaveUp { reason: format!("the contract refused the receipt: {error}") })
}
