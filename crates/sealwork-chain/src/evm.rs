//! [`EvmChain`], the adapter behind the chain port.

use crate::{
    ChainError, Endpoint,
    executed::{self, Past},
    logs::{self, Place},
    orders, registrations,
};
use alloy_primitives::{Address, B256, Bytes};
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::SolCall;
use async_trait::async_trait;
use sealwork_ports::{
    Chain, Deployment, ErrorKind, EventCursor, EventPage, MarketEvent, PortError, PostedAppOrder,
    PostedPoolOrder, TxInfo, TxOutcome,
};
use sealwork_types::{
    AppId, CodeHash, DealId, ManifestHash, PolicyHash, PoolId,
    abi::{
        Account, App, DealProgress,
        IAttestations::{grantCall, isGrantedCall},
        IMarket::{accountCall, dealCall, isOpenCall},
        IRegistry::{NotRegistered, appCall},
        Registered,
    },
    deal::Deal,
    enclave_wire::GrantFrame,
    network::{Contracts, NetworkDocument},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Blocks asked for at once; public endpoints refuse wide ranges.
pub(crate) const BLOCKS_PER_QUERY: u64 = 2_000;
/// Longest [`Chain::wait`].
const MAX_WAIT: Duration = Duration::from_secs(1);
/// Pause between looks at the block number.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// One deployment behind one endpoint, with one account that sends.
#[derive(Clone, Debug)]
pub struct EvmChain {
    endpoint: Endpoint,
    deployment: Deployment,
    /// Newest block that [`Chain::events`] looked at; [`Chain::wait`] waits for a newer one.
    seen: Arc<AtomicU64>,
    /// What executed deals are rebuilt from.
    past: Arc<tokio::sync::Mutex<Past>>,
}

impl EvmChain {
    /// Connects to the network's endpoint and checks that it serves the right chain.
    ///
    /// # Errors
    /// [`ChainError::OtherChain`] and whatever keeps the endpoint from answering.
    pub async fn connect(network: &NetworkDocument, signer: PrivateKeySigner) -> Result<Self, ChainError> {
        let endpoint = Endpoint::connect(&network.rpc, signer).await?;
        let deployment = Deployment {
            domain: network.anchors.domain,
            contracts: network.contracts,
            deployed_at: network.deployed_at,
        };
        Self::over(deployment, endpoint)
    }

    /// A deployment behind an endpoint that is connected already.
    ///
    /// # Errors
    /// [`ChainError::OtherChain`].
    pub fn over(deployment: Deployment, endpoint: Endpoint) -> Result<Self, ChainError> {
        let (expected, found) = (deployment.domain.chain_id, endpoint.chain_id());
        if expected != found {
            return Err(ChainError::OtherChain { expected, found });
        }
        Ok(Self { endpoint, deployment, seen: Arc::default(), past: Arc::default() })
    }

    /// The endpoint underneath.
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(crate) fn past(&self) -> &tokio::sync::Mutex<Past> {
        &self.past
    }

    pub(crate) const fn contracts(&self) -> &Contracts {
        &self.deployment.contracts
    }

    pub(crate) const fn deployed_at(&self) -> u64 {
        self.deployment.deployed_at
    }

    /// Calls a view function and decodes its answer.
    ///
    /// # Errors
    /// [`ChainError`] when the endpoint fails, the contract refuses, or the answer does not decode.
    pub async fn view<C: SolCall>(&self, to: Address, call: &C) -> Result<C::Return, ChainError> {
        let answer = self.endpoint.call(to, call.abi_encode()).await?;
        C::abi_decode_returns(&answer).map_err(|_| ChainError::Answer { call: C::SIGNATURE })
    }

    /// Events from a position on, and the position behind the blocks that were looked at.
    async fn event_page(
        &self,
        after: EventCursor,
    ) -> Result<(Vec<(Place, MarketEvent)>, EventCursor), ChainError> {
        let head = self.endpoint.block_number().await?;
        self.seen.store(head, Ordering::Relaxed);
        let from = after.block.max(self.deployment.deployed_at);
        let to = head.min(from.saturating_add(BLOCKS_PER_QUERY));
        if from > to {
            return Ok((Vec::new(), after));
        }
        let found = self.endpoint.logs(&logs::market_filter(self.contracts(), from, to)).await?;
        let mut events = logs::decode_all(&found);
        let from = Place { block: after.block, log_index: after.log_index };
        events.retain(|(place, _)| *place >= from);
        Ok((events, EventCursor::at_block(to.saturating_add(1))))
    }
}

#[async_trait]
impl Chain for EvmChain {
    fn deployment(&self) -> Deployment {
        self.deployment
    }

    fn sender(&self) -> Address {
        self.endpoint.sender()
    }

    async fn head(&self) -> Result<(u64, u64), PortError> {
        Ok(self.endpoint.head().await?)
    }

    async fn app(&self, id: AppId) -> Result<App, PortError> {
        match self.view(self.contracts().registry, &appCall { id: id.get() }).await {
            Err(error) if error.is_revert::<NotRegistered>() => Err(PortError::new(
                ErrorKind::NotFound,
                format!("app {id} is not registered on this network"),
            )),
            app => Ok(app?),
        }
    }

    async fn manifest(
        &self,
        app: AppId,
        code: CodeHash,
        policy: PolicyHash,
    ) -> Result<ManifestHash, PortError> {
        Ok(registrations::manifest(self, app, code, policy).await?.ok_or_else(|| {
            PortError::new(
                ErrorKind::NotFound,
                format!("app {app} never had code {code} with policy {policy}"),
            )
        })?)
    }

    async fn account(&self, owner: Address) -> Result<Account, PortError> {
        Ok(self.view(self.contracts().market, &accountCall { owner }).await?)
    }

    async fn deal(&self, id: DealId) -> Result<DealProgress, PortError> {
        let deal = self.view(self.contracts().market, &dealCall { dealId: id.get() }).await?;
        if deal.volume == 0 {
            return Err(PortError::new(
                ErrorKind::NotFound,
                format!("there is no open deal {id} on this network; a finished one is only in its events"),
            ));
        }
        Ok(deal)
    }

    async fn is_open(&self, deal: DealId, index: u32) -> Result<bool, PortError> {
        Ok(self.view(self.contracts().market, &isOpenCall { dealId: deal.get(), index }).await?)
    }

    async fn grant(&self, enclave: Address) -> Result<Option<Registered>, PortError> {
        let attestations = self.contracts().attestations;
        if !self.view(attestations, &isGrantedCall { enclave }).await? {
            return Ok(None);
        }
        Ok(Some(self.view(attestations, &grantCall { enclave }).await?))
    }

    async fn registration(&self, enclave: Address) -> Result<GrantFrame, PortError> {
        Ok(registrations::find(self, enclave).await?.ok_or_else(|| {
            PortError::new(
                ErrorKind::NotFound,
                format!("enclave {enclave} was never registered on this network"),
            )
        })?)
    }

    async fn transaction(&self, hash: B256) -> Result<TxInfo, PortError> {
        let found = self.endpoint.receipt(hash).await?;
        let receipt = found.ok_or_else(|| {
            PortError::new(ErrorKind::NotFound, format!("transaction {hash} is not on this chain"))
        })?;
        Ok(TxInfo { sender: receipt.from, gas_used: receipt.gas_used })
    }

    async fn executed(&self, id: DealId, transaction: B256) -> Result<Deal, PortError> {
        executed::deal(self, id, transaction).await
    }

    async fn app_orders(&self, app: AppId) -> Result<Vec<PostedAppOrder>, PortError> {
        Ok(orders::app_orders(self, app).await?)
    }

    async fn pool_orders(&self, pool: Option<PoolId>) -> Result<Vec<PostedPoolOrder>, PortError> {
        Ok(orders::pool_orders(self, pool).await?)
    }

    async fn events(&self, after: EventCursor, limit: usize) -> Result<EventPage, PortError> {
        let (mut found, behind) = self.event_page(after).await?;
        let cut = found.len() > limit;
        found.truncate(limit);
        let next = match found.last() {
            Some((place, _)) if cut => EventCursor {
                log_index: place.log_index.saturating_add(1),
                ..EventCursor::at_block(place.block)
            },
            _ => behind,
        };
        let events = found.into_iter().map(|(place, event)| (place.block, event)).collect();
        Ok(EventPage { rewound_to: None, events, next })
    }

    async fn wait(&self) {
        let looking = async {
            let seen = self.seen.load(Ordering::Relaxed);
            while self.endpoint.block_number().await.is_ok_and(|head| head <= seen) {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        // A timeout is an answer here: the caller looks again either way.
        let _ = tokio::time::timeout(MAX_WAIT, looking).await;
    }

    async fn send(&self, to: Address, call: Vec<u8>) -> Result<TxOutcome, PortError> {
        Ok(self.endpoint.send(Some(to), call).await?)
    }

    async fn estimate(&self, to: Address, call: Vec<u8>) -> Result<u64, PortError> {
        Ok(self.endpoint.estimate(Some(to), call).await?)
    }

    async fn call(&self, to: Address, call: Vec<u8>) -> Result<Bytes, PortError> {
        Ok(self.endpoint.call(to, call).await?)
    }
}
