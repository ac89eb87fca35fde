//! What an earlier life of this process left in the pools of nodes.

use super::{Fees, Refusal, Sender};
use crate::ChainError;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Pause between looks.
const PAUSE: Duration = Duration::from_millis(500);

impl Sender {
    /// Waits, once, until nothing is pending; what is stuck is replaced by nothing.
    ///
    /// What an earlier life sent is not known any more, so it can neither be followed nor replaced by the same for more.
    pub(super) async fn recover(&self) -> Result<(), ChainError> {
        if self.state.nonces().recovered {
            return Ok(());
        }
        let started = Instant::now();
        let (mut mined, mut pending) = self.counts().await?;
        if mined < pending {
            tracing::info!(account = %self.account, mined, pending, "waiting for transactions of an earlier life");
        }
        while mined < pending && started.elapsed() < self.policy.recover_within {
            sleep(PAUSE).await;
            (mined, pending) = self.counts().await?;
        }
        for nonce in mined..pending {
            self.replace_unknown(nonce).await?;
        }
        let started = Instant::now();
        while mined < pending && started.elapsed() < self.policy.give_up_after {
            sleep(PAUSE).await;
            mined = self.count_mined().await?;
        }
        self.state.nonces().recovered = true;
        Ok(())
    }

    async fn counts(&self) -> Result<(u64, u64), ChainError> {
        let mined = self.count_mined().await?;
        Ok((mined, self.count_pending().await?.max(mined)))
    }

    /// Puts nothing in the place of something stuck, offering more until nodes take it.
    async fn replace_unknown(&self, nonce: u64) -> Result<(), ChainError> {
        let usual = self.usual_fees().await?;
        for factor in 2..=self.policy.fee_cap.max(2) {
            // What it offers is not known, least of all its tip.
            let most = usual.most.saturating_mul(factor);
            let fees = Fees { most, tip: most };
            let version = self.sign(&self.nothing(), nonce, fees).await?;
            match self.broadcast(&version).await? {
                None => {
                    self.state.nonces().keep(nonce, version.sent(false));
                    tracing::warn!(account = %self.account, nonce, fee = fees.most, "a stuck transaction is replaced by nothing");
                    return Ok(());
                }
                Some((Refusal::NonceTooLow, _)) => return Ok(()),
                Some((Refusal::Underpriced | Refusal::FeeTooLow, _)) => {}
                Some((_, error)) => return Err(error),
            }
        }
        Err(ChainError::NonceContested { account: self.account, nonce })
    }
}
