//! Orders and documents: everything in a task's description that is not what the requester signed.

use crate::{
    case::{Case, anchors, whole_deal},
    host::{NOW, TestHost},
    wasm,
};
use sealwork_seal::{age::Identity, sign::SigningKey};
use sealwork_types::{
    B256,
    deal::{compact_signature, work},
    enclave_wire::decode_request,
    order::SigningDomain,
    params::TASK_DEADLINE_S,
};

fn refuses(case: &Case, part: &str) {
    let outcome = case.run();
    outcome.assert_refused(false, part);
    assert!(outcome.steps.is_empty(), "refused before any key was asked for");
}

#[test]
fn the_receipt_names_the_task_and_the_work_of_the_order() {
    let mut host = TestHost::ready(&anchors());
    let case = Case::new(wasm::idle());
    let prepared = case.prepare();
    let order = decode_request(&prepared.frame.request).unwrap().order;
    let outcome = host.run(prepared.frame, &prepared.module, &prepared.sealed);
    let receipt = outcome.receipt();
    assert_eq!((receipt.dealId, receipt.index), (whole_deal(&order), 0));
    assert_eq!(receipt.work, work(&order));
    assert_eq!(receipt.work.codeHash, case.code_hash().get());
    assert!(!receipt.work.input.is_zero());
    host.end().unwrap();
}

#[test]
fn refuses_another_policy_or_code_than_the_order_names() {
    let mut case = Case::new(wasm::idle());
    case.order = Box::new(|order| order.policyHash = B256::repeat_byte(1));
    refuses(&case, "the order names policy");
    case.order = Box::new(|order| order.codeHash = B256::repeat_byte(1));
    refuses(&case, "the order names code");
}

#[test]
fn refuses_an_order_that_somebody_else_signed() {
    let mut case = Case::new(wasm::idle());
    let victim = SigningKey::generate().unwrap().address();
    case.order = Box::new(move |order| order.requester = victim);
    refuses(&case, "signed it");
}

#[test]
fn takes_a_request_that_is_signed_in_the_short_form() {
    let mut case = Case::new(wasm::idle());
    case.frame = Box::new(|frame| {
        let mut request = decode_request(&frame.request).unwrap();
        let (r, vs) = compact_signature(&request.signature).unwrap();
        request.signature = [r, vs].concat().into();
        frame.request = serde_json::to_vec(&request).unwrap();
    });
    assert_eq!(case.run().receipt().status, 0);
}

#[test]
fn refuses_an_order_for_another_chain() {
    let mut case = Case::new(wasm::idle());
    case.signed_for = SigningDomain { chain_id: 1, ..case.signed_for };
    refuses(&case, "on chain 31337");
}

#[test]
fn refuses_an_expired_order() {
    let mut case = Case::new(wasm::idle());
    case.order = Box::new(|order| order.expiry = NOW - TASK_DEADLINE_S - 1);
    refuses(&case, "expired");
    // The host cannot bring it back by setting its clock back.
    case.host_now = 0;
    refuses(&case, "expired");
}

#[test]
fn refuses_a_deal_of_another_order_and_an_index_beyond_the_volume() {
    let mut case = Case::new(wasm::idle());
    case.frame = Box::new(|frame| frame.deal = [1; 32]);
    refuses(&case, "is not one of request order");
    case.frame = Box::new(|frame| frame.index = 1);
    refuses(&case, "beyond the order's volume");
    case.frame = Box::new(|_| {});
    case.order = Box::new(|order| order.volume = 0);
    refuses(&case, "is not one of request order");
}

#[test]
fn refuses_modes_datasets_and_params_it_does_not_serve() {
    let mut case = Case::new(wasm::idle());
    case.order = Box::new(|order| order.mode = 1);
    refuses(&case, "trust mode 1");
    case.order = Box::new(|order| order.datasets.push(B256::ZERO));
    refuses(&case, "datasets");
    case.order = Box::new(|order| order.params = vec![1; 3].into());
    refuses(&case, "expected 69");
}

#[test]
fn refuses_a_swapped_output_recipient() {
    let mut case = Case::new(wasm::idle());
    let thief = Identity::generate().unwrap().recipient();
    case.frame = Box::new(move |frame| frame.output_recipient = thief.as_bytes().to_vec());
    refuses(&case, "output recipient");
    case.frame = Box::new(|frame| frame.output_recipient.truncate(5));
    refuses(&case, "expected 1216");
}

#[test]
fn refuses_documents_that_do_not_belong_together() {
    let mut case = Case::new(wasm::idle());
    let other = Case::new(wasm::echo()).prepare().frame;
    let (manifest, policy) = (other.manifest, other.policy);
    case.frame = Box::new(move |frame| frame.manifest.clone_from(&manifest));
    refuses(&case, "the manifest names policy");
    case.frame = Box::new(move |frame| frame.policy.clone_from(&policy));
    refuses(&case, "the order names policy");
    case.frame = Box::new(|frame| frame.policy.push(b'!'));
    refuses(&case, "policy document");
    case.frame = Box::new(|frame| frame.manifest = vec![b' '; 100_000]);
    refuses(&case, "the limit is");
    case.frame = Box::new(|frame| frame.request.clear());
    refuses(&case, "signed request order");
}
