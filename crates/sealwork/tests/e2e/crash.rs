//! Whatever is killed at whatever moment: no task is lost, none is paid twice.

use crate::{
    operating::{metric, worker_url},
    support::{
        eventually,
        memory::children,
        network::{Network, WorkerMachine},
        process::Daemon,
        proxy::Proxy,
        rpc,
    },
};
use serde_json::{Value, json};
use std::path::Path;

/// Says `done`; with an argument it spins for a few seconds first.
pub(crate) const SPIN: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "done\n")
  (func (export "_start") (local $left i64)
    (drop (call $args (i32.const 32) (i32.const 36)))
    (local.set $left (i64.const 1))
    (if (i32.gt_u (i32.load (i32.const 32)) (i32.const 1)) (then (local.set $left (i64.const 6000000000))))
    (loop $spin
      (local.set $left (i64.sub (local.get $left) (i64.const 1)))
      (br_if $spin (i64.ne (local.get $left) (i64.const 0))))
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 5))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

/// Starts a task that takes a while and waits until its program runs.
pub(crate) fn running_task(network: &Network) -> Daemon {
    let run = network.home.start(["run", "spin", "--", "long"]);
    run.answer("running program", |line| line["step"] == "running" || !line["error"].is_null());
    run
}

pub(crate) fn succeeds(run: Daemon) {
    let answer = run.answer("answer", |line| !line["status"].is_null() || !line["error"].is_null());
    assert_eq!((&answer["status"], &answer["stdout"]), (&"SUCCESS".into(), &"done\n".into()), "{answer}");
    assert_eq!(run.exit_code(), 0);
}

/// The worker's one token has arrived, once, and nothing is locked any more.
pub(crate) fn paid_once(network: &Network, machine: &WorkerMachine, tasks: u64) {
    let earned = machine.home.ok(["account", "show"])["available"].as_str().unwrap().to_owned();
    assert_eq!(earned, format!("{tasks}000000000000000000"));
    assert_eq!(network.home.ok(["account", "show"])["locked"], "0");
    let listed = network.home.run(["task", "list"]).lines;
    assert_eq!(listed.len() as u64, tasks);
    assert!(listed.iter().all(|task| task["state"] == "settled"), "{listed:#?}");
    let status = machine.status();
    let open = ["queued", "running", "executed"].map(|state| status[state].as_u64().unwrap());
    assert_eq!(open, [0, 0, 0], "{status}");
}

#[test]
fn a_task_survives_the_death_of_its_worker_while_the_program_runs() {
    let network = Network::start(&["--no-worker"]);
    network.publish_text("spin", SPIN, "");
    let machine = WorkerMachine::new(&network, &network.document());
    let worker = machine.start();
    let run = running_task(&network);
    let enclaves = children(worker.pid());
    assert_eq!(enclaves.len(), 1);
    worker.kill_9();
    eventually("the enclave dies with its worker", || {
        (!Path::new(&format!("/proc/{}/exe", enclaves[0])).exists()).then_some(())
    });
    let _worker = machine.start();
    succeeds(run);
    eventually("the worker notes the settlement", || (machine.status()["settled"] == 1).then_some(()));
    paid_once(&network, &machine, 1);
}

#[test]
fn a_receipt_on_disk_is_settled_by_the_next_start() {
    let network = Network::start(&["--no-worker"]);
    network.publish_text("spin", SPIN, "");
    let mut document = network.document();
    let chain =
        Proxy::to(document["rpc"].as_str().unwrap().trim_start_matches("http://").trim_end_matches('/'));
    document["rpc"] = format!("http://{}", chain.address).into();
    let machine = WorkerMachine::new(&network, &document);
    let worker = machine.start();
    let run = running_task(&network);
    chain.cut();
    eventually("the receipt is on disk", || (machine.status()["executed"] == 1).then_some(()));
    worker.kill_9();
    chain.mend();
    let worker = machine.start();
    succeeds(run);
    let runs = metric(&worker_url(&machine), "sealwork_worker_step_seconds_count{step=\"running\"} ");
    assert_eq!(runs, None, "nothing was run again");
    paid_once(&network, &machine, 1);
    drop(worker);
}

#[test]
fn a_settlement_that_waits_for_its_block_is_not_repeated() {
    let network = Network::start(&["--no-worker"]);
    network.publish_text("spin", SPIN, "");
    let machine = WorkerMachine::new(&network, &network.document());
    let worker = machine.start();
    // The first task registers the enclave's key.
    network.home.ok(["run", "spin"]);
    let (rpc_url, account) = (network.ready["chain"].as_str().unwrap(), machine.home.ok(["wallet", "show"]));
    let address = account["address"].as_str().unwrap();
    let run = running_task(&network);
    rpc::call(rpc_url, "evm_setAutomine", &json!([false]));
    eventually("the settlement waits for a block", || {
        (rpc::sent_and_waiting(rpc_url, address).1 > 0).then_some(())
    });
    worker.kill_9();
    let worker = machine.start();
    rpc::call(rpc_url, "evm_setAutomine", &json!([true]));
    rpc::call(rpc_url, "evm_mine", &json!([]));
    succeeds(run);
    eventually("the worker sees its settlement", || (machine.status()["settled"] == 2).then_some(()));
    paid_once(&network, &machine, 2);
    drop(worker);
}

#[test]
fn a_killed_network_comes_back_with_everything() {
    let network = Network::start(&[]);
    network.publish_text("spin", SPIN, "");
    network.home.ok(["account", "deposit", "20"]);
    let first = network.home.ok(["run", "spin"]);
    let apps = network.home.ok(["inspect", "app", "spin"]);
    let run = running_task(&network);
    let Network { home, up, .. } = network;
    let enclaves = children(up.pid());
    up.kill_9();
    drop(run);
    eventually("the enclave dies with its worker", || {
        enclaves.iter().all(|pid| !Path::new(&format!("/proc/{pid}/exe")).exists()).then_some(())
    });

    let network = Network::start_in(home, &[]);
    let home = &network.home;
    assert_eq!(home.ok(["inspect", "app", "spin"]), apps);
    let tasks = home.run(["task", "list"]).lines;
    assert_eq!((tasks.len(), &tasks[0]["task"]), (2, &first["task"]));
    let interrupted = tasks[1]["task"].as_str().unwrap();
    let settled = home.ok(["task", "wait", interrupted, "--timeout", "60"]);
    assert_eq!(settled["state"], "settled", "{settled}");
    assert_eq!(home.ok(["task", "fetch", interrupted])["stdout"], "done\n");
    // 20 were deposited; each task costs 3, of which the app's 2 come back because the requester is its owner.
    let tokens = |tokens: u32| Value::from(format!("{tokens}000000000000000000"));
    let account = home.ok(["account", "show"]);
    assert_eq!((&account["available"], &account["locked"]), (&tokens(18), &"0".into()), "{account}");
    home.ok(["run", "spin"]);
    assert_eq!(home.ok(["account", "show"])["available"], tokens(17));
    let log = home.ok(["cas", "log", "--verify"]);
    assert_eq!(log["valid"], true);
}
