//! Contracts of a local network: deployed once, found again at the next start.

use super::keys;
use crate::{
    failure::{self, Failure},
    home::write_atomically,
};
use alloy_sol_types::SolCall;
use anyhow::{Context, Result};
use sealwork_chain::{DeployOptions, Endpoint, deploy};
use sealwork_ports::TxOutcome;
use sealwork_simtee::measure_file;
use sealwork_types::{
    Address, Bytes, U256,
    abi::IToken,
    evidence::TeeKind,
    network::{CasMember, Contracts, NetworkDocument, TrustAnchors},
    order::SigningDomain,
    params::DEVELOPMENT_CHAIN_IDS,
    policy::AcceptedEnclave,
};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};

/// Index of the deployer and faucet among the development accounts.
const DEPLOYER_ACCOUNT: usize = 0;
/// Native coins that an account is topped up with when it has less than a tenth of it, wei.
const GAS_MONEY_WEI: u64 = 1_000_000_000_000_000_000;

/// A deployment as it is remembered between starts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Deployed {
    pub(crate) chain_id: u64,
    pub(crate) contracts: Contracts,
    pub(crate) deployed_at: u64,
}

#[derive(Serialize, Deserialize)]
struct Remembered {
    deployed: Deployed,
    cas_member: Address,
}

/// Finds the deployment of an earlier start on this chain, or makes one.
pub(crate) async fn ensure(rpc: &str, data: &Path, cas_member: Address) -> Result<Deployed> {
    let endpoint = faucet(rpc).await?;
    let chain_id = endpoint.chain_id();
    if !DEVELOPMENT_CHAIN_IDS.contains(&chain_id) {
        return Err(Failure::new(
            failure::FAILED,
            format!("chain {chain_id} at {rpc} is not a development chain"),
        )
        .hint(format!(
            "`sealwork up` deploys with simulated TEEs; it runs on chains {DEVELOPMENT_CHAIN_IDS:?} only"
        ))
        .into());
    }
    let path = data.join("deployment.json");
    let remembered: Option<Remembered> =
        fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    if let Some(Remembered { deployed, cas_member: member }) = remembered
        && member == cas_member
        && deployed.chain_id == chain_id
        && !endpoint.code(deployed.contracts.market).await?.is_empty()
    {
        return Ok(deployed);
    }
    let options = DeployOptions {
        token: None,
        fee_recipient: endpoint.sender(),
        fee_bps: 0,
        cas_members: vec![cas_member],
        cas_threshold: 1,
    };
    let (contracts, deployed_at) = deploy(&endpoint, &options).await.context("deploy the contracts")?;
    let deployed = Deployed { chain_id, contracts, deployed_at };
    write_atomically(&path, &serde_json::to_vec_pretty(&Remembered { deployed, cas_member })?)?;
    Ok(deployed)
}

/// What a network document is made of.
pub(crate) struct DocumentParts {
    pub(crate) chain_id: u64,
    pub(crate) contracts: Contracts,
    pub(crate) deployed_at: u64,
    pub(crate) rpc: String,
    pub(crate) store: String,
    pub(crate) cas: CasMember,
    pub(crate) sim_root: Bytes,
}

/// The document of a local network: one CAS member, which runs this very binary.
pub(crate) fn document(parts: DocumentParts) -> Result<NetworkDocument> {
    let binary = std::env::current_exe().context("find this program's own path")?;
    let measurement = measure_file(&binary).with_context(|| format!("measure {}", binary.display()))?;
    let anchors = TrustAnchors {
        domain: SigningDomain { chain_id: parts.chain_id, market: parts.contracts.market },
        cas_members: vec![parts.cas.address],
        cas_threshold: 1,
        cas_enclaves: vec![AcceptedEnclave { tee: TeeKind::Sim, measurement, min_platform_svn: 0 }],
        sim_roots: vec![parts.sim_root],
    };
    Ok(NetworkDocument {
        version: 1,
        name: "local".into(),
        anchors,
        contracts: parts.contracts,
        deployed_at: parts.deployed_at,
        rpc: parts.rpc,
        store: parts.store,
        cas: vec![parts.cas],
    })
}

/// Tokens and gas money for an account of a development network.
pub(crate) async fn fund(network: &NetworkDocument, account: Address, amount: U256) -> Result<TxOutcome> {
    let endpoint = faucet(&network.rpc).await?;
    let gas_money = U256::from(GAS_MONEY_WEI);
    if endpoint.balance(account).await? < gas_money / U256::from(10) {
        endpoint.transfer(account, gas_money).await?;
    }
    let mint = IToken::mintCall { to: account, amount };
    Ok(endpoint.send(Some(network.contracts.token), mint.abi_encode()).await?)
}

/// Brings an account's tokens up to `amount`, once: nothing happens when it holds any.
pub(crate) async fn top_up(network: &NetworkDocument, account: Address, amount: U256) -> Result<()> {
    let endpoint = faucet(&network.rpc).await?;
    let call = IToken::balanceOfCall { owner: account };
    let answer = endpoint.call(network.contracts.token, call.abi_encode()).await?;
    if IToken::balanceOfCall::abi_decode_returns(&answer)?.is_zero() {
        fund(network, account, amount).await?;
    }
    Ok(())
}

async fn faucet(rpc: &str) -> Result<Endpoint> {
    Ok(Endpoint::connect(rpc, keys::dev_wallet(DEPLOYER_ACCOUNT).signer).await?)
}
