//! Checks a receipt document against a deployment's trust anchors.

use crate::batch;
use alloy_sol_types::SolStruct;
use sealwork_seal::sign;
use sealwork_types::{
    Address, B256, Bytes, Measurement, Status,
    abi::Grant,
    deal::long_signature,
    network::TrustAnchors,
    order::{ParamsError, SigningDomain, TaskParams},
    receipt::{BatchProof, ReceiptDocument},
};

/// What a checked receipt establishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedReceipt {
    /// How the task ended.
    pub status: Status,
    /// Who asked.
    pub requester: Address,
    /// Which enclave signed.
    pub enclave: Address,
    /// What it runs, says the CAS.
    pub measurement: Measurement,
    /// Kind of evidence behind the grant (number of [`sealwork_types::evidence::TeeKind`]).
    pub tee: u8,
    /// CAS members whose signatures were counted.
    pub members: Vec<Address>,
    /// SHA-256 of the sealed input.
    pub input: B256,
    /// SHA-256 of the sealed output; zero when there is none.
    pub output: B256,
}

/// First rule that a receipt document breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// Made for another deployment.
    #[error("receipt is for chain {} and market {}, the network has chain {} and market {}", found.chain_id, found.market, expected.chain_id, expected.market)]
    OtherDeployment {
        /// The network's.
        expected: SigningDomain,
        /// The receipt's.
        found: SigningDomain,
    },
    /// A signature does not belong to the key that the document names.
    #[error("{what} is not signed by {expected}")]
    Signature {
        /// Which statement.
        what: &'static str,
        /// Whose signature it should be.
        expected: Address,
    },
    /// Two parts of the document contradict each other.
    #[error("receipt's {field} is {found}, the deal says {expected}")]
    Mismatch {
        /// Field of the receipt or of its batch.
        field: &'static str,
        /// What follows from the deal, or from the receipt.
        expected: B256,
        /// What the document says.
        found: B256,
    },
    /// The receipt is about a task that does not exist.
    #[error("task {index} is not among the tasks {first} to {last} of the {what}")]
    Index {
        /// Deal, request or batch.
        what: &'static str,
        /// The task.
        index: u64,
        /// First task there.
        first: u64,
        /// Last task there; below `first` when there are none.
        last: u64,
    },
    /// The order's params cannot be read.
    #[error("the deal's order is malformed")]
    Params(#[from] ParamsError),
    /// Too few CAS members vouch for the enclave key.
    #[error("{found} of the network's CAS members signed the enclave's grant, {needed} are needed")]
    NotGranted {
        /// Valid signatures by members.
        found: usize,
        /// Threshold.
        needed: u8,
    },
    /// The sealed output given is not the one in the receipt.
    #[error("the output file hashes to {found}, the receipt says {expected}")]
    Output {
        /// In the receipt.
        expected: B256,
        /// Of the file.
        found: B256,
    },
}

/// Checks every signature and every link of a receipt document.
///
/// Checked: deployment, requester's signature over the request, request hash, deal id, work and index against the deal,
/// the enclave's signature over the receipt or over the batch that it belongs to, and the CAS members' signatures over the
/// enclave's grant. Not checked, because it needs the chain: that the deal exists, that the grant was unrevoked when the
/// task was settled.
///
/// # Errors
/// The first rule that does not hold.
pub fn check(document: &ReceiptDocument, anchors: &TrustAnchors) -> Result<CheckedReceipt, ReceiptError> {
    if document.domain != anchors.domain {
        return Err(ReceiptError::OtherDeployment { expected: anchors.domain, found: document.domain });
    }
    check_request(document)?;
    check_links(document)?;
    check_indexes(document)?;
    if let Some(proof) = &document.batch {
        check_batch(document, proof)?;
    }
    // In a batch, the signature over the batch is enough; one over the receipt must still be right if there is one.
    if document.batch.is_none() || !document.signature.is_empty() {
        check_signature(document, "the receipt", &document.receipt, &document.signature)?;
    }
    let members = check_grant(&document.grant, &document.grant_signatures, anchors)?;
    Ok(CheckedReceipt {
        status: document.status(),
        requester: document.deal.request.requester,
        enclave: document.grant.enclave,
        measurement: Measurement::new(document.grant.measurement),
        tee: document.grant.tee,
        members,
        input: document.receipt.work.input,
        output: document.receipt.output,
    })
}

/// Checks that at least the threshold of distinct members signed a grant.
///
/// # Errors
/// [`ReceiptError::NotGranted`].
pub fn check_grant(
    grant: &Grant,
    signatures: &[Bytes],
    anchors: &TrustAnchors,
) -> Result<Vec<Address>, ReceiptError> {
    let mut members: Vec<Address> = signatures
        .iter()
        .take(usize::from(u8::MAX))
        .filter_map(|signature| signer(&anchors.domain, grant, signature))
        .filter(|address| anchors.cas_members.contains(address))
        .collect();
    members.sort_unstable();
    members.dedup();
    if members.len() < usize::from(anchors.cas_threshold) {
        return Err(ReceiptError::NotGranted { found: members.len(), needed: anchors.cas_threshold });
    }
    Ok(members)
}

/// Checks that bytes with this SHA-256 are the sealed output of a checked receipt.
///
/// # Errors
/// [`ReceiptError::Output`].
pub fn check_output(receipt: &CheckedReceipt, sealed_output: B256) -> Result<(), ReceiptError> {
    if receipt.output == sealed_output {
        return Ok(());
    }
    Err(ReceiptError::Output { expected: receipt.output, found: sealed_output })
}

fn check_request(document: &ReceiptDocument) -> Result<(), ReceiptError> {
    let request = &document.deal.request;
    let signature = long_signature(&document.deal.request_signature);
    if signer(&document.domain, request, &signature) != Some(request.requester) {
        return Err(ReceiptError::Signature { what: "the request order", expected: request.requester });
    }
    Ok(())
}

fn check_links(document: &ReceiptDocument) -> Result<(), ReceiptError> {
    let (receipt, deal) = (&document.receipt, &document.deal);
    TaskParams::from_bytes(&deal.request.params)?;
    let work = deal.work();
    let links = [
        ("request hash", document.domain.order_hash(&deal.request).get(), deal.terms.requestHash),
        ("deal", deal.id().get(), receipt.dealId),
        ("work hash", work.eip712_hash_struct(), deal.terms.workHash),
        ("app", work.app, receipt.work.app),
        ("code hash", work.codeHash, receipt.work.codeHash),
        ("policy hash", work.policyHash, receipt.work.policyHash),
        ("input", work.input, receipt.work.input),
    ];
    mismatch(links)
}

fn mismatch<const N: usize>(links: [(&'static str, B256, B256); N]) -> Result<(), ReceiptError> {
    match links.into_iter().find(|(_, expected, found)| expected != found) {
        Some((field, expected, found)) => Err(ReceiptError::Mismatch { field, expected, found }),
        None => Ok(()),
    }
}

/// The deal's volume is the chain's word; the request's volume is signed.
fn check_indexes(document: &ReceiptDocument) -> Result<(), ReceiptError> {
    let (index, deal) = (u64::from(document.receipt.index), &document.deal);
    check_index("deal", index, 0, u64::from(deal.volume))?;
    let in_request = index.saturating_add(u64::from(deal.terms.firstTask));
    check_index("request", in_request, 0, u64::from(deal.request.volume))
}

fn check_index(what: &'static str, index: u64, first: u64, count: u64) -> Result<(), ReceiptError> {
    if index.checked_sub(first).is_some_and(|position| position < count) {
        return Ok(());
    }
    let last = first.saturating_add(count).saturating_sub(1);
    Err(ReceiptError::Index { what, index, first, last })
}

fn check_batch(document: &ReceiptDocument, proof: &BatchProof) -> Result<(), ReceiptError> {
    let (receipt, tally) = (&document.receipt, &proof.tally);
    let count = [tally.paid, tally.poolOnly, tally.refunded, tally.slashed].map(u64::from).iter().sum();
    check_index("batch", u64::from(receipt.index), u64::from(proof.first), count)?;
    let root = batch::root_of(batch::receipt_leaf(receipt), &proof.path);
    mismatch([("batch root", root, proof.root)])?;
    let statement = proof.batch(receipt.work.clone(), document.deal.id());
    check_signature(document, "the batch", &statement, &proof.signature)
}

fn check_signature<T: SolStruct>(
    document: &ReceiptDocument,
    what: &'static str,
    message: &T,
    signature: &[u8],
) -> Result<(), ReceiptError> {
    let enclave = document.grant.enclave;
    if signer(&document.domain, message, signature) == Some(enclave) {
        return Ok(());
    }
    Err(ReceiptError::Signature { what, expected: enclave })
}

fn signer<T: SolStruct>(domain: &SigningDomain, message: &T, signature: &[u8]) -> Option<Address> {
    sign::recover(domain, message, signature).ok()
}

#[cfg(test)]
mod tests;
