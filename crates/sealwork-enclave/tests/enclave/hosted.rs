//! The real binary under the worker's host, attested by a real CAS member.

use crate::{
    case::{APP, Case, Prepared},
    network::{Network, binary, stream_of},
    wasm,
};
use sealwork_ports::{
    Clock, EnclaveHost, EnclaveInfo, ErrorKind, PortError, TaskInput, TaskOutcome, TaskUpdate,
};
use sealwork_seal::sign::recover;
use sealwork_simtee::measure_file;
use sealwork_types::{
    AppId, B256, Measurement, Status, abi::Receipt, enclave_wire::Step, params::GRANT_LIFETIME_S,
    policy::Policy,
};
use sealwork_worker::{CompiledFolder, EnclaveProcess};
use std::{path::Path, sync::atomic::Ordering, time::Duration};

/// A case whose app is registered and whose input is sealed to the CAS's key.
pub(crate) async fn case(network: &Network, module: Vec<u8>) -> Case {
    let mut case = Case::new(module);
    (case.host_now, case.signed_at) = (network.clock.unix_s(), network.clock.unix_s());
    case.measurement = measure_file(&binary()).unwrap();
    publish(network, case).await
}

async fn publish(network: &Network, mut case: Case) -> Case {
    let policy = Policy::hash_of(&case.policy().to_bytes());
    case.sealed_to = network.register(AppId::new(APP), policy).await;
    case
}

pub(crate) fn input(prepared: Prepared) -> TaskInput {
    TaskInput {
        frame: prepared.frame,
        module: stream_of(prepared.module.chunks(777).map(|chunk| Ok(chunk.to_vec())).collect()),
        sealed_input: stream_of(prepared.sealed.chunks(3 << 20).map(|chunk| Ok(chunk.to_vec())).collect()),
    }
}

pub(crate) struct Ran {
    pub(crate) steps: Vec<Step>,
    pub(crate) output: Vec<u8>,
    pub(crate) outcome: TaskOutcome,
}

pub(crate) async fn run(host: &EnclaveProcess, input: TaskInput) -> Result<Ran, PortError> {
    let mut task = host.run(0, input).await?;
    let (mut steps, mut output) = (Vec::new(), Vec::new());
    while let Some(update) = task.next().await {
        match update? {
            TaskUpdate::Step(step) => steps.push(step),
            TaskUpdate::Output(bytes) => output.extend_from_slice(&bytes),
            TaskUpdate::Ended(outcome) => {
                assert!(task.next().await.is_none(), "nothing comes after the end");
                return Ok(Ran { steps, output, outcome });
            }
        }
    }
    panic!("the task ended without an outcome");
}

fn refused(ran: Result<Ran, PortError>, retryable: bool, part: &str) {
    match ran.unwrap().outcome {
        TaskOutcome::Refused { retryable: found, reason } => {
            assert!(reason.contains(part) && found == retryable, "{reason}");
        }
        TaskOutcome::Done { receipt, .. } => panic!("a receipt with status {}", receipt.status),
        TaskOutcome::Batch(done) => panic!("a batch of {} tasks", done.tasks.len()),
    }
}

pub(crate) fn receipt(case: &Case, info: &EnclaveInfo, outcome: &TaskOutcome) -> Receipt {
    match outcome {
        TaskOutcome::Done { receipt, signature } => {
            assert_eq!(recover(&case.domain, &**receipt, signature).unwrap(), info.enclave);
            (**receipt).clone()
        }
        TaskOutcome::Batch(done) => panic!("a batch of {} tasks", done.tasks.len()),
        TaskOutcome::Refused { reason, .. } => panic!("refused: {reason}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attests_runs_and_is_reused() {
    let network = Network::start().await;
    let host = network.host();
    let info = host.ensure(0).await.unwrap();
    let grant = &info.grant.grant;
    let member = network.document.anchors.cas_members[0];
    assert_eq!(recover(&network.document.anchors.domain, grant, &info.grant.signatures[0]), Ok(member));
    assert_eq!((grant.enclave, grant.measurement), (info.enclave, host.measurement().get()));

    let mut case = case(&network, wasm::echo()).await;
    case.stdin = (0..4_000_000_u32).map(|i| i.to_le_bytes()[1]).collect();
    for _ in 0..2 {
        let ran = run(&host, input(case.prepare())).await.unwrap();
        let receipt = receipt(&case, &info, &ran.outcome);
        assert_eq!(receipt.status, Status::SUCCESS.code());
        assert_eq!(ran.steps, [Step::KeyReleased, Step::Running, Step::Sealing]);
        assert!(case.open_output(&receipt, &ran.output).stdout == case.stdin);
    }
    assert_eq!(host.ensure(0).await.unwrap().enclave, info.enclave, "the same process serves again");
    host.stop(0).await;
    assert_ne!(host.ensure(0).await.unwrap().enclave, info.enclave, "a new process has a new key");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_enclave_takes_what_the_last_one_let_the_worker_keep() {
    let network = Network::start().await;
    let folder = tempfile::tempdir().unwrap();
    let case = case(&network, wasm::echo()).await;
    let host = || network.host().keeping_compiled(CompiledFolder::new(folder.path(), 64 << 20));
    run(&host(), input(case.prepare())).await.unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let (host, mut task) = (host(), input(case.prepare()));
    let info = host.ensure(0).await.unwrap();
    task.module = stream_of(vec![Err(PortError::new(ErrorKind::Unavailable, "fetch the module again"))]);
    let ran = run(&host, task).await.unwrap();
    assert!(case.open_output(&receipt(&case, &info, &ran.outcome), &ran.output).stdout == case.stdin);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_tasks_come_back_under_one_statement() {
    let network = Network::start().await;
    let host = network.host();
    let info = host.ensure(0).await.unwrap();
    let mut case = case(&network, wasm::echo()).await;
    case.order = Box::new(|order| order.volume = 1_000);
    case.frame = Box::new(|frame| (frame.count, frame.budget_ms) = (1_000, 600_000));
    let ran = run(&host, input(case.prepare())).await.unwrap();
    let TaskOutcome::Batch(done) = ran.outcome else { panic!("{:?}", ran.outcome) };
    assert_eq!(recover(&case.domain, &done.statement, &done.signature).unwrap(), info.enclave);
    assert_eq!((done.tasks.len(), done.statement.tally.paid), (1_000, 1_000));
    assert_eq!(done.tasks.iter().map(|task| task.bytes).sum::<u64>(), ran.output.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_on_after_bad_programs_and_refusals() {
    let network = Network::start().await;
    let host = network.host();
    let info = host.ensure(0).await.unwrap();
    for (module, status) in [
        (wasm::trap(), Status::BASE_EXCEPTION),
        (wasm::out_of_bounds(), Status::BASE_EXCEPTION),
        (wasm::recursion(), Status::BASE_EXCEPTION),
        (wasm::division(), Status::BASE_EXCEPTION),
        (wasm::memory_bomb(), Status::MEMORY_LIMIT),
        (wasm::output_bomb(), Status::OUTPUT_LIMIT),
        (b"no module".to_vec(), Status::SYNTAX_WARNING),
    ] {
        let case = case(&network, module).await;
        let ran = run(&host, input(case.prepare())).await.unwrap();
        assert_eq!(Status::new(receipt(&case, &info, &ran.outcome).status), status);
    }
    let mut endless = Case::new(wasm::endless());
    (endless.host_now, endless.signed_at) = (network.clock.unix_s(), network.clock.unix_s());
    endless.measurement = host.measurement();
    endless.limits.time_ms = 200;
    let endless = publish(&network, endless).await;
    let ran = run(&host, input(endless.prepare())).await.unwrap();
    assert_eq!(Status::new(receipt(&endless, &info, &ran.outcome).status), Status::TIME_LIMIT);
    assert_eq!(host.ensure(0).await.unwrap().enclave, info.enclave);
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_when_storage_failed() {
    let network = Network::start().await;
    let host = network.host();
    let case = case(&network, wasm::echo()).await;
    let prepared = case.prepare();
    let half = prepared.sealed[..prepared.sealed.len() / 2].to_vec();
    let gone = || PortError::new(ErrorKind::Unavailable, "read a block from nowhere");
    let mut task = input(prepared);
    task.sealed_input = stream_of(vec![Ok(half), Err(gone())]);
    refused(run(&host, task).await, true, "read a block from nowhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_task_ends_its_enclave_and_the_slot_gets_another() {
    let network = Network::start().await;
    let host = network.host();
    let first = host.ensure(0).await.unwrap().enclave;
    let case = case(&network, wasm::echo()).await;
    let mut stuck = input(case.prepare());
    stuck.sealed_input = Box::pin(futures::stream::pending());
    let mut task = host.run(0, stuck).await.unwrap();
    assert!(matches!(task.next().await, Some(Ok(TaskUpdate::Step(Step::KeyReleased)))));
    drop(task);
    let second = host.ensure(0).await.unwrap();
    assert_ne!(second.enclave, first);
    let ran = run(&host, input(case.prepare())).await.unwrap();
    assert_eq!(receipt(&case, &second, &ran.outcome).status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn attests_again_before_the_grant_ends() {
    let network = Network::start().await;
    let host = network.host();
    let first = host.ensure(0).await.unwrap();
    let hours = i64::try_from(GRANT_LIFETIME_S * 9 / 10).unwrap();
    network.clock.0.store(hours, Ordering::SeqCst);
    let second = host.ensure(0).await.unwrap();
    assert_eq!(first.enclave, second.enclave);
    assert!(second.grant.grant.expiry >= first.grant.grant.expiry + GRANT_LIFETIME_S * 9 / 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_enclave_is_attested_again_before_a_task_needs_it() {
    let network = Network::start().await;
    let host = network.host();
    let first = host.ensure(0).await.unwrap();
    let hours = i64::try_from(GRANT_LIFETIME_S * 8 / 10).unwrap();
    network.clock.0.store(hours, Ordering::SeqCst);
    // With a fifth of its time left, `ensure` takes the grant as it is: a newer one comes from nobody else.
    let renewed = async {
        while host.ensure(0).await.unwrap().grant.grant.expiry == first.grant.grant.expiry {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), renewed).await.unwrap();
    assert_eq!(host.ensure(0).await.unwrap().enclave, first.enclave);
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_its_grant_while_the_cas_cannot_renew_it() {
    let mut network = Network::start().await;
    let host = network.host();
    let first = host.ensure(0).await.unwrap();
    network.take_down().await;
    let lifetime = i64::try_from(GRANT_LIFETIME_S).unwrap();
    network.clock.0.store(lifetime * 9 / 10, Ordering::SeqCst);
    assert_eq!(host.ensure(0).await.unwrap().grant, first.grant);
    network.clock.0.store(lifetime + 1, Ordering::SeqCst);
    assert_eq!(host.ensure(0).await.unwrap_err().kind, ErrorKind::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enclave_with_another_measurement_gets_no_grant() {
    let network = Network::granting(Measurement::new(B256::repeat_byte(0x0d))).await;
    let error = network.host().ensure(0).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected, "{error}");
    assert!(error.to_string().contains("Appraisal"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_does_not_accept_the_enclave_keeps_its_key() {
    let network = Network::start().await;
    let host = network.host();
    let mut case = case(&network, wasm::echo()).await;
    case.measurement = Measurement::new(B256::repeat_byte(0x0d));
    let case = publish(&network, case).await;
    refused(run(&host, input(case.prepare())).await, false, "Appraisal");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_cas_nothing_runs_and_trying_again_is_right() {
    let mut network = Network::start().await;
    let host = network.host();
    host.ensure(0).await.unwrap();
    let case = case(&network, wasm::echo()).await;
    network.take_down().await;
    let outcome =
        tokio::time::timeout(Duration::from_secs(30), run(&host, input(case.prepare()))).await.unwrap();
    refused(outcome, true, "CAS member");
    let error = network.host().ensure(0).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
}

#[test]
fn refuses_a_program_that_is_not_there() {
    let error = sealwork_worker::EnclaveImage::load(Path::new("/nonexistent/enclave")).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Local);
    assert!(error.to_string().contains("/nonexistent/enclave"));
}
