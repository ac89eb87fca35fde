//! Batches become receipts and outputs, or are refused.

use crate::{
    chain::{GAS, SENDER},
    world::{Made, World},
};
use sealwork_client::{BagTask, ClientError, TaskEnd, TaskState};
use sealwork_ports::{MarketEvent, Store};
use sealwork_protocol::receipt;
use sealwork_types::{B256, Status, receipt::ReceiptDocument};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(50);

/// What a worker may change about a batch.
type Change = fn(&mut Made);

/// What a task left, by its end.
fn stdout(task: &BagTask) -> String {
    let TaskEnd::Settled { output: Ok(Some(opened)), .. } = &task.end else { panic!("no output: {task:?}") };
    String::from_utf8(opened.bundle.stdout.clone()).unwrap()
}

fn receipt_of(task: &BagTask) -> &ReceiptDocument {
    let TaskEnd::Settled { receipt, .. } = &task.end else { panic!("no receipt: {task:?}") };
    receipt
}

#[tokio::test]
async fn every_task_of_a_batch_gets_its_receipt_and_its_own_output() {
    let world = World::new(7);
    let record = world.record().await;
    let (first, second) = (world.batch(0, &[0, 0, 3, 0]), world.batch(4, &[0, 0, 0]));
    let events = [world.settle(first).await, world.settle(second).await].concat();
    world.script.tell(1, vec![world.matched()]);
    world.script.tell(2, events);
    let (outcome, tasks) = world.collect(&record, LONG).await;
    let outcome = outcome.unwrap();
    assert_eq!((outcome.tasks, outcome.settlements, outcome.settle_gas), (7, 1, GAS));
    assert_eq!(tasks.iter().map(|task| task.index).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6]);
    for task in &tasks {
        let document = ReceiptDocument::parse(&serde_json::to_vec(receipt_of(task)).unwrap()).unwrap();
        let checked = receipt::check(&document, &world.anchors).unwrap();
        assert_eq!(document.receipt.index, task.index);
        assert_eq!(document.settlement.unwrap().sender, SENDER);
        match task.index {
            2 => assert_eq!((checked.status, checked.output), (Status::new(3), B256::ZERO)),
            index => assert_eq!(stdout(task), format!("task {index}")),
        }
    }
}

#[tokio::test]
async fn one_task_of_a_batch_can_be_shown_and_fetched_alone() {
    let world = World::new(5);
    let events = world.settle(world.batch(0, &[0; 5])).await;
    world.script.tell(1, [vec![world.matched()], events].concat());
    let deal = world.client.deal(&world.deal.id().to_string()).await.unwrap();
    assert_eq!(deal.open(), 0);
    let record = deal.task(3);
    assert!(matches!(&record.state, TaskState::Batched { batch } if batch.first == 0 && batch.block == 2));
    assert_eq!(serde_json::to_value(&record).unwrap()["state"], "settled");
    let receipt = world.client.receipt(&record).await.unwrap();
    let opened = world.client.fetch(&record, &receipt).await.unwrap().unwrap();
    assert_eq!((opened.bundle.stdout.as_slice(), &*opened.bundle.files[0].name), (&b"task 3"[..], "result"));
}

#[tokio::test]
async fn refunds_and_batches_of_one_deal_stand_beside_each_other() {
    let world = World::new(6);
    let record = world.record().await;
    let batch = world.settle(world.batch(0, &[0, 0])).await;
    let refund = |first, last| MarketEvent::Refunded { deal: world.deal.id(), first, last, count: 1 };
    // The first refund finds the settled tasks closed; the second speaks of a range that is closed already.
    let events = [batch, vec![refund(0, 3), refund(2, 2), world.refunded(4, 5)]].concat();
    world.script.tell(1, vec![world.matched()]);
    world.script.tell(2, events);
    let (outcome, tasks) = world.collect(&record, LONG).await;
    outcome.unwrap();
    let ends: Vec<bool> = tasks.iter().map(|task| matches!(task.end, TaskEnd::Refunded)).collect();
    assert_eq!(ends, [false, false, true, true, true, true]);
}

#[tokio::test]
async fn documents_that_say_something_else_than_the_chain_prove_nothing() {
    let change: [(&str, Change); 6] = [
        ("another statement", |made| made.document.tasks[1].fuel += 1),
        ("another statement", |made| made.document.tasks.truncate(2)),
        ("another statement", |made| made.document.first = 1),
        ("another statement", |made| made.document.work.input = B256::repeat_byte(7)),
        ("another signature", |made| made.document.signature = vec![1; 65].into()),
        ("another enclave", |made| made.document.grant.enclave = SENDER),
    ];
    for (expected, change) in change {
        let world = World::new(3);
        let record = world.record().await;
        let mut made = world.batch(0, &[0; 3]);
        let honest = made.document.clone();
        change(&mut made);
        let cid = world.put(made.document.to_bytes()).await;
        world.script.tell(1, vec![world.matched()]);
        world.script.tell(2, world.events(&honest, Some(cid)));
        let (outcome, tasks) = world.collect(&record, LONG).await;
        outcome.unwrap();
        assert_eq!(tasks.len(), 3, "{expected}");
        for task in tasks {
            let TaskEnd::Unproven { problem } = &task.end else { panic!("{expected}: {task:?}") };
            assert!(problem.contains(expected), "{problem}");
        }
    }
}

#[tokio::test]
async fn an_enclave_that_no_member_vouches_for_proves_nothing() {
    let world = World::new(1);
    let record = world.record().await;
    let mut made = world.batch(0, &[0]);
    made.document.grant_signatures.clear();
    let events = world.settle(made).await;
    world.script.tell(2, [vec![world.matched()], events].concat());
    let (_, tasks) = world.collect(&record, LONG).await;
    assert!(matches!(&tasks[0].end, TaskEnd::Unproven { problem } if problem.contains("CAS members")));
}

#[tokio::test]
async fn a_wrong_output_spoils_itself_and_no_other() {
    let world = World::new(3);
    let record = world.record().await;
    let mut made = world.batch(0, &[0; 3]);
    let middle = usize::try_from(made.document.tasks[0].bytes).unwrap() + 200;
    made.outputs[middle] ^= 1;
    let events = world.settle(made).await;
    world.script.tell(2, [vec![world.matched()], events].concat());
    let (_, tasks) = world.collect(&record, LONG).await;
    assert_eq!((stdout(&tasks[0]), stdout(&tasks[2])), ("task 0".into(), "task 2".into()));
    let TaskEnd::Settled { output: Err(ClientError::Output { problem }), .. } = &tasks[1].end else {
        panic!("{:?}", tasks[1])
    };
    assert!(problem.contains("hashes to"), "{problem}");
}

#[tokio::test]
async fn receipts_that_are_not_stored_yet_are_waited_for() {
    let world = World::new(2);
    let record = world.record().await;
    let made = world.batch(0, &[3, 3]);
    let bytes = made.document.to_bytes();
    let cid = world.put(bytes.clone()).await;
    world.store.unpin(&cid).await.unwrap();
    assert_eq!(world.store.collect(), 1);
    world.script.tell(2, [vec![world.matched()], world.events(&made.document, Some(cid))].concat());
    let (outcome, tasks) = world.collect(&record, SHORT).await;
    let text = outcome.unwrap_err().to_string();
    assert!(tasks.is_empty() && text.contains("it is not stored") && text.contains("--deal"), "{text}");
    world.put(bytes).await;
    world.script.tell(2, [vec![world.matched()], world.events(&made.document, Some(cid))].concat());
    let (outcome, tasks) = world.collect(&record, LONG).await;
    assert_eq!((outcome.unwrap().tasks, tasks.len()), (2, 2));
}

#[tokio::test]
async fn other_wallets_deals_are_refused() {
    let (world, other) = (World::new(1), World::new(1));
    let record = other.record().await;
    let (outcome, _) = world.collect(&record, SHORT).await;
    assert!(outcome.unwrap_err().to_string().contains("choose its wallet"));
}
