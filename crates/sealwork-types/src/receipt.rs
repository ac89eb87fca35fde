//! The receipt document that `sealwork verify` checks offline.

use crate::{
    Address, B256, Bytes, Status,
    abi::{DealTerms, Grant, Receipt},
    bounded::{DocumentError, parse_json},
    order::SigningDomain,
};
use serde::{Deserialize, Serialize};

/// Largest receipt document that is read.
pub const MAX_RECEIPT_DOCUMENT_BYTES: usize = 256 * 1024;

/// A receipt with everything needed to check it without any network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptDocument {
    /// Format version, 1.
    pub version: u16,
    /// Chain and contract that the signatures name.
    pub domain: SigningDomain,
    /// The enclave's statement.
    pub receipt: Receipt,
    /// 65-byte signature over the receipt by the enclave key.
    pub signature: Bytes,
    /// Index of the task in its deal.
    pub index: u32,
    /// What was agreed; its request order's hash and the index make up the task id.
    pub terms: DealTerms,
    /// Requester's signature over `terms.request`.
    pub request_signature: Bytes,
    /// CAS statement about the enclave key.
    pub grant: Grant,
    /// Signatures over the grant, ordered by member address.
    pub grant_signatures: Vec<Bytes>,
    /// Where it was settled, if it was.
    pub settlement: Option<Settlement>,
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
    /// Reads a document of at most [`MAX_RECEIPT_DOCUMENT_BYTES`].
    ///
    /// # Errors
    /// [`DocumentError`] for size, syntax, unknown fields or another version.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        const KIND: &str = "receipt document";
        let document: Self = parse_json(KIND, bytes, MAX_RECEIPT_DOCUMENT_BYTES)?;
        if document.version != 1 {
            let problem = format!("is {}, this version reads 1", document.version);
            return Err(DocumentError::Value { kind: KIND, field: "version", problem });
        }
        Ok(document)
    }

    /// The receipt's status.
    pub const fn status(&self) -> Status {
        Status::new(self.receipt.status)
    }
}
