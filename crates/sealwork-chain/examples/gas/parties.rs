//! Who takes part, and what they sign.

use crate::Outcome;
use alloy_primitives::{aliases::U96, b256};
use alloy_signer::SignerSync as _;
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::SolStruct;
use sealwork_chain::Endpoint;
use sealwork_types::{Address, B256, Bytes, deal::compact_signature, order::SigningDomain};

/// Well-known development keys, which every development chain funds, and one of an enclave that nobody funds.
const KEYS: [B256; 4] = [
    b256!("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
    b256!("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
    b256!("0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"),
    b256!("0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"),
];
const ENCLAVE: B256 = B256::repeat_byte(0xe1);

/// One party.
pub(crate) struct Party {
    pub(crate) endpoint: Endpoint,
    signer: PrivateKeySigner,
}

impl Party {
    async fn new(rpc: &str, key: &B256) -> Outcome<Self> {
        let signer = PrivateKeySigner::from_bytes(key)?;
        Ok(Self { endpoint: Endpoint::connect(rpc, signer.clone()).await?, signer })
    }

    pub(crate) fn address(&self) -> Address {
        self.signer.address()
    }

    /// 65 bytes.
    pub(crate) fn sign<T: SolStruct>(&self, domain: &SigningDomain, message: &T) -> Outcome<Bytes> {
        sign(&self.signer, domain, message)
    }
}

/// All parties.
pub(crate) struct Parties {
    /// Deploys, governs, and is the only CAS member.
    pub(crate) governor: Party,
    pub(crate) pool: Party,
    /// Owns the app and the dataset.
    pub(crate) developer: Party,
    pub(crate) requester: Party,
    enclave: PrivateKeySigner,
}

impl Parties {
    pub(crate) async fn new(rpc: &str) -> Outcome<Self> {
        let [governor, pool, developer, requester] = &KEYS;
        Ok(Self {
            governor: Party::new(rpc, governor).await?,
            pool: Party::new(rpc, pool).await?,
            developer: Party::new(rpc, developer).await?,
            requester: Party::new(rpc, requester).await?,
            enclave: PrivateKeySigner::from_bytes(&ENCLAVE)?,
        })
    }

    pub(crate) const fn enclave(&self) -> Address {
        self.enclave.address()
    }

    /// EIP-2098, by the enclave.
    pub(crate) fn attest<T: SolStruct>(&self, domain: &SigningDomain, message: &T) -> Outcome<(B256, B256)> {
        let full = sign(&self.enclave, domain, message)?;
        Ok(compact_signature(&full).ok_or("a signature has 65 bytes")?)
    }
}

fn sign<T: SolStruct>(signer: &PrivateKeySigner, domain: &SigningDomain, message: &T) -> Outcome<Bytes> {
    Ok(signer.sign_hash_sync(&domain.signing_hash(message))?.as_bytes().to_vec().into())
}

/// Tenths of a thousandth of a token with 18 decimals, so that prices have as many digits as real ones.
pub(crate) fn price(units: u64) -> U96 {
    U96::from(units) * U96::from(100_000_000_000_123_u64)
}
