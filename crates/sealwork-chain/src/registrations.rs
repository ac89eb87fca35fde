//! Enclave keys as they were registered.

use crate::{ChainError, EvmChain};
use alloy_primitives::Address;
use alloy_rpc_types_eth::Filter;
use alloy_sol_types::SolEvent;
use sealwork_types::{
    abi::{Grant, IAttestations::EnclaveRegistered},
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
