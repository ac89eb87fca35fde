//! Modules: what the developer published, what storage returned, and how programs end.

use crate::{
    case::{Case, anchors},
    host::{End, TestHost},
    wasm,
};
use sealwork_seal::bundle::OutputBundle;
use sealwork_types::Status;
use std::time::Duration;

/// Runs, expects the status, and opens what was delivered.
fn ends(case: &Case, status: Status) -> OutputBundle {
    let outcome = case.run();
    assert_eq!(Status::new(outcome.receipt().status), status);
    case.open(&outcome)
}

#[test]
fn delivers_output_and_exit_code_of_a_failing_program() {
    let bundle = ends(&Case::new(wasm::exit_three()), Status::EXIT_NONZERO);
    assert_eq!(bundle.exit_code, 3);
    assert_eq!((&bundle.stdout[..], &bundle.stderr[..]), (&b"went"[..], &b"went wrong"[..]));
}

#[test]
fn a_trap_delivers_what_the_program_said_and_where_it_stopped() {
    let bundle = ends(&Case::new(wasm::trap()), Status::BASE_EXCEPTION);
    let text = String::from_utf8(bundle.stderr).unwrap();
    assert!(text.starts_with("went wrong") && text.contains("trap: "), "{text}");
}

#[test]
fn an_endless_loop_ends_at_the_time_limit_or_without_fuel() {
    let mut case = Case::new(wasm::endless());
    case.limits.time_ms = 300;
    ends(&case, Status::TIME_LIMIT);
    case.limits.time_ms = 600_000;
    case.limits.fuel = 1_000_000;
    ends(&case, Status::FUEL_LIMIT);
}

#[test]
fn waiting_for_a_slow_host_is_not_the_programs_time() {
    let mut case = Case::new(wasm::echo());
    case.stdin = vec![1; 100_000];
    case.limits.time_ms = 100;
    let mut host = TestHost::ready(&anchors());
    // Eleven chunks take twice the program's time.
    host.latency = Duration::from_millis(20);
    let outcome = case.run_in(&mut host);
    assert_eq!(Status::new(outcome.receipt().status), Status::SUCCESS);
    host.end().unwrap();
}

#[test]
fn bombs_end_at_their_limits() {
    ends(&Case::new(wasm::memory_bomb()), Status::MEMORY_LIMIT);
    let mut case = Case::new(wasm::output_bomb());
    case.limits.time_ms = 60_000;
    assert!(ends(&case, Status::OUTPUT_LIMIT).stdout.is_empty());
}

#[test]
fn blames_the_developer_for_what_is_no_program() {
    Case::new(b"#!/bin/sh".to_vec()).run().assert_blames(Status::SYNTAX_WARNING);
    Case::new(Vec::new()).run().assert_blames(Status::SYNTAX_WARNING);
    Case::new(wasm::unknown_import()).run().assert_blames(Status::IMPORT_ERROR);
    Case::new(wasm::no_entry_point()).run().assert_blames(Status::PAYLOAD_NOT_DEFINED);
}

#[test]
fn blames_storage_for_another_module() {
    let mut case = Case::new(wasm::echo());
    case.served_module = Box::new(|bytes| *bytes = wasm::idle());
    case.run().assert_refused(true, "storage returned other bytes");
    case.served_module = Box::new(Vec::clear);
    case.run().assert_refused(true, "storage returned other bytes");
}

#[test]
fn fetches_a_module_once_and_goes_on_after_failures() {
    let case = Case::new(wasm::echo());
    let mut host = TestHost::ready(&anchors());
    assert!(case.run_in(&mut host).module_requests > 0);
    let trap = Case::new(wasm::trap());
    assert!(matches!(trap.run_in(&mut host).end, End::Done(_)));
    let again = case.run_in(&mut host);
    assert_eq!(again.module_requests, 0);
    assert_eq!(case.open(&again).stdout, case.stdin);
    host.end().unwrap();
}
