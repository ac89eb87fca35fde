//! What an operator relies on: probes, metrics, the service manager, draining, traces, and logs without secrets.

mod collector;

use crate::{
    crash::{SPIN, paid_once, running_task, succeeds},
    support::{
        eventually,
        memory::{Canary, children},
        network::{Network, WorkerMachine},
        process::Home,
        proxy::Proxy,
    },
};
use collector::Collector;
use sealwork_devchain::DEV_PRIVATE_KEYS;
use serde_json::Value;
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::net::UnixDatagram,
    time::Duration,
};

/// Says `done` and copies the first 64 KiB of standard input to standard output.
const COPY: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 65536))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)))))"#;

/// Status and body of a page.
fn get(url: &str, path: &str) -> (u16, String) {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

/// Whether a service is ready, and the problem of a check.
fn ready(url: &str, check: &str) -> (u16, Option<String>) {
    let (status, body) = get(url, "/ready");
    let body: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
    assert_eq!(body["ready"], status == 200, "{body}");
    let checks = body["checks"].as_array().unwrap();
    let found = checks.iter().find(|found| found["check"] == check).unwrap_or_else(|| panic!("{body}"));
    (status, found["problem"].as_str().map(str::to_owned))
}

/// The value of a series.
pub(crate) fn metric(url: &str, series: &str) -> Option<f64> {
    let (status, text) = get(url, "/metrics");
    assert_eq!(status, 200, "{text}");
    text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
}

pub(crate) fn worker_url(machine: &WorkerMachine) -> String {
    fs::read_to_string(machine.home.path("worker.url")).unwrap()
}

#[test]
fn services_say_whether_they_can_serve_and_count_what_they_do() {
    let network = Network::start(&["--no-worker"]);
    network.publish_text("copy", COPY, "");
    let mut document = network.document();
    let text = |pointer: &str| document.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let (chain_url, store, cas) = (text("/rpc"), text("/store"), text("/cas/0/url"));
    let chain = Proxy::to(chain_url.trim_start_matches("http://").trim_end_matches('/'));
    document["rpc"] = format!("http://{}", chain.address).into();
    let machine = WorkerMachine::new(&network, &document);
    let _worker = machine.start();
    let worker = worker_url(&machine);
    eventually("the worker is ready", || (ready(&worker, "enclave").0 == 200).then_some(()));
    for service in [&worker, &store, &cas] {
        assert_eq!(get(service, "/health").0, 200, "{service}");
        assert!(metric(service, "process_open_fds ").is_some_and(|files| files > 0.0));
    }
    assert_eq!((ready(&store, "disk"), ready(&cas, "chain")), ((200, None), (200, None)));

    network.home.ok(["run", "copy"]);
    eventually("the settlement is counted", || {
        (metric(&worker, "sealwork_worker_tasks_ended_total{end=\"settled\"} ") == Some(1.0)).then_some(())
    });
    let at = |series: &str| metric(&worker, series).unwrap_or_else(|| panic!("no {series}"));
    assert_eq!(at("sealwork_worker_settled_tasks_total "), 1.0);
    assert!(at("sealwork_worker_gas_total{purpose=\"settle\"} ") > 20_000.0);
    assert_eq!(at("sealwork_worker_transactions_total{purpose=\"register\"} "), 1.0);
    for step in ["attested", "running", "executed", "settled"] {
        assert_eq!(at(&format!("sealwork_worker_step_seconds_count{{step=\"{step}\"}} ")), 1.0, "{step}");
    }
    assert!(at("sealwork_storage_bytes_total{direction=\"read\"} ") > 100.0);
    assert!(at("sealwork_storage_bytes_total{direction=\"written\"} ") > 100.0);
    assert_eq!((at("sealwork_enclave_starts_total "), at("sealwork_enclave_attestable ")), (1.0, 1.0));
    assert!(metric(&cas, "sealwork_cas_releases_total ").is_some_and(|releases| releases >= 1.0));
    assert!(metric(&store, "sealwork_http_bytes_total{server=\"store\",direction=\"in\"} ").is_some());
    assert!(metric(&store, "sealwork_store_blocks ").is_some_and(|blocks| blocks >= 5.0));

    chain.slow(Duration::from_millis(100));
    assert_eq!(ready(&worker, "chain"), (200, None), "a slow chain is no dead chain");
    chain.cut();
    let problem = eventually("the worker notices", || match ready(&worker, "chain") {
        (503, problem) => problem,
        _ => None,
    });
    assert!(!problem.is_empty());
    assert_eq!(get(&worker, "/health").0, 200, "a worker without a chain lives");
    eventually("the failures are counted", || {
        (at("sealwork_chain_endpoint_failures_total ") >= 1.0).then_some(())
    });
    chain.mend();
    eventually("the worker is ready again", || (ready(&worker, "chain").0 == 200).then_some(()));
}

#[test]
fn the_service_manager_hears_when_a_service_serves_lives_and_stops() {
    let home = Home::new();
    let path = home.path("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let hear = || {
        let mut buffer = [0; 64];
        let count = manager.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    };
    let variables = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "300000")];
    let mut store = home.start_in(&variables, ["store", "start", "--port", "0"]);
    store.ready();
    assert_eq!((hear(), hear(), hear()), ("READY=1".into(), "WATCHDOG=1".into(), "WATCHDOG=1".into()));
    assert!(store.is_alive());
    store.signal("TERM");
    eventually("it says that it stops", || (hear() == "STOPPING=1").then_some(()));
    assert_eq!(store.exit_code(), 0);
}

#[test]
fn a_worker_that_is_asked_to_stop_settles_what_it_runs() {
    let network = Network::start(&["--no-worker"]);
    network.publish_text("spin", SPIN, "");
    let machine = WorkerMachine::new(&network, &network.document());
    let worker = machine.start_with(&["--drain", "120"]);
    let enclaves = children(worker.pid());
    let run = running_task(&network);
    worker.signal("TERM");
    eventually("it drains", || {
        (metric(&worker_url(&machine), "sealwork_worker_draining ") == Some(1.0)).then_some(())
    });
    assert_eq!(worker.exit_code(), 0);
    let listed = network.home.ok(["task", "list"]);
    assert_eq!(listed["state"], "settled", "{listed}");
    succeeds(run);
    assert!(enclaves.iter().all(|pid| !fs::exists(format!("/proc/{pid}/exe")).unwrap()));
}

#[test]
fn a_second_signal_interrupts_and_the_next_start_takes_over() {
    let network = Network::start(&["--no-worker"]);
    network.publish_text("spin", SPIN, "");
    let machine = WorkerMachine::new(&network, &network.document());
    let worker = machine.start_with(&["--drain", "120"]);
    let run = running_task(&network);
    worker.signal("TERM");
    eventually("it drains", || {
        (metric(&worker_url(&machine), "sealwork_worker_draining ") == Some(1.0)).then_some(())
    });
    worker.signal("TERM");
    assert_eq!(worker.exit_code(), 0);
    assert_eq!(network.home.ok(["task", "list"])["state"], "open", "the second signal does not wait");
    let _worker = machine.start();
    succeeds(run);
    eventually("the worker notes the settlement", || (machine.status()["settled"] == 1).then_some(()));
    paid_once(&network, &machine, 1);
}

#[test]
fn requester_worker_and_member_meet_in_the_traces_of_task_and_enclave() {
    let collector = Collector::start();
    let traced = [("SEALWORK_OTLP", collector.url.as_str())];
    let home = Home::new();
    let up = home.start_in(&traced, ["up", "--port", "0", "--no-worker"]);
    let ready = up.ready();
    let network = Network { home, up, ready };
    network.publish_text("copy", COPY, "");
    let machine = WorkerMachine::new(&network, &network.document());
    let _worker = machine.start_in(&traced, &[]);
    let run = network.home.start_in(&traced, ["run", "copy"]);
    let answer = run.answer("answer", |line| !line["status"].is_null());
    let task = answer["task"].as_str().unwrap().trim_start_matches("0x").to_owned();
    let (trace, root) = (&task[..32], &task[32..48]);
    let of = |service: &str| collector.spans(service, trace);
    let worker_steps = ["assigned", "attested", "running", "executed", "settled"];
    eventually("the worker's spans", || {
        let names = of("sealwork-worker");
        worker_steps.iter().all(|step| names.iter().any(|(name, _)| name == step)).then_some(())
    });
    let client = of("sealwork-client");
    for step in ["task", "sealed", "uploaded", "matched", "settled", "verified", "opened"] {
        assert!(client.iter().any(|(name, _)| name == step), "{step} is missing in {client:?}");
    }
    let all = client.iter().chain(&of("sealwork-worker")).cloned().collect::<Vec<_>>();
    assert!(all.iter().all(|(name, parent)| parent == if name == "task" { "" } else { root }), "{all:?}");
    let enclave = network.home.ok(["task", "show", &task])["enclave"].as_str().unwrap()[2..34].to_owned();
    eventually("the member's and the worker's spans about the enclave", || {
        let at_member = collector.spans("sealwork-network", &enclave);
        let at_worker = collector.spans("sealwork-worker", &enclave);
        let has = |spans: &[(String, String)], name: &str| spans.iter().any(|(found, _)| found == name);
        (has(&at_member, "cas.grant")
            && has(&at_member, "cas.release")
            && has(&at_worker, "enclave.attested"))
        .then_some(())
    });
}

#[test]
fn no_secret_is_in_any_log_however_much_is_logged() {
    let canary = Canary::random();
    for format in ["text", "json"] {
        let everything = [("SEALWORK_LOG", "trace"), ("SEALWORK_LOG_FORMAT", format)];
        let home = Home::new();
        let up = home.start_in(&everything, ["up", "--port", "0"]);
        let ready = up.ready();
        assert_eq!(ready["ready"], true, "{ready}");
        let network = Network { home, up, ready };
        network.publish_text("copy", COPY, "");
        let home = &network.home;
        let stdin = home.write("private/input", [&canary.raw[..], canary.hex.as_bytes()].concat());
        let arguments = ["run", "copy", "--stdin", stdin.to_str().unwrap(), "--", &canary.hex];
        let run = home.start_in(&everything, arguments);
        let answer = run.answer("answer", |line| !line["status"].is_null() || !line["error"].is_null());
        assert_eq!(answer["status"], "SUCCESS", "{answer}");
        assert!(answer["stdout"].as_str().unwrap().contains(&canary.hex), "the output holds the input");
        let logs = [run.log(), network.up.log()];
        assert!(logs.iter().all(|log| log.len() > 10_000), "nothing was logged");
        let member = fs::read(home.path("local/cas/member.secret")).unwrap();
        let mut secrets = vec![("input", Canary::of(canary.raw))];
        secrets.push(("the member's secret", Canary::of(member.try_into().unwrap())));
        for key in &DEV_PRIVATE_KEYS[..4] {
            secrets.push(("a wallet's key", Canary::of(key.0)));
        }
        for (name, secret) in &secrets {
            for log in &logs {
                assert_eq!(secret.find(log.as_bytes()), None, "{name} is in a {format} log");
            }
        }
        if format == "json" {
            let named =
                |line: &str| serde_json::from_str::<Value>(line).unwrap()["fields"]["message"].is_string();
            assert!(logs[1].lines().any(|line| line.contains("sealwork") && named(line)));
        }
    }
}
