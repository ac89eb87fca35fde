//! `web3_`, `net_` and `rpc_`, and what a client asks first.

use super::{Context, Methods, Reply};
use alloy_primitives::{Address, B256, Bytes, U64, keccak256};
use jsonrpsee::{core::RegisterMethodError, types::params::ParamsSequence};
use std::collections::BTreeMap;

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.add_quick("web3_clientVersion", |_, _| {
        Ok(concat!("sealwork-devchain/", env!("CARGO_PKG_VERSION")))
    })?;
    methods.add_quick("web3_sha3", sha3)?;
    methods.add_quick("net_version", |context, _| Ok(context.node.chain_id.to_string()))?;
    methods.add_quick("net_listening", |_, _| Ok(true))?;
    methods.add_quick("net_peerCount", |_, _| Ok(U64::ZERO))?;
    methods.add_quick("eth_chainId", |context, _| Ok(U64::from(context.node.chain_id)))?;
    methods.alias("eth_networkId", "net_version")?;
    methods.add_quick("eth_protocolVersion", |_, _| Ok(1))?;
    methods.add_quick("eth_syncing", |_, _| Ok(false))?;
    methods.add_quick("eth_mining", |_, _| Ok(false))?;
    methods.add_quick("eth_hashrate", |_, _| Ok(U64::ZERO))?;
    methods.add_quick("eth_coinbase", |context, _| Ok(context.node.head().next.beneficiary))?;
    methods.add_quick("eth_accounts", |context, _| Ok::<Vec<Address>, _>(context.node.accounts.clone()))?;
    methods.alias("eth_requestAccounts", "eth_accounts")
}

/// `rpc_modules`: the name spaces that exist once everything else is registered.
pub(super) fn register_modules(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    let spaces = methods.module.method_names().filter_map(|name| name.split_once('_'));
    let mut modules: BTreeMap<_, _> = spaces.map(|(space, _)| (space, "1.0")).collect();
    modules.insert("rpc", "1.0");
    methods.module.register_method("rpc_modules", move |_, _, _| Reply::Ok(modules.clone()))?;
    Ok(())
}

fn sha3(_: &Context, params: &mut ParamsSequence<'_>) -> Reply<B256> {
    Ok(keccak256(params.next::<Bytes>()?))
}
