//! What a page is made of, and whether it fits together.

use crate::header::{Header, Look};
use alloy_primitives::B256;
use alloy_rpc_types_eth::{Filter, Log};
use sealwork_ports::EventCursor;

/// A range of blocks, and what lies before it.
pub(super) struct Wanted {
    pub(super) from: u64,
    pub(super) to: u64,
    /// Hash of the block before the range that the consumer knows.
    pub(super) parent: Option<B256>,
    /// Every header is looked at.
    pub(super) near: bool,
}

/// What a look is good for.
pub(super) enum Verdict {
    Good,
    /// Blocks before the range were replaced.
    Replaced,
    /// It does not fit together.
    Unsteady(&'static str),
    /// It fits, but logs seem to be missing.
    Sparse,
}

impl Wanted {
    /// The headers to look at: near the head all, else those at the ends; the last one before and after the logs is one
    /// request for those who answer a batch from one state, and the logs name their blocks for the others.
    pub(super) fn blocks(&self, after: &EventCursor) -> Vec<u64> {
        let before = self.from.checked_sub(1);
        if self.near {
            return before.into_iter().chain(self.from..=self.to).collect();
        }
        let first = (after.log_index > 0).then_some(self.from);
        before.into_iter().chain(first).chain([self.to]).collect()
    }

    pub(super) fn judge(&self, look: &Look, filter: &Filter) -> Verdict {
        let before = self.from.checked_sub(1).and_then(|before| look.header(before));
        if let (Some(parent), Some(before)) = (self.parent, before)
            && before.hash != parent
        {
            return Verdict::Replaced;
        }
        let expected = if self.near { self.to - self.from + 1 } else { 1 } + u64::from(self.from > 0);
        if u64::try_from(look.headers.len()).is_ok_and(|length| length < expected) {
            return Verdict::Unsteady("blocks are missing");
        }
        if self.near
            && look
                .headers
                .windows(2)
                .any(|pair| matches!(pair, [first, second] if second.parent != first.hash))
        {
            return Verdict::Unsteady("a block does not follow the one before it");
        }
        let inside = |log: &Log| log.block_number.is_some_and(|block| (self.from..=self.to).contains(&block));
        if !look.is_steady() || !look.logs.iter().all(inside) {
            return Verdict::Unsteady("logs are of other blocks");
        }
        let silent = |header: &&Header| !look.logs.iter().any(|log| log.block_number == Some(header.number));
        let inside = look.headers.iter().filter(|header| header.number >= self.from);
        if inside.filter(silent).any(|header| filter.matches_bloom(header.bloom)) {
            return Verdict::Sparse;
        }
        Verdict::Good
    }
}
