//! Posted orders that can still be matched.

use crate::{
    ChainError, EvmChain,
    logs::{self, Place},
};
use alloy_primitives::{Address, B256, U256};
use alloy_rpc_types_eth::Filter;
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
    let filter = posted(chain).event_signature(AppOrderPosted::SIGNATURE_HASH).topic1(app.get());
    let owner = chain.view(chain.contracts().registry, &appCall { id: app.get() }).await?.owner;
    let now = chain.endpoint().head().await?.1;
    let mut alive = Vec::new();
    for log in chain.endpoint().logs(&filter).await? {
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
    let mut filter = posted(chain).event_signature(PoolOrderPosted::SIGNATURE_HASH);
    if let Some(pool) = pool {
        filter = filter.topic1(pool.get());
    }
    let now = chain.endpoint().head().await?.1;
    let mut alive = Vec::new();
    for log in chain.endpoint().logs(&filter).await? {
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

fn posted(chain: &EvmChain) -> Filter {
    Filter::new().address(chain.contracts().book).from_block(chain.deployed_at())
}

async fn is_alive(chain: &EvmChain, terms: &Terms, now: u64) -> Result<bool, ChainError> {
    if terms.expiry <= now {
        return Ok(false);
    }
    let market = chain.contracts().market;
    let nonce = chain.view(market, &accountCall { owner: terms.signer }).await?.nonce;
    let state = chain.view(market, &orderStateCall { signer: terms.signer, orderHash: terms.hash }).await?;
    let valid = U256::from(terms.nonce) >= U256::from(nonce);
    Ok(valid && !state.canceled && state.consumed < terms.volume && !is_withdrawn(chain, terms).await?)
}

/// Whether the signer took the order off the book and did not post it again.
async fn is_withdrawn(chain: &EvmChain, terms: &Terms) -> Result<bool, ChainError> {
    let filter = posted(chain)
        .event_signature(OrderWithdrawn::SIGNATURE_HASH)
        .topic1(terms.signer.into_word())
        .topic2(terms.hash);
    let last = chain.endpoint().logs(&filter).await?.iter().map(logs::position).max();
    Ok(last.is_some_and(|withdrawn| withdrawn > terms.posted))
}
