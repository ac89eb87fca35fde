//! The chain takes blocks back while a client waits.

use crate::world::World;
use sealwork_client::{TaskEnd, TaskState};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_settlement_that_is_taken_back_is_open_again_and_what_was_matched_before_stays() {
    let world = World::new(3);
    let record = world.record().await;
    world.script.tell(1, vec![world.matched()]);
    world.script.tell(2, vec![world.refunded(0, 1)]);
    let again = world.settle(world.batch(0, &[3, 3, 3])).await;
    // The match stands in block 1, which stays: its event does not come again.
    world.script.rewind(2, 2, again);
    let (outcome, tasks) = world.collect(&record, LONG).await;
    outcome.unwrap();
    let ends = tasks.iter().map(|task| (task.index, matches!(task.end, TaskEnd::Settled { .. })));
    assert_eq!(ends.collect::<Vec<_>>(), [(0, false), (1, false), (0, true), (1, true), (2, true)]);
}

#[tokio::test]
async fn a_match_that_is_taken_back_is_waited_for_again() {
    let world = World::new(1);
    let record = world.record().await;
    world.script.tell(1, vec![world.matched()]);
    world.script.rewind(1, 1, vec![]);
    let settled = world.settle(world.batch(0, &[3])).await;
    world.script.tell(3, [vec![world.matched()], settled].concat());
    let (outcome, tasks) = world.collect(&record, LONG).await;
    outcome.unwrap();
    assert!(matches!(tasks[..], [ref task] if matches!(task.end, TaskEnd::Settled { .. })), "{tasks:?}");
}

#[tokio::test]
async fn history_that_changes_while_it_is_read_is_read_again() {
    let world = World::new(1);
    world.script.tell(0, vec![world.matched(), world.refunded(0, 0)]);
    world.script.rewind(0, 0, vec![]);
    world.script.tell(1, vec![world.matched()]);
    let found = world.client.deals(|_| true).await.unwrap();
    let [deal] = &found[..] else { panic!("{found:?}") };
    assert!(matches!(deal.task(0).state, TaskState::Open { .. }));
}
