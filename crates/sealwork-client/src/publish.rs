//! Publishing an app: documents into storage, registry entry, app order on the market.

use crate::{Client, ClientError};
use alloy_primitives::aliases::U96;
use alloy_sol_types::SolCall;
use futures::{StreamExt, stream};
use sealwork_ports::{ErrorKind, PortError, Store, TxOutcome};
use sealwork_types::{
    AppId, B256, Bytes, Cid, CodeHash, Sha256Digest,
    abi::{
        AppOrder,
        IMarket::{nonceOfCall, postAppOrderCall},
        IRegistry::{predictIdCall, registerAppCall},
        kind,
    },
    manifest::{Abi, AppManifest, document_cid},
    policy::Policy,
};
use std::sync::Arc;

/// What a developer publishes.
#[derive(Clone, Debug)]
pub struct PublishRequest {
    /// Short name, `[a-z0-9-]`.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// The WebAssembly module.
    pub module: Vec<u8>,
    /// Who may run it; `code_hash` is filled in.
    pub policy: Policy,
    /// Price of one task, smallest token units.
    pub price: U96,
    /// Tasks that the app order covers.
    pub volume: u32,
    /// When the app order ends, seconds since 1970.
    pub expiry: u64,
}

/// A published app.
#[derive(Clone, Debug)]
pub struct Published {
    /// App.
    pub app: AppId,
    /// Manifest as registered.
    pub manifest: AppManifest,
    /// Registration, unless the same app was registered before.
    pub registration: Option<TxOutcome>,
    /// Posting of the app order.
    pub order: TxOutcome,
}

impl Client {
    /// Publishes an app and offers it on the market.
    ///
    /// Idempotent up to the order: the same name, code and policy by the same owner are one app.
    ///
    /// # Errors
    /// [`ClientError::Port`] when storage or chain fail; nothing is registered before its documents are stored.
    pub async fn publish(&self, request: PublishRequest) -> Result<Published, ClientError> {
        let code_hash = CodeHash::new(Sha256Digest::of(&request.module));
        let policy = Policy { code_hash, ..request.policy }.to_bytes();
        let policy_hash = Policy::hash_of(&policy);
        let code = put_bytes(&self.parts.store, request.module).await?;
        put_document(&self.parts.store, policy).await?;
        let manifest = AppManifest {
            version: 1,
            name: request.name,
            description: request.description,
            abi: Abi::Batch,
            code,
            code_hash,
            policy_hash,
        };
        let manifest_hash = put_document(&self.parts.store, manifest.to_bytes()).await?;
        let (app, registration) = self.register(&manifest, manifest_hash).await?;
        let order = self.post_app_order(app, request.price, request.volume, request.expiry).await?;
        Ok(Published { app, manifest, registration, order })
    }

    async fn register(
        &self,
        manifest: &AppManifest,
        manifest_hash: B256,
    ) -> Result<(AppId, Option<TxOutcome>), ClientError> {
        let registry = self.network.contracts.registry;
        let predict = predictIdCall { kind: kind::APP, owner: self.address(), manifestHash: manifest_hash };
        let answer = self.parts.chain.call(registry, predict.abi_encode()).await?;
        let app = predictIdCall::abi_decode_returns(&answer)
            .map(AppId::new)
            .map_err(|_| PortError::new(ErrorKind::Corrupt, "the registry's answer does not decode"))?;
        match self.parts.chain.app(app).await {
            Ok(_) => return Ok((app, None)),
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let call = registerAppCall {
            owner: self.address(),
            manifestHash: manifest_hash,
            codeHash: manifest.code_hash.get(),
            policyHash: manifest.policy_hash.get(),
            name: manifest.name.clone(),
        };
        let outcome = self.parts.chain.send(registry, call.abi_encode()).await?;
        Ok((app, Some(outcome)))
    }

    async fn post_app_order(
        &self,
        app: AppId,
        price: U96,
        volume: u32,
        expiry: u64,
    ) -> Result<TxOutcome, ClientError> {
        let order = AppOrder {
            app: app.get(),
            price,
            volume,
            tag: B256::ZERO,
            datasetRestrict: B256::ZERO,
            poolRestrict: B256::ZERO,
            requesterRestrict: B256::ZERO,
            expiry,
            nonce: self.order_nonce().await?,
            salt: random_salt()?,
        };
        let signature = self.key.sign(&self.network.anchors.domain, &order);
        let call = postAppOrderCall { order, signature };
        Ok(self.parts.chain.send(self.network.contracts.market, call.abi_encode()).await?)
    }

    /// The nonce epoch that the wallet's orders must carry.
    pub(crate) async fn order_nonce(&self) -> Result<u64, ClientError> {
        let call = nonceOfCall { signer: self.address() };
        let answer = self.parts.chain.call(self.network.contracts.market, call.abi_encode()).await?;
        nonceOfCall::abi_decode_returns(&answer)
            .map_err(|_| PortError::new(ErrorKind::Corrupt, "the market's answer does not decode").into())
    }
}

/// Stores bytes of any size.
pub(crate) async fn put_bytes(store: &Arc<dyn Store>, bytes: impl Into<Bytes>) -> Result<Cid, PortError> {
    let bytes: Bytes = bytes.into();
    store.put(stream::once(async move { Ok(bytes.0) }).boxed()).await
}

/// Stores a small document and returns its SHA-256, which is also where it lies.
pub(crate) async fn put_document(store: &Arc<dyn Store>, bytes: Vec<u8>) -> Result<B256, PortError> {
    let digest = Sha256Digest::of(&bytes);
    let cid = put_bytes(store, bytes).await?;
    if cid != document_cid(digest) {
        return Err(PortError::new(
            ErrorKind::Corrupt,
            format!("storage named a document {cid} instead of its hash"),
        ));
    }
    Ok(digest)
}

/// A fresh order salt.
pub(crate) fn random_salt() -> Result<B256, ClientError> {
    sealwork_seal::Secret::<[u8; 32]>::random()
        .map(|salt| salt.expose(|bytes| B256::from(*bytes)))
        .map_err(|error| PortError::because(ErrorKind::Local, "the system has no randomness", error).into())
}
