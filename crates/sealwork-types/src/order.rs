//! Orders: hashing, task parameters, deal and task ids.

use crate::{Address, AppId, B256, Cid, DealId, OrderHash, TaskId, U256, abi::RequestOrder, domains};
use alloy_primitives::keccak256;
use alloy_sol_types::{Eip712Domain, SolStruct, SolValue, eip712_domain};
use serde::{Deserialize, Serialize};

/// How a result is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrustMode {
    /// One attested enclave signs.
    Tee,
    /// Replicas vote.
    Quorum,
    /// Bond and dispute.
    Optimistic,
    /// A proof is checked on chain.
    Zk,
    /// Several workers compute jointly.
    Mpc,
    /// A prepaid channel: the requester's vouchers pay, receipts stay off chain.
    Channel,
}

impl TrustMode {
    /// Number in a request order; bit number in a pool order's `modes`.
    pub const fn code(self) -> u8 {
        match self {
            Self::Tee => 0,
            Self::Quorum => 1,
            Self::Optimistic => 2,
            Self::Zk => 3,
            Self::Mpc => 4,
            Self::Channel => 5,
        }
    }

    /// Every mode, in the order of the numbers.
    pub const ALL: [Self; 6] =
        [Self::Tee, Self::Quorum, Self::Optimistic, Self::Zk, Self::Mpc, Self::Channel];

    /// Name in documents and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tee => "tee",
            Self::Quorum => "quorum",
            Self::Optimistic => "optimistic",
            Self::Zk => "zk",
            Self::Mpc => "mpc",
            Self::Channel => "channel",
        }
    }

    /// Bit in a pool order's `modes`.
    pub const fn bit(self) -> u8 {
        1 << self.code()
    }
}

/// The chain and contract that every signature of a deployment names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningDomain {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Address of the deployment's `Market`.
    pub market: Address,
}

impl SigningDomain {
    /// The EIP-712 domain.
    pub fn eip712(&self) -> Eip712Domain {
        eip712_domain! {
            name: domains::EIP712_NAME,
            version: domains::EIP712_VERSION,
            chain_id: self.chain_id,
            verifying_contract: self.market,
        }
    }

    /// The 32 bytes that a signer of `message` signs.
    pub fn signing_hash<T: SolStruct>(&self, message: &T) -> B256 {
        message.eip712_signing_hash(&self.eip712())
    }

    /// Signing hash of an order, as its name.
    pub fn order_hash<T: SolStruct>(&self, order: &T) -> OrderHash {
        OrderHash::new(self.signing_hash(order))
    }
}

/// keccak256(request order hash, volume consumed before the match).
pub fn deal_id(request: OrderHash, consumed_before: u32) -> DealId {
    DealId::new(keccak256((request.get(), U256::from(consumed_before)).abi_encode()))
}

/// Volumes above this are not searched for a deal's starting point.
const MAX_SEARCHED_VOLUME: u32 = 1 << 20;

/// Where in a request order's volume a deal starts; `None` when the deal is no match of this order.
///
/// `volume` is the order's; at most 2^20 starting points are tried.
pub fn deal_start(deal: DealId, request: OrderHash, volume: u32) -> Option<u32> {
    (0..volume.min(MAX_SEARCHED_VOLUME)).find(|consumed| deal_id(request, *consumed) == deal)
}

/// keccak256(deal id, index).
pub fn task_id(deal: DealId, index: u32) -> TaskId {
    TaskId::new(keccak256((deal.get(), U256::from(index)).abi_encode()))
}

/// The `params` field of a request order: where the sealed input lies and what its bytes hash to.
///
/// Layout, 69 bytes: version 1, binary CID (36), SHA-256 of the sealed file (32).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskParams {
    /// Where the sealed input lies.
    pub input_cid: Cid,
    /// SHA-256 of the sealed file, which the enclave recomputes and the receipt repeats.
    pub input_digest: B256,
}

/// Why a `params` field was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// Wrong length.
    #[error("order params have {found} bytes, expected {expected}")]
    Length {
        /// Bytes given.
        found: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// Unknown version.
    #[error("order params have version {found}, expected 1")]
    Version {
        /// First byte given.
        found: u8,
    },
    /// The CID inside is not usable.
    #[error("order params name an unusable input")]
    Cid(#[from] crate::CidError),
}

impl TaskParams {
    /// Length of the encoding.
    pub const LEN: usize = 1 + Cid::LEN + 32;
    const VERSION: u8 = 1;

    /// Encodes for a request order.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&[Self::VERSION][..], &self.input_cid.to_bytes(), self.input_digest.as_slice()].concat()
    }

    /// Reads a request order's params.
    ///
    /// # Errors
    /// [`ParamsError`] unless the bytes are exactly one encoding of version 1.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ParamsError> {
        let Ok(fixed) = <&[u8; Self::LEN]>::try_from(bytes) else {
            return Err(ParamsError::Length { found: bytes.len(), expected: Self::LEN });
        };
        let [version, rest @ ..] = fixed;
        if *version != Self::VERSION {
            return Err(ParamsError::Version { found: *version });
        }
        let (cid, digest) = rest.split_at(Cid::LEN);
        Ok(Self { input_cid: Cid::from_bytes(cid)?, input_digest: B256::from_slice(digest) })
    }
}

/// A signed request order: all that an enclave needs to know about a task's requester.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedRequest {
    /// The order.
    pub order: RequestOrder,
    /// 65-byte signature by `order.requester`.
    pub signature: crate::Bytes,
}

impl SignedRequest {
    /// The app asked for.
    pub fn app(&self) -> AppId {
        AppId::new(self.order.app)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Codec;

    #[test]
    fn params_round_trip_and_reject_other_lengths_and_versions() {
        let params = TaskParams {
            input_cid: Cid::new(Codec::Raw, B256::repeat_byte(1)),
            input_digest: B256::repeat_byte(2),
        };
        let mut bytes = params.to_bytes();
        assert_eq!(TaskParams::from_bytes(&bytes), Ok(params));
        bytes[0] = 2;
        assert_eq!(TaskParams::from_bytes(&bytes), Err(ParamsError::Version { found: 2 }));
        bytes.push(0);
        assert_eq!(TaskParams::from_bytes(&bytes), Err(ParamsError::Length { found: 70, expected: 69 }));
    }
}
