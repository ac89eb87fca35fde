//! Hosts that break the protocol: the enclave ends with a typed error and answers nothing.

use crate::{
    case::{Case, anchors},
    host::{NOW, TestHost},
    wasm,
};
use sealwork_enclave::EnclaveError;
use sealwork_types::{
    enclave_wire::{FrameError, FromEnclave, MAX_CHUNK_BYTES, ToEnclave},
    evidence::TeeKind,
};

fn dies(mut host: TestHost) -> EnclaveError {
    assert!(matches!(host.try_hear(), Err(FrameError::Closed)), "nothing is answered");
    host.end().unwrap_err()
}

#[test]
fn leaves_when_told_or_when_the_pipe_closes() {
    TestHost::spawn().end().unwrap();
    TestHost::ready(&anchors()).end().unwrap();
    let mut host = TestHost::ready(&anchors());
    host.say(&ToEnclave::Stop);
    assert!(matches!(host.try_hear(), Err(FrameError::Closed)));
    host.end().unwrap();
}

#[test]
fn dies_of_a_message_out_of_order() {
    let mut host = TestHost::spawn();
    host.say(&ToEnclave::Attest { now: NOW });
    let error = dies(host);
    assert!(matches!(error, EnclaveError::OutOfOrder { expected: "Init", found: "Attest" }), "{error}");

    let mut host = TestHost::ready(&anchors());
    host.say(&ToEnclave::Chunk(Vec::new().into()));
    assert!(matches!(dies(host), EnclaveError::OutOfOrder { found: "Chunk", .. }));

    let mut host = TestHost::ready(&anchors());
    host.say(&ToEnclave::Init { anchors: Vec::new(), tee: TeeKind::Sim });
    assert!(matches!(dies(host), EnclaveError::OutOfOrder { found: "Init", .. }));
}

#[test]
fn dies_of_a_task_before_attestation() {
    let mut host = TestHost::spawn();
    host.init(&anchors());
    host.say(&ToEnclave::Task(Box::new(Case::new(wasm::idle()).prepare().frame)));
    assert!(matches!(dies(host), EnclaveError::OutOfOrder { found: "Task", .. }));
}

#[test]
fn dies_of_malformed_anchors() {
    let mut host = TestHost::spawn();
    host.say(&ToEnclave::Init { anchors: b"{}".to_vec(), tee: TeeKind::Sim });
    assert!(matches!(dies(host), EnclaveError::Anchors(_)));
}

/// Brings a task to the first message that `wanted` accepts, and answers it with `answer`.
fn answer_wrongly(wanted: fn(&FromEnclave) -> bool, answer: &ToEnclave) -> EnclaveError {
    let case = Case::new(wasm::echo());
    let prepared = case.prepare();
    let mut host = TestHost::ready(&anchors());
    host.say(&ToEnclave::Task(Box::new(prepared.frame)));
    let mut module = prepared.module.chunks(100_000);
    loop {
        let message = host.hear();
        if wanted(&message) {
            host.say(answer);
            return dies(host);
        }
        if matches!(message, FromEnclave::NeedModule) {
            host.say(&ToEnclave::Chunk(module.next().unwrap_or_default().to_vec().into()));
        }
    }
}

#[test]
fn dies_of_wrong_answers_inside_a_task_even_inside_a_stream() {
    let module = |message: &FromEnclave| matches!(message, FromEnclave::NeedModule);
    let input = |message: &FromEnclave| matches!(message, FromEnclave::NeedInput);
    assert!(matches!(
        answer_wrongly(module, &ToEnclave::Stop),
        EnclaveError::OutOfOrder { found: "Stop", .. }
    ));
    assert!(matches!(
        answer_wrongly(input, &ToEnclave::Stop),
        EnclaveError::OutOfOrder { found: "Stop", .. }
    ));
    let huge = || ToEnclave::Chunk(vec![0; MAX_CHUNK_BYTES + 1].into());
    assert!(matches!(answer_wrongly(module, &huge()), EnclaveError::Oversized { .. }));
    assert!(matches!(answer_wrongly(input, &huge()), EnclaveError::Oversized { .. }));
}
