//! A registry with one app, for the member.

use async_trait::async_trait;
use sealwork_ports::{
    Chain, Deployment, ErrorKind, EventCursor, EventPage, PortError, PostedAppOrder, PostedPoolOrder, TxInfo,
    TxOutcome,
};
use sealwork_types::{
    Address, AppId, B256, Bytes, CodeHash, DealId, ManifestHash, PolicyHash, PoolId,
    abi::{Account, App, DealProgress, Registered},
    deal::Deal,
    enclave_wire::GrantFrame,
    order::SigningDomain,
};

/// Knows one app and nothing else: a member asks for nothing else.
pub(crate) struct Registry {
    pub(crate) domain: SigningDomain,
    pub(crate) app: AppId,
    pub(crate) policy: PolicyHash,
}

fn unasked() -> PortError {
    PortError::new(ErrorKind::Unavailable, "a member asks for apps only")
}

#[async_trait]
impl Chain for Registry {
    fn deployment(&self) -> Deployment {
        let contracts = crate::samples::network().contracts;
        Deployment { domain: self.domain, contracts, deployed_at: 0 }
    }

    fn sender(&self) -> Address {
        Address::ZERO
    }

    async fn app(&self, id: AppId) -> Result<App, PortError> {
        if id != self.app {
            return Err(PortError::new(ErrorKind::NotFound, format!("app {id}")));
        }
        Ok(App {
            owner: Address::ZERO,
            manifestHash: B256::ZERO,
            codeHash: B256::ZERO,
            policyHash: self.policy.get(),
            version: 1,
        })
    }

    async fn head(&self) -> Result<(u64, u64), PortError> {
        Err(unasked())
    }
    async fn manifest(&self, _: AppId, _: CodeHash, _: PolicyHash) -> Result<ManifestHash, PortError> {
        Err(unasked())
    }
    async fn account(&self, _: Address) -> Result<Account, PortError> {
        Err(unasked())
    }
    async fn deal(&self, _: DealId) -> Result<DealProgress, PortError> {
        Err(unasked())
    }
    async fn is_open(&self, _: DealId, _: u32) -> Result<bool, PortError> {
        Err(unasked())
    }
    async fn grant(&self, _: Address) -> Result<Option<Registered>, PortError> {
        Err(unasked())
    }
    async fn registration(&self, _: Address) -> Result<GrantFrame, PortError> {
        Err(unasked())
    }
    async fn transaction(&self, _: B256) -> Result<TxInfo, PortError> {
        Err(unasked())
    }
    async fn executed(&self, _: DealId, _: B256) -> Result<Deal, PortError> {
        Err(unasked())
    }
    async fn app_orders(&self, _: AppId) -> Result<Vec<PostedAppOrder>, PortError> {
        Err(unasked())
    }
    async fn pool_orders(&self, _: Option<PoolId>) -> Result<Vec<PostedPoolOrder>, PortError> {
        Err(unasked())
    }
    async fn events(&self, _: EventCursor, _: usize) -> Result<EventPage, PortError> {
        Err(unasked())
    }
    async fn wait(&self) {}
    async fn send(&self, _: Address, _: Vec<u8>) -> Result<TxOutcome, PortError> {
        Err(unasked())
    }
    async fn estimate(&self, _: Address, _: Vec<u8>) -> Result<u64, PortError> {
        Err(unasked())
    }
    async fn call(&self, _: Address, _: Vec<u8>) -> Result<Bytes, PortError> {
        Err(unasked())
    }
}
