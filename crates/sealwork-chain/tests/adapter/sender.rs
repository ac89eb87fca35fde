use crate::support::{Act, MARKET, World, signer};
use alloy_primitives::Address;
use proptest::prelude::*;
use sealwork_chain::{ChainError, Endpoint, SendPolicy};
use sealwork_ports::TxOutcome;
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

type Sent = Result<TxOutcome, ChainError>;

async fn endpoint(world: &World) -> Endpoint {
    world.sender_of(vec![world.endpoint()]).await
}

async fn send(world: &World, endpoint: &Endpoint) -> Sent {
    endpoint.send(Some(MARKET), world.call().0).await
}

/// Sends while something else happens.
async fn while_sending(world: &World, endpoint: &Endpoint, meanwhile: impl Future<Output = ()>) -> Sent {
    tokio::join!(send(world, endpoint), meanwhile).0
}

async fn after(seconds: u64, action: impl Future) {
    sleep(Duration::from_secs(seconds)).await;
    action.await;
}

/// What waits in the pool, by nonce.
async fn waiting(world: &World, account: Address) -> Vec<(u64, Value)> {
    let content = world.ask("txpool_contentFrom", json!([account])).await;
    let all = ["pending", "queued"].map(|kind| content[kind].as_object().cloned().unwrap_or_default());
    let all = all.into_iter().flatten().map(|(nonce, transaction)| (nonce.parse().unwrap(), transaction));
    all.collect()
}

fn fee(transaction: &Value) -> u128 {
    u128::from_str_radix(transaction["maxFeePerGas"].as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_not_mined_is_offered_for_more() {
    let world = World::new().await;
    let endpoint = endpoint(&world).await;
    let account = endpoint.sender();
    let seen = std::sync::Mutex::new(Vec::new());
    let sent = while_sending(&world, &endpoint, async {
        for _ in 0..4 {
            sleep(Duration::from_secs(16)).await;
            let waiting = waiting(&world, account).await;
            seen.lock().unwrap().push(fee(&waiting[0].1));
        }
        world.block(0).await;
    });
    let outcome = sent.await.unwrap();
    let fees = seen.into_inner().unwrap();
    assert_eq!(fees[0], fees[0].min(fees[1]), "first it is only broadcast again: {fees:?}");
    assert!(fees[1] * 8 >= fees[0] * 9 && fees[2] * 8 >= fees[1] * 9, "{fees:?}");
    assert_eq!(world.truth().await.len(), 1);
    assert_eq!(outcome.block, 2);
}

#[tokio::test(start_paused = true)]
async fn fees_stop_at_the_cap_and_waiting_ends() {
    let world = World::new().await;
    let policy = SendPolicy { fee_cap: 2, give_up_after: Duration::from_secs(600), ..SendPolicy::default() };
    let endpoint = endpoint(&world).await.with_policy(policy);
    let started = Instant::now();
    let usual = endpoint.gas_price().await.unwrap();
    let error = send(&world, &endpoint).await.unwrap_err();
    assert!(matches!(error, ChainError::NotMined { waited_s: 600, .. }), "{error}");
    assert!((600..602).contains(&started.elapsed().as_secs()));
    let fee = fee(&waiting(&world, endpoint.sender()).await[0].1);
    assert!(fee > usual * 16 / 9 && fee <= usual * 2, "{fee} of {usual}");
}

#[tokio::test(start_paused = true)]
async fn what_nodes_forget_is_sent_again() {
    let world = World::new().await;
    let endpoint = endpoint(&world).await;
    let sent = while_sending(&world, &endpoint, async {
        after(5, world.ask("anvil_dropAllTransactions", json!([]))).await;
        world.block(0).await;
        after(20, world.block(0)).await;
    });
    assert_eq!(sent.await.unwrap().block, 3);
    assert_eq!(world.truth().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn many_are_on_their_way_at_once() {
    let world = World::new().await;
    let endpoint = endpoint(&world).await;
    let mut sends = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (world, endpoint) = (world.clone(), endpoint.clone());
        sends.spawn(async move { send(&world, &endpoint).await });
    }
    sleep(Duration::from_secs(1)).await;
    world.block(0).await;
    for sent in sends.join_all().await {
        assert_eq!(sent.unwrap().block, 2);
    }
    assert_eq!(world.truth().await.len(), 20);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_does_not_send_twice() {
    let world = World::new().await;
    let losing =
        world.twisted(|method, _| if method == "eth_sendRawTransaction" { Act::Lose } else { Act::Pass });
    for transports in [vec![losing.clone()], vec![losing, world.endpoint()]] {
        let endpoint = world.sender_of(transports).await;
        let before = world.truth().await.len();
        while_sending(&world, &endpoint, after(3, world.block(0))).await.unwrap();
        world.block(0).await;
        assert_eq!(world.truth().await.len(), before + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn transactions_of_an_earlier_life_are_waited_for() {
    let world = World::new().await;
    let account = signer(0).address();
    world.ask("eth_sendTransaction", json!([{ "from": account, "to": account }])).await;
    let endpoint = endpoint(&world).await;
    let started = Instant::now();
    let sent = while_sending(&world, &endpoint, async {
        after(20, world.block(0)).await;
        after(2, world.block(0)).await;
    });
    assert_eq!(sent.await.unwrap().block, 3);
    assert!(started.elapsed().as_secs() < 25);
}

#[tokio::test(start_paused = true)]
async fn stuck_transactions_of_an_earlier_life_make_room() {
    let world = World::new().await;
    let account = signer(0).address();
    for nonce in 0..2 {
        let stuck = json!([{ "from": account, "to": MARKET, "nonce": nonce, "input": "0x00" }]);
        world.ask("eth_sendTransaction", stuck).await;
    }
    let endpoint = endpoint(&world).await;
    let sent = while_sending(&world, &endpoint, async {
        sleep(Duration::from_secs(59)).await;
        assert!(waiting(&world, account).await.iter().all(|(_, one)| one["input"] == "0x00"));
        sleep(Duration::from_secs(3)).await;
        let waiting = waiting(&world, account).await;
        assert_eq!(waiting.len(), 2);
        assert!(waiting.iter().all(|(_, one)| one["input"] == "0x"), "{waiting:?}");
        world.block(0).await;
        after(2, world.block(0)).await;
    });
    sent.await.unwrap();
    assert_eq!(world.truth().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_nonce_that_somebody_else_took_is_an_error_that_says_so() {
    let world = World::new().await;
    let endpoint = endpoint(&world).await;
    let account = endpoint.sender();
    let sent = while_sending(&world, &endpoint, async {
        after(5, world.ask("anvil_dropAllTransactions", json!([]))).await;
        world.ask("eth_sendTransaction", json!([{ "from": account, "to": account }])).await;
        world.block(0).await;
    });
    let error = sent.await.unwrap_err();
    assert!(matches!(error, ChainError::NonceTaken { nonce: 0, .. }), "{error}");
    while_sending(&world, &endpoint, after(1, world.block(0))).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_counts_too_few_does_not_stop_us() {
    let world = World::new().await;
    let stale = world.twisted(|method, params| match (method, params[1].as_str()) {
        ("eth_getTransactionCount", Some("pending")) => Act::Say(json!("0x0")),
        _ => Act::Pass,
    });
    let account = signer(0).address();
    for _ in 0..3 {
        world.ask("eth_sendTransaction", json!([{ "from": account, "to": account }])).await;
    }
    world.block(0).await;
    let endpoint = world.sender_of(vec![stale]).await;
    while_sending(&world, &endpoint, after(5, world.block(0))).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_base_fee_that_rises_meanwhile_is_followed() {
    let world = World::new().await;
    let refusals = Arc::new(AtomicU64::new(2));
    let left = Arc::clone(&refusals);
    let strict = world.twisted(move |method, _| {
        let refuse = method == "eth_sendRawTransaction"
            && left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
        if refuse {
            Act::Refuse("max fee per gas less than block base fee: maxFeePerGas: 1")
        } else {
            Act::Pass
        }
    });
    let endpoint = world.sender_of(vec![strict]).await;
    while_sending(&world, &endpoint, after(2, world.block(0))).await.unwrap();
    refusals.store(99, SeqCst);
    let error = send(&world, &endpoint).await.unwrap_err();
    assert!(matches!(error, ChainError::FeeTooLow { .. }), "{error}");
    refusals.store(0, SeqCst);
    let sent = while_sending(&world, &endpoint, after(2, world.block(0))).await;
    sent.expect("the nonce of what was refused is free");
}

#[tokio::test(start_paused = true)]
async fn who_cannot_pay_is_told_so() {
    let world = World::new().await;
    let poor = alloy_signer_local::PrivateKeySigner::random();
    let endpoint = Endpoint::over(world.endpoint(), poor.clone()).await.unwrap();
    let error = send(&world, &endpoint).await.unwrap_err();
    assert!(
        matches!(error, ChainError::InsufficientFunds { account, .. } if account == poor.address()),
        "{error}"
    );
    assert!(error.to_string().contains("insufficient funds"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_waits_for_does_not_keep_back_the_rest() {
    let world = World::new().await;
    let endpoint = endpoint(&world).await;
    let gone = tokio::time::timeout(Duration::from_secs(1), send(&world, &endpoint)).await;
    assert!(gone.is_err(), "nothing is mined");
    world.ask("anvil_dropAllTransactions", json!([])).await;
    sleep(Duration::from_secs(3)).await;
    while_sending(&world, &endpoint, after(2, world.block(0))).await.unwrap();
    assert_eq!(world.truth().await.len(), 2, "what was forgotten is sent again before");
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_a_reorganization_takes_is_waited_for_again() {
    let world = World::new().await;
    let policy = SendPolicy { confirmations: 3, ..SendPolicy::default() };
    let endpoint = endpoint(&world).await.with_policy(policy);
    let sent = while_sending(&world, &endpoint, async {
        after(2, world.blocks(&[0, 0])).await;
        sleep(Duration::from_secs(1)).await;
        assert_eq!(world.truth().await.len(), 1);
        world.reorg(&[0, 0]).await;
        assert_eq!(world.truth().await.len(), 0);
        after(20, world.blocks(&[0, 0, 0])).await;
    });
    let outcome = sent.await.unwrap();
    assert_eq!(world.truth().await, [(outcome.block, 1)]);
}

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
