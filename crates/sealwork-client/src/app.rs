//! An app as the registry and storage show it, every document checked against its hash.

use crate::{Client, ClientError};
use sealwork_types::{
    AppId, ManifestHash, PolicyHash,
    abi::App,
    manifest::{AppManifest, document_cid},
    params::MAX_MANIFEST_BYTES,
    policy::Policy,
};

/// A registered app with its documents.
#[derive(Clone, Debug)]
pub struct AppView {
    /// App.
    pub id: AppId,
    /// Registry entry.
    pub registered: App,
    /// Its manifest.
    pub manifest: AppManifest,
    /// Its policy.
    pub policy: Policy,
}

impl AppView {
    /// Name of the policy in force.
    pub const fn policy_hash(&self) -> PolicyHash {
        PolicyHash::new(self.registered.policyHash)
    }

    /// Name of the manifest in force.
    pub const fn manifest_hash(&self) -> ManifestHash {
        ManifestHash::new(self.registered.manifestHash)
    }
}

impl Client {
    /// Looks an app up and checks that manifest, policy and registry agree.
    ///
    /// # Errors
    /// [`ClientError::Port`] when it is not registered or a document is not in storage; [`ClientError::Document`] when
    /// one contradicts another.
    pub async fn app(&self, id: AppId) -> Result<AppView, ClientError> {
        let registered = self.parts.chain.app(id).await?;
        let store = &self.parts.store;
        let manifest = store.get_small(&document_cid(registered.manifestHash), MAX_MANIFEST_BYTES).await?;
        let policy = store.get_small(&document_cid(registered.policyHash), MAX_MANIFEST_BYTES).await?;
        let unusable = |source| ClientError::Document { app: id, source };
        let manifest = AppManifest::parse(&manifest).map_err(unusable)?;
        let policy = Policy::parse(&policy).map_err(unusable)?;
        let agree = manifest.code_hash.get() == registered.codeHash
            && policy.code_hash == manifest.code_hash
            && manifest.policy_hash.get() == registered.policyHash;
        if !agree {
            return Err(unusable(sealwork_types::bounded::DocumentError::Value {
                kind: "app manifest",
                field: "code_hash or policy_hash",
                problem: "differs from the registry or from the policy".into(),
            }));
        }
        Ok(AppView { id, registered, manifest, policy })
    }
}
