//! Finds the pool's own order and the cheapest app order that fit a request.

use sealwork_ports::{Chain, ErrorKind, PortError};
use sealwork_types::{
    AppId, B256, PoolId,
    abi::{AppOrder, Orders, PoolOrder, RequestOrder},
    order::SignedRequest,
};
use std::sync::Arc;

/// The request with the cheapest posted offers that fit it; `NotFound` when there are none.
///
/// Restrictions by groups and allow-lists are left to the contract, as offers under them are to other ways of matching.
pub(crate) async fn orders(
    chain: &Arc<dyn Chain>,
    pool: PoolId,
    request: &SignedRequest,
) -> Result<Orders, PortError> {
    let order = &request.order;
    let app = AppId::new(order.app);
    let missing = |what: String| PortError::new(ErrorKind::NotFound, what);
    let pool_order = chain
        .pool_orders(Some(pool))
        .await?
        .into_iter()
        .find(|posted| pool_fits(&posted.order, order))
        .ok_or_else(|| missing(format!("pool {pool} has posted no order that fits the request")))?;
    let app_order = chain
        .app_orders(app)
        .await?
        .into_iter()
        .find(|posted| app_fits(&posted.order, &pool_order.order, order))
        .ok_or_else(|| missing(format!("nobody has posted an order of app {app} that fits the request")))?;
    Ok(Orders {
        app: app_order.order,
        appSignature: app_order.signature,
        pool: pool_order.order,
        poolSignature: pool_order.signature,
        request: order.clone(),
        requestSignature: request.signature.clone(),
        datasets: Vec::new(),
        datasetSignatures: Vec::new(),
        memberships: Vec::new(),
    })
}

/// What the contract checks of pool and request, but for signatures.
pub(crate) fn pool_fits(pool: &PoolOrder, request: &RequestOrder) -> bool {
    pool.price <= request.poolMaxPrice
        && pool.stake >= request.minStake
        && pool.category == request.category
        && pool.trust >= request.trust
        && pool.modes.checked_shr(u32::from(request.mode)).unwrap_or_default() & 1 == 1
        && lacks(request.tag, pool.tag).is_zero()
        && (admits(pool.appRestrict, request.app) || pool.appRestrict == request.policyHash)
        && admits(pool.requesterRestrict, request.requester.into_word())
        && admits(request.poolRestrict, pool.pool)
}

/// What the contract checks of the app's order, but for signatures.
pub(crate) fn app_fits(app: &AppOrder, pool: &PoolOrder, request: &RequestOrder) -> bool {
    app.app == request.app
        && app.price <= request.appMaxPrice
        && lacks(app.tag, pool.tag).is_zero()
        && admits(app.poolRestrict, pool.pool)
        && admits(app.requesterRestrict, request.requester.into_word())
}

fn lacks(wanted: B256, offered: B256) -> B256 {
    wanted & !offered
}

fn admits(restriction: B256, given: B256) -> bool {
    restriction.is_zero() || restriction == given
}
