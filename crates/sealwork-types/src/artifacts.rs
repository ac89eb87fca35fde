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
    /// Money, orders and deals.
    Market,
    /// Enclave keys.
    Attestations,
    /// Receipts by the thousand.
    Batches,
    /// Prepaid channels.
    Channels,
    /// Posted orders.
    Book,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    bytecode: String,
    deployed_bytecode: String,
    /// Start and length of what the constructor fills in.
    immutables: Vec<(usize, usize)>,
}

impl Contract {
    /// All contracts, in the order of deployment.
    pub const ALL: [Self; 7] = [
        Self::DevToken,
        Self::Registry,
        Self::Market,
        Self::Attestations,
        Self::Batches,
        Self::Channels,
        Self::Book,
    ];

    /// Name in Solidity.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DevToken => "DevToken",
            Self::Registry => "Registry",
            Self::Market => "Market",
            Self::Attestations => "Attestations",
            Self::Batches => "Batches",
            Self::Channels => "Channels",
            Self::Book => "Book",
        }
    }

    /// The committed artifact: a JSON object with `abi`, `bytecode`, `deployedBytecode` and `immutables`.
    pub const fn artifact(self) -> &'static str {
        match self {
            Self::DevToken => include_str!("../../../contracts/artifacts/DevToken.json"),
            Self::Registry => include_str!("../../../contracts/artifacts/Registry.json"),
            Self::Market => include_str!("../../../contracts/artifacts/Market.json"),
            Self::Attestations => include_str!("../../../contracts/artifacts/Attestations.json"),
            Self::Batches => include_str!("../../../contracts/artifacts/Batches.json"),
            Self::Channels => include_str!("../../../contracts/artifacts/Channels.json"),
            Self::Book => include_str!("../../../contracts/artifacts/Book.json"),
        }
    }

    /// Code that creates the contract; constructor arguments follow it.
    pub fn bytecode(self) -> Bytes {
        decoded(&self.read().bytecode)
    }

    /// Whether this is the published code of the contract. What its constructor fills in is not compared.
    pub fn is_code(self, code: &[u8]) -> bool {
        let artifact = self.read();
        let mut expected = decoded(&artifact.deployed_bytecode).to_vec();
        let mut found = code.to_vec();
        for (start, length) in artifact.immutables {
            for side in [&mut expected, &mut found] {
                if let Some(place) = side.get_mut(start..start.saturating_add(length)) {
                    place.fill(0);
                }
            }
        }
        expected == found
    }

    fn read(self) -> Artifact {
        serde_json::from_str(self.artifact()).expect("a test reads every committed artifact")
    }
}

fn decoded(digits: &str) -> Bytes {
    hex::decode(digits).expect("a test reads every committed artifact").into()
}

/// Who deploys what for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentRequest {
    /// Account that sends all transactions.
    pub deployer: Address,
    /// Its transaction count before the first one.
    pub first_nonce: u64,
    /// The ERC-20 that the Market holds; `None` creates a `DevToken`.
    pub token: Option<Address>,
    /// Sets the fee, the modules and the CAS members, and revokes.
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
            registry: address_of(Contract::Registry),
            market: address_of(Contract::Market),
            attestations: address_of(Contract::Attestations),
            batches: address_of(Contract::Batches),
            channels: address_of(Contract::Channels),
            book: address_of(Contract::Book),
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
        Contract::Market => {
            let (governor, fees) = (request.governor, request.fee_recipient);
            let parts = (at.token, at.registry, at.attestations, at.batches, at.channels, governor, fees);
            (parts.0, parts.1, parts.2, parts.3, parts.4, parts.5, parts.6, request.fee_bps)
                .abi_encode_params()
        }
        Contract::Batches => (at.market, at.attestations).abi_encode_params(),
        Contract::Channels => at.market.abi_encode(),
        Contract::Book => (at.market, at.registry).abi_encode_params(),
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
            let code = decoded(&contract.read().deployed_bytecode);
            assert!(contract.is_code(&code) && !contract.is_code(&code[1..]), "{}", contract.name());
        }
    }

    #[test]
    fn addresses_follow_the_order_of_creation() {
        let plan = DeploymentPlan::new(&request());
        let nonces: Vec<u64> = plan.creations.iter().map(|creation| creation.nonce).collect();
        assert_eq!(nonces, [7, 8, 9, 10, 11, 12, 13]);
        assert_eq!(plan.contracts.token, Address::repeat_byte(1).create(7));
        assert_eq!(plan.contracts.attestations, Address::repeat_byte(1).create(10));
        assert_eq!(plan.contracts.book, Address::repeat_byte(1).create(13));
    }

    #[test]
    fn a_given_token_is_not_created() {
        let token = Address::repeat_byte(9);
        let plan = DeploymentPlan::new(&DeploymentRequest { token: Some(token), ..request() });
        assert_eq!(plan.creations.len(), 6);
        assert_eq!(plan.contracts.token, token);
        assert_eq!(plan.contracts.registry, Address::repeat_byte(1).create(7));
    }
}
