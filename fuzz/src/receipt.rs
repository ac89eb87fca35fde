//! Receipt documents: reading, and the whole offline check against a second implementation of its signatures.

use crate::{
    json::{check, document},
    samples,
    seeds::{Seed, chosen},
};
use alloy_primitives::{Address, B256, Signature};
use sealwork_protocol::receipt;
use sealwork_types::{
    network::TrustAnchors,
    receipt::{MAX_RECEIPT_DOCUMENT_BYTES, ReceiptDocument},
};
use serde_json::Value;
use std::sync::LazyLock;

static ANCHORS: LazyLock<TrustAnchors> = LazyLock::new(samples::anchors);
static GENUINE: LazyLock<[(ReceiptDocument, Value); 2]> = LazyLock::new(|| {
    [false, true].map(|batched| {
        let document = samples::receipt_document(batched);
        let value = serde_json::to_value(&document).expect("a sample can be written");
        (document, value)
    })
});

pub fn run(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let (genuine, value) = &GENUINE[usize::from(choice & 1)];
    let bytes = document(rest, || value.clone());
    let Some(found) = check(&bytes, MAX_RECEIPT_DOCUMENT_BYTES, ReceiptDocument::parse) else { return };
    let Ok(checked) = receipt::check(&found, &ANCHORS) else { return };

    // Whoever has none of the three keys can change nothing that was signed.
    assert_eq!(found.receipt, genuine.receipt);
    assert_eq!(found.grant, genuine.grant);
    assert_eq!(found.deal.request, genuine.deal.request);
    assert_eq!(found.deal.id(), genuine.deal.id());
    assert_eq!(found.deal.work(), genuine.deal.work());
    assert_eq!(checked.output, genuine.receipt.output);
    assert_eq!(checked.requester, genuine.deal.request.requester);

    let request = found.domain.signing_hash(&found.deal.request);
    let signature = sealwork_types::deal::long_signature(&found.deal.request_signature);
    assert_eq!(recover(request, &signature), Some(found.deal.request.requester));
    let statement = match &found.batch {
        Some(proof) => {
            let batch = proof.batch(found.receipt.work.clone(), found.deal.id());
            (found.domain.signing_hash(&batch), &proof.signature)
        }
        None => (found.domain.signing_hash(&found.receipt), &found.signature),
    };
    assert_eq!(recover(statement.0, statement.1), Some(found.grant.enclave));
}

/// The signer, says another library.
fn recover(hash: B256, signature: &[u8]) -> Option<Address> {
    Signature::from_raw(signature).ok()?.recover_address_from_prehash(&hash).ok()
}

pub fn seeds() -> Vec<Seed> {
    let valid = |batched| {
        let text = serde_json::to_vec(&samples::receipt_document(batched)).expect("a sample can be written");
        [&[0][..], &text].concat()
    };
    vec![
        chosen("alone", 0, valid(false)),
        chosen("batched", 1, valid(true)),
        chosen("changed-alone", 0, [1, 7, 1, 2]),
        chosen("changed-batched", 1, [1, 200, 1, 2]),
    ]
}
