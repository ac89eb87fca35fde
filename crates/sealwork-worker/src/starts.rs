//! Says in time that the pool works on its deals: without it, anybody may have their tasks refunded and take the stake.

use crate::{
    Worker,
    agreement::Agreement,
    engine::Ports,
    error::{JournalError, WorkerError},
};
use alloy_sol_types::SolCall;
use futures::{StreamExt, stream};
use sealwork_ports::{ErrorKind, PortError};
use sealwork_types::{DealId, abi::IMarket::startCall, deal::Deal, params::START_WINDOW_S};
use std::time::Duration;
use tracing::{info, warn};

/// Half of the window is left for the transaction to be mined.
const START_AFTER_S: u64 = START_WINDOW_S / 2;
/// How often due deals are looked for.
const PAUSE: Duration = Duration::from_secs(1);
/// Starts sent at the same time.
const AT_ONCE: usize = 16;

impl Worker {
    /// Starts every deal that has open tasks when half of its start window is over, once.
    pub(crate) async fn watch_starts(&self) -> Result<(), WorkerError> {
        loop {
            let due = self.ports.clock.unix_s().saturating_sub(START_AFTER_S);
            let deals = self.journal.unstarted(due, AT_ONCE)?;
            let full = deals.len() == AT_ONCE;
            let mut outcomes = stream::iter(deals).map(|deal| self.start_due(deal)).buffer_unordered(AT_ONCE);
            let mut progress = false;
            while let Some(outcome) = outcomes.next().await {
                progress |= outcome?;
            }
            if !(full && progress) {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Whether nothing is left to do about this deal's start.
    async fn start_due(&self, agreement: Agreement) -> Result<bool, JournalError> {
        let id = agreement.id();
        let Agreement::Matched(deal) = &agreement else { return self.settle_start(id) };
        // Tasks that were given up are not started: their requester shall have the refund early.
        if !self.journal.has_open(id)? {
            return self.settle_start(id);
        }
        match start(&self.ports, deal).await {
            Ok(()) => self.settle_start(id),
            Err(error) if error.is_retryable() => {
                warn!(deal = %deal.id(), %error, "start.retry");
                Ok(false)
            }
            Err(error) => {
                warn!(deal = %deal.id(), %error, "start.refused");
                self.settle_start(id)
            }
        }
    }

    fn settle_start(&self, deal: DealId) -> Result<bool, JournalError> {
        self.journal.started(deal).map(|()| true)
    }
}

async fn start(ports: &Ports, deal: &Deal) -> Result<(), PortError> {
    match ports.chain.deal(deal.id()).await {
        Ok(progress) if progress.started => return Ok(()),
        // Finished and forgotten, or refunded: the follower will hear of it.
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(_) => {}
    }
    let call = startCall { terms: deal.terms.clone() };
    let outcome = ports.chain.send(ports.chain.deployment().contracts.market, call.abi_encode()).await?;
    info!(deal = %deal.id(), gas = outcome.gas_used, "deal.started");
    Ok(())
}
