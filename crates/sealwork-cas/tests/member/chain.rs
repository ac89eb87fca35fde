//! A chain that knows apps and nothing else.

use async_trait::async_trait;
use sealwork_ports::{
    Chain, Clock, Deployment, ErrorKind, EventCursor, EventPage, PortError, PostedAppOrder, PostedPoolOrder,
    TxInfo, TxOutcome,
};
use sealwork_types::{
    Address, AppId, B256, Bytes, CodeHash, DealId, ManifestHash, PolicyHash, PoolId,
    abi::{Account, App, DealProgress, Registered},
    deal::Deal,
    enclave_wire::GrantFrame,
    network::Contracts,
    order::SigningDomain,
};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// A clock that tests move.
#[derive(Debug)]
pub(crate) struct TestClock(pub(crate) AtomicU64);

impl Clock for TestClock {
    fn unix_s(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A registry in memory.
#[derive(Debug)]
pub(crate) struct TestChain {
    pub(crate) domain: SigningDomain,
    pub(crate) apps: Mutex<BTreeMap<AppId, PolicyHash>>,
    pub(crate) down: AtomicBool,
}

impl TestChain {
    pub(crate) fn register(&self, app: AppId, policy: PolicyHash) {
        self.apps.lock().unwrap().insert(app, policy);
    }
}

#[async_trait]
impl Chain for TestChain {
    fn deployment(&self) -> Deployment {
        let at = Address::ZERO;
        let contracts = Contracts {
            registry: at,
            market: self.domain.market,
            attestations: at,
            batches: at,
            channels: at,
            book: at,
            token: at,
        };
        Deployment { domain: self.domain, contracts, deployed_at: 0 }
    }

    fn sender(&self) -> Address {
        Address::ZERO
    }

    async fn app(&self, id: AppId) -> Result<App, PortError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(PortError::new(ErrorKind::Unavailable, "the test chain is down at secret.example"));
        }
        let apps = self.apps.lock().unwrap();
        let policy = apps.get(&id).ok_or_else(|| PortError::new(ErrorKind::NotFound, format!("app {id}")))?;
        Ok(App {
            owner: Address::ZERO,
            manifestHash: B256::ZERO,
            codeHash: B256::ZERO,
            policyHash: policy.get(),
            version: 1,
        })
    }

    async fn head(&self) -> Result<(u64, u64), PortError> {
        unreachable!("a member only looks up apps")
    }
    async fn manifest(&self, _: AppId, _: CodeHash, _: PolicyHash) -> Result<ManifestHash, PortError> {
        unreachable!("a member only looks up apps")
    }
    async fn account(&self, _: Address) -> Result<Account, PortError> {
        unreachable!("a member only looks up apps")
    }
    async fn deal(&self, _: DealId) -> Result<DealProgress, PortError> {
        unreachable!("a member only looks up apps")
    }
    async fn is_open(&self, _: DealId, _: u32) -> Result<bool, PortError> {
        unreachable!("a member only looks up apps")
    }
    async fn grant(&self, _: Address) -> Result<Option<Registered>, PortError> {
        unreachable!("a member only looks up apps")
    }
    async fn registration(&self, _: Address) -> Result<GrantFrame, PortError> {
        unreachable!("a member only looks up apps")
    }
    async fn transaction(&self, _: B256) -> Result<TxInfo, PortError> {
        unreachable!("a member only looks up apps")
    }
    async fn executed(&self, _: DealId, _: B256) -> Result<Deal, PortError> {
        unreachable!("a member only looks up apps")
    }
    async fn app_orders(&self, _: AppId) -> Result<Vec<PostedAppOrder>, PortError> {
        unreachable!("a member only looks up apps")
    }
    async fn pool_orders(&self, _: Option<PoolId>) -> Result<Vec<PostedPoolOrder>, PortError> {
        unreachable!("a member only looks up apps")
    }
    async fn events(&self, _: EventCursor, _: usize) -> Result<EventPage, PortError> {
        unreachable!("a member only looks up apps")
    }
    async fn wait(&self) {
        unreachable!("a member only looks up apps")
    }
    async fn send(&self, _: Address, _: Vec<u8>) -> Result<TxOutcome, PortError> {
        unreachable!("a member only looks up apps")
    }
    async fn estimate(&self, _: Address, _: Vec<u8>) -> Result<u64, PortError> {
        unreachable!("a member only looks up apps")
    }
    async fn call(&self, _: Address, _: Vec<u8>) -> Result<Bytes, PortError> {
        unreachable!("a member only looks up apps")
    }
}
