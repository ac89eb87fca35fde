//! Whether the contracts of a deployment are the published ones, and each other's.

use crate::{ChainError, Endpoint};
use alloy_primitives::Address;
use alloy_sol_types::{SolCall, sol};
use sealwork_types::{abi::IMarket::moduleOfCall, artifacts::Contract, network::Contracts, order::TrustMode};

sol! {
    /// Getters of what constructors fill in.
    interface IParts {
        function market() external view returns (address);
        function registry() external view returns (address);
        function attestations() external view returns (address);
        function token() external view returns (address);
    }
}

/// Something about a deployment that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Which contract.
    pub contract: Contract,
    /// What is wrong with it.
    pub problem: String,
}

/// Compares the code of every contract with the published one, and the addresses that they were created with.
///
/// The token is not looked at: a deployment may use any. An empty list means that everything is as it must be.
///
/// # Errors
/// [`ChainError`] when the endpoint fails.
pub async fn verify_deployment(endpoint: &Endpoint, at: &Contracts) -> Result<Vec<Mismatch>, ChainError> {
    let mut found = Vec::new();
    for (contract, address) in [
        (Contract::Registry, at.registry),
        (Contract::Market, at.market),
        (Contract::Attestations, at.attestations),
        (Contract::Batches, at.batches),
        (Contract::Channels, at.channels),
        (Contract::Book, at.book),
    ] {
        let code = endpoint.code(address).await?;
        if !contract.is_code(&code) {
            let problem = match code.len() {
                0 => format!("has no code at {address}"),
                bytes => format!("has {bytes} bytes of other code at {address}"),
            };
            found.push(Mismatch { contract, problem });
        }
    }
    if found.is_empty() {
        links(endpoint, at, &mut found).await?;
    }
    Ok(found)
}

async fn links(endpoint: &Endpoint, at: &Contracts, found: &mut Vec<Mismatch>) -> Result<(), ChainError> {
    use Contract::{Attestations, Batches, Book, Channels, Market};
    let module = |mode: TrustMode| moduleOfCall { mode: mode.code() }.abi_encode();
    let (market, registry) = (IParts::marketCall {}.abi_encode(), IParts::registryCall {}.abi_encode());
    let attestations = IParts::attestationsCall {}.abi_encode();
    for (contract, address, call, what, expected) in [
        (Market, at.market, IParts::tokenCall {}.abi_encode(), "token", at.token),
        (Market, at.market, registry.clone(), "registry", at.registry),
        (Market, at.market, attestations.clone(), "attestations", at.attestations),
        (Market, at.market, module(TrustMode::Tee), "batches", at.batches),
        (Market, at.market, module(TrustMode::Channel), "channels", at.channels),
        (Attestations, at.attestations, market.clone(), "market", at.market),
        (Batches, at.batches, market.clone(), "market", at.market),
        (Batches, at.batches, attestations, "attestations", at.attestations),
        (Channels, at.channels, market.clone(), "market", at.market),
        (Book, at.book, market, "market", at.market),
        (Book, at.book, registry, "registry", at.registry),
    ] {
        let answer = endpoint.call(address, call).await?;
        let given = answer.get(12..32).map(Address::from_slice).unwrap_or_default();
        if given != expected {
            let problem = format!("was created for {what} {given}, the deployment has {expected}");
            found.push(Mismatch { contract, problem });
        }
    }
    Ok(())
}
