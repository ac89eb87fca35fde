//! Tasks of prepaid channels: paid by vouchers, delivered, redeemed in time.

use crate::{
    http::serve,
    ledger::{DOMAIN, Sent},
    world::{NOW, POOL, Running, World},
};
use alloy_primitives::aliases::U96;
use sealwork_ports::{ErrorKind, MarketEvent, RequestTaker};
use sealwork_seal::sign::SigningKey;
use sealwork_types::{
    Address, B256, Bytes, Cid, Codec, DealId, TaskId,
    abi::{RequestOrder, Voucher},
    channel::ChannelTask,
    deal::Deal,
    order::{TaskParams, TrustMode},
    progress::AcceptedRequest,
};
use sealwork_worker::{HttpWorker, RequestError};

/// A channel with our pool for so many tasks, on chain.
fn open(world: &World, volume: u32) -> Deal {
    let order = RequestOrder { mode: TrustMode::Channel.code(), ..world.order(volume, 0xcc) };
    let channel = world.deal_of(world.sign(order));
    world.ledger.matched(&channel);
    channel
}

fn voucher(payer: &SigningKey, channel: &Deal, count: u32) -> Bytes {
    payer.sign(&DOMAIN, &Voucher { dealId: channel.id().get(), count })
}

fn order(world: &World, salt: u8) -> RequestOrder {
    RequestOrder {
        mode: TrustMode::Channel.code(),
        poolRestrict: POOL.get(),
        appMaxPrice: U96::ZERO,
        poolMaxPrice: U96::ZERO,
        ..world.order(1, salt)
    }
}

fn task(world: &World, channel: &Deal, salt: u8, count: u32) -> ChannelTask {
    let voucher = voucher(&world.requester, channel, count);
    ChannelTask { request: world.sign(order(world, salt)), count, voucher }
}

async fn accept(
    running: &Running,
    channel: &Deal,
    task: ChannelTask,
) -> Result<AcceptedRequest, RequestError> {
    running.worker.accept_in_channel(channel.id(), task).await
}

/// A running worker that knows the channel and has seen the newest block.
async fn ready(world: &World, channel: &Deal) -> Running {
    let running = world.run();
    running.until(|status| status.caught_up_at != 0 && running.worker.channel(channel.id()).is_ok()).await;
    running
}

#[tokio::test]
async fn tasks_are_delivered_and_the_last_voucher_is_redeemed_once() {
    let world = World::new().await;
    let channel = open(&world, 3);
    let running = ready(&world, &channel).await;
    for salt in 1..=3 {
        let accepted = accept(&running, &channel, task(&world, &channel, salt, salt.into())).await.unwrap();
        running.until(|status| status.delivered == u64::from(salt)).await;
        let receipt = running.worker.receipt(accepted.task).unwrap();
        assert_eq!(receipt.receipt.dealId, accepted.deal.get());
        if salt < 3 {
            assert!(world.ledger.sent().is_empty(), "nothing goes on chain before the channel is used up");
        }
    }
    let sent = world.ledger.until(|sent| !sent.is_empty()).await;
    let [Sent::Redeem(call)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((call.count, &call.terms), (3, &channel.terms));
    assert_eq!(call.signature, voucher(&world.requester, &channel, 3));
    let error = accept(&running, &channel, task(&world, &channel, 4, 4)).await.unwrap_err();
    assert!(matches!(error, RequestError::ChannelEnds { .. } | RequestError::Unsuitable { .. }), "{error}");
    running.stop().await;
    assert_eq!(world.ledger.sent().len(), 1);
}

#[tokio::test]
async fn a_voucher_pays_exactly_the_next_task_and_a_task_is_accepted_once() {
    let world = World::new().await;
    let channel = open(&world, 10);
    let running = ready(&world, &channel).await;
    for count in [0, 2] {
        let error = accept(&running, &channel, task(&world, &channel, 1, count)).await.unwrap_err();
        assert!(matches!(error, RequestError::Voucher { next: 1, .. }), "{error}");
    }
    let first = accept(&running, &channel, task(&world, &channel, 1, 1)).await.unwrap();
    let again = accept(&running, &channel, task(&world, &channel, 1, 1)).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(running.worker.channel(channel.id()).unwrap().used, 1);
    let error = accept(&running, &channel, task(&world, &channel, 2, 1)).await.unwrap_err();
    assert!(matches!(error, RequestError::Voucher { count: 1, next: 2 }), "{error}");
    running.stop().await;
}

#[tokio::test]
async fn tasks_that_do_not_fit_the_channel_are_refused() {
    type Change = fn(&mut RequestOrder);
    let world = World::new().await;
    let channel = open(&world, 10);
    let running = ready(&world, &channel).await;
    let changes: [(&str, Change); 10] = [
        ("poolRestrict", |order| order.poolRestrict = B256::ZERO),
        ("requester", |order| order.requester = Address::ZERO),
        ("app", |order| order.app = B256::ZERO),
        ("codeHash", |order| order.codeHash = B256::ZERO),
        ("policyHash", |order| order.policyHash = B256::ZERO),
        ("appMaxPrice", |order| order.appMaxPrice = U96::from(1)),
        ("poolMaxPrice", |order| order.poolMaxPrice = U96::from(1)),
        ("mode", |order| order.mode = 0),
        ("volume", |order| order.volume = 2),
        ("expiry", |order| order.expiry = NOW + 1),
    ];
    for (expected, change) in changes {
        let mut order = order(&world, 1);
        change(&mut order);
        let wrong = ChannelTask { request: world.sign(order), ..task(&world, &channel, 1, 1) };
        let error = accept(&running, &channel, wrong).await.unwrap_err();
        assert!(matches!(error, RequestError::Unsuitable { field, .. } if field == expected), "{error}");
    }
    let stranger = SigningKey::generate().unwrap();
    let forged = ChannelTask { voucher: voucher(&stranger, &channel, 1), ..task(&world, &channel, 1, 1) };
    let error = accept(&running, &channel, forged).await.unwrap_err();
    assert!(matches!(error, RequestError::Unsuitable { field: "voucher", .. }), "{error}");
    let elsewhere = DealId::new(B256::ZERO);
    let error = running.worker.accept_in_channel(elsewhere, task(&world, &channel, 1, 1)).await.unwrap_err();
    assert!(matches!(error, RequestError::NoChannel { .. }), "{error}");
    assert_eq!(running.worker.channel(channel.id()).unwrap().used, 0);
    running.stop().await;
}

#[tokio::test]
async fn a_payer_who_wants_the_rest_gets_no_more_tasks_and_the_voucher_is_redeemed() {
    let world = World::new().await;
    let channel = open(&world, 10);
    let running = ready(&world, &channel).await;
    accept(&running, &channel, task(&world, &channel, 1, 1)).await.unwrap();
    world.ledger.tell(MarketEvent::Closing { deal: channel.id(), until: NOW + 3_600 });
    let sent = world.ledger.until(|sent| !sent.is_empty()).await;
    assert!(matches!(&sent[..], [Sent::Redeem(call)] if call.count == 1), "{sent:?}");
    let error = accept(&running, &channel, task(&world, &channel, 2, 2)).await.unwrap_err();
    assert!(matches!(error, RequestError::ChannelEnds { .. }), "{error}");
    running.stop().await;
}

#[tokio::test]
async fn vouchers_survive_a_restart_and_are_redeemed_within_a_day() {
    let world = World::new().await;
    let channel = open(&world, 10);
    let running = ready(&world, &channel).await;
    accept(&running, &channel, task(&world, &channel, 1, 1)).await.unwrap();
    running.until(|status| status.delivered == 1).await;
    running.stop().await;
    assert!(world.ledger.sent().is_empty());
    world.set_time(86_400);
    let running = world.run();
    let sent = world.ledger.until(|sent| !sent.is_empty()).await;
    assert!(matches!(&sent[..], [Sent::Redeem(call)] if call.count == 1), "{sent:?}");
    running.stop().await;
}

#[tokio::test]
async fn a_task_that_is_given_up_is_not_paid_and_the_next_one_has_its_place() {
    let world = World::new().await;
    world.enclaves.refuse(true);
    let channel = open(&world, 1);
    let running = ready(&world, &channel).await;
    let given_up = accept(&running, &channel, task(&world, &channel, 1, 1)).await.unwrap();
    running.until(|status| status.abandoned == 1).await;
    assert_eq!(running.worker.channel(channel.id()).unwrap().used, 0);
    let error = running.worker.receipt(given_up.task).unwrap_err();
    assert!(error.to_string().contains("does not count in the channel: a wrong policy"), "{error}");
    // The voucher for everything is there, but nothing was earned.
    world.ledger.tell(MarketEvent::Closing { deal: DealId::new(B256::ZERO), until: 0 });
    running.stop().await;
    assert!(world.ledger.sent().is_empty());

    world.enclaves.refuse(false);
    let running = ready(&world, &channel).await;
    accept(&running, &channel, task(&world, &channel, 2, 1)).await.unwrap();
    running.until(|status| status.delivered == 1).await;
    let sent = world.ledger.until(|sent| !sent.is_empty()).await;
    assert!(matches!(&sent[..], [Sent::Redeem(call)] if call.count == 1), "{sent:?}");
    running.stop().await;
}

#[tokio::test]
async fn only_what_was_done_is_redeemed() {
    let world = World::new().await;
    let channel = open(&world, 10);
    let running = ready(&world, &channel).await;
    for salt in 1..=2 {
        accept(&running, &channel, task(&world, &channel, salt, salt.into())).await.unwrap();
        running.until(|status| status.delivered == u64::from(salt)).await;
    }
    world.enclaves.refuse(true);
    accept(&running, &channel, task(&world, &channel, 3, 3)).await.unwrap();
    running.until(|status| status.abandoned == 1).await;
    world.ledger.tell(MarketEvent::Closing { deal: channel.id(), until: NOW + 3_600 });
    let sent = world.ledger.until(|sent| !sent.is_empty()).await;
    assert!(matches!(&sent[..], [Sent::Redeem(call)] if call.count == 2), "{sent:?}");
    running.stop().await;
}

#[tokio::test]
async fn a_channel_whose_tasks_fail_again_and_again_takes_no_more() {
    let world = World::new().await;
    world.enclaves.refuse(true);
    let channel = open(&world, 10);
    let running = ready(&world, &channel).await;
    for salt in 1..=17 {
        accept(&running, &channel, task(&world, &channel, salt, 1)).await.unwrap();
        running.until(|status| status.abandoned == u64::from(salt)).await;
    }
    let error = accept(&running, &channel, task(&world, &channel, 18, 1)).await.unwrap_err();
    assert!(matches!(error, RequestError::ChannelEnds { .. }), "{error}");
    running.stop().await;
}

#[tokio::test]
async fn a_worker_that_does_not_see_the_chain_takes_no_tasks() {
    let world = World::new().await;
    let channel = open(&world, 10);
    let running = ready(&world, &channel).await;
    world.ledger.change(|state| state.down = true);
    world.set_time(601);
    let order = RequestOrder { expiry: NOW + 5_000, ..order(&world, 1) };
    let late = ChannelTask { request: world.sign(order), ..task(&world, &channel, 1, 1) };
    let error = accept(&running, &channel, late).await.unwrap_err();
    assert!(matches!(&error, RequestError::Port(error) if error.kind == ErrorKind::Unavailable), "{error}");
    running.stop().await;
}

#[tokio::test]
async fn channels_are_served_over_http() {
    let world = World::new().await;
    let channel = open(&world, 10);
    let running = ready(&world, &channel).await;
    let (url, http) = (serve(running.worker.clone()).await, HttpWorker::default());
    assert_eq!(http.channel(&url, channel.id()).await.unwrap().volume, 10);
    let unknown = http.channel(&url, DealId::new(B256::ZERO)).await.unwrap_err();
    assert_eq!(unknown.kind, ErrorKind::NotFound);
    let accepted = http.submit_in_channel(&url, channel.id(), &task(&world, &channel, 1, 1)).await.unwrap();
    running.until(|status| status.delivered == 1).await;
    let unknown = http.receipt(&url, TaskId::new(B256::ZERO)).await.unwrap_err();
    assert_eq!(unknown.kind, ErrorKind::NotFound);
    let receipt = http.receipt(&url, accepted.task).await.unwrap();
    assert_eq!(receipt.receipt.dealId, accepted.deal.get());
    let error = http.submit_in_channel(&url, channel.id(), &task(&world, &channel, 2, 1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected);
    assert!(error.to_string().contains("(voucher): the voucher is for 1 tasks"), "{error}");
    running.stop().await;
}

#[tokio::test]
async fn whatever_others_do_with_a_tasks_request_it_is_run_and_paid() {
    let world = World::new().await;
    world.enclaves.hold(true);
    let channel = open(&world, 1);
    let running = ready(&world, &channel).await;
    let task = task(&world, &channel, 1, 1);
    accept(&running, &channel, task.clone()).await.unwrap();
    running.until(|status| status.running == 1).await;
    // It is free of charge, so another pool may match it.
    let mut elsewhere = world.deal_of(task.request);
    elsewhere.pool = B256::ZERO;
    let seen = running.worker.status().unwrap().caught_up_at;
    world.set_time(1);
    world.ledger.matched(&elsewhere);
    running.until(|status| status.caught_up_at > seen).await;
    world.enclaves.hold(false);
    assert_eq!(running.until(|status| status.delivered == 1).await.abandoned, 0);
    world.ledger.until(|sent| matches!(sent, [Sent::Redeem(call)] if call.count == 1)).await;
    running.stop().await;
}

#[tokio::test]
async fn an_input_that_storage_searches_for_holds_nobody_else_up() {
    let world = World::new().await;
    let channel = open(&world, 10);
    let running = ready(&world, &channel).await;
    world.store.search();
    let absent = TaskParams { input_cid: Cid::new(Codec::Raw, B256::ZERO), input_digest: B256::ZERO };
    let order = RequestOrder { params: absent.to_bytes().into(), ..order(&world, 1) };
    let lost = ChannelTask { request: world.sign(order), ..task(&world, &channel, 1, 1) };
    let (worker, id) = (running.worker.clone(), channel.id());
    let waiting = tokio::spawn(async move { worker.accept_in_channel(id, lost).await });
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let good = accept(&running, &channel, task(&world, &channel, 2, 1));
    tokio::time::timeout(std::time::Duration::from_secs(10), good).await.expect("in time").unwrap();
    assert!(!waiting.is_finished());
    waiting.abort();
    running.stop().await;
}
