//! Checks a receipt document against a deployment's trust anchors.

use sealwork_seal::sign;
use sealwork_types::{
    Address, B256, Bytes, DealId, Measurement, Status,
    abi::Grant,
    network::TrustAnchors,
    order::{self, ParamsError, SigningDomain, TaskParams},
    receipt::ReceiptDocument,
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
        /// Field of the receipt.
        field: &'static str,
        /// What follows from the deal.
        expected: B256,
        /// What the receipt says.
        found: B256,
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
/// Checked: deployment, requester's signature over the request, deal and task ids, app, code, policy and input against
/// the deal's terms, the enclave's signature, and the CAS members' signatures over the enclave's grant. Not checked,
/// because it needs the chain: that the deal exists, that the grant was unrevoked when the task was settled.
///
/// # Errors
/// The first rule that does not hold.
pub fn check(document: &ReceiptDocument, anchors: &TrustAnchors) -> Result<CheckedReceipt, ReceiptError> {
    if document.domain != anchors.domain {
        return Err(ReceiptError::OtherDeployment { expected: anchors.domain, found: document.domain });
    }
    check_request(document)?;
    check_links(document)?;
    let enclave = document.grant.enclave;
    if signer(&document.domain, &document.receipt, &document.signature) != Some(enclave) {
        return Err(ReceiptError::Signature { what: "the receipt", expected: enclave });
    }
    let members = check_grant(&document.grant, &document.grant_signatures, anchors)?;
    Ok(CheckedReceipt {
        status: document.status(),
        requester: document.terms.request.requester,
        enclave,
        measurement: Measurement::new(document.grant.measurement),
        tee: document.grant.tee,
        members,
        input: document.receipt.input,
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
    let request = &document.terms.request;
    if signer(&document.domain, request, &document.request_signature) != Some(request.requester) {
        return Err(ReceiptError::Signature { what: "the request order", expected: request.requester });
    }
    Ok(())
}

fn check_links(document: &ReceiptDocument) -> Result<(), ReceiptError> {
    let (receipt, terms) = (&document.receipt, &document.terms);
    let request_hash = document.domain.order_hash(&terms.request);
    let named = DealId::new(receipt.dealId);
    let start = order::deal_start(named, request_hash, terms.request.volume).unwrap_or_default();
    let deal = order::deal_id(request_hash, start);
    let params = TaskParams::from_bytes(&terms.request.params)?;
    let links = [
        ("request hash", request_hash.get(), terms.requestHash),
        ("deal", deal.get(), receipt.dealId),
        ("task", order::task_id(deal, document.index).get(), receipt.taskId),
        ("app", terms.request.app, receipt.app),
        ("code hash", terms.codeHash, receipt.codeHash),
        ("policy hash", terms.policyHash, receipt.policyHash),
        ("input", params.input_digest, receipt.input),
    ];
    match links.into_iter().find(|(_, expected, found)| expected != found) {
        Some((field, expected, found)) => Err(ReceiptError::Mismatch { field, expected, found }),
        None => Ok(()),
    }
}

fn signer<T: alloy_sol_types::SolStruct>(
    domain: &SigningDomain,
    message: &T,
    signature: &[u8],
) -> Option<Address> {
    sign::recover(domain, message, signature).ok()
}

#[cfg(test)]
mod tests;
