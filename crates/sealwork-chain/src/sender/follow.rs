//! Following a transaction until it is mined.

use super::{ATTEMPT_AGAIN, Fees, Flight, Refusal, Sender, Version};
use crate::ChainError;
use alloy_rpc_types_eth::TransactionReceipt;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// First pause between looks for a receipt; doubles up to [`MAX_PAUSE`].
const MIN_PAUSE: Duration = Duration::from_millis(5);
const MAX_PAUSE: Duration = Duration::from_millis(500);
/// A transaction is pushed when it is not mined in so many block times,
const PUSH_AFTER_BLOCKS: u32 = 3;
/// but not sooner.
const PUSH_AFTER: Duration = Duration::from_secs(15);
/// How long all endpoints may be silent before whoever waits is told.
const SILENCE: Duration = Duration::from_secs(30);
/// Looks for a receipt that must be there, because the nonce is used.
const LAST_LOOKS: u32 = 4;

impl Sender {
    /// Waits until a version is mined, and pushes when that takes long.
    pub(super) async fn follow(&self, mut flight: Flight) -> Result<TransactionReceipt, ChainError> {
        let started = Instant::now();
        let (mut pause, mut pushes, mut due, mut answered) = (MIN_PAUSE, 0_u32, PUSH_AFTER, started);
        loop {
            match self.mined(&flight).await {
                Ok(Some(receipt)) => return Ok(receipt),
                Ok(None) => answered = Instant::now(),
                Err(error) if error.is_unreachable() && answered.elapsed() < SILENCE => {}
                Err(error) => return Err(error),
            }
            if started.elapsed() >= self.policy.give_up_after {
                let hash = flight.versions.last().map(|version| version.hash).unwrap_or_default();
                return Err(ChainError::NotMined { hash, waited_s: self.policy.give_up_after.as_secs() });
            }
            let waited = started.elapsed();
            if waited >= due {
                let period = self.period().await;
                // The first time is early where blocks are slow: how slow is asked only for those that wait.
                due = if waited < period { period } else { waited + period };
                if waited < period {
                    continue;
                }
                pushes += 1;
                match self.push(&mut flight, pushes > 1).await {
                    Ok(Some(receipt)) => return Ok(receipt),
                    Err(error) if !error.is_unreachable() => return Err(error),
                    Ok(None) | Err(_) => {}
                }
            }
            sleep(pause).await;
            pause = MAX_PAUSE.min(pause * 2);
        }
    }

    /// Time from one push to the next.
    async fn period(&self) -> Duration {
        PUSH_AFTER.max(self.pool.block_time().await.saturating_mul(PUSH_AFTER_BLOCKS))
    }

    /// Receipt of the version that was mined and is deep enough.
    async fn mined(&self, flight: &Flight) -> Result<Option<TransactionReceipt>, ChainError> {
        let Some(receipt) = self.any_receipt(flight).await? else { return Ok(None) };
        let needed = self.policy.confirmations.saturating_sub(1);
        if needed == 0 {
            return Ok(Some(receipt));
        }
        let (_, head) = self.pool.first(async |member| member.latest().await).await?;
        let deep = receipt.block_number.is_some_and(|block| head.number >= block.saturating_add(needed));
        Ok(Some(receipt).filter(|_| deep))
    }

    async fn any_receipt(&self, flight: &Flight) -> Result<Option<TransactionReceipt>, ChainError> {
        for version in flight.versions.iter().rev() {
            let receipt = self.receipt(version.hash).await?;
            if receipt.is_some() {
                return Ok(receipt);
            }
        }
        Ok(None)
    }

    /// Broadcasts again, or offers more. The receipt, when it turns out that it is mined.
    async fn push(
        &self,
        flight: &mut Flight,
        replace: bool,
    ) -> Result<Option<TransactionReceipt>, ChainError> {
        let mined = self.count_mined().await?;
        if mined > flight.nonce {
            return self.settle(flight).await;
        }
        if mined < flight.nonce {
            self.unblock(mined).await?;
        }
        let Some(newest) = flight.versions.last().cloned() else { return Ok(None) };
        let next = if replace { newest.fees.replacement(self.usual_fees().await?, flight.cap) } else { None };
        let version = match next {
            Some(fees) => self.sign(&flight.request, flight.nonce, fees).await?,
            None => newest.clone(),
        };
        tracing::info!(
            account = %self.account, nonce = flight.nonce, transaction = %version.hash, fee = version.fees.most,
            "a transaction that is not mined is pushed"
        );
        let refused = self.broadcast(&version).await?;
        self.pool.spread(&version.raw).await;
        match refused {
            None => {
                self.state.nonces().keep(flight.nonce, version.sent(true));
                if next.is_some() {
                    flight.versions.push(version);
                }
            }
            // Mined meanwhile, or what waits is good enough; the next look or push tells.
            Some((Refusal::NonceTooLow | Refusal::Underpriced, _)) => {}
            // It was forgotten, and the chain is dearer now.
            Some((Refusal::FeeTooLow, _)) => self.renew(flight, newest.fees).await?,
            // An older version still waits with less; the newer one was never taken.
            Some(_) if next.is_some() => {}
            Some((_, error)) => {
                self.leave(flight.nonce).await;
                return Err(error);
            }
        }
        Ok(None)
    }

    /// Offers what is usual now, within the cap.
    async fn renew(&self, flight: &mut Flight, before: Fees) -> Result<(), ChainError> {
        let Some(fees) = before.replacement(self.usual_fees().await?, flight.cap) else { return Ok(()) };
        let version = self.sign(&flight.request, flight.nonce, fees).await?;
        if self.broadcast(&version).await?.is_none() {
            self.state.nonces().keep(flight.nonce, version.sent(true));
            flight.versions.push(version);
        }
        Ok(())
    }

    /// The nonce is used: by one of ours, whose receipt shows sooner or later, or by something else.
    async fn settle(&self, flight: &Flight) -> Result<Option<TransactionReceipt>, ChainError> {
        for look in 1..=LAST_LOOKS {
            if let Some(receipt) = self.any_receipt(flight).await? {
                // Not deep enough yet, maybe: whoever follows looks at that.
                return Ok(Some(receipt).filter(|_| self.policy.confirmations <= 1));
            }
            sleep(ATTEMPT_AGAIN * look * 5).await;
        }
        // A reorganization may have taken it away while we looked.
        if self.count_mined().await? <= flight.nonce {
            return Ok(None);
        }
        Err(ChainError::NonceTaken { account: self.account, nonce: flight.nonce })
    }

    /// Something of ours that nobody waits for keeps back everything behind it: nothing takes its place, for more.
    async fn unblock(&self, nonce: u64) -> Result<(), ChainError> {
        let Some(sent) = self.state.nonces().sent(nonce).filter(|sent| !sent.waited) else { return Ok(()) };
        let usual = self.usual_fees().await?;
        let cap = usual.most.max(sent.fees.most).saturating_mul(self.policy.fee_cap);
        let fees = sent.fees.replacement(usual, cap).unwrap_or(usual);
        self.fill(nonce, fees).await
    }

    /// Nothing was sent with this nonce after all; later ones must not wait for it.
    async fn leave(&self, nonce: u64) {
        let _turn = self.state.turn.lock().await;
        if self.state.nonces().give_back(nonce) {
            return;
        }
        let filled = match self.usual_fees().await {
            Ok(fees) => self.fill(nonce, fees).await,
            Err(error) => Err(error),
        };
        if let Err(error) = filled {
            // The next transaction takes it.
            tracing::warn!(account = %self.account, nonce, %error, "a nonce is not used and keeps back later ones");
        }
    }

    /// Uses up a nonce.
    pub(super) async fn fill(&self, nonce: u64, fees: Fees) -> Result<(), ChainError> {
        let version: Version = self.sign(&self.nothing(), nonce, fees).await?;
        tracing::warn!(account = %self.account, nonce, transaction = %version.hash, "nothing takes a nonce");
        match self.broadcast(&version).await? {
            Some((Refusal::InsufficientFunds | Refusal::Other | Refusal::FeeTooLow, error)) => Err(error),
            Some((Refusal::NonceTooLow | Refusal::Underpriced | Refusal::AlreadyKnown, _)) => Ok(()),
            None => {
                self.state.nonces().keep(nonce, version.sent(false));
                Ok(())
            }
        }
    }
}
