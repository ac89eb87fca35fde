//! `web3_` and `net_`, and what a client asks first.

use super::{Context, Methods, Reply};
use alloy_primitives::{B256, Bytes, U64, keccak256};
use jsonrpsee::{core::RegisterMethodError, types::params::ParamsSequence};

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add_quick("web3_clientVersion", |_, _| {
        Ok(concat!("sealwork-devchain/", env!("CARGO_PKG_VERSION")))
    })?;
    methods.add_quick("web3_sha3", sha3)?;
    methods.add_quick("net_version", |context, _| Ok(context.node.chain_id.to_string()))?;
    methods.add_quick("net_listening", |_, _| Ok(true))?;
    methods.add_quick("eth_chainId", |context, _| Ok(U64::from(context.node.chain_id)))?;
    methods.add_quick("eth_syncing", |_, _| Ok(false))?;
    methods
        .add_quick("eth_accounts", |context, _| Ok(context.node.signers.keys().copied().collect::<Vec<_>>()))
}

fn sha3(_: &Context, params: &mut ParamsSequence<'_>) -> Reply<B256> {
    Ok(keccak256(params.next::<Bytes>()?))
}
