//! Posted orders that can still be matched.

use crate::{
    ChainError, EvmChain,
    book::shelves,
    logs::{self, Place},
};
use alloy_primitives::{Address, B256, U256};
use alloy_rpc_types_eth::Log;
use alloy_sol_types::SolEvent;
use sealwork_ports::{PostedAppOrder, PostedPoolOrder};
use sealwork_types::{
    AppId, PoolId,
    abi::{
        IBook::{AppOrderPosted, OrderWithdrawn, PoolOrderPosted},
        IMarket::{accountCall, orderStateCall},
        IRegistry::{appCall, poolCall},
    },
};

/// The facts that decide whether an order is still alive.
struct Terms {
    hash: B256,
    signer: Address,
    nonce: u64,
    expiry: u64,
    volume: u32,
    posted: Place,
}

/// Alive posted orders of an app, cheapest first.
pub(crate) async fn app_orders(chain: &EvmChain, app: AppId) -> Result<Vec<PostedAppOrder>, ChainError> {
    let logs = posted(chain, AppOrderPosted::SIGNATURE_HASH, Some(app.get())).await?;
    let owner = chain.view(chain.contracts().registry, &appCall { id: app.get() }).await?.owner;
    let now = chain.endpoint().head().await?.1;
    let mut alive = Vec::new();
    for log in logs {
        let Ok(event) = AppOrderPosted::decode_log(&log.inner) else { continue };
        let AppOrderPosted { orderHash, order, signature, .. } = event.data;
        let terms = Terms {
            hash: orderHash,
            signer: owner,
            nonce: order.nonce,
            expiry: order.expiry,
            volume: order.volume,
            posted: logs::position(&log),
        };
        if is_alive(chain, &terms, now).await? {
            alive.push(PostedAppOrder { order, signature });
        }
    }
    alive.sort_by_key(|posted| posted.order.price);
    Ok(alive)
}

/// Alive posted pool orders, cheapest first.
pub(crate) async fn pool_orders(
    chain: &EvmChain,
    pool: Option<PoolId>,
) -> Result<Vec<PostedPoolOrder>, ChainError> {
    let logs = posted(chain, PoolOrderPosted::SIGNATURE_HASH, pool.map(|pool| pool.get())).await?;
    let now = chain.endpoint().head().await?.1;
    let mut alive = Vec::new();
    for log in logs {
        let Ok(event) = PoolOrderPosted::decode_log(&log.inner) else { continue };
        let PoolOrderPosted { orderHash, order, signature, .. } = event.data;
        let owner = chain.view(chain.contracts().registry, &poolCall { id: order.pool }).await?.owner;
        let terms = Terms {
            hash: orderHash,
            signer: owner,
            nonce: order.nonce,
            expiry: order.expiry,
            volume: order.volume,
            posted: logs::position(&log),
        };
        if is_alive(chain, &terms, now).await? {
            alive.push(PostedPoolOrder { order, signature });
        }
    }
    alive.sort_by_key(|posted| posted.order.price);
    Ok(alive)
}

/// Postings of one kind, of one app or pool if given.
async fn posted(chain: &EvmChain, kind: B256, of: Option<B256>) -> Result<Vec<Log>, ChainError> {
    let kept = shelves(chain).await?;
    let fits =
        |log: &&Log| log.topic0() == Some(&kind) && of.is_none_or(|of| log.topics().get(1) == Some(&of));
    Ok(kept.found().iter().map(|(_, log)| log).filter(fits).cloned().collect())
}

async fn is_alive(chain: &EvmChain, terms: &Terms, now: u64) -> Result<bool, ChainError> {
    if terms.expiry <= now {
        return Ok(false);
    }
    let market = chain.contracts().market;
    let nonce = chain.view(market, &accountCall { owner: terms.signer }).await?.nonce;
    let state = chain.view(market, &orderStateCall { signer: terms.signer, orderHash: terms.hash }).await?;
    let valid = U256::from(terms.nonce) >= U256::from(nonce);
    Ok(valid && !state.canceled && state.consumed < terms.volume && !is_withdrawn(chain, terms).await)
}

/// Whether the signer took the order off the book and did not post it again.
async fn is_withdrawn(chain: &EvmChain, terms: &Terms) -> bool {
    let kept = chain.book().lock().await;
    let key = [terms.signer.into_word(), terms.hash];
    let of_it = |log: &Log| {
        log.topic0() == Some(&OrderWithdrawn::SIGNATURE_HASH) && log.topics().get(1..3) == Some(&key[..])
    };
    let last = kept.found().iter().rev().find(|(_, log)| of_it(log)).map(|(place, _)| *place);
    last.is_some_and(|withdrawn| withdrawn > terms.posted)
}
