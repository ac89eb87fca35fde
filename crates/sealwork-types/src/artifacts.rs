//! The compiled contracts, and the plan by which a deployment creates them with plain transactions.
//!
//! Contracts name each other in their constructors, so their addresses are computed before the first is created: an
//! address follows from the deployer and its transaction count. The plan must be sent by one account, in order, with
//! nothing in between. `contracts/script/Deploy.s.sol` does the same; `cargo xtask contracts` writes the artifacts.

use crate::{Address, Bytes, U256, network::Contracts};
use alloy_primitives::hex;
use alloy_sol_types::SolValue;
use serde::Deserialize;

/// A contract with a committed artifact, in the order of deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contract {
    /// ERC-20 for development networks.
    DevToken,
    /// Apps, datasets, pools.
    Registry,
    /// Money.
    Escrow,
    /// Orders and deals.
    Market,
    /// Settlement.
    Tasks,
    /// Enclave keys.
    Attestations,
}

#[derive(Deserialize)]
struct Artifact {
    bytecode: String,
}

impl Contract {
    /// All contracts, in the order of deployment.
    pub const ALL: [Self; 6] =
        [Self::DevToken, Self::Registry, Self::Escrow, Self::Market, Self::Tasks, Self::Attestations];

    /// Name in Solidity.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DevToken => "DevToken",
            Self::Registry => "Registry",
            Self::Escrow => "Escrow",
            Self::Market => "Market",
            Self::Tasks => "Tasks",
            Self::Attestations => "Attestations",
        }
    }

    /// The committed artifact: a JSON object with `abi`, `bytecode` and `deployedBytecode`.
    pub const fn artifact(self) -> &'static str {
        match self {
            Self::DevToken => include_str!("../../../contracts/artifacts/DevToken.json"),
            Self::Registry => include_str!("../../../contracts/artifacts/Registry.json"),
            Self::Escrow => include_str!("../../../contracts/artifacts/Escrow.json"),
            Self::Market => include_str!("../../../contracts/artifacts/Market.json"),
            Self::Tasks => include_str!("../../../contracts/artifacts/Tasks.json"),
            Self::Attestations => include_str!("../../../contracts/artifacts/Attestations.json"),
        }
    }

    /// Code that creates the contract; constructor arguments follow it.
    ///
    /// # Panics
    /// Never: a test reads every committed artifact.
    pub fn bytecode(self) -> Bytes {
        let artifact: Artifact =
            serde_json::from_str(self.artifact()).expect("committed artifacts are valid JSON");
        hex::decode(artifact.bytecode).expect("committed artifacts hold hex").into()
    }
}

/// Who deploys what for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentRequest {
    /// Account that sends all transactions.
    pub deployer: Address,
    /// Its transaction count before the first one.
    pub first_nonce: u64,
    /// The ERC-20 that escrow holds; `None` creates a `DevToken`.
    pub token: Option<Address>,
    /// Sets the fee and the CAS members, and revokes.
    pub governor: Address,
    /// Gets the protocol fee.
    pub fee_recipient: Address,
    /// Protocol fee in hundredths of a percent, at most `PROTOCOL_FEE_CAP_BPS`.
    pub fee_bps: u16,
    /// CAS members, ascending without repeats.
    pub cas_members: Vec<Address>,
    /// Signatures that a grant needs; 1 to the number of members.
    pub cas_threshold: u8,
}

/// One transaction of a deployment: it has no receiver, and `init_code` as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// What is created.
    pub contract: Contract,
    /// The sender's nonce.
    pub nonce: u64,
    /// Where the contract will be.
    pub address: Address,
    /// Code and constructor arguments.
    pub init_code: Bytes,
}

/// All transactions of a deployment, and the addresses they lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentPlan {
    /// To be sent in this order.
    pub creations: Vec<Creation>,
    /// Where the contracts will be.
    pub contracts: Contracts,
}

impl DeploymentPlan {
    /// Plans a deployment.
    pub fn new(request: &DeploymentRequest) -> Self {
        let order: Vec<Contract> = Contract::ALL
            .into_iter()
            .filter(|contract| *contract != Contract::DevToken || request.token.is_none())
            .collect();
        let placed: Vec<(Contract, u64)> = order.into_iter().zip(request.first_nonce..).collect();
        let address_of = |wanted: Contract| {
            let nonce = placed.iter().find(|(contract, _)| *contract == wanted).map(|(_, nonce)| *nonce);
            nonce.map(|nonce| request.deployer.create(nonce)).unwrap_or_default()
        };
        let contracts = Contracts {
            escrow: address_of(Contract::Escrow),
            registry: address_of(Contract::Registry),
            market: address_of(Contract::Market),
            tasks: address_of(Contract::Tasks),
            attestations: address_of(Contract::Attestations),
            token: request.token.unwrap_or_else(|| address_of(Contract::DevToken)),
        };
        let creations = placed.iter().map(|&(contract, nonce)| Creation {
            contract,
            nonce,
            address: request.deployer.create(nonce),
            init_code: init_code(contract, request, &contracts),
        });
        Self { creations: creations.collect(), contracts }
    }
}

fn init_code(contract: Contract, request: &DeploymentRequest, at: &Contracts) -> Bytes {
    let arguments = match contract {
        Contract::DevToken | Contract::Registry => Vec::new(),
        Contract::Escrow => (at.token, at.market, at.tasks).abi_encode_params(),
        Contract::Market => {
            (at.registry, at.escrow, at.tasks, request.governor, request.fee_bps).abi_encode_params()
        }
        Contract::Tasks => {
            (at.market, at.escrow, at.attestations, at.registry, request.fee_recipient).abi_encode_params()
        }
        Contract::Attestations => {
            let threshold = U256::from(request.cas_threshold);
            (at.market, request.governor, request.cas_members.clone(), threshold).abi_encode_params()
        }
    };
    [contract.bytecode().as_ref(), &arguments].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> DeploymentRequest {
        DeploymentRequest {
            deployer: Address::repeat_byte(1),
            first_nonce: 7,
            token: None,
            governor: Address::repeat_byte(2),
            fee_recipient: Address::repeat_byte(3),
            fee_bps: 100,
            cas_members: vec![Address::repeat_byte(4)],
            cas_threshold: 1,
        }
    }

    #[test]
    fn every_artifact_holds_bytecode() {
        for contract in Contract::ALL {
            assert!(contract.bytecode().len() > 1_000, "{}", contract.name());
        }
    }

    #[test]
    fn addresses_follow_the_order_of_creation() {
        let plan = DeploymentPlan::new(&request());
        let nonces: Vec<u64> = plan.creations.iter().map(|creation| creation.nonce).collect();
        assert_eq!(nonces, [7, 8, 9, 10, 11, 12]);
        assert_eq!(plan.contracts.token, Address::repeat_byte(1).create(7));
        assert_eq!(plan.contracts.attestations, Address::repeat_byte(1).create(12));
    }

    #[test]
    fn a_given_token_is_not_created() {
        let token = Address::repeat_byte(9);
        let plan = DeploymentPlan::new(&DeploymentRequest { token: Some(token), ..request() });
        assert_eq!(plan.creations.len(), 5);
        assert_eq!(plan.contracts.token, token);
        assert_eq!(plan.contracts.registry, Address::repeat_byte(1).create(7));
    }
}
