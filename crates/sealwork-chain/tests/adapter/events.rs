use crate::support::{Act, Consumer, World};
use proptest::prelude::*;
use sealwork_ports::{Chain, ErrorKind, EventCursor};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};

#[tokio::test(start_paused = true)]
async fn replaced_blocks_are_told_and_followed_by_what_stands_there_now() {
    let world = World::new().await;
    world.blocks(&[1, 0, 2, 1, 1]).await;
    let adapter = world.adapter(world.endpoint()).await;
    let mut consumer = Consumer::default();
    assert_eq!(consumer.catch_up(&adapter, 100).await, None);
    assert_eq!(consumer.learned, world.truth().await);
    world.reorg(&[0, 3]).await;
    assert_eq!(consumer.catch_up(&adapter, 100).await, Some(5), "blocks 5 and 6 were replaced at one height");
    assert_eq!(consumer.learned, world.truth().await);
    world.reorg(&[1, 1, 1]).await;
    world.block(1).await;
    assert_eq!(consumer.catch_up(&adapter, 100).await, Some(4));
    assert_eq!(consumer.learned, world.truth().await);
    assert_eq!(consumer.catch_up(&adapter, 100).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_new_process_finds_out_what_was_replaced_while_it_was_down() {
    let world = World::new().await;
    for _ in 0..100 {
        world.block(1).await;
    }
    let mut consumer = Consumer::default();
    consumer.catch_up(&world.adapter(world.endpoint()).await, 7).await;
    world.reorg(&[1; 10]).await;
    world.block(1).await;
    let adapter = world.adapter(world.endpoint()).await;
    assert_eq!(consumer.catch_up(&adapter, 100).await, Some(102 - 64), "it goes back as far as ever needed");
    assert_eq!(consumer.learned, world.truth().await);
}

#[tokio::test(start_paused = true)]
async fn a_block_of_which_only_a_part_was_delivered_is_delivered_again_when_it_is_replaced() {
    let world = World::new().await;
    world.blocks(&[2, 7]).await;
    let adapter = world.adapter(world.endpoint()).await;
    let mut consumer = Consumer::default();
    for expected in [2, 5] {
        let page = adapter.events(consumer.cursor, 3).await.unwrap();
        assert_eq!(consumer.take(page), None);
        assert_eq!(consumer.learned.len(), expected, "a page ends between blocks if it can");
    }
    assert_eq!((consumer.cursor.block, consumer.cursor.log_index), (3, 3));
    world.reorg(&[5]).await;
    assert_eq!(consumer.catch_up(&adapter, 3).await, Some(3));
    assert_eq!(consumer.learned, world.truth().await);
    // Another process does not know of which block the cursor is.
    world.block(7).await;
    let page = adapter.events(consumer.cursor, 3).await.unwrap();
    consumer.take(page);
    let other = world.adapter(world.endpoint()).await;
    assert_eq!(consumer.catch_up(&other, 100).await, Some(4));
    assert_eq!(consumer.learned, world.truth().await);
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_is_only_behind_is_waited_for() {
    let world = World::new().await;
    world.blocks(&[1, 1, 1, 1]).await;
    let behind = Arc::new(AtomicU64::new(0));
    let own = Arc::clone(&behind);
    let transport = world.twisted(move |method, params| match (method, params[0].as_str()) {
        ("eth_getBlockByNumber", Some("latest")) if own.load(SeqCst) > 0 => Act::Edit(|mut block| {
            block["number"] = json!("0x3");
            block
        }),
        _ => Act::Pass,
    });
    let adapter = world.adapter(transport).await;
    let mut consumer = Consumer::default();
    consumer.catch_up(&adapter, 100).await;
    let cursor = consumer.cursor;
    // The number is wrong, so the hash is no known block of that height: nothing is concluded from either.
    world.blocks(&[1]).await;
    behind.store(1, SeqCst);
    let page = adapter.events(EventCursor { parent: Default::default(), ..cursor }, 100).await.unwrap();
    assert_eq!((page.rewound_to, page.events.len()), (None, 0));
    behind.store(0, SeqCst);
    assert_eq!(consumer.catch_up(&adapter, 100).await, None);
    assert_eq!(consumer.learned, world.truth().await);
}

/// An endpoint that leaves out logs so many times.
fn forgetful(world: &World, times: u64) -> alloy_transport::BoxTransport {
    let left = AtomicU64::new(times);
    world.twisted(move |method, _| {
        let again =
            method == "eth_getLogs" && left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
        if again { Act::Say(json!([])) } else { Act::Pass }
    })
}

#[tokio::test(start_paused = true)]
async fn logs_that_a_bloom_promises_are_asked_for_again() {
    let world = World::new().await;
    world.blocks(&[1, 1]).await;
    let mut consumer = Consumer::default();
    consumer.catch_up(&world.adapter(forgetful(&world, 2)).await, 100).await;
    assert_eq!(consumer.learned, world.truth().await);
    // Three equal answers are believed: a bloom can promise what is not there.
    let mut other = Consumer::default();
    other.catch_up(&world.adapter(forgetful(&world, 3)).await, 100).await;
    assert!(other.learned.is_empty());
    assert_eq!(other.cursor, consumer.cursor);
}

#[tokio::test(start_paused = true)]
async fn another_endpoint_shows_what_one_leaves_out() {
    let world = World::new().await;
    world.blocks(&[1, 1]).await;
    let adapter = world.adapter_of(vec![forgetful(&world, u64::MAX), world.endpoint()]).await;
    let mut consumer = Consumer::default();
    consumer.catch_up(&adapter, 100).await;
    assert_eq!(consumer.learned, world.truth().await);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_leaves_out_some_logs_is_found_out() {
    let world = World::new().await;
    world.blocks(&[3, 3]).await;
    let liar = world.twisted(|method, _| match method {
        "eth_getLogs" => {
            Act::Edit(|logs| Value::Array(logs.as_array().unwrap().iter().skip(1).cloned().collect()))
        }
        _ => Act::Pass,
    });
    let adapter = world.adapter_of(vec![liar, world.endpoint()]).await;
    let mut consumer = Consumer::default();
    consumer.catch_up(&adapter, 100).await;
    assert_eq!(consumer.learned, world.truth().await);
}

#[tokio::test(start_paused = true)]
async fn logs_of_other_blocks_are_never_delivered() {
    let world = World::new().await;
    world.blocks(&[1, 1]).await;
    let liar = world.twisted(|method, _| match method {
        "eth_getLogs" => Act::Edit(|mut logs| {
            logs[0]["blockHash"] = json!(format!("0x{}", "ab".repeat(32)));
            logs
        }),
        _ => Act::Pass,
    });
    let error = world.adapter(liar).await.events(EventCursor::default(), 100).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.to_string().contains("contradicts itself about blocks 1 to 3"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn pages_get_smaller_when_an_endpoint_refuses_them() {
    let world = World::new().await;
    for _ in 0..300 {
        world.block(1).await;
    }
    let narrow = world.twisted(|method, params| {
        let block = |key: &str| {
            let text = params[0][key].as_str().unwrap_or_default().trim_start_matches("0x").to_owned();
            u64::from_str_radix(&text, 16).unwrap_or_default()
        };
        let wide = method == "eth_getLogs" && block("toBlock") - block("fromBlock") >= 10;
        if wide { Act::Refuse("eth_getLogs is limited to a 10 block range") } else { Act::Pass }
    });
    let adapter = world.adapter(narrow).await;
    let mut consumer = Consumer::default();
    consumer.catch_up(&adapter, 1_000).await;
    assert_eq!(consumer.learned, world.truth().await);
    assert_eq!(consumer.learned.len(), 300);
}

#[tokio::test(start_paused = true)]
async fn endpoints_without_batches_are_read_one_by_one() {
    let world = World::new().await;
    world.blocks(&[1, 2, 3]).await;
    let chain = world.chain.clone();
    let transport = sealwork_chain::TextTransport::new(move |text: String| {
        let chain = chain.clone();
        async move {
            if text.starts_with('[') {
                let error = json!({ "code": -32600, "message": "batches are not supported" });
                return Ok(json!({ "jsonrpc": "2.0", "id": null, "error": error }).to_string());
            }
            Ok(chain.request(&text).await)
        }
    });
    let adapter = world.adapter(alloy_transport::IntoBoxTransport::into_box_transport(transport)).await;
    let mut consumer = Consumer::default();
    consumer.catch_up(&adapter, 100).await;
    assert_eq!(consumer.learned, world.truth().await);
}

/// Something that happens to a chain or to its consumer.
#[derive(Clone, Debug)]
enum Step {
    Blocks(Vec<u64>),
    Replace(Vec<u64>),
    /// Blocks leave the chain and others come later.
    Shorten(u64),
    Poll(usize),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => prop::collection::vec(0..4u64, 1..8).prop_map(Step::Blocks),
        2 => prop::collection::vec(0..4u64, 1..=12).prop_map(Step::Replace),
        1 => (1..=4u64).prop_map(Step::Shorten),
        4 => (1..12usize).prop_map(Step::Poll),
        1 => Just(Step::Restart),
    ]
}

async fn replay(steps: &[Step]) {
    let world = World::new().await;
    world.blocks(&[1; 40]).await;
    let mut adapter = world.adapter(world.endpoint()).await;
    let (mut consumer, mut missing) = (Consumer::default(), 0);
    for step in steps {
        match step {
            Step::Blocks(events) => world.blocks(events).await,
            Step::Replace(events) => world.reorg(events).await,
            Step::Shorten(depth) if missing < 8 => {
                world.ask("anvil_rollback", json!([depth])).await;
                missing += depth;
            }
            Step::Shorten(_) => {}
            Step::Poll(limit) => {
                let page = adapter.events(consumer.cursor, *limit).await.unwrap();
                consumer.take(page);
            }
            Step::Restart => adapter = world.adapter(world.endpoint()).await,
        }
    }
    // Until the chain is longer than ever, what is behind and what was removed look the same.
    world.blocks(&vec![1; usize::try_from(missing).unwrap() + 1]).await;
    consumer.catch_up(&adapter, 5).await;
    assert_eq!(consumer.learned, world.truth().await);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_honours_what_was_rewound_ends_with_what_is_on_the_chain(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(replay(&steps));
    }
}
