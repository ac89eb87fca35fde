//! Enclave keys and app versions as they were registered.

use crate::{ChainError, EvmChain, pages::Kept};
use alloy_primitives::{Address, B256};
use alloy_rpc_types_eth::{Filter, Log};
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

/// Something that was registered.
#[derive(Debug)]
pub(crate) enum Registration {
    Enclave(Box<GrantFrame>),
    Version { app: B256, code: B256, policy: B256, manifest: B256 },
}

/// The newest registration of an enclave key.
pub(crate) async fn find(chain: &EvmChain, enclave: Address) -> Result<Option<GrantFrame>, ChainError> {
    let mut kept = chain.registrations().lock().await;
    read(&mut kept, chain).await?;
    Ok(kept.found().iter().rev().find_map(|(_, registration)| match registration {
        Registration::Enclave(frame) if frame.grant.enclave == enclave => Some((**frame).clone()),
        Registration::Enclave(_) | Registration::Version { .. } => None,
    }))
}

/// The newest manifest of an app with this code and policy.
pub(crate) async fn manifest(
    chain: &EvmChain,
    id: AppId,
    with_code: CodeHash,
    with_policy: PolicyHash,
) -> Result<Option<ManifestHash>, ChainError> {
    let mut kept = chain.registrations().lock().await;
    read(&mut kept, chain).await?;
    let wanted = (id.get(), with_code.get(), with_policy.get());
    Ok(kept.found().iter().rev().find_map(|(_, registration)| match registration {
        &Registration::Version { app, code, policy, manifest } if (app, code, policy) == wanted => {
            Some(ManifestHash::new(manifest))
        }
        Registration::Enclave(_) | Registration::Version { .. } => None,
    }))
}

async fn read(kept: &mut Kept<Registration>, chain: &EvmChain) -> Result<(), ChainError> {
    let filter = Filter::new()
        .address(vec![chain.contracts().attestations, chain.contracts().registry])
        .event_signature(vec![
            EnclaveRegistered::SIGNATURE_HASH,
            AppRegistered::SIGNATURE_HASH,
            AppUpdateAnnounced::SIGNATURE_HASH,
        ]);
    kept.read(chain, &filter, |log| decode(chain, log)).await
}

fn decode(chain: &EvmChain, log: &Log) -> Option<Registration> {
    if log.address() == chain.contracts().attestations {
        let event = EnclaveRegistered::decode_log(&log.inner).ok()?.data;
        let EnclaveRegistered { enclave, measurement, tee, hardwareId, expiry, signatures, .. } = event;
        let grant = Grant { enclave, measurement, tee, hardwareId, expiry };
        return Some(Registration::Enclave(Box::new(GrantFrame { grant, signatures })));
    }
    if log.address() != chain.contracts().registry {
        return None;
    }
    if let Ok(event) = AppRegistered::decode_log(&log.inner) {
        let AppRegistered { id, manifestHash, codeHash, policyHash, .. } = event.data;
        return Some(Registration::Version {
            app: id,
            code: codeHash,
            policy: policyHash,
            manifest: manifestHash,
        });
    }
    let AppUpdateAnnounced { id, manifestHash, codeHash, policyHash, .. } =
        AppUpdateAnnounced::decode_log(&log.inner).ok()?.data;
    Some(Registration::Version { app: id, code: codeHash, policy: policyHash, manifest: manifestHash })
}
