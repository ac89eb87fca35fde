//! Logs in ranges that endpoints answer, kept in memory and continued, and put right when the chain replaces blocks.

use crate::{
    ChainError, EvmChain,
    header::Header,
    logs::{self, Place},
    member::Member,
    trail::REORG_DEPTH,
};
use alloy_primitives::B256;
use alloy_rpc_types_eth::{Filter, Log};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Blocks asked for at once; public endpoints refuse wide ranges.
const BLOCKS_PER_QUERY: u64 = 2_000;
/// How often a range is read that changes while it is read.
const READS: usize = 5;

/// How many blocks endpoints answer at once, by experience.
#[derive(Debug)]
pub(crate) struct Pages {
    width: AtomicU64,
}

impl Default for Pages {
    fn default() -> Self {
        Self { width: AtomicU64::new(BLOCKS_PER_QUERY) }
    }
}

impl Pages {
    /// Last block of a page.
    pub(crate) fn end(&self, from: u64, to: u64) -> u64 {
        to.min(from.saturating_add(self.width.load(Relaxed).saturating_sub(1)))
    }

    /// Takes larger pages again after an answer.
    pub(crate) fn widen(&self) {
        let width = self.width.load(Relaxed);
        self.width.store(width.saturating_add(width.div_ceil(4)).min(BLOCKS_PER_QUERY), Relaxed);
    }

    /// Takes smaller pages after a refusal; false when there are none.
    pub(crate) fn narrow(&self) -> bool {
        let width = self.width.load(Relaxed);
        self.width.store((width / 2).max(1), Relaxed);
        width > 1
    }
}

/// What logs of a filter tell since the deployment, as far as they were read.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    found: Vec<(Place, T)>,
    /// Blocks up to which was read, ascending, by number and hash: the way back when they are replaced.
    marks: Vec<(u64, B256)>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { found: Vec::new(), marks: Vec::new() }
    }
}

impl<T> Kept<T> {
    /// What was read, in chain order.
    pub(crate) fn found(&self) -> &[(Place, T)] {
        &self.found
    }

    /// Whether a block was read.
    pub(crate) fn reaches(&self, block: u64) -> bool {
        self.marks.last().is_some_and(|(number, _)| block <= *number)
    }

    /// Reads what is missing up to the head, after it put right what the chain replaced.
    ///
    /// # Errors
    /// [`ChainError`] of the endpoint; what was read stays.
    pub(crate) async fn read(
        &mut self,
        chain: &EvmChain,
        filter: &Filter,
        decode: impl Fn(&Log) -> Option<T>,
    ) -> Result<(), ChainError> {
        let (member, head) = chain.endpoint().pool().first(async |member| member.latest().await).await?;
        self.go_back(&member, &head).await?;
        let mut problems = 0;
        while self.next(chain) <= head.number {
            let from = self.next(chain);
            let to = chain.pages().end(from, head.number);
            match page(&member, &filter.clone().from_block(from).to_block(to), to).await {
                Ok(Some((last, logs))) => {
                    let told = logs.iter().filter_map(|log| Some((logs::position(log), decode(log)?)));
                    self.found.extend(told);
                    self.mark(&last);
                    chain.pages().widen();
                }
                Ok(None) if problems < READS => problems += 1,
                Ok(None) => {
                    let what = "the last block changes while logs are read";
                    return Err(ChainError::Unsteady { from, to, what });
                }
                Err(error) if error.refuses_range() && chain.pages().narrow() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn next(&self, chain: &EvmChain) -> u64 {
        let behind = self.marks.last().map_or(0, |(number, _)| number.saturating_add(1));
        behind.max(chain.deployed_at())
    }

    fn mark(&mut self, last: &Header) {
        self.marks.push((last.number, last.hash));
        // One mark behind every possible reorganization is enough.
        let final_block = last.number.saturating_sub(REORG_DEPTH);
        let finals = self.marks.iter().filter(|(number, _)| *number <= final_block).count();
        self.marks.drain(..finals.saturating_sub(1));
    }

    /// Forgets what stood in blocks that are not on the chain any more.
    async fn go_back(&mut self, member: &Member, head: &Header) -> Result<(), ChainError> {
        while let Some(&(number, hash)) = self.marks.last() {
            let shown = match number {
                // The endpoint is behind; what was read cannot be judged, and nothing new can be read.
                number if number > head.number => return Ok(()),
                number if number == head.number => Some(head.hash),
                number => member.header(number).await?.map(|header| header.hash),
            };
            if shown == Some(hash) {
                break;
            }
            self.marks.pop();
            let behind = self.marks.last().map_or(0, |(number, _)| number.saturating_add(1));
            self.found.retain(|(place, _)| place.block < behind);
        }
        Ok(())
    }
}

/// Logs of a page with its last block; `None` when that was replaced meanwhile.
async fn page(member: &Member, filter: &Filter, to: u64) -> Result<Option<(Header, Vec<Log>)>, ChainError> {
    let look = member.look(&[to], Some(filter)).await?;
    let steady = look.is_steady();
    let Some(last) = look.header(to).filter(|_| steady).cloned() else { return Ok(None) };
    Ok(Some((last, look.logs)))
}
