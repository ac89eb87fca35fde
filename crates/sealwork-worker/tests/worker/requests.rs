//! Requests that are executed and settled in one transaction.

use crate::{
    ledger::{DOMAIN, Sent},
    world::{NOW, PRICE, World},
};
use sealwork_ports::MarketEvent;
use sealwork_seal::sign::SigningKey;
use sealwork_types::{
    Address, B256, Cid, Codec, OrderHash, PoolId, U256,
    abi::RequestOrder,
    deal::outcome,
    order::{SignedRequest, TaskParams},
};
use sealwork_worker::RequestError;

#[tokio::test]
async fn a_request_is_run_and_settled_in_one_transaction() {
    let world = World::new().await;
    let running = world.run();
    let request = world.sign(world.order(1, 1));
    let accepted = running.worker.accept(request.clone()).await.unwrap();
    assert_eq!(accepted.deal, world.deal_of(request.clone()).id());
    let status = running.until(|status| status.settled == 1).await;
    assert_eq!(status.abandoned, 0);
    let sent = world.ledger.sent();
    let [Sent::Execute(call)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((&call.orders.request, &call.orders.requestSignature), (&request.order, &request.signature));
    assert_eq!((call.outcome.index, call.effects.len()), (0, 0));
    // Settled is settled: asking again changes nothing.
    assert_eq!(running.worker.accept(request).await.unwrap(), accepted);
    assert_eq!(running.worker.status().unwrap().settled, 1);
    assert!(running.worker.progress(accepted.task).is_some());
    running.stop().await;
}

#[tokio::test]
async fn a_request_survives_a_restart_and_a_lost_answer() {
    let world = World::new().await;
    let request = world.sign(world.order(1, 1));
    world.worker(true).accept(request).await.unwrap();
    world.ledger.change(|state| state.loses_answers = true);
    let running = world.run();
    let status = running.until(|status| status.settled == 1).await;
    assert_eq!((status.abandoned, world.ledger.sent().len()), (0, 1));
    running.stop().await;
}

#[tokio::test]
async fn a_request_that_is_matched_meanwhile_is_settled_as_a_deal() {
    let world = World::new().await;
    world.enclaves.hold(true);
    let running = world.run();
    let request = world.sign(world.order(1, 1));
    running.worker.accept(request.clone()).await.unwrap();
    running.until(|status| status.running == 1).await;
    let deal = world.deal_of(request);
    world.ledger.matched(&deal);
    world.enclaves.hold(false);
    running.until(|status| status.settled == 1).await;
    let sent = world.ledger.sent();
    assert!(matches!(&sent[..], [Sent::Settle(call)] if call.terms == deal.terms), "{sent:?}");
    running.stop().await;
}

#[tokio::test]
async fn a_request_that_another_pool_takes_is_given_up() {
    let world = World::new().await;
    world.enclaves.hold(true);
    let running = world.run();
    let request = world.sign(world.order(1, 1));
    running.worker.accept(request.clone()).await.unwrap();
    let mut deal = world.deal_of(request);
    deal.pool = B256::ZERO;
    world.ledger.matched(&deal);
    running.until(|status| status.abandoned == 1).await;
    world.enclaves.hold(false);
    assert!(world.ledger.sent().is_empty());
    running.stop().await;
}

#[tokio::test]
async fn a_request_that_another_pool_executes_is_given_up_even_with_our_receipt() {
    let world = World::new().await;
    let running = world.run();
    world.enclaves.hold(true);
    let request = world.sign(world.order(1, 1));
    let accepted = running.worker.accept(request.clone()).await.unwrap();
    running.until(|status| status.running == 1).await;
    world.ledger.change(|state| state.down = true);
    world.enclaves.hold(false);
    running.until(|status| status.executed == 1).await;
    let deal = world.deal_of(request);
    let (receipt, signature) = world.enclaves.receipt(deal.work(), accepted.deal, 0);
    world.ledger.change(|state| {
        state.salts.insert(deal.request.salt);
        state.down = false;
    });
    let transaction = B256::repeat_byte(0x66);
    let request_hash = OrderHash::new(deal.terms.requestHash);
    let pool = PoolId::new(B256::ZERO);
    world.ledger.tell(MarketEvent::Executed { id: deal.id(), pool, request_hash, transaction, block: 1 });
    world.ledger.tell(MarketEvent::Settled {
        deal: deal.id(),
        enclave: Address::ZERO,
        outcome: Box::new(outcome(&receipt, None)),
        effects: None,
        signature,
        transaction,
        block: 1,
    });
    let status = running.until(|status| status.executed == 0).await;
    assert_eq!((status.abandoned, status.settled), (1, 0));
    assert!(world.ledger.sent().is_empty());
    running.stop().await;
}

#[tokio::test]
async fn open_requests_share_the_payers_money() {
    let world = World::new().await;
    world.ledger.change(|state| state.balance = 2 * PRICE + 1);
    let worker = world.worker(true);
    for salt in [1, 2] {
        worker.accept(world.sign(world.order(1, salt))).await.unwrap();
    }
    let error = worker.accept(world.sign(world.order(1, 3))).await.unwrap_err();
    let RequestError::NotCovered { payer, price, free } = error else { panic!("{error}") };
    assert_eq!((payer, price, free), (world.requester.address(), U256::from(PRICE), U256::from(1)));
    assert_eq!(worker.status().unwrap().queued, 2);
}

#[tokio::test]
async fn a_worker_that_takes_no_requests_says_so() {
    let world = World::new().await;
    let worker = world.worker(false);
    let error = worker.accept(world.sign(world.order(1, 1))).await.unwrap_err();
    assert!(matches!(error, RequestError::Disabled));
}

#[tokio::test]
async fn requests_that_cannot_be_settled_in_one_transaction_are_refused() {
    type Change = fn(&mut RequestOrder);
    let world = World::new().await;
    let worker = world.worker(true);
    let changes: [(&str, Change); 6] = [
        ("volume", |order| order.volume = 2),
        ("mode", |order| order.mode = 5),
        ("datasets", |order| order.datasets.push(B256::ZERO)),
        ("expiry", |order| order.expiry = NOW + 1),
        ("params", |order| order.params = vec![1; 3].into()),
        ("input", |order| {
            let input_cid = Cid::new(Codec::Raw, B256::ZERO);
            order.params = TaskParams { input_cid, input_digest: B256::ZERO }.to_bytes().into();
        }),
    ];
    for (expected, change) in changes {
        let mut order = world.order(1, 1);
        change(&mut order);
        let error = worker.accept(world.sign(order)).await.unwrap_err();
        assert!(matches!(error, RequestError::Unsuitable { field, .. } if field == expected), "{error}");
    }
    assert_eq!(worker.status().unwrap().queued, 0);
}

#[tokio::test]
async fn a_request_that_somebody_else_signed_is_refused() {
    let world = World::new().await;
    let order = world.order(1, 1);
    let signature = SigningKey::generate().unwrap().sign(&DOMAIN, &order);
    let error = world.worker(true).accept(SignedRequest { order, signature }).await.unwrap_err();
    assert!(matches!(error, RequestError::Unsuitable { field: "signature", .. }), "{error}");
}

#[tokio::test]
async fn a_request_without_fitting_offers_or_that_the_contract_refuses_is_refused() {
    type Change = fn(&mut RequestOrder);
    let world = World::new().await;
    let worker = world.worker(true);
    let changes: [Change; 6] = [
        |order| order.poolMaxPrice = Default::default(),
        |order| order.appMaxPrice = Default::default(),
        |order| order.category = 1,
        |order| order.trust = 1,
        |order| order.tag = B256::repeat_byte(1),
        |order| order.poolRestrict = Address::repeat_byte(1).into_word(),
    ];
    for change in changes {
        let mut order = world.order(1, 1);
        change(&mut order);
        let error = worker.accept(world.sign(order)).await.unwrap_err();
        assert!(matches!(error, RequestError::NoMatch { .. }), "{error}");
    }
    world.ledger.change(|state| state.refuses = Some("PolicyMismatch".into()));
    let error = worker.accept(world.sign(world.order(1, 1))).await.unwrap_err();
    assert!(error.to_string().contains("PolicyMismatch"), "{error}");
}
