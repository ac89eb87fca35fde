//! Follows the chain: accepts the pool's deals, and closes jobs that the chain shows closed.

use crate::{
    Worker,
    engine::RETRY_PAUSE,
    error::{JournalError, WorkerError},
    journal::{Change, ChannelChange, Closing, News},
};
use sealwork_ports::{EventCursor, EventPage, MarketEvent, PortError, REORG_DEPTH};
use sealwork_types::{
    DealId, PoolId,
    deal::{Deal, tasks_in},
    order::TrustMode,
    params::MAX_DEAL_VOLUME,
};
use std::{ops::RangeInclusive, sync::atomic::Ordering};
use tracing::{info, warn};

/// Events taken from the chain at once.
const EVENTS_AT_ONCE: usize = 256;
/// How often deals that are done are forgotten, seconds.
const PRUNE_EVERY_S: u64 = 60;

impl Worker {
    pub(crate) async fn follow(&self) -> Result<(), WorkerError> {
        let mut pruned_at = 0;
        loop {
            let before = self.journal.cursor()?;
            match self.ports.chain.events(before, EVENTS_AT_ONCE).await {
                Ok(page) if page.next == before => {
                    let now = self.ports.clock.unix_s();
                    self.caught_up.store(now, Ordering::Relaxed);
                    if now >= pruned_at + PRUNE_EVERY_S {
                        pruned_at = now;
                        self.prune(before, now)?;
                    }
                    self.ports.chain.wait().await;
                }
                Ok(page) => self.take_page(page)?,
                Err(error) => self.chain_is_away(&error).await,
            }
        }
    }

    fn take_page(&self, page: EventPage) -> Result<(), JournalError> {
        let EventPage { rewound_to, events, next } = page;
        if let Some(block) = rewound_to {
            warn!(block, "chain.rewound");
        }
        let pool = self.config.pool;
        let changes = events
            .iter()
            .flat_map(|(block, event)| changes(pool, event).into_iter().map(|change| (*block, change)))
            .collect();
        let news = News { rewound_to, changes, now: self.ports.clock.unix_s() };
        for job in self.journal.record(&news, next)? {
            self.publish(&job);
        }
        if !news.changes.is_empty() || rewound_to.is_some() {
            self.news.notify_waiters();
        }
        Ok(())
    }

    fn prune(&self, cursor: EventCursor, now: u64) -> Result<(), JournalError> {
        let forgotten = self.journal.prune(now, cursor.block.saturating_sub(REORG_DEPTH))?;
        if forgotten > 0 {
            info!(forgotten, "deals.forgotten");
        }
        Ok(())
    }

    async fn chain_is_away(&self, error: &PortError) {
        warn!(%error, "chain.unavailable");
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

/// What one event changes. Nothing is looked up on chain here: a deal that cannot be served must not hold up the others.
fn changes(pool: PoolId, event: &MarketEvent) -> Vec<Change> {
    match event {
        MarketEvent::Matched { id, deal, .. } if deal.pool == pool.get() => {
            let channel = deal.terms.mode == TrustMode::Channel.code();
            let change = if channel { offers_channel(*id, deal) } else { serves(*id, deal) };
            change.into_iter().collect()
        }
        // Ours is closed by the settlement that follows.
        MarketEvent::Executed { pool: executed_by, .. } if *executed_by == pool => Vec::new(),
        // The request of a job of ours may be matched with another pool, or executed by it, even with our receipt.
        MarketEvent::Matched { id, .. } | MarketEvent::Executed { id, .. } => {
            vec![closed(*id, 0..=0, Closing::Other)]
        }
        MarketEvent::Started { deal } => vec![Change::Started(*deal)],
        MarketEvent::Settled { deal, outcome, signature, transaction, .. } => {
            let closing = Closing::Statement { signature: signature.clone(), transaction: *transaction };
            vec![closed(*deal, outcome.index..=outcome.index, closing)]
        }
        MarketEvent::Batched { deal, batch, transaction, .. } => {
            let closing =
                Closing::Statement { signature: batch.signature.clone(), transaction: *transaction };
            let end = batch.first.saturating_add(tasks_in(&batch.tally));
            up_to(batch.first, end).map(|tasks| closed(*deal, tasks, closing)).into_iter().collect()
        }
        MarketEvent::Closing { deal, until } => {
            vec![Change::ChannelChange(*deal, ChannelChange::Closing(*until))]
        }
        MarketEvent::Closed { deal, first, count, .. } => ends(*deal, *first, first.saturating_add(*count)),
        MarketEvent::Refunded { deal, first, last, .. } => ends(*deal, *first, last.saturating_add(1)),
    }
}

fn ends(deal: DealId, first: u32, end: u32) -> Vec<Change> {
    let channel = Change::ChannelChange(deal, ChannelChange::Closed(end));
    let tasks = up_to(first, end).map(|tasks| closed(deal, tasks, Closing::Other));
    std::iter::once(channel).chain(tasks).collect()
}

fn up_to(first: u32, end: u32) -> Option<RangeInclusive<u32>> {
    end.checked_sub(1).filter(|last| *last >= first).map(|last| first..=last)
}

const fn closed(deal: DealId, tasks: RangeInclusive<u32>, closing: Closing) -> Change {
    Change::Closed { deal, tasks, closing }
}

/// A deal of our pool, if it can be done.
fn serves(id: DealId, deal: &Deal) -> Option<Change> {
    let refused = |why: &str| {
        warn!(deal = %id, volume = deal.volume, mode = deal.terms.mode, why, "deal.refused");
        None
    };
    if deal.id() != id {
        return refused("its terms make up another id");
    }
    if !deal.names_its_work() {
        return refused("its terms speak of other work than its request");
    }
    if deal.terms.mode != TrustMode::Tee.code() {
        return refused("this worker settles deals of mode 0");
    }
    if deal.volume == 0 || deal.volume > MAX_DEAL_VOLUME {
        return refused("it has no tasks, or more than a deal may have");
    }
    info!(deal = %id, volume = deal.volume, "deal.seen");
    Some(Change::Accepted(Box::new(deal.clone())))
}

/// A channel with our pool, if its tasks can be done.
fn offers_channel(id: DealId, deal: &Deal) -> Option<Change> {
    if deal.id() != id || deal.volume > MAX_DEAL_VOLUME {
        warn!(deal = %id, volume = deal.volume, "channel.refused");
        return None;
    }
    info!(channel = %id, volume = deal.volume, "channel.seen");
    Some(Change::Channel(Box::new(deal.clone())))
}
