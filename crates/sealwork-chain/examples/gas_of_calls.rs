//! Reads the gas of every call to the contracts of a network: `gas_of_calls RPC NETWORK.json`.
//!
//! It walks all blocks, so it is meant for young local networks; `cargo xtask bench gas` runs it. The command line never
//! registers datasets; two are registered here.
#![expect(clippy::print_stdout, reason = "a tool for developers")]

use alloy_consensus::Transaction;
use alloy_eips::BlockNumberOrTag;
use alloy_network::TransactionResponse;
use alloy_primitives::b256;
use alloy_provider::{DynProvider, Provider, ProviderBuilder};
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::SolCall;
use sealwork_chain::Endpoint;
use sealwork_types::{
    Address, B256,
    abi::{
        IAttestations, IEscrow, IMarket,
        IRegistry::{self, registerDatasetCall},
        ITasks, IToken,
    },
    network::{Contracts, NetworkDocument},
};
use std::{collections::BTreeMap, error::Error};

/// The fourth well-known development account, which a local network does not use.
const DEVELOPER: B256 = b256!("0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: gas_of_calls RPC NETWORK.json";
    let (rpc, document) = (arguments.next().ok_or(usage)?, arguments.next().ok_or(usage)?);
    let contracts = NetworkDocument::parse(&std::fs::read(document)?)?.contracts;
    register_datasets(&rpc, &contracts).await?;
    let mut gas = of_all_blocks(&rpc, &contracts).await?;
    let settled = gas.get("settle").cloned().unwrap_or_default();
    let matched = gas.get("matchOrders").cloned().unwrap_or_default();
    let whole = matched.iter().zip(&settled).map(|(matched, settled)| matched + settled).collect();
    gas.insert("match and settle", whole);
    for (name, samples) in gas {
        println!(r#"{{"name":"{name}","unit":"gas","samples":{samples:?}}}"#);
    }
    Ok(())
}

async fn register_datasets(rpc: &str, contracts: &Contracts) -> Result<(), Box<dyn Error>> {
    let endpoint = Endpoint::connect(rpc, PrivateKeySigner::from_bytes(&DEVELOPER)?).await?;
    for seed in [0x11, 0x22] {
        let call = registerDatasetCall {
            owner: endpoint.sender(),
            manifestHash: B256::repeat_byte(seed),
            contentDigest: B256::repeat_byte(seed ^ 0xff),
        };
        endpoint.send(Some(contracts.registry), call.abi_encode()).await?;
    }
    Ok(())
}

async fn of_all_blocks(
    rpc: &str,
    contracts: &Contracts,
) -> Result<BTreeMap<&'static str, Vec<u64>>, Box<dyn Error>> {
    let provider: DynProvider = ProviderBuilder::default().connect_http(rpc.parse()?).erased();
    let calls = calls(contracts);
    let mut gas = BTreeMap::<_, Vec<u64>>::new();
    for number in 0..=provider.get_block_number().await? {
        let block = provider.get_block_by_number(BlockNumberOrTag::Number(number)).full().await?;
        let block = block.ok_or("a block is missing")?;
        for transaction in block.transactions.txns() {
            let selector = transaction.input().first_chunk::<4>().copied();
            let Some(name) = transaction.to().zip(selector).and_then(|call| calls.get(&call).copied()) else {
                continue;
            };
            let receipt = provider.get_transaction_receipt(transaction.tx_hash()).await?;
            let receipt = receipt.filter(|receipt| receipt.status()).ok_or("a transaction failed")?;
            gas.entry(name).or_default().push(receipt.gas_used);
        }
    }
    Ok(gas)
}

fn calls(contracts: &Contracts) -> BTreeMap<(Address, [u8; 4]), &'static str> {
    BTreeMap::from([
        ((contracts.registry, IRegistry::registerAppCall::SELECTOR), "registerApp"),
        ((contracts.registry, registerDatasetCall::SELECTOR), "registerDataset"),
        ((contracts.registry, IRegistry::registerPoolCall::SELECTOR), "registerPool"),
        ((contracts.token, IToken::approveCall::SELECTOR), "approve"),
        ((contracts.escrow, IEscrow::depositCall::SELECTOR), "deposit"),
        ((contracts.market, IMarket::postAppOrderCall::SELECTOR), "postAppOrder"),
        ((contracts.market, IMarket::postPoolOrderCall::SELECTOR), "postPoolOrder"),
        ((contracts.market, IMarket::matchOrdersCall::SELECTOR), "matchOrders"),
        ((contracts.tasks, ITasks::settleCall::SELECTOR), "settle"),
        ((contracts.attestations, IAttestations::registerCall::SELECTOR), "register enclave"),
    ])
}
