use crate::support::{Act, Consumer, World, deployment, signer};
use alloy_transport::BoxTransport;
use sealwork_chain::{ChainError, Endpoint, EvmChain};
use sealwork_ports::{Chain, ErrorKind, EventCursor};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::time::Instant;

/// An endpoint that fails while it is told to, and counts what it is asked.
fn weak(world: &World, act: fn() -> Act) -> (BoxTransport, Arc<AtomicBool>, Arc<AtomicU64>) {
    let (failing, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (fails, asks) = (Arc::clone(&failing), Arc::clone(&asked));
    let transport = world.twisted(move |_, _| {
        asks.fetch_add(1, SeqCst);
        if fails.load(SeqCst) { act() } else { Act::Pass }
    });
    (transport, failing, asked)
}

#[tokio::test(start_paused = true)]
async fn another_endpoint_answers_at_once_and_the_failing_one_rests() {
    let world = World::new().await;
    let (first, failing, asked) = weak(&world, || Act::Fail);
    let (second, _) = world.counted();
    let adapter = world.adapter_of(vec![first, second]).await;
    failing.store(true, SeqCst);
    let (started, before) = (Instant::now(), asked.load(SeqCst));
    for _ in 0..10 {
        assert_eq!(adapter.head().await.unwrap().0, 1);
    }
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(asked.load(SeqCst), before + 1, "it rests after one failure");
    failing.store(false, SeqCst);
    tokio::time::advance(Duration::from_secs(2)).await;
    adapter.head().await.unwrap();
    assert_eq!(asked.load(SeqCst), before + 2, "it is tried again and trusted first");
}

#[tokio::test(start_paused = true)]
async fn a_silent_endpoint_is_waited_for_five_seconds_once() {
    let world = World::new().await;
    let (first, failing, _) = weak(&world, || Act::Stall);
    let adapter = world.adapter_of(vec![first, world.endpoint()]).await;
    failing.store(true, SeqCst);
    let started = Instant::now();
    adapter.head().await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 5);
    adapter.head().await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn when_none_answers_the_error_names_one() {
    let world = World::new().await;
    let (first, one, _) = weak(&world, || Act::Fail);
    let (second, other, _) = weak(&world, || Act::Fail);
    let adapter = world.adapter_of(vec![first, second]).await;
    one.store(true, SeqCst);
    other.store(true, SeqCst);
    for _ in 0..3 {
        let error = adapter.head().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable);
        assert!(
            error.to_string().contains("node") && error.to_string().contains("connection refused"),
            "{error}"
        );
    }
    one.store(false, SeqCst);
    adapter.head().await.expect("endpoints that rest are still asked when there is no other");
}

#[tokio::test(start_paused = true)]
async fn an_overloaded_endpoint_is_left_alone() {
    let world = World::new().await;
    let (first, failing, asked) =
        weak(&world, || Act::Refuse("daily request count exceeded, request rate limited"));
    let adapter = world.adapter_of(vec![first, world.endpoint()]).await;
    failing.store(true, SeqCst);
    let before = asked.load(SeqCst);
    for _ in 0..5 {
        adapter.head().await.unwrap();
    }
    assert_eq!(asked.load(SeqCst), before + 1);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_behind_is_not_asked() {
    let world = World::new().await;
    let behind = world.fork();
    let (first, asked) = behind.counted();
    let adapter = world.adapter_of(vec![first, world.endpoint()]).await;
    world.blocks(&[1; 10]).await;
    let mut consumer = Consumer::default();
    consumer.catch_up(&adapter, 100).await;
    assert_eq!(consumer.learned, world.truth().await);
    let before = asked.load(SeqCst);
    assert_eq!(adapter.head().await.unwrap().0, 11);
    assert_eq!(asked.load(SeqCst), before);
    behind.blocks(&[0; 10]).await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_of_another_chain_is_never_believed() {
    let world = World::new().await;
    let (other_chain, asked) = world.counted();
    let foreign = world.twisted(|method, _| match method {
        "eth_chainId" => Act::Say(json!("0x1")),
        _ => Act::Pass,
    });
    let adapter = world.adapter_of(vec![world.endpoint(), foreign, other_chain]).await;
    adapter.events(EventCursor::default(), 100).await.unwrap();
    let known = asked.load(SeqCst);
    assert!(known > 0, "the third endpoint is of the same chain and confirms events");
    // Alone, the foreign one is an error of its own kind.
    let foreign =
        world.twisted(|method, _| if method == "eth_chainId" { Act::Say(json!("0x1")) } else { Act::Pass });
    let endpoint = Endpoint::over(foreign, signer(0)).await.unwrap();
    let error = EvmChain::over(deployment(), endpoint).unwrap_err();
    assert!(matches!(error, ChainError::OtherChain { expected: 31_337, found: 1 }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_with_another_past_is_put_out_for_good() {
    let world = World::new().await;
    let other = world.fork();
    world.blocks(&[1; 70]).await;
    other.blocks(&[1; 70]).await;
    // The first is trusted most, but two agree against it.
    let adapter = world.adapter_of(vec![other.endpoint(), world.endpoint(), world.endpoint()]).await;
    let mut consumer = Consumer::default();
    consumer.catch_up(&adapter, 100).await;
    assert_eq!(consumer.learned, world.truth().await);
    let (alone, asked) = other.counted();
    let adapter = world.adapter_of(vec![world.endpoint(), alone]).await;
    let mut consumer = Consumer::default();
    consumer.catch_up(&adapter, 100).await;
    assert_eq!(consumer.learned, world.truth().await, "of two the first is right");
    let before = asked.load(SeqCst);
    tokio::time::advance(Duration::from_secs(3_600)).await;
    consumer.catch_up(&adapter, 100).await;
    assert_eq!(asked.load(SeqCst), before, "it is not asked ever again");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_shows_other_code_is_put_out() {
    let world = World::new().await;
    let liar =
        world.twisted(|method, _| if method == "eth_getCode" { Act::Say(json!("0x00")) } else { Act::Pass });
    let adapter = world.adapter_of(vec![world.endpoint(), liar]).await;
    adapter.events(EventCursor::default(), 100).await.unwrap();
    let (dead, failing, _) = weak(&world, || Act::Fail);
    let liar =
        world.twisted(|method, _| if method == "eth_getCode" { Act::Say(json!("0x00")) } else { Act::Pass });
    let adapter = world.adapter_of(vec![dead, liar]).await;
    adapter.events(EventCursor::default(), 100).await.unwrap();
    failing.store(true, SeqCst);
    let error = adapter.head().await.unwrap_err();
    assert!(error.to_string().contains("node 0"), "only the dead one is left: {error}");
}
