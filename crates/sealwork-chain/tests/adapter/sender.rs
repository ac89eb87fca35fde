use crate::support::{Act, MARKET, World, signer};
use alloy_primitives::Address;
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
pub(crate) async fn waiting(world: &World, account: Address) -> Vec<(u64, Value)> {
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
