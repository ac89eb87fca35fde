//! Publishing an app: documents into storage, registry entry, app order in the Book.

use crate::{Client, ClientError, Plan};
use alloy_primitives::aliases::U96;
use futures::{StreamExt, stream};
use sealwork_ports::{ErrorKind, PortError, Store, TxOutcome};
use sealwork_types::{
    AppId, B256, Bytes, Cid, CodeHash, Sha256Digest,
    abi::{
        AppOrder,
        IRegistry::{predictIdCall, registerAppCall},
        kind,
    },
    manifest::{Abi, AppManifest, document_cid},
    policy::Policy,
    signed_order::Order,
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
    /// Tasks that the app order covers; [`UNLIMITED`](sealwork_types::signed_order::UNLIMITED) never runs out.
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

/// Documents of an app in storage, ready to be registered or announced.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The manifest.
    pub manifest: AppManifest,
    /// Its SHA-256.
    pub manifest_hash: B256,
}

impl Client {
    /// Publishes an app and offers it in the Book.
    ///
    /// Idempotent up to the order: the same name, code and policy by the same owner are one app.
    ///
    /// # Errors
    /// [`ClientError::Port`] when storage or chain fail; nothing is registered before its documents are stored.
    pub async fn publish(&self, request: PublishRequest) -> Result<Published, ClientError> {
        let (price, volume, expiry) = (request.price, request.volume, request.expiry);
        let prepared = self.prepare(request).await?;
        let app = self.predict_app(&prepared).await?;
        let registration = match self.registration_plan(app, &prepared).await? {
            Some(plan) => Some(self.carry_out_last(&plan).await?),
            None => None,
        };
        let plan = self.app_offer_plan(app, price, volume, expiry).await?;
        let order = self.carry_out_last(&plan).await?;
        Ok(Published { app, manifest: prepared.manifest, registration, order })
    }

    /// Stores an app's module, policy and manifest.
    ///
    /// # Errors
    /// [`ClientError::Port`] when storage fails.
    pub async fn prepare(&self, request: PublishRequest) -> Result<Prepared, ClientError> {
        let store = &self.parts.store;
        let (manifest, policy) = request.documents();
        let code = put_bytes(store, request.module).await?;
        put_document(store, policy).await?;
        let manifest = AppManifest { code, ..manifest };
        let manifest_hash = put_document(store, manifest.to_bytes()).await?;
        Ok(Prepared { manifest, manifest_hash })
    }

    /// The id that an app of this wallet has or will have.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn predict_app(&self, prepared: &Prepared) -> Result<AppId, ClientError> {
        let manifest = prepared.manifest_hash;
        let predict = predictIdCall { kind: kind::APP, owner: self.address(), manifestHash: manifest };
        Ok(AppId::new(self.view(self.network.contracts.registry, &predict).await?))
    }

    /// Registers an app; `None` when it is registered already.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn registration_plan(
        &self,
        app: AppId,
        prepared: &Prepared,
    ) -> Result<Option<Plan>, ClientError> {
        match self.parts.chain.app(app).await {
            Ok(_) => return Ok(None),
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let call = registerAppCall {
            owner: self.address(),
            manifestHash: prepared.manifest_hash,
            codeHash: prepared.manifest.code_hash.get(),
            policyHash: prepared.manifest.policy_hash.get(),
            name: prepared.manifest.name.clone(),
        };
        Ok(Some(Plan::of("register the app", self.network.contracts.registry, &call)))
    }

    /// Offers an app of this wallet in the Book.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn app_offer_plan(
        &self,
        app: AppId,
        price: U96,
        volume: u32,
        expiry: u64,
    ) -> Result<Plan, ClientError> {
        let order = AppOrder { volume, ..self.app_offer(app, price, expiry).await? };
        Ok(self.post_plan(&self.sign_order(Order::App(Box::new(order)))))
    }
}

impl PublishRequest {
    /// Manifest and policy as they will be stored; the manifest's `code` is a guess that storage replaces for a module
    /// of more than one block.
    pub fn documents(&self) -> (AppManifest, Vec<u8>) {
        let digest = Sha256Digest::of(&self.module);
        let code_hash = CodeHash::new(digest);
        let policy = Policy { code_hash, ..self.policy.clone() }.to_bytes();
        let manifest = AppManifest {
            version: 1,
            name: self.name.clone(),
            description: self.description.clone(),
            abi: Abi::Batch,
            code: document_cid(digest),
            code_hash,
            policy_hash: Policy::hash_of(&policy),
        };
        (manifest, policy)
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
