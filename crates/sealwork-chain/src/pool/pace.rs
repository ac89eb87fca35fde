//! How fast the chain makes blocks, and when to look for the next.

use super::Pool;
use crate::member::Member;
use std::{sync::PoisonError, time::Duration};
use tokio::time::Instant;

/// Blocks over which the time between them is taken,
const PACE_OVER: u64 = 16;
/// how long it is good for,
const PACE_FOR: Duration = Duration::from_secs(60);
/// and the longest that counts: an idle chain that makes blocks only when asked is not slow.
const LONGEST_PACE: Duration = Duration::from_secs(15);

/// Blocks that come more often are looked for without much of a pause.
const FAST_BLOCKS: Duration = Duration::from_secs(2);
const SHORTEST_LOOK: Duration = Duration::from_millis(20);
const LONGEST_LOOK: Duration = Duration::from_secs(1);

impl Pool {
    /// Time between blocks lately; what is asked now and then is remembered.
    pub(crate) async fn block_time(&self) -> Duration {
        let known = *self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((asked, pace)) = known
            && asked.elapsed() < PACE_FOR
        {
            return pace;
        }
        let pace = self.pace_now().await.unwrap_or(LONGEST_PACE).min(LONGEST_PACE);
        *self.pace.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), pace));
        pace
    }

    /// Pause between looks for a new block: short where asking costs nothing and where blocks are fast, else a part of
    /// the time between blocks.
    pub(crate) async fn look_every(&self) -> Duration {
        if self.order().first().is_some_and(Member::is_local) {
            return SHORTEST_LOOK;
        }
        match self.block_time().await {
            fast if fast < FAST_BLOCKS => SHORTEST_LOOK,
            slow => (slow / 4).min(LONGEST_LOOK),
        }
    }

    /// Returns when the endpoint that is asked first announces a head, or has announced one after `seen`; `None` when it
    /// does not announce them.
    pub(crate) async fn announced(&self, seen: u64) -> Option<()> {
        let member = self.order().into_iter().next()?;
        let mut heads = member.heads().await?;
        let newest = *heads.borrow_and_update();
        // Nobody announces what came before the connection.
        if newest > seen || newest == 0 && member.latest().await.is_ok_and(|head| head.number > seen) {
            return Some(());
        }
        heads.changed().await.ok()
    }

    async fn pace_now(&self) -> Option<Duration> {
        let (member, head) = self.first(async |member| member.latest().await).await.ok()?;
        let blocks = head.number.min(PACE_OVER);
        let earlier = member.header(head.number - blocks).await.ok()??;
        let seconds = head.timestamp.saturating_sub(earlier.timestamp);
        Some(Duration::from_secs(seconds) / u32::try_from(blocks.max(1)).ok()?)
    }
}
