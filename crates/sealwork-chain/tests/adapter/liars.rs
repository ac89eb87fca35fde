//! Two endpoints, one of which does anything.

use crate::support::{Act, Consumer, World};
use alloy_transport::BoxTransport;
use proptest::prelude::*;
use sealwork_ports::{Chain, ErrorKind};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

/// What the liar does with one request.
#[derive(Clone, Copy, Debug)]
enum Lie {
    None,
    Fail,
    Stall,
    NoLogs,
    FewerLogs,
    OtherLogs,
    Refuse,
    Rubbish,
    Behind,
}

fn lie() -> impl Strategy<Value = Lie> {
    prop_oneof![
        4 => Just(Lie::None),
        2 => Just(Lie::Fail),
        1 => Just(Lie::Stall),
        2 => Just(Lie::NoLogs),
        2 => Just(Lie::FewerLogs),
        2 => Just(Lie::OtherLogs),
        1 => Just(Lie::Refuse),
        1 => Just(Lie::Rubbish),
        2 => Just(Lie::Behind),
    ]
}

fn fewer(logs: Value) -> Value {
    let Value::Array(mut logs) = logs else { return logs };
    logs.pop();
    Value::Array(logs)
}

fn other(mut logs: Value) -> Value {
    if let Some(first) = logs.get_mut(0) {
        first["blockHash"] = json!(format!("0x{}", "cd".repeat(32)));
    }
    logs
}

/// Tells its lies in turn, again and again.
fn liar(world: &World, lies: Vec<Lie>, armed: &Arc<AtomicBool>) -> BoxTransport {
    let armed = Arc::clone(armed);
    let turn = AtomicUsize::new(0);
    world.twisted(move |method, params| {
        if !armed.load(SeqCst) {
            return Act::Pass;
        }
        let lie = lies[turn.fetch_add(1, SeqCst) % lies.len()];
        match (lie, method) {
            (Lie::Fail, _) => Act::Fail,
            (Lie::Stall, _) => Act::Stall,
            (Lie::Refuse, _) => Act::Refuse("internal error"),
            (Lie::Rubbish, _) => Act::Say(json!({ "what": "ever" })),
            (Lie::NoLogs, "eth_getLogs") => Act::Say(json!([])),
            (Lie::FewerLogs, "eth_getLogs") => Act::Edit(fewer),
            (Lie::OtherLogs, "eth_getLogs") => Act::Edit(other),
            (Lie::Behind, "eth_getBlockByNumber") if params[0] == "latest" => Act::Edit(|mut block| {
                block["number"] = json!("0x1");
                block
            }),
            _ => Act::Pass,
        }
    })
}

/// Events and reorganizations, seen through a liar and an honest endpoint, whichever is trusted more.
async fn watch(lies: &[Lie], liar_first: bool, rounds: &[(u64, u64)]) {
    let world = World::new().await;
    world.blocks(&[1; 12]).await;
    let armed = Arc::new(AtomicBool::new(false));
    let mut endpoints = vec![liar(&world, lies.to_vec(), &armed), world.endpoint()];
    if !liar_first {
        endpoints.reverse();
    }
    let adapter = world.adapter_of(endpoints).await;
    armed.store(true, SeqCst);
    let mut consumer = Consumer::default();
    for (events, depth) in rounds {
        world.block(*events).await;
        if *depth > 0 {
            let depth = usize::try_from(*depth).unwrap();
            world.reorg(&vec![*events; depth]).await;
        }
        match adapter.events(consumer.cursor, 5).await {
            Ok(page) => drop(consumer.take(page)),
            Err(error) => {
                assert!(matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Rejected), "{error}")
            }
        }
    }
    world.block(1).await;
    let truth = world.truth().await;
    for _ in 0..200 {
        if let Ok(page) = adapter.events(consumer.cursor, 5).await {
            consumer.take(page);
        }
        if consumer.learned == truth {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("learned {:?} instead of {truth:?}", consumer.learned);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_honest_endpoint_is_enough_to_learn_everything(
        lies in prop::collection::vec(lie(), 1..12),
        liar_first in any::<bool>(),
        rounds in prop::collection::vec((0..4u64, 0..4u64), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(watch(&lies, liar_first, &rounds));
    }
}
