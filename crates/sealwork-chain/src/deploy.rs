//! Creates a deployment with plain transactions.

use crate::{ChainError, Endpoint};
use alloy_primitives::Address;
use sealwork_types::{
    artifacts::{DeploymentPlan, DeploymentRequest},
    network::Contracts,
};
use tracing::info;

/// What a new deployment is created with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployOptions {
    /// The ERC-20 that the Market holds; `None` creates a development token.
    pub token: Option<Address>,
    /// Gets the protocol fee.
    pub fee_recipient: Address,
    /// Protocol fee in hundredths of a percent.
    pub fee_bps: u16,
    /// CAS members, ascending without repeats.
    pub cas_members: Vec<Address>,
    /// Signatures that a grant needs.
    pub cas_threshold: u8,
}

/// Creates every contract from the endpoint's account, which becomes the governor.
///
/// Returns the addresses and the block of the first creation. A failure in the middle leaves contracts without
/// partners; deploying again makes a complete new set.
///
/// # Errors
/// [`ChainError`] of the first creation that fails.
pub async fn deploy(endpoint: &Endpoint, options: &DeployOptions) -> Result<(Contracts, u64), ChainError> {
    let first_nonce = endpoint.nonce().await?;
    let plan = DeploymentPlan::new(&DeploymentRequest {
        deployer: endpoint.sender(),
        first_nonce,
        token: options.token,
        governor: endpoint.sender(),
        fee_recipient: options.fee_recipient,
        fee_bps: options.fee_bps,
        cas_members: options.cas_members.clone(),
        cas_threshold: options.cas_threshold,
    });
    let mut first_block = None;
    for creation in &plan.creations {
        let outcome = endpoint.send(None, creation.init_code.to_vec()).await?;
        first_block.get_or_insert(outcome.block);
        info!(contract = creation.contract.name(), address = %creation.address, gas = outcome.gas_used, "deployed");
    }
    Ok((plan.contracts, first_block.unwrap_or_default()))
}
