//! The network document: everything a part must know to join one deployment.

use crate::{
    Address, B256, Bytes, Sha256Digest,
    bounded::{DocumentError, parse_json},
    domains,
    generated::params::{DEVELOPMENT_CHAIN_IDS, MAX_MANIFEST_BYTES},
    order::SigningDomain,
    policy::AcceptedEnclave,
};
use serde::{Deserialize, Serialize};

/// Addresses of a deployment's contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contracts {
    /// Apps, datasets, pools.
    pub registry: Address,
    /// Money, orders and deals; also names the deployment in every signature.
    pub market: Address,
    /// Enclave keys.
    pub attestations: Address,
    /// Receipts by the thousand.
    pub batches: Address,
    /// Prepaid channels.
    pub channels: Address,
    /// Posted orders.
    pub book: Address,
    /// The ERC-20 that the Market holds.
    pub token: Address,
}

/// One CAS member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CasMember {
    /// Key that signs grants, recipient certificates and log heads.
    pub address: Address,
    /// HTTP endpoint for clients, such as `http://127.0.0.1:8900`.
    pub url: String,
    /// Host and port of the attested TLS endpoint for enclaves.
    pub tls: String,
}

/// The part of a network document that is measured into evidence: whom an enclave trusts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustAnchors {
    /// Chain and contract of every signature.
    pub domain: SigningDomain,
    /// Addresses of the CAS members, ascending.
    pub cas_members: Vec<Address>,
    /// Members whose word is needed.
    pub cas_threshold: u8,
    /// What a CAS member must run.
    pub cas_enclaves: Vec<AcceptedEnclave>,
    /// Root keys (uncompressed P-256 points) of the simulated vendor. Empty outside development networks.
    pub sim_roots: Vec<Bytes>,
}

impl TrustAnchors {
    /// Digest that enclaves put into their evidence.
    ///
    /// # Panics
    /// Never: the structure always serializes.
    pub fn digest(&self) -> B256 {
        let bytes = serde_json::to_vec(self).expect("strings, numbers and hashes always serialize");
        Sha256Digest::labelled(domains::NETWORK_CONFIG, &[&bytes])
    }

    /// Whether simulated evidence may be accepted at all.
    pub fn is_development(&self) -> bool {
        DEVELOPMENT_CHAIN_IDS.contains(&self.domain.chain_id)
    }
}

/// Everything a part must know to join one deployment. A JSON file that `sealwork up` writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkDocument {
    /// Format version, 1.
    pub version: u16,
    /// A name for people.
    pub name: String,
    /// Whom everybody trusts.
    pub anchors: TrustAnchors,
    /// Contract addresses.
    pub contracts: Contracts,
    /// Block in which the first contract was created; event scans start here.
    pub deployed_at: u64,
    /// JSON-RPC endpoint of the chain: a URL, or several separated by commas, the most trusted first.
    pub rpc: String,
    /// Storage endpoint (Kubo RPC).
    pub store: String,
    /// CAS members, ascending by address.
    pub cas: Vec<CasMember>,
}

impl NetworkDocument {
    const KIND: &'static str = "network document";

    /// Reads and checks a network document.
    ///
    /// # Errors
    /// [`DocumentError`] for size, syntax, unknown fields or values that contradict each other.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        let network: Self = parse_json(Self::KIND, bytes, MAX_MANIFEST_BYTES)?;
        let wrong = |field, problem: &str| {
            Err(DocumentError::Value { kind: Self::KIND, field, problem: problem.into() })
        };
        if network.version != 1 {
            return wrong("version", "is unknown, this version reads 1");
        }
        if network.anchors.domain.market != network.contracts.market {
            return wrong("anchors.domain.market", "differs from contracts.market");
        }
        if !network.anchors.cas_members.is_sorted_by(|first, second| first < second) {
            return wrong("anchors.cas_members", "must ascend without repeats");
        }
        if network.cas.iter().map(|member| &member.address).ne(&network.anchors.cas_members) {
            return wrong("cas", "must list the members of anchors.cas_members in the same order");
        }
        let threshold = usize::from(network.anchors.cas_threshold);
        if threshold == 0 || threshold > network.cas.len() {
            return wrong("anchors.cas_threshold", "must be between 1 and the number of members");
        }
        if !network.anchors.sim_roots.is_empty() && !network.anchors.is_development() {
            return wrong("anchors.sim_roots", "is only allowed on a development chain (id 1337 or 31337)");
        }
        Ok(network)
    }

    /// The bytes that `sealwork up` writes.
    ///
    /// # Panics
    /// Never: the structure always serializes.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("strings, numbers and hashes always serialize")
    }
}
