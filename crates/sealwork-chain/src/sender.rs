//! Transactions of one account: sent with one nonce each, followed until they are mined, paid more for when they are
//! not, and sent again when nodes forget them.
//!
//! A nonce is taken, and its transaction broadcast, under a lock; waiting happens outside, so that many are on their way
//! at once. What nodes refuse gives its nonce back; what nobody answered for is treated as sent. What was sent is kept:
//! when the chain counts fewer than that, because blocks were replaced or pools were cleared, it is broadcast again
//! before the next nonce is used.

pub(crate) mod accounts;
mod fees;
mod follow;
mod nonces;
mod recover;
mod refusal;

pub(crate) use fees::Fees;
pub(crate) use nonces::Account;

use crate::{
    ChainError,
    endpoint::refused,
    error::at,
    pool::{Broadcast, Pool},
};
use alloy_consensus::TxEnvelope;
use alloy_eips::Encodable2718;
use alloy_network::{EthereumWallet, NetworkTransactionBuilder, TransactionBuilder};
use alloy_primitives::{Address, B256};
use alloy_provider::{DynProvider, Provider};
use alloy_rpc_types_eth::{TransactionReceipt, TransactionRequest};
use nonces::Sent;
use refusal::Refusal;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// Gas limits are estimates plus this many percent, because state moves between estimate and inclusion.
const GAS_MARGIN_PERCENT: u64 = 15;
/// How often a transaction is made anew because of its nonce or fees.
const ATTEMPTS: usize = 5;
/// Pause before that.
const ATTEMPT_AGAIN: Duration = Duration::from_millis(100);
/// What was broadcast so recently need not be again: nodes need a moment to count it.
const JUST_SENT: Duration = Duration::from_secs(2);

/// How far transactions are pushed and followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendPolicy {
    /// Replacements offer at most so many times what the first version did.
    pub fee_cap: u128,
    /// Blocks that must hold or follow a transaction before it counts as mined; one that a reorganization takes away
    /// earlier is waited for again.
    pub confirmations: u64,
    /// How long a transaction may stay unmined before [`ChainError::NotMined`].
    pub give_up_after: Duration,
    /// How long transactions of an earlier life are waited for before they are replaced by nothing.
    pub recover_within: Duration,
}

impl Default for SendPolicy {
    /// Ten times the fees, one block, two minutes, one minute.
    fn default() -> Self {
        Self {
            fee_cap: 10,
            confirmations: 1,
            give_up_after: Duration::from_secs(120),
            recover_within: Duration::from_secs(60),
        }
    }
}

/// The sender of one account.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) pool: Arc<Pool>,
    pub(crate) provider: DynProvider,
    pub(crate) wallet: EthereumWallet,
    pub(crate) account: Address,
    pub(crate) chain_id: u64,
    pub(crate) policy: SendPolicy,
    pub(crate) state: Arc<Account>,
}

/// A signed transaction.
#[derive(Clone, Debug)]
struct Version {
    raw: Vec<u8>,
    hash: B256,
    fees: Fees,
}

/// A transaction on its way.
#[derive(Debug)]
struct Flight {
    nonce: u64,
    /// Everything but nonce and fees.
    request: TransactionRequest,
    /// All that were broadcast, the newest last; any of them may be mined.
    versions: Vec<Version>,
    /// Most that a version offers.
    cap: u128,
}

impl Sender {
    /// Sends a transaction and waits until it is mined.
    pub(crate) async fn send(&self, request: TransactionRequest) -> Result<TransactionReceipt, ChainError> {
        let request = request.with_from(self.account).with_chain_id(self.chain_id);
        let estimate =
            self.provider.estimate_gas(request.clone()).await.map_err(refused("eth_estimateGas"))?;
        let gas = estimate.saturating_add(estimate.saturating_mul(GAS_MARGIN_PERCENT) / 100);
        let flight = self.submit(request.with_gas_limit(gas)).await?;
        // Also when whoever waits is dropped meanwhile.
        let _watched = Watched { state: &self.state, nonce: flight.nonce };
        self.follow(flight).await
    }

    /// Takes the next nonce and broadcasts.
    async fn submit(&self, request: TransactionRequest) -> Result<Flight, ChainError> {
        let mut fees = self.usual_fees().await?;
        let _turn = self.state.turn.lock().await;
        self.recover().await?;
        let (mut last, mut least) = (None, 0);
        for _ in 0..ATTEMPTS {
            let nonce = self.next_nonce(least).await?;
            let version = self.sign(&request, nonce, fees).await?;
            let Some((refusal, error)) = self.broadcast(&version).await? else {
                self.state.nonces().keep(nonce, version.sent(true));
                let cap = fees.most.saturating_mul(self.policy.fee_cap);
                return Ok(Flight { nonce, request, versions: vec![version], cap });
            };
            match refusal {
                // The endpoint counted too few.
                Refusal::NonceTooLow => least = self.count_mined().await?.max(nonce.saturating_add(1)),
                Refusal::Underpriced => {
                    last = Some(ChainError::NonceContested { account: self.account, nonce });
                    sleep(ATTEMPT_AGAIN).await;
                    continue;
                }
                Refusal::FeeTooLow => {
                    fees = self.usual_fees().await?.max(fees.replacement(fees, u128::MAX).unwrap_or(fees))
                }
                Refusal::AlreadyKnown | Refusal::InsufficientFunds | Refusal::Other => return Err(error),
            }
            last = Some(error);
            sleep(ATTEMPT_AGAIN).await;
        }
        Err(last.unwrap_or(ChainError::NonceContested { account: self.account, nonce: 0 }))
    }

    /// The next nonce that may be used, after what nodes forgot was sent again.
    async fn next_nonce(&self, least: u64) -> Result<u64, ChainError> {
        let pending = self.count_pending().await?.max(least);
        let own = self.state.nonces().next.unwrap_or_default();
        for nonce in pending..own {
            let Some(sent) = self.state.nonces().sent(nonce) else {
                // Nothing is known of it: nobody will fill this gap but the next transaction.
                return Ok(nonce);
            };
            if sent.broadcast.elapsed() < JUST_SENT {
                continue;
            }
            tracing::warn!(account = %self.account, nonce, transaction = %sent.hash, "a forgotten transaction is sent again");
            let version = Version { raw: sent.raw, hash: sent.hash, fees: sent.fees };
            match self.broadcast(&version).await? {
                None | Some((Refusal::NonceTooLow | Refusal::Underpriced, _)) => {
                    self.state.nonces().touch(nonce)
                }
                // Whoever waits for it makes it anew.
                Some(_) if sent.waited => {}
                Some(_) => return Ok(nonce),
            }
        }
        Ok(pending.max(own))
    }

    async fn sign(
        &self,
        request: &TransactionRequest,
        nonce: u64,
        fees: Fees,
    ) -> Result<Version, ChainError> {
        let request = request.clone().with_nonce(nonce);
        let request = request.with_max_fee_per_gas(fees.most).with_max_priority_fee_per_gas(fees.tip);
        let signed = request.build(&self.wallet).await;
        let envelope: TxEnvelope = signed.map_err(|error| ChainError::Sign(Box::new(error)))?;
        Ok(Version { raw: envelope.encoded_2718(), hash: *envelope.tx_hash(), fees })
    }

    /// Broadcasts; why it was refused, if it was. One that nobody answered for counts as sent: it may be.
    async fn broadcast(&self, version: &Version) -> Result<Option<(Refusal, ChainError)>, ChainError> {
        let (error, asked_before) = match self.pool.broadcast(&version.raw).await {
            Broadcast::Taken | Broadcast::Unanswered => return Ok(None),
            Broadcast::Refused { error, asked_before } => (error, asked_before),
        };
        let refusal = Refusal::of(&error).unwrap_or(Refusal::Other);
        // Somebody took it and did not say so, or it was mined before.
        let is_used = refusal == Refusal::NonceTooLow && (asked_before || self.is_known(version.hash).await);
        if is_used || refusal == Refusal::AlreadyKnown {
            return Ok(None);
        }
        Ok(Some((refusal, self.refusal(refusal, error))))
    }

    fn refusal(&self, refusal: Refusal, error: alloy_transport::TransportError) -> ChainError {
        let words = error.as_error_resp().map(|answer| answer.message.to_string()).unwrap_or_default();
        match refusal {
            Refusal::InsufficientFunds => ChainError::InsufficientFunds { account: self.account, words },
            Refusal::FeeTooLow => ChainError::FeeTooLow { words },
            Refusal::NonceTooLow | Refusal::AlreadyKnown | Refusal::Underpriced | Refusal::Other => {
                refused("eth_sendRawTransaction")(error)
            }
        }
    }

    async fn is_known(&self, hash: B256) -> bool {
        self.receipt(hash).await.is_ok_and(|receipt| receipt.is_some())
    }

    async fn receipt(&self, hash: B256) -> Result<Option<TransactionReceipt>, ChainError> {
        self.provider.get_transaction_receipt(hash).await.map_err(at("eth_getTransactionReceipt"))
    }

    pub(crate) async fn count_pending(&self) -> Result<u64, ChainError> {
        let count = self.provider.get_transaction_count(self.account).pending().await;
        count.map_err(at("eth_getTransactionCount"))
    }

    async fn count_mined(&self) -> Result<u64, ChainError> {
        self.provider.get_transaction_count(self.account).await.map_err(at("eth_getTransactionCount"))
    }

    /// What is usually offered now.
    pub(crate) async fn usual_fees(&self) -> Result<Fees, ChainError> {
        let fees = self.provider.estimate_eip1559_fees().await.map_err(at("eth_feeHistory"))?;
        Ok(Fees { most: fees.max_fee_per_gas, tip: fees.max_priority_fee_per_gas })
    }

    /// A transaction that does nothing but use its nonce.
    fn nothing(&self) -> TransactionRequest {
        let request = TransactionRequest::default().with_from(self.account).with_to(self.account);
        request.with_chain_id(self.chain_id).with_gas_limit(21_000)
    }
}

impl Version {
    fn sent(&self, waited: bool) -> Sent {
        Sent { raw: self.raw.clone(), hash: self.hash, fees: self.fees, broadcast: Instant::now(), waited }
    }
}

/// Tells when nobody waits for a transaction any more.
struct Watched<'a> {
    state: &'a Account,
    nonce: u64,
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.state.nonces().abandon(self.nonce);
    }
}
