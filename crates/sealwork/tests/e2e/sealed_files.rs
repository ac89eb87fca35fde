//! Sealed files that are damaged, and storage that lies.

use crate::support::{
    eventually,
    network::Network,
    requester::{Requester, TOKEN, has_output, status},
    rpc,
};
use sealwork_client::TaskState;
use sealwork_types::{Sha256Digest, order::TaskParams, params::TASK_DEADLINE_S};

/// Reads nothing; the sealed input is checked to its end all the same.
const NOTHING: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
const PRICE: u128 = 3 * TOKEN;

#[tokio::test]
async fn damaged_sealed_files_end_with_a_format_error() {
    let network = Network::start(&[]);
    let app = network.publish_text("nothing", NOTHING, "");
    let alice = Requester::join(&network, 3).await;
    let view = alice.app(&app).await;
    let before = alice.money().await.0;
    let sealed = alice.seal(&view, alice.binding(&view), &[7; 200_000]).await;
    let flipped = |at: usize| {
        let mut bytes = sealed.clone();
        bytes[at] ^= 1;
        bytes
    };
    let damaged = [
        ("first byte", flipped(0)),
        ("middle", flipped(sealed.len() / 2)),
        ("last byte", flipped(sealed.len() - 1)),
        ("without its last byte", sealed[..sealed.len() - 1].to_vec()),
        ("half of it", sealed[..sealed.len() / 2].to_vec()),
        ("one chunk and the header", sealed[..70_000].to_vec()),
        ("a byte more", [&sealed[..], &[0]].concat()),
        ("nothing", Vec::new()),
        ("something else", b"PK\x03\x04 not an age file at all".to_vec()),
    ];
    let attempts = damaged.len() as u128;
    for (what, bytes) in damaged {
        let record = alice.run(&view, alice.upload(bytes).await).await;
        assert_eq!((status(&record).as_str(), has_output(&record)), ("INPUT_FORMAT_ERROR", false), "{what}");
    }
    assert_eq!(alice.money().await, (before - attempts * PRICE, 0), "each attempt is paid once");
}

#[tokio::test]
async fn no_receipt_says_anything_about_bytes_that_the_order_does_not_name() {
    let network = Network::start(&[]);
    let app = network.publish_text("nothing", NOTHING, "");
    let alice = Requester::join(&network, 3).await;
    let view = alice.app(&app).await;
    let before = alice.money().await;
    let stored = alice.honest_input(&view).await;
    let lie = TaskParams { input_digest: Sha256Digest::of(b"what was really sealed"), ..stored };
    let deal = alice.submit(alice.propose(&view, lie).await).await.unwrap();

    let status = eventually("the worker gives up", || {
        let status = network.home.ok(["worker", "status"]);
        (status["abandoned"] == 1).then_some(status)
    });
    let reason = status["reasons"][0].as_str().unwrap();
    assert!(reason.contains("attempts") && reason.contains("storage returned other bytes"), "{reason}");
    let open = alice.task(deal).await;
    assert!(matches!(open.state, TaskState::Open { .. }), "{open:?}");
    assert_eq!(alice.money().await.1, PRICE, "the price stays locked until the deadline");

    let task = open.task.to_string();
    assert_eq!(network.home.run(["task", "claim", &task]).code, 1, "too early");
    rpc::travel(network.ready["chain"].as_str().unwrap(), TASK_DEADLINE_S + 60);
    network.home.ok(["task", "claim", &task]);
    assert!(matches!(alice.task(deal).await.state, TaskState::Refunded { .. }));
    assert_eq!(alice.money().await, before, "all the money is back");
    assert_eq!(network.home.run(["task", "claim", &task]).code, 1, "only once");
    assert_eq!(alice.money().await, before);
}
