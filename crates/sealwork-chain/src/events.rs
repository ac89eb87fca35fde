//! Pages of events that follow one consistent chain, whatever the endpoints do meanwhile.
//!
//! A page is made of one look at one endpoint: headers and logs in one batch. It is used when the parents link to what
//! the cursor says was delivered before, the logs name those headers' blocks, and no block is without logs whose bloom
//! says that it has some. A second endpoint, when there is one, has to show the same. Near the head, where blocks are
//! still replaced, all headers are looked at; further back the last one before and after the logs.

mod wanted;

use crate::{
    ChainError, EvmChain,
    header::{Header, Look},
    logs::{self, Place},
    member::Member,
    trail::REORG_DEPTH,
};
use alloy_primitives::B256;
use alloy_rpc_types_eth::{Filter, Log};
use sealwork_ports::{EventCursor, EventPage, MarketEvent};
use std::time::Duration;
use wanted::{Verdict, Wanted};

/// How often something that does not fit together is asked for; blocks whose bloom promises logs that nobody shows are
/// taken as empty then.
const LOOKS: usize = 3;
/// Pause before the same is asked again: endpoints behind one address need a moment to agree.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

impl EvmChain {
    /// Events from a position on, at most `limit` unless one block has more.
    pub(crate) async fn event_page(&self, after: EventCursor, limit: usize) -> Result<EventPage, ChainError> {
        self.endpoint().pool().compare().await;
        let (mut rewound, mut cursor) = (None::<u64>, after);
        loop {
            let followed = match self.follow(cursor, limit).await {
                // The page was too wide for the endpoint; the next is narrower.
                Err(error) if error.refuses_range() && self.pages().narrow() => continue,
                followed => followed?,
            };
            match followed {
                Followed::Page { events, next } => {
                    return Ok(EventPage { rewound_to: rewound, events, next });
                }
                Followed::Back(to) => {
                    rewound = Some(rewound.map_or(to.block, |earlier| earlier.min(to.block)));
                    tracing::warn!(from = after.block, to = to.block, "the chain replaced blocks");
                    cursor = to;
                }
            }
        }
    }

    async fn follow(&self, after: EventCursor, limit: usize) -> Result<Followed, ChainError> {
        let (member, head) = self.endpoint().pool().first(async |member| member.latest().await).await?;
        self.saw(&head);
        let from = after.block.max(self.deployed_at());
        let parent = (from == after.block && after.parent != B256::ZERO).then_some(after.parent);
        let nothing = Followed::Page { events: Vec::new(), next: after };
        if head.number < from {
            return match parent {
                Some(parent) if self.is_replaced(&head, from, parent) => self.go_back(from, parent).await,
                _ => Ok(nothing),
            };
        }
        let near = head.number - from < REORG_DEPTH;
        let to = self.pages().end(from, if near { head.number } else { head.number - REORG_DEPTH });
        let wanted = Wanted { from, to, parent, near };
        let Some((member, look)) = self.steady(&member, &wanted, &after).await? else {
            return self.go_back(from, after.parent).await;
        };
        if after.log_index > 0 && !self.is_same_block(&look, &after) {
            let whole = EventCursor { log_index: 0, ..after };
            return Ok(Followed::Back(whole));
        }
        self.trail().see(&look.headers);
        self.cut(&member, look, &wanted, &after, limit).await
    }

    /// Whether a shorter chain is another one, and not only behind.
    fn is_replaced(&self, head: &Header, from: u64, parent: B256) -> bool {
        let Some(last) = from.checked_sub(1) else { return false };
        let seen = self.trail().ancestors(last, parent);
        seen.iter().any(|(number, hash)| *number == head.number && *hash != head.hash)
    }

    /// Looks until what is seen fits together; `None` when blocks before the range were replaced.
    async fn steady(
        &self,
        first: &Member,
        wanted: &Wanted,
        after: &EventCursor,
    ) -> Result<Option<(Member, Look)>, ChainError> {
        let filter = logs::market_filter(self.contracts(), wanted.from, wanted.to);
        let blocks = wanted.blocks(after);
        let (mut sparse, mut problem, mut failed) = (Vec::new(), "it changes while it is read", None);
        for round in 0..2 * LOOKS {
            let healthy = self.endpoint().pool().healthy();
            // The one whose head this is, then the others in turn.
            let member =
                if round == 0 { first } else { healthy.get(round % healthy.len().max(1)).unwrap_or(first) };
            let look = match member.look(&blocks, Some(&filter)).await {
                Err(error) if healthy.len() > 1 && !error.refuses_range() => {
                    failed = Some(error);
                    continue;
                }
                look => look?,
            };
            self.pages().widen();
            match wanted.judge(&look, &filter) {
                Verdict::Replaced => return Ok(None),
                Verdict::Good => {
                    let Some(other) = self.contradiction(member, &look, wanted, &filter).await else {
                        return Ok(Some((member.clone(), look)));
                    };
                    problem = "endpoints show different events";
                    if round + 1 >= LOOKS {
                        self.decide((member, &look), (&other.0, &other.1), wanted);
                    }
                }
                Verdict::Sparse => {
                    sparse.push(look.digest());
                    let equal = sparse.iter().filter(|other| **other == look.digest()).count();
                    if equal >= LOOKS {
                        return Ok(Some((member.clone(), look)));
                    }
                    continue;
                }
                Verdict::Unsteady(what) => problem = what,
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        let unsteady = ChainError::Unsteady { from: wanted.from, to: wanted.to, what: problem };
        Err(failed.unwrap_or(unsteady))
    }

    /// What a second endpoint shows, if there is one and it shows something else.
    async fn contradiction(
        &self,
        member: &Member,
        look: &Look,
        wanted: &Wanted,
        filter: &Filter,
    ) -> Option<(Member, Look)> {
        let healthy = self.endpoint().pool().healthy();
        let second = healthy.into_iter().find(|other| !other.is(member) && other.is_checked())?;
        let blocks: Vec<u64> = look.headers.iter().map(|header| header.number).collect();
        // One that fails or is behind proves nothing.
        let other = second.look(&blocks, Some(filter)).await.ok()?;
        other.header(wanted.to)?;
        (other.is_steady() && other.digest() != look.digest()).then_some((second, other))
    }

    /// Two endpoints show other logs of the same blocks, again and again: who shows more is right, because contracts log
    /// nothing that the block does not hold, while endpoints lose logs; else the one that comes first.
    fn decide(&self, (one, its): (&Member, &Look), (other, others): (&Member, &Look), wanted: &Wanted) {
        if its.headers != others.headers {
            return;
        }
        let Wanted { from, to, .. } = wanted;
        let (wrong, right) = if others.shows_more_than(its) { (one, other) } else { (other, one) };
        let reason = format!("it shows other events in blocks {from} to {to} than {}", right.name());
        self.endpoint().pool().disbelieve(wrong, right, reason);
    }

    /// Whether the block of which the consumer has the first logs is still there.
    fn is_same_block(&self, look: &Look, after: &EventCursor) -> bool {
        let cut = self.trail().cut_block(after.block, after.log_index, after.parent);
        cut.is_some() && cut == look.header(after.block).map(|header| header.hash)
    }

    /// The newest position before the range on which the consumer and the chain agree.
    async fn go_back(&self, from: u64, parent: B256) -> Result<Followed, ChainError> {
        let Some(last) = from.checked_sub(1) else { return Ok(Followed::Back(EventCursor::at_block(from))) };
        let known = self.trail().ancestors(last, parent);
        let numbers: Vec<u64> = known.iter().map(|(number, _)| *number).collect();
        let look = self.look_back(&numbers).await?;
        self.trail().see(&look.headers);
        let shown = |number: u64| look.header(number).map(|header| header.hash);
        if let Some((number, hash)) = known.iter().find(|(number, hash)| shown(*number) == Some(*hash)) {
            let to = EventCursor { parent: *hash, ..EventCursor::at_block(number.saturating_add(1)) };
            return Ok(Followed::Back(to));
        }
        // Deeper than what was seen; what is deeper than any reorganization must be right.
        let block = from.saturating_sub(REORG_DEPTH).max(self.deployed_at());
        Ok(Followed::Back(EventCursor::at_block(block)))
    }

    /// Headers, from whoever shows them.
    async fn look_back(&self, numbers: &[u64]) -> Result<Look, ChainError> {
        let mut failed = None;
        for member in self.endpoint().pool().order() {
            match member.look(numbers, None).await {
                Ok(look) => return Ok(look),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| self.endpoint().pool().nobody()))
    }

    /// The page of a look, which ends between two blocks if it can.
    async fn cut(
        &self,
        member: &Member,
        look: Look,
        wanted: &Wanted,
        after: &EventCursor,
        limit: usize,
    ) -> Result<Followed, ChainError> {
        let mut found = logs::decode_all(&look.logs);
        let from = Place { block: after.block, log_index: after.log_index };
        found.retain(|(place, _)| *place >= from);
        let Some((cut, _)) = found.get(limit).map(|(place, event)| (*place, event)) else {
            let parent = look.header(wanted.to).map(|header| header.hash).unwrap_or_default();
            let next = EventCursor { parent, ..EventCursor::at_block(wanted.to.saturating_add(1)) };
            return Ok(page(found, next));
        };
        let whole = found.iter().take(limit).rposition(|(place, _)| place.block < cut.block);
        if let Some(last) = whole {
            found.truncate(last + 1);
            let block = found.last().map_or(wanted.from, |(place, _)| place.block);
            let parent =
                look.logs.iter().find(|log| log.block_number == Some(block)).and_then(|log| log.block_hash);
            let parent = parent.unwrap_or_default();
            return Ok(page(found, EventCursor { parent, ..EventCursor::at_block(block.saturating_add(1)) }));
        }
        found.truncate(limit);
        let header = match look.header(cut.block) {
            Some(header) => header.clone(),
            None => self.header_of(member, &look.logs, cut.block).await?,
        };
        let log_index = found.last().map_or(0, |(place, _)| place.log_index.saturating_add(1));
        self.trail().see(std::slice::from_ref(&header));
        self.trail().cut(&header, log_index);
        Ok(page(found, EventCursor { block: cut.block, log_index, parent: header.parent }))
    }

    /// Header of the block that the logs are of.
    async fn header_of(&self, member: &Member, logs: &[Log], block: u64) -> Result<Header, ChainError> {
        let header = member.header(block).await?;
        let is_theirs = |header: &Header| {
            logs.iter()
                .filter(|log| log.block_number == Some(block))
                .all(|log| log.block_hash == Some(header.hash))
        };
        let what = "a block was replaced while it was read";
        header.filter(is_theirs).ok_or(ChainError::Unsteady { from: block, to: block, what })
    }
}

/// Where following the chain led.
enum Followed {
    Page { events: Vec<(u64, MarketEvent)>, next: EventCursor },
    Back(EventCursor),
}

fn page(found: Vec<(Place, MarketEvent)>, next: EventCursor) -> Followed {
    Followed::Page { events: found.into_iter().map(|(place, event)| (place.block, event)).collect(), next }
}
