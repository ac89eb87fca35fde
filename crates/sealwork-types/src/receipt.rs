//! The receipt document that `sealwork verify` checks offline.

use crate::{
    Address, B256, Bytes, DealId, Status,
    abi::{Batch, Grant, Receipt, Tally, Work},
    bounded::{DocumentError, parse_json},
    deal::Deal,
    order::SigningDomain,
};
use serde::{Deserialize, Serialize};

/// Largest receipt document that is read.
pub const MAX_RECEIPT_DOCUMENT_BYTES: usize = 256 * 1024;

/// A receipt with everything needed to check it without any network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptDocument {
    /// Format version, 2.
    pub version: u16,
    /// Chain and contract that the signatures name.
    pub domain: SigningDomain,
    /// The enclave's statement.
    pub receipt: Receipt,
    /// 65-byte signature over the receipt by the enclave key. May be empty in a document with a batch.
    pub signature: Bytes,
    /// The receipt's place in a batch that the enclave signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchProof>,
    /// What was agreed.
    pub deal: Deal,
    /// CAS statement about the enclave key.
    pub grant: Grant,
    /// Signatures over the grant, ordered by member address.
    pub grant_signatures: Vec<Bytes>,
    /// Where it was settled, if it was.
    pub settlement: Option<Settlement>,
}

/// Shows that a receipt belongs to a batch that the enclave signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchProof {
    /// Index of the batch's first task in the deal.
    pub first: u32,
    /// How the tasks of the batch ended; the sum is their number.
    pub tally: Tally,
    /// Merkle root over the structure hashes of the receipts.
    pub root: B256,
    /// Sibling hashes from the receipt to the root.
    pub path: Vec<B256>,
    /// 65-byte signature over the batch by the enclave key.
    pub signature: Bytes,
}

impl BatchProof {
    /// The statement that the enclave signed.
    pub fn batch(&self, work: Work, deal: DealId) -> Batch {
        Batch { work, dealId: deal.get(), first: self.first, tally: self.tally.clone(), root: self.root }
    }
}

/// Where a receipt was settled. Information only: checking it needs the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settlement {
    /// Transaction.
    pub transaction: B256,
    /// Block number.
    pub block: u64,
    /// Who sent it.
    pub sender: Address,
    /// Gas it used.
    pub gas_used: u64,
}

impl ReceiptDocument {
    /// Version that is written and read.
    pub const VERSION: u16 = 2;

    /// Reads a document of at most [`MAX_RECEIPT_DOCUMENT_BYTES`].
    ///
    /// # Errors
    /// [`DocumentError`] for size, syntax, unknown fields or another version.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        const KIND: &str = "receipt document";
        let document: Self = parse_json(KIND, bytes, MAX_RECEIPT_DOCUMENT_BYTES)?;
        if document.version != Self::VERSION {
            let problem = format!("is {}, this version reads {}", document.version, Self::VERSION);
            return Err(DocumentError::Value { kind: KIND, field: "version", problem });
        }
        Ok(document)
    }

    /// The receipt's status.
    pub const fn status(&self) -> Status {
        Status::new(self.receipt.status)
    }
}
