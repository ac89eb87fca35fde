//! The start watch.

use crate::{ledger::Sent, world::World};
use sealwork_types::{abi::DealTerms, params::START_WINDOW_S};

/// Terms of the deals that were started.
fn started(sent: &[Sent]) -> Vec<DealTerms> {
    let starts = sent.iter().filter_map(|sent| match sent {
        Sent::Start(terms) => Some(DealTerms::clone(terms)),
        Sent::Settle(_) | Sent::Batch(_) | Sent::Execute(_) | Sent::Redeem(_) => None,
    });
    starts.collect()
}

fn starts(sent: &[Sent]) -> usize {
    started(sent).len()
}

#[tokio::test]
async fn a_deal_is_started_once_when_half_its_window_is_over() {
    let world = World::new().await;
    world.enclaves.hold(true);
    let running = world.run();
    let deal = world.deal(3, 1);
    world.ledger.matched(&deal);
    running.until(|status| status.running == 3).await;
    assert_eq!(starts(&world.ledger.sent()), 0);
    world.set_time(START_WINDOW_S / 2);
    let sent = world.ledger.until(|sent| starts(sent) == 1).await;
    assert_eq!(started(&sent), [deal.terms]);
    // Later deals are started while this one stays started, also after a restart.
    running.stop().await;
    let later = world.deal(1, 2);
    world.ledger.matched(&later);
    let running = world.run();
    let sent = world.ledger.until(|sent| starts(sent) == 2).await;
    assert_eq!(started(&sent).last(), Some(&later.terms));
    world.enclaves.hold(false);
    running.until(|status| status.settled == 4).await;
    assert_eq!(starts(&world.ledger.sent()), 2);
    running.stop().await;
}

#[tokio::test]
async fn deals_that_are_done_in_time_are_not_started() {
    let world = World::new().await;
    let running = world.run();
    world.ledger.matched(&world.deal(2, 1));
    running.until(|status| status.settled == 2).await;
    world.set_time(START_WINDOW_S);
    world.enclaves.hold(true);
    let slow = world.deal(1, 2);
    world.ledger.matched(&slow);
    let sent = world.ledger.until(|sent| starts(sent) == 1).await;
    assert_eq!(started(&sent), [slow.terms]);
    running.stop().await;
}

#[tokio::test]
async fn starts_are_sent_again_when_the_chain_was_away() {
    let world = World::new().await;
    world.enclaves.hold(true);
    let running = world.run();
    world.ledger.matched(&world.deal(1, 1));
    running.until(|status| status.running == 1).await;
    world.ledger.change(|state| state.down = true);
    world.set_time(START_WINDOW_S - 1);
    world.ledger.until_state(|state| state.asked > 0).await;
    world.ledger.change(|state| state.down = false);
    world.ledger.until(|sent| starts(sent) == 1).await;
    running.stop().await;
}
