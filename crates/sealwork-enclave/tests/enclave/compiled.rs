//! Compiled programs that the host keeps: whose they are, and what an enclave makes of anything else.

use crate::{
    case::{Case, anchors},
    host::TestHost,
    wasm,
};
use sealwork_types::{B256, Measurement, Status};

/// A case whose policy accepts this enclave and no other; the grant of these tests names measurement zero.
fn case() -> Case {
    let mut case = Case::new(wasm::echo());
    case.measurement = Measurement::new(B256::ZERO);
    case
}

/// Runs the case in an enclave that finds `kept` at its host. Gives how often it asked for the module, and what the host
/// keeps now.
fn run(case: &Case, kept: &[u8]) -> (usize, Vec<u8>) {
    let mut host = TestHost::ready(&anchors());
    host.kept = kept.to_vec();
    let outcome = case.run_in(&mut host);
    assert_eq!(Status::new(outcome.receipt().status), Status::SUCCESS);
    assert_eq!(case.open(&outcome).stdout, case.stdin);
    let kept = std::mem::take(&mut host.kept);
    host.end().unwrap();
    (outcome.module_requests, kept)
}

#[test]
fn the_next_enclave_takes_what_the_last_one_compiled() {
    let case = case();
    let (asked, kept) = run(&case, &[]);
    assert!(asked > 0 && !kept.is_empty());
    let (asked, still) = run(&case, &kept);
    assert_eq!((asked, still == kept), (0, true), "neither fetched nor compiled nor kept again");
}

#[test]
fn altered_or_foreign_bytes_are_compiled_again() {
    let case = case();
    let (_, kept) = run(&case, &[]);
    let mut altered = kept.clone();
    *altered.last_mut().unwrap() ^= 1;
    let mut other = Case::new(wasm::trap());
    other.measurement = case.measurement;
    let mut host = TestHost::ready(&anchors());
    other.run_in(&mut host);
    let foreign = std::mem::take(&mut host.kept);
    host.end().unwrap();
    for bytes in [&altered[..], &kept[..kept.len() - 1], &foreign, b"short"] {
        let (asked, now) = run(&case, bytes);
        assert!(asked > 0 && now.ends_with(&kept), "compiled and kept again");
    }
}

#[test]
fn policies_that_accept_others_have_nothing_kept() {
    let mut case = case();
    case.measurement = Measurement::new(B256::repeat_byte(9));
    let mut host = TestHost::ready(&anchors());
    case.run_in(&mut host);
    assert_eq!((host.kept.len(), host.kept_requests), (0, 0));
    host.end().unwrap();
}
