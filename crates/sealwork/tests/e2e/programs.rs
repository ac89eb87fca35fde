//! Programs that misbehave: each ends with its own status, the worker goes on, and every task is paid for once.

use crate::support::{
    network::{Network, project},
    requester::{Requester, TOKEN, has_output, status},
};
use alloy_primitives::aliases::U96;
use sealwork_client::PublishRequest;
use sealwork_ports::{Clock, SystemClock};
use sealwork_types::policy::{AcceptedEnclave, Limits, Policy};
use serde_json::Value;
use std::collections::BTreeMap;

/// A program, the limits it runs under, how it ends, and whether that is the developer's fault.
struct Case {
    name: &'static str,
    text: &'static str,
    limits: &'static str,
    status: &'static str,
    developer: bool,
}

const LOOP: &str =
    r#"(module (memory (export "memory") 1) (func (export "_start") (loop $again (br $again))))"#;

const CASES: &[Case] = &[
    Case {
        name: "imports-unknown",
        text: r#"(module (import "env" "open_socket" (func)) (memory (export "memory") 1) (func (export "_start")))"#,
        limits: "",
        status: "IMPORT_ERROR",
        developer: true,
    },
    Case {
        name: "no-entry",
        text: r#"(module (memory (export "memory") 1) (func (export "main")))"#,
        limits: "",
        status: "PAYLOAD_NOT_DEFINED",
        developer: true,
    },
    Case {
        name: "endless",
        text: LOOP,
        limits: "[limits]\nfuel = 10_000_000",
        status: "FUEL_LIMIT",
        developer: false,
    },
    Case {
        name: "slow",
        text: LOOP,
        limits: "[limits]\ntime_ms = 200",
        status: "TIME_LIMIT",
        developer: false,
    },
    Case {
        name: "memory-bomb",
        text: r#"(module (memory (export "memory") 1) (func (export "_start")
            (loop $more
              (if (i32.eq (memory.grow (i32.const 64)) (i32.const -1)) (then unreachable))
              (br $more))))"#,
        limits: "[limits]\nmemory_bytes = 16_777_216",
        status: "MEMORY_LIMIT",
        developer: false,
    },
    Case {
        name: "output-bomb",
        // 160,000 times 64 KiB are 10 GB.
        text: r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 2)
            (func (export "_start") (local $left i32)
              (i32.store (i32.const 0) (i32.const 1024))
              (i32.store (i32.const 4) (i32.const 65536))
              (local.set $left (i32.const 160000))
              (loop $more
                (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
                (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                (br_if $more (local.get $left)))))"#,
        limits: "",
        status: "OUTPUT_LIMIT",
        developer: false,
    },
    Case {
        name: "trap",
        text: r#"(module (memory (export "memory") 1) (func (export "_start") (drop (i32.div_u (i32.const 1) (i32.const 0)))))"#,
        limits: "",
        status: "BASE_EXCEPTION",
        developer: false,
    },
    Case {
        name: "exit-three",
        text: r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (data (i32.const 64) "half a result")
            (data (i32.const 96) "the reason")
            (func $say (param $fd i32) (param $at i32) (param $length i32)
              (i32.store (i32.const 0) (local.get $at))
              (i32.store (i32.const 4) (local.get $length))
              (drop (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
            (func (export "_start")
              (call $say (i32.const 1) (i32.const 64) (i32.const 13))
              (call $say (i32.const 2) (i32.const 96) (i32.const 10))
              (call $exit (i32.const 3))))"#,
        limits: "",
        status: "EXIT_NONZERO",
        developer: false,
    },
];

#[tokio::test]
async fn programs_that_misbehave_end_with_their_status() {
    let network = Network::start(&[]);
    let alice = Requester::join(&network, 3).await;
    let mut expected = alice.money().await.0;
    for case in CASES {
        let app = network.publish_text(case.name, case.text, case.limits);
        let view = alice.app(&app).await;
        let record = alice.run(&view, alice.honest_input(&view).await).await;
        assert_eq!(status(&record), case.status, "{}", case.name);
        assert_eq!(has_output(&record), !case.developer, "{}", case.name);
        // The worker gets its token in any case, the developer two more unless it is the developer's fault.
        expected -= match case.status {
            // A slow machine and a slow program look alike.
            "TIME_LIMIT" => 0,
            _ if case.developer => TOKEN,
            _ => 3 * TOKEN,
        };
        assert_eq!(alice.money().await, (expected, 0), "{}", case.name);
    }
    let worker = network.home.ok(["worker", "status"]);
    assert_eq!((&worker["settled"], &worker["abandoned"]), (&CASES.len().into(), &0.into()), "{worker}");
}

#[test]
fn the_command_line_delivers_what_a_failed_program_said() {
    let network = Network::start(&[]);
    let case = CASES.iter().find(|case| case.status == "EXIT_NONZERO").unwrap();
    network.publish_text(case.name, case.text, "");
    let reply = network.home.run(["run", case.name]);
    assert_eq!(reply.code, 5, "{reply:#?}");
    let answer = reply.last();
    let said = |field: &str| answer[field].as_str().map(str::to_owned).unwrap_or_default();
    assert_eq!((said("status").as_str(), &answer["exit_code"]), ("EXIT_NONZERO", &Value::from(3)));
    assert_eq!((said("stdout").as_str(), said("stderr").as_str()), ("half a result", "the reason"));
    let verified = network.home.ok(["verify", &said("receipt")]);
    assert_eq!(verified["status"], "EXIT_NONZERO");
}

#[tokio::test]
async fn what_is_not_webassembly_is_refused_or_ends_with_a_warning() {
    let network = Network::start(&[]);
    let bytes = b"#!/bin/sh\necho not a module\n";
    let folder = project(&network.home, "script", bytes, "");
    let reply = network.home.run(["publish", folder.to_str().unwrap()]);
    assert_eq!(reply.code, 1, "{reply:#?}");
    assert!(reply.last()["error"].as_str().unwrap().contains("not a WebAssembly module"), "{reply:#?}");

    let program = network.home.ok(["inspect", "enclave"]);
    let enclave: AcceptedEnclave = serde_json::from_value(serde_json::json!({
        "tee": "sim", "measurement": program["measurement"], "min_platform_svn": 0,
    }))
    .unwrap();
    let alice = Requester::join(&network, 3).await;
    // A good beginning with nonsense behind it passes every check but the compiler's.
    for module in [bytes.to_vec(), b"\0asm\x01\0\0\0\xff\xff\xff".to_vec()] {
        let request = PublishRequest {
            name: "forced".into(),
            description: String::new(),
            module,
            policy: Policy {
                version: 1,
                code_hash: sealwork_types::CodeHash::default(),
                enclaves: vec![enclave.clone()],
                max_evidence_age_s: 300,
                allow_debug: false,
                limits: Limits::default(),
                environment: BTreeMap::new(),
            },
            price: U96::ZERO,
            volume: 10,
            expiry: SystemClock.unix_s() + 3_600,
        };
        let published = alice.client.publish(request).await.unwrap();
        let view = alice.client.app(published.app).await.unwrap();
        let record = alice.run(&view, alice.honest_input(&view).await).await;
        assert_eq!((status(&record).as_str(), has_output(&record)), ("SYNTAX_WARNING", false));
    }
}
