//! [`EvmChain`], the adapter behind the chain port.

use crate::{
    ChainError, Endpoint,
    executed::{self, Past},
    header::Header,
    orders,
    pages::{Kept, Pages},
    registrations::{self, Registration},
    trail::Trail,
};
use alloy_primitives::{Address, B256, Bytes};
use alloy_rpc_types_eth::Log;
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::SolCall;
use async_trait::async_trait;
use sealwork_ports::{
    Chain, Deployment, ErrorKind, EventCursor, EventPage, PortError, PostedAppOrder, PostedPoolOrder, TxInfo,
    TxOutcome,
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
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Longest [`Chain::wait`].
const MAX_WAIT: Duration = Duration::from_secs(1);

/// One deployment behind one endpoint, with one account that sends.
#[derive(Clone, Debug)]
pub struct EvmChain {
    endpoint: Endpoint,
    deployment: Deployment,
    memory: Arc<Memory>,
}

/// What was read of the chain and need not be read again.
#[derive(Debug, Default)]
struct Memory {
    /// Newest block that [`Chain::events`] looked at; [`Chain::wait`] waits for a newer one.
    seen: AtomicU64,
    trail: Mutex<Trail>,
    pages: Pages,
    /// What executed deals are rebuilt from.
    past: tokio::sync::Mutex<Past>,
    book: tokio::sync::Mutex<Kept<Log>>,
    registrations: tokio::sync::Mutex<Kept<Registration>>,
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
        endpoint.pool().pin(deployment.contracts.market);
        Ok(Self { endpoint, deployment, memory: Arc::default() })
    }

    /// The endpoint underneath.
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(crate) fn past(&self) -> &tokio::sync::Mutex<Past> {
        &self.memory.past
    }

    pub(crate) fn book(&self) -> &tokio::sync::Mutex<Kept<Log>> {
        &self.memory.book
    }

    pub(crate) fn registrations(&self) -> &tokio::sync::Mutex<Kept<Registration>> {
        &self.memory.registrations
    }

    pub(crate) fn pages(&self) -> &Pages {
        &self.memory.pages
    }

    /// Not to be held while something is awaited.
    pub(crate) fn trail(&self) -> MutexGuard<'_, Trail> {
        self.memory.trail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// [`Chain::wait`] waits for a newer block.
    pub(crate) fn saw(&self, head: &Header) {
        self.memory.seen.store(head.number, Ordering::Relaxed);
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
        Ok(self.event_page(after, limit).await?)
    }

    async fn wait(&self) {
        let looking = async {
            let seen = self.memory.seen.load(Ordering::Relaxed);
            if self.endpoint.pool().announced(seen).await.is_some() {
                return;
            }
            let pause = self.endpoint.pool().look_every().await;
            // An endpoint that fails is looked at again like one without news.
            while !self.endpoint.block_number().await.is_ok_and(|head| head > seen) {
                tokio::time::sleep(pause).await;
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
