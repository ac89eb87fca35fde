use crate::support::{Act, World};
use sealwork_ports::{Chain, EventCursor};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_next_block_or_after_a_second() {
    let world = World::new().await;
    let adapter = world.adapter(world.endpoint()).await;
    adapter.events(EventCursor::default(), 10).await.unwrap();
    let started = Instant::now();
    adapter.wait().await;
    assert_eq!(started.elapsed(), Duration::from_secs(1));
    let mine = async {
        sleep(Duration::from_millis(300)).await;
        world.block(0).await;
    };
    let started = Instant::now();
    tokio::join!(adapter.wait(), mine);
    let waited = started.elapsed().as_millis();
    assert!((300..=320).contains(&waited), "{waited} ms");
}

#[tokio::test(start_paused = true)]
async fn a_dead_endpoint_is_not_asked_without_pause() {
    let world = World::new().await;
    let dead = Arc::new(AtomicBool::new(false));
    let own = Arc::clone(&dead);
    let adapter =
        world.adapter(world.twisted(move |_, _| if own.load(SeqCst) { Act::Fail } else { Act::Pass })).await;
    adapter.events(EventCursor::default(), 10).await.unwrap();
    dead.store(true, SeqCst);
    let started = Instant::now();
    adapter.wait().await;
    assert_eq!(started.elapsed(), Duration::from_secs(1));
}
