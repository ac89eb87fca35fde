//! Bags of tasks: one match, one statement, a receipt and an output for each task.

use crate::support::{
    eventually,
    network::{Network, WorkerMachine},
    process::{Home, Reply},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs};

/// Prints its environment.
const ENVIRONMENT: &str = r#"(module
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environment (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start")
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    (drop (call $environment (i32.const 1024) (i32.const 4096)))
    (i32.store (i32.const 16) (i32.const 4096))
    (i32.store (i32.const 20) (i32.load (i32.const 4)))
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))))"#;

const TASKS: u32 = 50;

fn bag(home: &Home, app: &str, tasks: u32, out: &str) -> Reply {
    home.run(["run", app, "--volume", &tasks.to_string(), "--out", out])
}

/// The tasks that a reply told about, by index.
fn ends(reply: &Reply) -> Vec<(u64, String)> {
    let told = reply.lines.iter().filter(|line| line["index"].is_u64());
    let mut ends: Vec<_> = told
        .map(|line| (line["index"].as_u64().unwrap(), line["end"].as_str().unwrap().to_owned()))
        .collect();
    ends.sort();
    ends
}

fn all_hold(home: &Home, out: &str, deal: &str) {
    let mut outputs = BTreeSet::new();
    for index in 0..TASKS {
        let file = |what: &str| format!("{out}/{index:05}.{what}");
        let verified = home.ok(["verify", &file("receipt.json")]);
        assert_eq!((&verified["valid"], &verified["status"]), (&true.into(), &"SUCCESS".into()), "{index}");
        let receipt: Value =
            serde_json::from_slice(&fs::read(home.path(&file("receipt.json"))).unwrap()).unwrap();
        assert_eq!(
            (&receipt["receipt"]["index"], &receipt["receipt"]["dealId"]),
            (&index.into(), &deal.into())
        );
        assert!(receipt["batch"]["path"].as_array().is_some_and(|path| !path.is_empty()), "{receipt}");
        let stdout = fs::read_to_string(home.path(&file("stdout"))).unwrap();
        let environment: BTreeSet<&str> = stdout.split('\0').collect();
        assert!(environment.contains(format!("SEALWORK_TASK_INDEX={index}").as_str()), "{stdout}");
        assert!(outputs.insert(stdout));
    }
}

#[test]
fn a_bag_is_settled_in_batches_and_every_task_has_its_receipt() {
    let network = Network::start(&[]);
    let home = &network.home;
    network.publish_text("environment", ENVIRONMENT, "");
    let reply = bag(home, "environment", TASKS, "results");
    assert_eq!(reply.code, 0, "{reply:#?}");
    let answer = reply.last();
    assert_eq!((&answer["tasks"], &answer["succeeded"]), (&TASKS.into(), &TASKS.into()));
    assert_eq!(answer["ends"], json!({ "SUCCESS": TASKS }));
    assert_eq!(ends(&reply).len() as u64, u64::from(TASKS));
    let settlements = answer["settlements"].as_u64().unwrap();
    assert!((1..=4).contains(&settlements), "{TASKS} tasks took {settlements} settlements");
    let deal = answer["deal"].as_str().unwrap();
    all_hold(home, "results", deal);

    let waited = home.ok(["task", "wait", "--deal", &deal[..12]]);
    assert_eq!(waited["closed"], TASKS);
    assert!(waited["tasks"].as_array().unwrap().iter().all(|task| task["state"] == "settled"), "{waited}");
    let seventh = home.run(["task", "list"]).lines[7]["task"].as_str().unwrap().to_owned();
    let shown = home.ok(["task", "show", &seventh]);
    assert_eq!((&shown["status"], &shown["receipt"]["index"]), (&0.into(), &7.into()), "{shown}");
    let fetched = home.ok(["task", "fetch", &seventh, "--receipt", "seventh.json"]);
    assert!(fetched["stdout"].as_str().unwrap().contains("SEALWORK_TASK_INDEX=7"), "{fetched}");
    let read = |name: &str| fs::read(home.path(name)).unwrap();
    assert_eq!(read("seventh.json"), read("results/00007.receipt.json"));

    let again = home.run(["task", "fetch", "--deal", deal, "--out", "again"]);
    assert_eq!((again.code, ends(&again)), (0, ends(&reply)), "{again:#?}");
    assert_eq!(read("again/00049.stdout"), read("results/00049.stdout"));
    let status = home.ok(["worker", "status"]);
    assert_eq!((&status["settled"], &status["queued"]), (&TASKS.into(), &0.into()), "{status}");
}

#[test]
fn a_bag_survives_the_death_of_its_worker() {
    let network = Network::start(&["--no-worker"]);
    network.publish_text("environment", ENVIRONMENT, "");
    let machine = WorkerMachine::new(&network, &network.document());
    let worker = machine.start_with(&["--slots", "2"]);
    let run = network.home.start(["run", "environment", "--volume", "2000", "--out", "results"]);
    eventually("the worker is at work", || {
        let status = machine.status();
        (status["running"].as_u64().unwrap() + status["executed"].as_u64().unwrap() > 0).then_some(())
    });
    worker.kill_9();
    let _worker = machine.start_with(&["--slots", "2"]);
    let answer = run.answer("summary", |line| !line["succeeded"].is_null() || !line["error"].is_null());
    assert_eq!((&answer["succeeded"], &answer["tasks"]), (&2000.into(), &2000.into()), "{answer}");
    assert_eq!(run.exit_code(), 0);
    let earned = machine.home.ok(["account", "show"])["available"].as_str().unwrap().to_owned();
    assert_eq!(earned, "2000000000000000000000", "every task is paid once");
}

#[test]
fn results_of_a_bag_need_a_folder() {
    let home = Home::new();
    let reply = home.run(["run", "app", "--volume", "2"]);
    assert_eq!(reply.code, 1, "{reply:#?}");
    assert!(reply.last()["error"].as_str().unwrap().contains("--out"), "{reply:#?}");
    assert_eq!(home.run(["run", "app", "--volume", "2", "--out", "x", "--one-transaction"]).code, 2);
    assert_eq!(home.run(["task", "wait"]).code, 2);
}
