//! What is missing or not allowed is said at once, with the exit code that a script can rely on.

use crate::support::{
    eventually,
    network::{Network, WorkerMachine, project},
};
use serde_json::Value;
use std::net::TcpListener;

const NOTHING: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;

/// An address at which nobody listens.
fn nobody() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn wallets_need_their_passphrase() {
    let mut network = Network::start(&["--no-worker"]);
    network.home.passphrase = Some("the right passphrase");
    network.home.ok(["wallet", "new", "alice"]);
    network.home.wallet = "alice";
    network.home.ok(["account", "show"]);

    let code = |network: &Network, arguments: &[&str]| {
        let reply = network.home.run(arguments);
        assert!(reply.last()["hint"].is_string() || reply.code == 0, "{reply:#?}");
        reply.code
    };
    assert_eq!(code(&network, &["wallet", "new", "alice"]), 6, "never overwritten");
    network.home.passphrase = Some("the wrong passphrase");
    for command in
        [&["account", "show"][..], &["account", "deposit", "1"], &["wallet", "show"], &["task", "list"]]
    {
        assert_eq!(code(&network, command), 6, "{command:?}");
    }
    network.home.passphrase = None;
    assert_eq!(code(&network, &["account", "show"]), 6, "no passphrase and no terminal");
    network.home.passphrase = Some("short");
    assert_eq!(code(&network, &["wallet", "new", "bob"]), 6, "too short");
    network.home.wallet = "nobody";
    assert_eq!(code(&network, &["account", "show"]), 6, "no such wallet");
}

#[test]
fn parts_of_the_network_that_do_not_answer_are_named() {
    let network = Network::start(&[]);
    network.publish_text("nothing", NOTHING, "");
    let genuine = network.document();
    let parts: [(&str, &str, &[&[&str]]); 3] = [
        (
            "/rpc",
            "http://",
            &[&["account", "show"], &["run", "nothing"], &["task", "list"], &["worker", "start"]],
        ),
        (
            "/cas/0/url",
            "http://",
            &[&["run", "nothing"], &["inspect", "app", "nothing"], &["cas", "log", "--verify"]],
        ),
        ("/store", "http://", &[&["run", "nothing"], &["inspect", "app", "nothing"]]),
    ];
    for (pointer, scheme, commands) in parts {
        let mut document = genuine.clone();
        *document.pointer_mut(pointer).unwrap() = format!("{scheme}{}", nobody()).into();
        let path = network.home.write("broken.json", document.to_string());
        for command in commands {
            let reply = network.home.run([&["--network", path.to_str().unwrap()], *command].concat());
            assert_eq!(reply.code, 3, "{pointer} {command:?}: {reply:#?}");
            assert!(reply.last()["hint"].is_string(), "{reply:#?}");
        }
        let doctor = network.home.run(["--network", path.to_str().unwrap(), "doctor"]);
        assert_ne!(doctor.code, 0, "{pointer}: {doctor:#?}");
    }
    assert!(network.home.run(["task", "list"]).lines.is_empty(), "nothing was matched");
    assert_eq!(network.home.ok(["account", "show"])["locked"], "0");
    network.home.ok(["run", "nothing"]);
}

#[test]
fn an_enclave_that_the_policy_does_not_name_gets_no_key() {
    let network = Network::start(&[]);
    let module = wat::parse_str(NOTHING).unwrap();
    let other = "0x".to_owned() + &"11".repeat(32);
    let enclaves = format!("[[enclaves]]\ntee = \"sim\"\nmeasurement = \"{other}\"\nmin_platform_svn = 0");
    network.publish(&project(&network.home, "elsewhere", &module, &enclaves), "2");
    let run = network.home.start(["run", "elsewhere"]);
    let status = eventually("the worker gives up", || {
        let status = network.home.ok(["worker", "status"]);
        (status["abandoned"] == 1).then_some(status)
    });
    let reason = status["reasons"][0].as_str().unwrap();
    let measurement = network.home.ok(["inspect", "enclave"])["measurement"].as_str().unwrap().to_owned();
    assert!(reason.contains("CAS member") && reason.contains(&measurement), "{reason}");
    drop(run);
    let entries = network.home.run(["cas", "log"]).lines;
    assert!(
        entries.iter().all(|line| line["entry"]["kind"] != "release"),
        "no key was released: {entries:#?}"
    );
    let task = network.home.ok(["task", "list"]);
    assert_eq!(task["state"], "open", "the money comes back after the deadline: {task}");
}

#[test]
fn a_worker_that_cannot_reach_the_cas_waits_and_says_why() {
    let network = Network::start(&["--no-worker"]);
    network.publish_text("nothing", NOTHING, "");
    let mut document = network.document();
    document["cas"][0]["tls"] = nobody().into();
    let machine = WorkerMachine::new(&network, &document);
    let _worker = machine.start();
    let _run = network.home.start(["run", "nothing"]);
    // Between two attempts: while one is made, the reason of the last is still shown.
    let status = eventually("the worker says what it waits for", || {
        let status = machine.status();
        (status["queued"] == 1 && status["waiting"][0].is_string()).then_some(status)
    });
    let reason = status["waiting"][0].as_str().unwrap();
    assert!(reason.contains("attested") && reason.contains("CAS"), "{reason}");
    assert_eq!(status["abandoned"], 0, "no attempt is lost");
    assert_eq!(network.home.ok(["task", "list"])["state"], "open");
}

#[test]
fn wrong_usage_and_unknown_names_are_told_apart() {
    let network = Network::start(&["--no-worker"]);
    assert_eq!(network.home.run(["run"]).code, 2);
    assert_eq!(network.home.run(["run", "no-such-app"]).code, 1);
    assert_eq!(network.home.run(["task", "show", "0xabcdef"]).code, 1);
    assert_eq!(network.home.run(["account", "deposit", "1e3"]).code, 1);
    // An app without a worker: nothing is matched.
    network.publish_text("nothing", NOTHING, "");
    let reply = network.home.run(["run", "nothing"]);
    assert_eq!(
        (reply.code, network.home.ok(["account", "show"])["locked"].clone()),
        (1, Value::from("0")),
        "{reply:#?}"
    );
}
