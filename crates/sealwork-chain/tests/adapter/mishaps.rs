//! A sender on a chain where everything goes wrong.

use crate::{
    sender::waiting,
    support::{Act, MARKET, World},
};
use alloy_primitives::Address;
use proptest::prelude::*;
use sealwork_chain::{ChainError, Endpoint, SendPolicy};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::time::sleep;

/// Something that happens between two seconds.
#[derive(Clone, Copy, Debug)]
enum Mishap {
    Mine,
    Forget,
    ForgetOne(u8),
    Replace(u8),
    /// The next broadcasts are done, but the answer is lost, or are lost, or refused.
    Trouble(u8, u8),
    Send,
    GiveUp,
}

fn mishap() -> impl Strategy<Value = Mishap> {
    prop_oneof![
        5 => Just(Mishap::Mine),
        1 => Just(Mishap::Forget),
        2 => any::<u8>().prop_map(Mishap::ForgetOne),
        2 => (1..=3u8).prop_map(Mishap::Replace),
        2 => (0..4u8, 1..3u8).prop_map(|(kind, times)| Mishap::Trouble(kind, times)),
        4 => Just(Mishap::Send),
        1 => Just(Mishap::GiveUp),
    ]
}

/// An endpoint that has trouble with broadcasts while there is some left.
fn troubled(world: &World, trouble: &Arc<AtomicU64>) -> alloy_transport::BoxTransport {
    let trouble = Arc::clone(trouble);
    world.twisted(move |method, _| {
        if method != "eth_sendRawTransaction" || trouble.load(SeqCst) == 0 {
            return Act::Pass;
        }
        match trouble.fetch_sub(10, SeqCst) % 10 {
            0 => Act::Lose,
            1 => Act::Fail,
            2 => Act::Refuse("max fee per gas less than block base fee"),
            _ => Act::Refuse("txpool is full"),
        }
    })
}

async fn forget_one(world: &World, account: Address, which: u8) {
    let waiting = waiting(world, account).await;
    if let Some((_, one)) = waiting.get(usize::from(which) % waiting.len().max(1)) {
        world.ask("anvil_dropTransaction", json!([one["hash"]])).await;
    }
}

async fn suffer(mishaps: &[Mishap]) {
    let world = World::new().await;
    world.blocks(&[0; 5]).await;
    let trouble = Arc::new(AtomicU64::new(0));
    let policy =
        SendPolicy { confirmations: 4, give_up_after: Duration::from_secs(900), ..SendPolicy::default() };
    let endpoint = world.sender_of(vec![troubled(&world, &trouble)]).await.with_policy(policy);
    let (account, mut sends, mut given_up) = (endpoint.sender(), Vec::new(), Vec::new());
    let spawn = |endpoint: Endpoint| {
        let (call, id) = world.call();
        (id, tokio::spawn(async move { endpoint.send(Some(MARKET), call).await }))
    };
    for mishap in mishaps {
        match *mishap {
            Mishap::Mine => world.block(0).await,
            Mishap::Forget => drop(world.ask("anvil_dropAllTransactions", json!([])).await),
            Mishap::ForgetOne(which) => forget_one(&world, account, which).await,
            Mishap::Replace(depth) => world.reorg(&vec![0; depth.into()]).await,
            Mishap::Trouble(kind, times) => trouble.store(u64::from(kind) + 10 * u64::from(times), SeqCst),
            Mishap::Send => sends.push(spawn(endpoint.clone())),
            Mishap::GiveUp => {
                if let Some((id, send)) = sends.pop() {
                    send.abort();
                    given_up.push(id);
                }
            }
        }
        // A trouble of no kind left is none.
        if trouble.load(SeqCst) < 10 {
            trouble.store(0, SeqCst);
        }
        sleep(Duration::from_millis(1_700)).await;
    }
    trouble.store(0, SeqCst);
    sends.push(spawn(endpoint.clone()));
    let finish = async {
        loop {
            sleep(Duration::from_secs(4)).await;
            world.block(0).await;
        }
    };
    let all = async {
        let mut outcomes = Vec::new();
        for (id, send) in sends {
            outcomes.push((id, send.await.unwrap()));
        }
        outcomes
    };
    let outcomes = tokio::select! { outcomes = all => outcomes, () = finish => unreachable!() };
    let truth = world.truth().await;
    let times = |id: u64| truth.iter().filter(|(_, mined)| *mined == id).count();
    for (id, outcome) in outcomes {
        match outcome {
            Ok(outcome) => {
                assert!(truth.contains(&(outcome.block, id)), "{id} is not in block {}", outcome.block)
            }
            // Anything else is a bug: nobody else uses the account, and everything is mined in the end.
            Err(error) => assert!(matches!(error, ChainError::FeeTooLow { .. }), "{id}: {error}"),
        }
        assert!(times(id) <= 1, "{id} was mined {} times", times(id));
    }
    assert!(given_up.iter().all(|id| times(*id) <= 1));
    world.block(0).await;
    assert_eq!(waiting(&world, account).await, [], "nothing is left behind a gap");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_send_ends_in_one_mined_transaction_or_a_reason(mishaps in prop::collection::vec(mishap(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(suffer(&mishaps));
    }
}
