//! Enclave keys and app versions as they were registered.

use crate::{ChainError, EvmChain};
use alloy_primitives::Address;
use alloy_rpc_types_eth::Filter;
use alloy_sol_types::SolEvent;
use sealwork_types::{
    AppId, CodeHash, ManifestHash, PolicyHash,
    abi::{
        Grant,
        IAttestations::EnclaveRegistered,
        IRegistry::{AppRegistered, AppUpdateAnnounced},
    },
    enclave_wire::GrantFrame,
};

/// The newest registration of an enclave key.
pub(crate) async fn find(chain: &EvmChain, enclave: Address) -> Result<Option<GrantFrame>, ChainError> {
    let filter = Filter::new()
        .address(chain.contracts().attestations)
        .event_signature(EnclaveRegistered::SIGNATURE_HASH)
        .topic1(enclave.into_word())
        .from_block(chain.deployed_at());
    let logs = chain.endpoint().logs(&filter).await?;
    Ok(logs.iter().rev().find_map(|log| EnclaveRegistered::decode_log(&log.inner).ok()).map(|event| {
        let EnclaveRegistered { measurement, tee, hardwareId, expiry, signatures, .. } = event.data;
        GrantFrame { grant: Grant { enclave, measurement, tee, hardwareId, expiry }, signatures }
    }))
}

/// The newest manifest of an app with this code and policy.
pub(crate) async fn manifest(
    chain: &EvmChain,
    app: AppId,
    code: CodeHash,
    policy: PolicyHash,
) -> Result<Option<ManifestHash>, ChainError> {
    let filter = Filter::new()
        .address(chain.contracts().registry)
        .event_signature(vec![AppRegistered::SIGNATURE_HASH, AppUpdateAnnounced::SIGNATURE_HASH])
        .topic1(app.get())
        .from_block(chain.deployed_at());
    let logs = chain.endpoint().logs(&filter).await?;
    let versions = logs.iter().rev().filter_map(|log| {
        let registered =
            AppRegistered::decode_log(&log.inner).map(|e| (e.manifestHash, e.codeHash, e.policyHash));
        let updated =
            || AppUpdateAnnounced::decode_log(&log.inner).map(|e| (e.manifestHash, e.codeHash, e.policyHash));
        registered.or_else(|_| updated()).ok()
    });
    let mut wanted = versions.filter(|(_, c, p)| *c == code.get() && *p == policy.get());
    Ok(wanted.next().map(|(manifest, ..)| ManifestHash::new(manifest)))
}
