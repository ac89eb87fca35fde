//! Orders and documents: everything in a task's description that is not what the requester signed.

use crate::{
    case::{Case, only_task},
    host::NOW,
    wasm,
};
use sealwork_seal::{age::Identity, sign::SigningKey};
use sealwork_types::{B256, enclave_wire::decode_request, order::SigningDomain, params::TASK_DEADLINE_S};

fn refuses(case: &Case, part: &str) {
    let outcome = case.run();
    outcome.assert_refused(false, part);
    assert!(outcome.steps.is_empty(), "refused before any key was asked for");
}

#[test]
fn the_receipt_names_the_task_of_the_order() {
    let case = Case::new(wasm::idle());
    let order = decode_request(&case.prepare().frame.request).unwrap().order;
    // Sealing is randomized, so the order of the run is another one: only the shape can be compared.
    assert_ne!(case.run().receipt().taskId, only_task(&order));
    assert!(!case.run().receipt().taskId.is_zero());
}

#[test]
fn refuses_an_order_that_somebody_else_signed() {
    let mut case = Case::new(wasm::idle());
    let victim = SigningKey::generate().unwrap().address();
    case.order = Box::new(move |order| order.requester = victim);
    refuses(&case, "signed it");
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
    refuses(&case, "the manifest names policy");
    case.frame = Box::new(|frame| frame.policy.push(b'!'));
    refuses(&case, "policy document");
    case.frame = Box::new(|frame| frame.manifest = vec![b' '; 100_000]);
    refuses(&case, "the limit is");
    case.frame = Box::new(|frame| frame.request.clear());
    refuses(&case, "signed request order");
}
