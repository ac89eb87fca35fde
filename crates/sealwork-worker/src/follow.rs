//! Follows the chain: accepts the pool's deals, and closes jobs that the chain shows closed.

use crate::{
    Worker,
    agreement::Agreement,
    engine::RETRY_PAUSE,
    error::{JournalError, WorkerError},
    journal::{Accepted, ChannelChange, News},
};
use sealwork_ports::{EventPage, MarketEvent, PortError};
use sealwork_protocol::job::{JobEvent, JobState};
use sealwork_types::{
    B256, Bytes, DealId,
    deal::Deal,
    order::{self, TrustMode},
    params::MAX_DEAL_VOLUME,
};
use std::{ops::RangeInclusive, sync::atomic::Ordering};
use tracing::{info, warn};

/// Events taken from the chain at once.
const EVENTS_AT_ONCE: usize = 256;

/// How tasks were closed.
#[derive(Clone, Copy)]
enum Closing<'a> {
    /// By a receipt with this signature.
    Receipt { signature: &'a Bytes, transaction: B256 },
    /// By a refund, a batch or a module.
    Other,
}

impl Worker {
    pub(crate) async fn follow(&self) -> Result<(), WorkerError> {
        loop {
            match self.take_events().await {
                Ok(0) => {
                    self.caught_up.store(self.ports.clock.unix_s(), Ordering::Relaxed);
                    self.ports.chain.wait().await;
                }
                Ok(_) => self.news.notify_waiters(),
                Err(FollowError::Journal(error)) => return Err(error.into()),
                Err(FollowError::Port(error)) => {
                    warn!(%error, "chain.unavailable");
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
        }
    }

    async fn take_events(&self) -> Result<usize, FollowError> {
        let before = self.journal.cursor()?;
        let EventPage { events, next: cursor, .. } = self.ports.chain.events(before, EVENTS_AT_ONCE).await?;
        let mut news = News::default();
        for (_, event) in &events {
            self.take_event(event, &mut news)?;
        }
        news.accepted.retain(|deal: &Accepted| !deal.open.is_empty());
        if cursor != before {
            self.journal.record(&news, cursor)?;
        }
        Ok(events.len())
    }

    /// One event. Nothing is looked up on chain here: a deal that cannot be served must not hold up the others.
    fn take_event(&self, event: &MarketEvent, news: &mut News) -> Result<(), JournalError> {
        let accepted = &mut news.accepted;
        match event {
            MarketEvent::Matched { id, deal, .. }
                if deal.pool == self.config.pool.get() && deal.terms.mode == TrustMode::Channel.code() =>
            {
                news.channels.extend(offers_channel(*id, deal));
                Ok(())
            }
            MarketEvent::Matched { id, deal, .. } if deal.pool == self.config.pool.get() => {
                accepted.extend(serves(*id, deal));
                Ok(())
            }
            // Ours is closed by the settlement that follows.
            MarketEvent::Executed { pool, .. } if *pool == self.config.pool => Ok(()),
            // The request of a job of ours may be matched with another pool, or executed by it, even with our receipt.
            MarketEvent::Matched { id, .. } | MarketEvent::Executed { id, .. } => {
                self.close(*id, 0..=0, Closing::Other, accepted)
            }
            MarketEvent::Started { deal } => match self.journal.agreement(*deal)? {
                Some(agreement) => self.journal.started(&agreement),
                None => Ok(()),
            },
            MarketEvent::Settled { deal, outcome, signature, transaction, .. } => {
                let closing = Closing::Receipt { signature, transaction: *transaction };
                self.close(*deal, outcome.index..=outcome.index, closing, accepted)
            }
            MarketEvent::Closing { deal, until } => {
                news.changes.push((*deal, ChannelChange::Closing(*until)));
                Ok(())
            }
            MarketEvent::Batched { .. } => Ok(()),
            MarketEvent::Closed { deal, first, count, .. } => {
                news.changes.push((*deal, ChannelChange::Closed(first.saturating_add(*count))));
                let last = first.saturating_add(*count).checked_sub(1);
                last.map_or(Ok(()), |last| self.close(*deal, *first..=last, Closing::Other, accepted))
            }
            MarketEvent::Refunded { deal, first, last, .. } => {
                news.changes.push((*deal, ChannelChange::Closed(last.saturating_add(1))));
                self.close(*deal, *first..=*last, Closing::Other, accepted)
            }
        }
    }

    /// The chain shows tasks closed: by our own receipt, or by somebody else.
    fn close(
        &self,
        deal: DealId,
        indexes: RangeInclusive<u32>,
        closing: Closing<'_>,
        accepted: &mut [Accepted],
    ) -> Result<(), JournalError> {
        for new in accepted.iter_mut().filter(|new| new.agreement.id() == deal) {
            new.open.retain(|index| !indexes.contains(index));
        }
        let Some(agreement) = self.journal.agreement(deal)? else { return Ok(()) };
        // A channel pays its tasks, whatever somebody does with their requests, which are free of charge.
        if matches!(agreement, Agreement::Channel(_)) {
            return Ok(());
        }
        let last = (*indexes.end()).min(agreement.volume().saturating_sub(1));
        for index in *indexes.start()..=last {
            let task = order::task_id(deal, index);
            let Some(job) = self.journal.job(task)?.filter(|job| job.state.is_open()) else { continue };
            let event = match (&job.state, closing) {
                (JobState::Executed(execution), Closing::Receipt { signature, transaction })
                    if execution.signature == *signature =>
                {
                    JobEvent::Settled { transaction }
                }
                _ => JobEvent::Closed,
            };
            // A slot may have advanced the job in between; what it says then stands.
            self.advance(task, event)?;
        }
        Ok(())
    }
}

/// The jobs of a deal of our pool, if they can be done.
fn serves(id: DealId, deal: &Deal) -> Option<Accepted> {
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
    if deal.volume > MAX_DEAL_VOLUME {
        return refused("it has more tasks than a deal may have");
    }
    info!(deal = %id, volume = deal.volume, "deal.seen");
    let agreement = Agreement::Matched(Box::new(deal.clone()));
    Some(Accepted { agreement, open: (0..deal.volume).collect() })
}

/// A channel with our pool, if its tasks can be done.
fn offers_channel(id: DealId, deal: &Deal) -> Option<Deal> {
    if deal.id() != id || deal.volume > MAX_DEAL_VOLUME {
        warn!(deal = %id, volume = deal.volume, "channel.refused");
        return None;
    }
    info!(channel = %id, volume = deal.volume, "channel.seen");
    Some(deal.clone())
}

/// A failed look at the chain.
enum FollowError {
    Journal(JournalError),
    Port(PortError),
}

impl From<JournalError> for FollowError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl From<PortError> for FollowError {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}
