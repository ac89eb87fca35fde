//! A mined block: header, transactions with their receipts, and the stored form.

use crate::{error::StorageError, evm::Rules};
use alloy_consensus::{
    Header, ReceiptEnvelope, TxEnvelope, TxReceipt as _,
    constants::EMPTY_WITHDRAWALS,
    proofs::{calculate_receipt_root, calculate_transaction_root},
};
use alloy_eips::{
    eip2718::{Decodable2718, Encodable2718},
    eip7685::EMPTY_REQUESTS_HASH,
};
use alloy_primitives::{Address, B256, Bloom, Signature, U256};
use alloy_rlp::Decodable;
use serde::{Deserialize, Serialize};

/// A mined block.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) hash: B256,
    pub(crate) header: Header,
    pub(crate) transactions: Vec<MinedTransaction>,
}

/// A transaction and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct MinedTransaction {
    pub(crate) envelope: TxEnvelope,
    pub(crate) sender: Address,
    pub(crate) receipt: ReceiptEnvelope,
    pub(crate) gas_used: u64,
    pub(crate) effective_gas_price: u128,
    /// Address of the contract that a creation made, also when it failed.
    pub(crate) contract: Option<Address>,
}

/// What stands for the signature of an impersonated account; it names the account, so that the hash is as unique as
/// a real one. Nobody can sign so: the key to a chosen signature is unknown.
pub(crate) fn nobodys_signature(sender: Address) -> Signature {
    Signature::new(U256::from_be_slice(sender.as_slice()), U256::from(1), false)
}

#[derive(Serialize, Deserialize)]
struct StoredTransaction {
    envelope: Vec<u8>,
    sender: [u8; 20],
    receipt: Vec<u8>,
    gas_used: u64,
    effective_gas_price: u128,
    contract: Option<[u8; 20]>,
}

impl Block {
    pub(crate) fn number(&self) -> u64 {
        self.header.number
    }

    /// Header and body as they are stored.
    pub(crate) fn encode(&self) -> Result<(Vec<u8>, Vec<u8>), StorageError> {
        let body: Vec<_> = self.transactions.iter().map(StoredTransaction::from).collect();
        let body = postcard::to_stdvec(&body).map_err(|_| StorageError::Record { record: "block body" })?;
        Ok((alloy_rlp::encode(&self.header), body))
    }

    /// Reads what [`Self::encode`] wrote.
    pub(crate) fn decode(header: &[u8], body: &[u8]) -> Result<Self, StorageError> {
        let header = decode_header(header)?;
        let body: Vec<StoredTransaction> =
            postcard::from_bytes(body).map_err(|_| StorageError::Record { record: "block body" })?;
        let transactions = body.into_iter().map(MinedTransaction::try_from).collect::<Result<_, _>>()?;
        Ok(Self { hash: header.hash_slow(), header, transactions })
    }
}

/// Makes a block of a header without roots and bloom.
pub(crate) fn seal_header(
    mut header: Header,
    transactions: Vec<MinedTransaction>,
    state_root: B256,
) -> Block {
    let envelopes: Vec<_> = transactions.iter().map(|transaction| &transaction.envelope).collect();
    let receipts: Vec<_> = transactions.iter().map(|transaction| &transaction.receipt).collect();
    header.transactions_root = calculate_transaction_root(&envelopes);
    header.receipts_root = calculate_receipt_root(&receipts);
    header.logs_bloom = receipts.iter().fold(Bloom::ZERO, |bloom, receipt| bloom | receipt.bloom());
    header.state_root = state_root;
    header.withdrawals_root = Some(EMPTY_WITHDRAWALS);
    header.requests_hash = Some(EMPTY_REQUESTS_HASH);
    header.parent_beacon_block_root = Some(B256::ZERO);
    header.blob_gas_used = Some(0);
    header.excess_blob_gas = Some(0);
    Block { hash: header.hash_slow(), header, transactions }
}

pub(crate) fn decode_header(mut header: &[u8]) -> Result<Header, StorageError> {
    Header::decode(&mut header).map_err(|_| StorageError::Record { record: "header" })
}

impl MinedTransaction {
    pub(crate) fn hash(&self) -> B256 {
        *self.envelope.tx_hash()
    }

    /// The rules under which it was mined.
    pub(crate) fn rules(&self) -> Rules {
        let impersonated = *self.envelope.signature() == nobodys_signature(self.sender);
        if impersonated { Rules::Impersonated } else { Rules::Transaction }
    }
}

impl From<&MinedTransaction> for StoredTransaction {
    fn from(transaction: &MinedTransaction) -> Self {
        Self {
            envelope: transaction.envelope.encoded_2718(),
            sender: transaction.sender.into_array(),
            receipt: transaction.receipt.encoded_2718(),
            gas_used: transaction.gas_used,
            effective_gas_price: transaction.effective_gas_price,
            contract: transaction.contract.map(Address::into_array),
        }
    }
}

impl TryFrom<StoredTransaction> for MinedTransaction {
    type Error = StorageError;

    fn try_from(stored: StoredTransaction) -> Result<Self, StorageError> {
        let envelope = TxEnvelope::decode_2718(&mut stored.envelope.as_slice())
            .map_err(|_| StorageError::Record { record: "transaction" })?;
        let receipt = ReceiptEnvelope::decode_2718(&mut stored.receipt.as_slice())
            .map_err(|_| StorageError::Record { record: "receipt" })?;
        Ok(Self {
            envelope,
            sender: stored.sender.into(),
            receipt,
            gas_used: stored.gas_used,
            effective_gas_price: stored.effective_gas_price,
            contract: stored.contract.map(Address::from),
        })
    }
}
