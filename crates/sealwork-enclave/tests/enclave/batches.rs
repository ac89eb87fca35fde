//! Several tasks of a deal in one frame: one input, one statement.

use crate::{
    case::{Case, anchors, domain},
    host::{End, Outcome, TestHost},
    wasm,
};
use sealwork_protocol::batch::ReceiptBatch;
use sealwork_seal::{bundle::OutputBundle, sign::recover};
use sealwork_types::{
    B256, DealId, Status,
    abi::Receipt,
    batch::{MAX_BATCH_TASKS, receipts},
    enclave_wire::{BatchDone, Step},
};

/// A case whose frame asks for `count` tasks from index 1 on, with ten minutes of time.
fn case(module: Vec<u8>, count: u32) -> Case {
    let mut case = Case::new(module);
    case.order = Box::new(|order| order.volume = 2_000);
    case.frame = Box::new(move |frame| (frame.index, frame.count, frame.budget_ms) = (1, count, 600_000));
    case
}

/// Runs a case in an enclave of its own and checks everything that a batch says about itself.
fn run(case: &Case) -> (Outcome, BatchDone, Vec<Receipt>) {
    let mut host = TestHost::ready(&anchors());
    let outcome = case.run_in(&mut host);
    let End::Batch(done) = &outcome.end else { panic!("no batch: {:?}", outcome.end) };
    let done = (**done).clone();
    assert_eq!(recover(&domain(), &done.statement, &done.signature).unwrap(), host.address);
    let deal = DealId::new(done.statement.dealId);
    let receipts: Vec<Receipt> =
        receipts(&done.statement.work, deal, done.statement.first, 0, &done.tasks).collect();
    assert_eq!(ReceiptBatch::new(&receipts).unwrap().statement(), &done.statement);
    assert_eq!(done.tasks.iter().map(|task| task.bytes).sum::<u64>(), outcome.output.len() as u64);
    host.end().unwrap();
    (outcome, done, receipts)
}

/// Opens every output; each lies behind the one before.
fn open(case: &Case, outcome: &Outcome, done: &BatchDone, receipts: &[Receipt]) -> Vec<OutputBundle> {
    let mut rest = &outcome.output[..];
    let open_next = |(task, receipt): (&sealwork_types::batch::BatchedTask, &Receipt)| {
        let (output, behind) = rest.split_at(usize::try_from(task.bytes).unwrap());
        rest = behind;
        case.open_output(receipt, output)
    };
    done.tasks.iter().zip(receipts).map(open_next).collect()
}

#[test]
fn every_task_runs_in_an_instance_of_its_own_and_knows_which_it_is() {
    let mut case = case(wasm::environment(), 3);
    case.environment.insert("MODE".to_owned(), "fast".to_owned());
    let (outcome, done, receipts) = run(&case);
    assert_eq!(outcome.steps, [Step::KeyReleased, Step::Running, Step::Sealing], "steps come once");
    assert_eq!((done.statement.first, done.tasks.len()), (1, 3));
    let deal = DealId::new(done.statement.dealId);
    for (index, bundle) in (1..).zip(open(&case, &outcome, &done, &receipts)) {
        let expected = format!(
            "MODE=fast\0SEALWORK_DEAL={deal}\0SEALWORK_TASK_COUNT=2000\0SEALWORK_TASK_INDEX={index}\0"
        );
        assert_eq!(String::from_utf8(bundle.stdout).unwrap(), expected);
    }
}

#[test]
fn every_task_reads_the_whole_input() {
    let mut case = case(wasm::echo(), 4);
    case.stdin = (0..300_000_u32).map(|i| i.to_le_bytes()[0] ^ 0x5a).collect();
    let (outcome, done, receipts) = run(&case);
    assert_eq!(done.tasks.len(), 4);
    assert!(open(&case, &outcome, &done, &receipts).iter().all(|bundle| bundle.stdout == case.stdin));
    let outputs: std::collections::BTreeSet<B256> = done.tasks.iter().map(|task| task.output).collect();
    assert_eq!(outputs.len(), 4, "every output is sealed on its own");
}

#[test]
fn a_single_task_knows_which_it_is_too() {
    let mut case = Case::new(wasm::environment());
    case.order = Box::new(|order| order.volume = 9);
    case.frame = Box::new(|frame| frame.index = 7);
    let bundle = case.open(&case.run());
    assert!(String::from_utf8(bundle.stdout).unwrap().ends_with("TASK_COUNT=9\0SEALWORK_TASK_INDEX=7\0"));
}

#[test]
fn without_time_only_the_first_task_runs() {
    let mut case = case(wasm::echo(), 5);
    case.frame = Box::new(|frame| (frame.count, frame.budget_ms) = (5, 0));
    let (outcome, done, receipts) = run(&case);
    assert_eq!(done.tasks.len(), 1);
    assert_eq!(open(&case, &outcome, &done, &receipts)[0].stdout, case.stdin);
}

#[test]
fn programs_and_inputs_that_are_to_blame_are_so_for_every_task() {
    let (_, done, _) = run(&case(b"no program".to_vec(), 3));
    assert!(done.tasks.iter().all(|task| task.status == Status::SYNTAX_WARNING.code()));
    let mut broken = case(wasm::echo(), 3);
    broken.sealed = Box::new(|bytes| *bytes.last_mut().unwrap() ^= 1);
    let (outcome, done, _) = run(&broken);
    assert_eq!((done.tasks.len(), outcome.output.len()), (3, 0));
    assert!(done.tasks.iter().all(|task| task.status == Status::INPUT_FORMAT_ERROR.code()));
}

#[test]
fn failing_tasks_deliver_what_they_said_and_the_others_go_on() {
    let case = case(wasm::trap(), 2);
    let (outcome, done, receipts) = run(&case);
    assert!(done.tasks.iter().all(|task| task.status == Status::BASE_EXCEPTION.code()));
    let bundles = open(&case, &outcome, &done, &receipts);
    assert!(bundles.iter().all(|bundle| bundle.stderr.starts_with(b"went wrong")));
}

#[test]
fn refuses_other_bytes_and_numbers_of_tasks_that_no_batch_has() {
    let mut other = case(wasm::echo(), 2);
    other.served = Box::new(|bytes| *bytes.last_mut().unwrap() ^= 1);
    other.run().assert_refused(true, "storage returned other bytes");
    let ask = |index: u32, count: u32| {
        let mut case = case(wasm::echo(), 1);
        case.frame = Box::new(move |frame| (frame.index, frame.count) = (index, count));
        case.run()
    };
    ask(0, 0).assert_refused(false, "0 tasks at once, 1 to 1000");
    ask(0, MAX_BATCH_TASKS + 1).assert_refused(false, "1001 tasks at once");
    ask(1_999, 2).assert_refused(false, "task index 2000 is beyond the order's volume");
    let mut elsewhere = case(wasm::idle(), 2);
    elsewhere.frame = Box::new(|frame| (frame.count, frame.deal) = (2, [1; 32]));
    elsewhere.run().assert_refused(false, "is not one of request order");
    ask(u32::MAX, 2).assert_refused(false, "beyond the order's volume");
}

#[test]
fn refuses_inputs_that_are_too_large_to_share() {
    let mut case = case(wasm::idle(), 2);
    case.stdin = vec![7; (16 << 20) + 1];
    case.run().assert_refused(false, "ask for one task at a time");
}

#[test]
fn ends_before_the_outputs_become_too_large() {
    let mut case = case(wasm::echo(), 6);
    case.limits.output_bytes = 16 << 20;
    case.stdin = vec![7; 15 << 20];
    let (outcome, done, _) = run(&case);
    assert_eq!(done.tasks.len(), 4, "four outputs of 15 MiB fit into 64 MiB");
    assert!(outcome.output.len() < 64 << 20);
}
