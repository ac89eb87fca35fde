//! Choosing the orders that a request is matched with.

use crate::{AppView, Client, ClientError, Settlement};
use sealwork_ports::{PostedAppOrder, PostedPoolOrder};
use sealwork_types::{
    B256, PoolId, U256, abi::IRegistry::poolCall, manifest::document_cid, order::TrustMode,
    params::MAX_MANIFEST_BYTES, progress::PoolManifest, tokens,
};

/// Pools that are asked whether they serve before a run gives up.
const MAX_POOLS_ASKED: usize = 16;

/// The orders a request is matched with.
#[derive(Debug)]
pub(crate) struct Offers {
    pub(crate) app: PostedAppOrder,
    pub(crate) pool: PostedPoolOrder,
}

/// What offers are looked for.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Pool to use; `None` takes any.
    pub(crate) pool: Option<PoolId>,
    /// Highest price of one task, smallest token units.
    pub(crate) max_price: Option<U256>,
    pub(crate) mode: TrustMode,
    pub(crate) settlement: Settlement,
    /// Tasks.
    pub(crate) volume: u32,
}

impl Offers {
    /// Price of one task, smallest token units.
    pub(crate) fn price(&self) -> U256 {
        U256::from(self.app.order.price).saturating_add(U256::from(self.pool.order.price))
    }
}

/// How many, where it matters.
fn tasks(volume: u32) -> String {
    if volume == 1 { String::new() } else { format!(" for {volume} tasks") }
}

impl Client {
    /// The cheapest app order, and the cheapest pool order that fits it and whose pool answers.
    pub(crate) async fn choose_offers(&self, app: &AppView, wanted: &Wanted) -> Result<Offers, ClientError> {
        let Wanted { pool, max_price, mode, settlement, volume } = *wanted;
        let none = |kind, problem: String| ClientError::NoOrder { kind, problem };
        let orders = self.parts.chain.app_orders(app.id).await?;
        let app_order = orders
            .into_iter()
            .find(|posted| {
                let order = &posted.order;
                self.admits(&order.requesterRestrict)
                    && order.datasetRestrict.is_zero()
                    && order.volume >= volume
            })
            .ok_or_else(|| {
                let text = format!("the app is registered, but nobody may run it now{}", tasks(volume));
                none("app", text)
            })?;
        let pools: Vec<_> = self.parts.chain.pool_orders(pool).await?;
        let fitting = pools.into_iter().filter(|posted| self.fits(app, &app_order, posted, wanted));
        let (mut asked, mut problem) = (0, String::new());
        for pool in fitting.take(MAX_POOLS_ASKED) {
            asked += 1;
            let offers = Offers { app: app_order.clone(), pool };
            if max_price.is_some_and(|limit| offers.price() > limit) {
                let (price, limit) =
                    (tokens::show(offers.price()), tokens::show(max_price.unwrap_or_default()));
                return Err(none("pool", format!("the cheapest costs {price} tokens, the limit is {limit}")));
            }
            match self.serves(offers.pool.order.pool, settlement).await {
                Ok(()) => return Ok(offers),
                Err(why) => problem = why,
            }
        }
        let problem = match asked {
            0 => format!("no worker offers mode {} to this wallet{}", mode.name(), tasks(volume)),
            1 => problem,
            asked => format!("none of {asked} pools with open offers serves it; the last asked: {problem}"),
        };
        Err(match settlement {
            Settlement::OneTransaction if asked > 0 => ClientError::NotTaken { problem },
            Settlement::Deal | Settlement::OneTransaction => none("pool", problem),
        })
    }

    fn admits(&self, restriction: &B256) -> bool {
        restriction.is_zero() || *restriction == self.address().into_word()
    }

    fn fits(
        &self,
        app: &AppView,
        app_order: &PostedAppOrder,
        posted: &PostedPoolOrder,
        wanted: &Wanted,
    ) -> bool {
        let order = &posted.order;
        self.admits(&order.requesterRestrict)
            && [B256::ZERO, app.id.get(), app.registered.policyHash].contains(&order.appRestrict)
            && (app_order.order.poolRestrict.is_zero() || app_order.order.poolRestrict == order.pool)
            && order.modes & wanted.mode.bit() != 0
            && order.volume >= wanted.volume
            && order.tag & app_order.order.tag == app_order.order.tag
    }

    /// Why a pool does not serve now, if it does not. To have orders matched, a pool without a page is given the benefit
    /// of the doubt; a request needs a page that takes it.
    async fn serves(&self, pool: B256, settlement: Settlement) -> Result<(), String> {
        let url = self.pool_url(pool).await;
        match settlement {
            Settlement::Deal if url.is_empty() || self.parts.progress.serves(&url).await => Ok(()),
            Settlement::Deal => Err(format!("pool {pool} does not answer at {url}")),
            Settlement::OneTransaction if url.is_empty() => {
                Err(format!("pool {pool} names no page in its manifest, so that nobody can be asked"))
            }
            Settlement::OneTransaction if self.parts.requests.takes(&url).await => Ok(()),
            Settlement::OneTransaction => Err(format!(
                "pool {pool} does not answer at {url} or takes no requests (`sealwork worker start --take-requests`)"
            )),
        }
    }

    /// Where a pool tells about its tasks; empty when it does not.
    pub(crate) async fn pool_url(&self, pool: B256) -> String {
        let lookup = async {
            let registry = self.network.contracts.registry;
            let manifest = self.view(registry, &poolCall { id: pool }).await.ok()?.manifestHash;
            let bytes = self.parts.store.get_small(&document_cid(manifest), MAX_MANIFEST_BYTES).await.ok()?;
            Some(serde_json::from_slice::<PoolManifest>(&bytes).ok()?.url)
        };
        lookup.await.unwrap_or_default()
    }
}
