//! Posted orders that can still be matched.

use crate::{ChainError, EvmChain};
use alloy_primitives::{Address, B256};
use alloy_rpc_types_eth::Filter;
use alloy_sol_types::SolEvent;
use sealwork_ports::{PostedAppOrder, PostedPoolOrder};
use sealwork_types::{
    AppId, PoolId,
    abi::{
        IMarket::{AppOrderPosted, PoolOrderPosted, consumedCall, nonceOfCall},
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
        };
        if is_alive(chain, &terms, now).await? {
            alive.push(PostedPoolOrder { order, signature });
        }
    }
    alive.sort_by_key(|posted| posted.order.price);
    Ok(alive)
}

fn posted(chain: &EvmChain) -> Filter {
    Filter::new().address(chain.contracts().market).from_block(chain.deployed_at())
}

async fn is_alive(chain: &EvmChain, terms: &Terms, now: u64) -> Result<bool, ChainError> {
    if terms.expiry <= now {
        return Ok(false);
    }
    let market = chain.contracts().market;
    let nonce = chain.view(market, &nonceOfCall { signer: terms.signer }).await?;
    let consumed = chain.view(market, &consumedCall { orderHash: terms.hash }).await?;
    Ok(terms.nonce >= nonce && consumed < terms.volume)
}
