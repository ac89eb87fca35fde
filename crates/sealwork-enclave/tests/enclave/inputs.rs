//! Sealed inputs: whose they are, whether they are whole, and who is to blame.

use crate::{
    case::{Case, anchors},
    host::{NOW, TestHost},
    wasm,
};
use sealwork_seal::age::Identity;
use sealwork_types::{Address, AppId, B256, Status, enclave_wire::Step, params::TASK_DEADLINE_S};

const OTHER_BYTES: &str = "storage returned other bytes";

#[test]
fn runs_a_program_on_a_sealed_input_and_seals_its_output() {
    let case = Case::new(wasm::echo());
    let outcome = case.run();
    assert_eq!(outcome.steps, [Step::KeyReleased, Step::Running, Step::Sealing]);
    let bundle = case.open(&outcome);
    assert_eq!((bundle.exit_code, &bundle.stdout[..]), (0, &b"attack at dawn"[..]));
    let receipt = outcome.receipt();
    assert_eq!(receipt.status, Status::SUCCESS.code());
    assert_eq!(receipt.work.codeHash, case.code_hash().get());
    assert!(receipt.fuel > 0 && receipt.callbackHash.is_zero() && receipt.stateAfter.is_zero());
    assert!(!outcome.output.windows(6).any(|window| window == b"attack"));
}

#[test]
fn streams_inputs_and_outputs_larger_than_a_frame() {
    let mut case = Case::new(wasm::echo());
    case.stdin = (0..3_000_000_u32).map(|i| i.to_le_bytes()[0] ^ 0x5a).collect();
    assert!(case.open(&case.run()).stdout == case.stdin);
}

#[test]
fn blames_storage_for_truncated_or_flipped_bytes() {
    for program in [wasm::echo(), wasm::idle()] {
        let mut case = Case::new(program);
        case.stdin = vec![1; 300_000];
        let edits: [fn(&mut Vec<u8>); 5] = [
            |bytes| bytes.truncate(bytes.len() / 2),
            |bytes| bytes.truncate(10),
            Vec::clear,
            |bytes| *bytes.last_mut().unwrap() ^= 1,
            |bytes| bytes[50] ^= 1,
        ];
        for edit in edits {
            case.served = Box::new(edit);
            case.run().assert_refused(true, OTHER_BYTES);
        }
        case.served = Box::new(|bytes| bytes.push(0));
        case.run().assert_refused(true, OTHER_BYTES);
    }
}

#[test]
fn blames_the_requester_for_an_input_that_was_broken_when_the_order_named_it() {
    for program in [wasm::echo(), wasm::idle()] {
        let mut case = Case::new(program);
        case.stdin = vec![1; 300_000];
        let edits: [fn(&mut Vec<u8>); 4] = [
            |bytes| bytes.truncate(bytes.len() / 2),
            |bytes| bytes.truncate(10),
            |bytes| *bytes.last_mut().unwrap() ^= 1,
            |bytes| *bytes = b"not a sealed file".to_vec(),
        ];
        for edit in edits {
            case.sealed = Box::new(edit);
            case.run().assert_blames(Status::INPUT_FORMAT_ERROR);
        }
    }
}

#[test]
fn refuses_an_input_sealed_to_another_key() {
    let mut case = Case::new(wasm::echo());
    case.sealed_to = Identity::generate().unwrap().recipient();
    case.run().assert_blames(Status::KEY_ERROR);
}

#[test]
fn refuses_an_input_of_another_requester() {
    let mut case = Case::new(wasm::echo());
    case.binding = Box::new(|binding| binding.requester = Address::repeat_byte(0x66));
    case.run().assert_blames(Status::INPUT_BINDING_ERROR);
}

#[test]
fn refuses_an_input_for_another_app_output_recipient_or_network() {
    let mut case = Case::new(wasm::echo());
    case.binding = Box::new(|binding| binding.app = AppId::new(B256::repeat_byte(0x66)));
    case.run().assert_blames(Status::INPUT_BINDING_ERROR);
    case.binding = Box::new(|binding| binding.output_recipient = B256::repeat_byte(0x66));
    case.run().assert_blames(Status::INPUT_BINDING_ERROR);
    case.binding = Box::new(|binding| binding.domain.chain_id = 1);
    case.run().assert_blames(Status::INPUT_BINDING_ERROR);
    case.binding = Box::new(|binding| binding.domain.market = Address::repeat_byte(0x66));
    case.run().assert_blames(Status::INPUT_BINDING_ERROR);
}

#[test]
fn blames_nobody_for_a_wrong_binding_that_storage_made_up() {
    let mut case = Case::new(wasm::echo());
    let mut other = Case::new(wasm::echo());
    other.binding = Box::new(|binding| binding.requester = Address::repeat_byte(0x66));
    let other = other.prepare().sealed;
    case.served = Box::new(move |bytes| bytes.clone_from(&other));
    case.run().assert_refused(true, OTHER_BYTES);
}

#[test]
fn refuses_an_expired_input_by_the_time_of_the_cas() {
    let mut case = Case::new(wasm::echo());
    case.binding = Box::new(|binding| binding.expiry = NOW - TASK_DEADLINE_S - 1);
    case.run().assert_blames(Status::INPUT_EXPIRED);
}

#[test]
fn a_host_with_a_fast_clock_earns_no_receipt() {
    let mut case = Case::new(wasm::echo());
    case.binding = Box::new(|binding| binding.expiry = NOW - TASK_DEADLINE_S + 500);
    case.host_now = NOW + 1000;
    case.run().assert_refused(true, "the host says it is");
}

#[test]
fn an_input_that_expires_between_match_and_run_is_still_served() {
    let mut case = Case::new(wasm::echo());
    case.binding = Box::new(|binding| binding.expiry = NOW - 1);
    let done = case.run();
    assert_eq!(case.open(&done).exit_code, 0);
}

#[test]
fn blames_the_requester_for_more_files_than_the_policy_allows() {
    let mut case = Case::new(wasm::idle());
    case.limits.files_bytes = 100;
    case.files = vec![("table.csv".to_owned(), vec![0; 101])];
    case.run().assert_blames(Status::INPUT_FORMAT_ERROR);
}

#[test]
fn equal_tasks_see_equal_random_numbers_and_other_tasks_others() {
    let case = Case::new(wasm::random());
    let mut host = TestHost::ready(&anchors());
    let prepared = case.prepare();
    let first = host.run(prepared.frame, &prepared.module, &prepared.sealed);
    let other = case.run_in(&mut host);
    assert_eq!(case.open(&first).stdout.len(), 32);
    assert_ne!(
        case.open(&first).stdout,
        case.open(&other).stdout,
        "another sealed file is another order and task"
    );
    host.end().unwrap();
}
