//! Deals from the chain.

use crate::{
    enclaves::output,
    ledger::Sent,
    world::{POOL, World},
};
use sealwork_ports::{MarketEvent, Store};
use sealwork_protocol::batch::ReceiptBatch;
use sealwork_types::{
    Address, B256, Sha256Digest,
    batch::BatchDocument,
    deal::{Deal, cid_of, full_signature, output_cid, tasks_in},
    order::TrustMode,
};
use std::sync::atomic::Ordering;

fn settled(sent: &[Sent], deal: &Deal) -> Vec<u32> {
    let ours = sent.iter().flat_map(|sent| match sent {
        Sent::Settle(call) if call.terms == deal.terms => call.outcome.index..call.outcome.index + 1,
        Sent::Batch(call) if call.terms == deal.terms => call.first..call.first + tasks_in(&call.tally),
        Sent::Settle(_) | Sent::Batch(_) | Sent::Start(_) | Sent::Execute(_) | Sent::Redeem(_) => 0..0,
    });
    let mut indexes: Vec<u32> = ours.collect();
    indexes.sort_unstable();
    indexes
}

#[tokio::test]
async fn every_task_of_a_deal_is_settled_with_its_output_and_signature() {
    let world = World::new().await;
    let running = world.run();
    let mut order = world.order(3, 1);
    // A deal with a callback is settled task by task.
    order.callback = Address::repeat_byte(5);
    let deal = world.deal_of(world.sign(order));
    world.ledger.matched(&deal);
    running.until(|status| status.settled == 3).await;
    let sent = world.ledger.sent();
    assert_eq!(settled(&sent, &deal), [0, 1, 2]);
    for sent in sent {
        let Sent::Settle(call) = sent else { panic!("{sent:?}") };
        let output = Sha256Digest::of(format!("output of task {}", call.outcome.index).as_bytes());
        assert_eq!((call.outcome.output, call.effects.len()), (output, 0));
        assert_eq!(output_cid(&call.outcome).unwrap().digest(), output);
        let receipt = deal.receipt(&call.outcome, None);
        let signature = full_signature(call.r, call.vs);
        assert!(sealwork_seal::sign::recover(&crate::ledger::DOMAIN, &receipt, &signature).is_ok());
    }
    running.stop().await;
}

#[tokio::test]
async fn tasks_of_a_deal_are_settled_by_statements_whose_receipts_and_outputs_can_be_fetched() {
    let world = World::new().await;
    // The enclaves do not get to all tasks that they are given.
    world.enclaves.at_once.store(3, Ordering::SeqCst);
    let running = world.run();
    let deal = world.deal(10, 1);
    world.ledger.matched(&deal);
    running.until(|status| status.settled == 10).await;
    let sent = world.ledger.sent();
    assert_eq!(settled(&sent, &deal), (0..10).collect::<Vec<_>>());
    let batches: Vec<_> = sent
        .into_iter()
        .filter_map(|sent| match sent {
            Sent::Batch(call) => Some(call),
            Sent::Settle(_) | Sent::Start(_) | Sent::Execute(_) | Sent::Redeem(_) => None,
        })
        .collect();
    assert!(batches.len() >= 3, "{batches:?}");
    for call in batches {
        let cid = cid_of(call.receiptsCid, call.receiptsCodec).unwrap();
        let bytes = world.store.get_small(&cid, 1 << 20).await.unwrap();
        let document = BatchDocument::parse(&bytes).unwrap();
        let receipts: Vec<_> = document.receipts().collect();
        let batch = ReceiptBatch::new(&receipts).unwrap();
        assert_eq!((document.root, batch.statement().root), (call.root, call.root));
        let outputs = world.store.get_small(&document.outputs.unwrap(), 1 << 20).await.unwrap();
        for receipt in receipts {
            let place = document.place(receipt.index).unwrap();
            let bytes = &outputs[usize::try_from(place.start).unwrap()..usize::try_from(place.end).unwrap()];
            assert_eq!(bytes, output(receipt.index).as_bytes());
            assert_eq!(receipt.output, Sha256Digest::of(bytes));
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn deals_that_cannot_be_served_are_left_alone() {
    let world = World::new().await;
    let running = world.run();
    let mut other_work = world.deal(1, 1);
    other_work.terms.workHash = B256::ZERO;
    let mut other_pool = world.deal(1, 2);
    other_pool.pool = B256::ZERO;
    let mut channel = world.order(1, 3);
    channel.mode = TrustMode::Channel.code();
    let channel = world.deal_of(world.sign(channel));
    let good = world.deal(1, 4);
    for deal in [&other_work, &other_pool, &channel, &good] {
        world.ledger.matched(deal);
    }
    let status = running.until(|status| status.settled == 1).await;
    assert_eq!((status.queued, status.running, status.executed, status.abandoned), (0, 0, 0, 0));
    assert_eq!(settled(&world.ledger.sent(), &good), [0]);
    running.stop().await;
}

#[tokio::test]
async fn tasks_that_others_close_are_given_up() {
    let world = World::new().await;
    world.enclaves.hold(true);
    let running = world.run();
    let (refunded, batched) = (world.deal(2, 1), world.deal(3, 2));
    world.ledger.matched(&refunded);
    world.ledger.matched(&batched);
    running.until(|status| status.running == 5).await;
    world.ledger.tell(MarketEvent::Refunded { deal: refunded.id(), first: 0, last: u32::MAX, count: 2 });
    let transaction = B256::ZERO;
    world.ledger.tell(MarketEvent::Closed { deal: batched.id(), first: 1, count: 2, transaction });
    running.until(|status| status.abandoned == 4).await;
    world.enclaves.hold(false);
    running.until(|status| status.settled == 1).await;
    assert_eq!(settled(&world.ledger.sent(), &batched), [0]);
    assert_eq!(settled(&world.ledger.sent(), &refunded), Vec::<u32>::new());
    running.stop().await;
}

#[tokio::test]
async fn a_settlement_whose_answer_was_lost_is_not_sent_twice() {
    let world = World::new().await;
    world.ledger.change(|state| state.loses_answers = true);
    let running = world.run();
    let deal = world.deal(2, 1);
    world.ledger.matched(&deal);
    let status = running.until(|status| status.settled == 2).await;
    assert_eq!(status.abandoned, 0);
    assert_eq!(settled(&world.ledger.sent(), &deal), [0, 1]);
    running.stop().await;
}

#[tokio::test]
async fn tasks_outlive_an_outage_and_a_restart() {
    let world = World::new().await;
    let running = world.run();
    let deal = world.deal(2, 1);
    world.enclaves.hold(true);
    world.ledger.matched(&deal);
    running.until(|status| status.running == 2).await;
    world.ledger.change(|state| state.down = true);
    world.enclaves.hold(false);
    running.until(|status| status.executed == 2 && !status.waiting.is_empty()).await;
    running.stop().await;
    world.ledger.change(|state| state.down = false);
    let running = world.run();
    assert_eq!(running.until(|status| status.settled == 2).await.pool, POOL);
    assert_eq!(settled(&world.ledger.sent(), &deal), [0, 1]);
    running.stop().await;
}

#[tokio::test]
async fn a_task_that_is_closed_while_a_slot_looks_at_it_stops_nothing() {
    let world = World::new().await;
    world.ledger.change(|state| state.slow_looks = true);
    // The deal is old enough to be looked up before it is run.
    world.set_time(200);
    let running = world.run();
    let (deal, next) = (world.deal(1, 1), world.deal(1, 2));
    world.ledger.matched(&deal);
    running.until(|status| status.queued == 1).await;
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    world.ledger.tell(MarketEvent::Refunded { deal: deal.id(), first: 0, last: 0, count: 1 });
    running.until(|status| status.abandoned == 1).await;
    world.ledger.change(|state| state.slow_looks = false);
    world.ledger.matched(&next);
    running.until(|status| status.settled == 1).await;
    assert_eq!(settled(&world.ledger.sent(), &next), [0]);
    running.stop().await;
}
