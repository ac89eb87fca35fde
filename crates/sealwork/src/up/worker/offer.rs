//! The one order that a worker offers its pool with.

use alloy_primitives::aliases::U96;
use alloy_sol_types::SolCall;
use anyhow::{Context, Result};
use sealwork_ports::{Chain, Clock, PostedPoolOrder, SystemClock};
use sealwork_seal::{
    Secret,
    sign::{self, SigningKey},
};
use sealwork_types::{
    B256, Bytes, PoolId,
    abi::{
        IBook::postPoolOrderCall,
        IMarket::{cancelOfferCall, multicallCall},
        PoolOrder,
    },
    order::TrustMode,
    signed_order::UNLIMITED,
};

/// How long a pool order lasts.
const ORDER_LIFETIME_S: u64 = 365 * 86_400;

/// What the order shall say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) pool: PoolId,
    /// Of one task, smallest token units.
    pub(super) price: U96,
    /// For one task, smallest token units.
    pub(super) stake: U96,
    /// SHA-256 of the resource offer.
    pub(super) offer: B256,
}

impl Wanted {
    /// Single tasks; and prepaid channels, unless each of their tasks would lock a stake for a month.
    fn modes(&self) -> u8 {
        if self.stake.is_zero() {
            TrustMode::Tee.bit() | TrustMode::Channel.bit()
        } else {
            TrustMode::Tee.bit()
        }
    }

    fn is(&self, order: &PoolOrder) -> bool {
        order.pool == self.pool.get()
            && order.modes == self.modes()
            && (order.price, order.stake, order.offer) == (self.price, self.stake, self.offer)
    }
}

/// Makes the wallet's one alive order in mode tee the one that is wanted. Orders of other prices, and of pools whose
/// page moved, must not be matched any more; orders in other modes are somebody else's business.
pub(super) async fn ensure_offer(chain: &dyn Chain, key: &SigningKey, wanted: &Wanted) -> Result<()> {
    let domain = chain.deployment().domain;
    let mine = |posted: &PostedPoolOrder| {
        posted.order.modes & TrustMode::Tee.bit() != 0
            && sign::recover(&domain, &posted.order, &posted.signature)
                .is_ok_and(|signer| signer == key.address())
    };
    let mut alive = chain.pool_orders(None).await?;
    alive.retain(mine);
    let kept = alive.iter().position(|posted| wanted.is(&posted.order)).map(|place| alive.swap_remove(place));
    cancel(chain, &alive).await?;
    match kept {
        Some(_) => Ok(()),
        None => post(chain, key, wanted).await,
    }
}

async fn cancel(chain: &dyn Chain, stale: &[PostedPoolOrder]) -> Result<()> {
    if stale.is_empty() {
        return Ok(());
    }
    let domain = chain.deployment().domain;
    let call = |posted: &PostedPoolOrder| {
        let hash = domain.order_hash(&posted.order).get();
        Bytes::from(cancelOfferCall { orderHash: hash }.abi_encode())
    };
    let call = multicallCall { calls: stale.iter().map(call).collect() };
    chain.send(domain.market, call.abi_encode()).await.context("cancel old offers")?;
    Ok(())
}

async fn post(chain: &dyn Chain, key: &SigningKey, wanted: &Wanted) -> Result<()> {
    let now = chain.head().await?.1.max(SystemClock.unix_s());
    let order = PoolOrder {
        pool: wanted.pool.get(),
        price: wanted.price,
        stake: wanted.stake,
        volume: UNLIMITED,
        tag: B256::ZERO,
        category: 0,
        trust: 0,
        modes: wanted.modes(),
        offer: wanted.offer,
        appRestrict: B256::ZERO,
        datasetRestrict: B256::ZERO,
        requesterRestrict: B256::ZERO,
        expiry: now.saturating_add(ORDER_LIFETIME_S),
        nonce: chain.account(key.address()).await?.nonce.to::<u64>(),
        salt: Secret::<[u8; 32]>::random()?.expose(|bytes| B256::from(*bytes)),
    };
    let signature = key.sign(&chain.deployment().domain, &order);
    let call = postPoolOrderCall { order, signature };
    chain.send(chain.deployment().contracts.book, call.abi_encode()).await.context("offer the pool")?;
    Ok(())
}
