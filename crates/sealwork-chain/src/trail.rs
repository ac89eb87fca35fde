//! The blocks that were seen near the head, also those that left the chain since: the way back to where a consumer of
//! events and the chain agree.

use crate::header::Header;
use alloy_primitives::B256;
use std::collections::BTreeMap;

/// Blocks before the newest that a reorganization may replace. Whatever is deeper is taken as final.
pub(crate) const REORG_DEPTH: u64 = 64;

/// Headers that were seen, by number and hash, with their parents.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    parents: BTreeMap<(u64, B256), B256>,
    /// Blocks of which a consumer has only the first logs, by the next log and the block's parent.
    cuts: BTreeMap<(u64, u64, B256), B256>,
}

impl Trail {
    pub(crate) fn see(&mut self, headers: &[Header]) {
        for header in headers {
            self.parents.insert((header.number, header.hash), header.parent);
        }
        let newest = self.parents.last_key_value().map_or(0, |((number, _), _)| *number);
        let oldest = newest.saturating_sub(2 * REORG_DEPTH);
        self.parents = self.parents.split_off(&(oldest, B256::ZERO));
        self.cuts = self.cuts.split_off(&(oldest, 0, B256::ZERO));
    }

    /// The block and its ancestors, newest first, as far back as they were seen and can be replaced.
    pub(crate) fn ancestors(&self, number: u64, hash: B256) -> Vec<(u64, B256)> {
        let mut found = vec![(number, hash)];
        while let Some(&(number, hash)) = found.last()
            && u64::try_from(found.len()).is_ok_and(|length| length <= REORG_DEPTH)
            && let (Some(before), Some(parent)) = (number.checked_sub(1), self.parents.get(&(number, hash)))
        {
            found.push((before, *parent));
        }
        found
    }

    /// Remembers of which block the logs before `log_index` were delivered.
    pub(crate) fn cut(&mut self, block: &Header, log_index: u64) {
        self.cuts.insert((block.number, log_index, block.parent), block.hash);
    }

    /// The block of which the logs before `log_index` were delivered, if this process did that.
    pub(crate) fn cut_block(&self, number: u64, log_index: u64, parent: B256) -> Option<B256> {
        self.cuts.get(&(number, log_index, parent)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::Bloom;

    fn header(number: u64, branch: u8, parent_branch: u8) -> Header {
        let hash = |number: u64, branch: u8| {
            B256::left_padding_from(&[&[branch], &number.to_be_bytes()[..]].concat())
        };
        Header {
            number,
            hash: hash(number, branch),
            parent: hash(number.wrapping_sub(1), parent_branch),
            bloom: Bloom::ZERO,
            timestamp: number,
        }
    }

    #[test]
    fn the_way_back_follows_the_branch_that_was_seen() {
        let mut trail = Trail::default();
        let old: Vec<_> = (1..=10).map(|number| header(number, 1, 1)).collect();
        let new: Vec<_> = (8..=12).map(|number| header(number, 2, if number == 8 { 1 } else { 2 })).collect();
        trail.see(&old);
        trail.see(&new);
        let back = |header: &Header| trail.ancestors(header.number, header.hash);
        let from_old: Vec<_> = back(&old[9]).into_iter().take(4).collect();
        assert_eq!(from_old, [9, 8, 7, 6].map(|index: usize| (old[index].number, old[index].hash)));
        assert_eq!(back(&new[4])[5], (7, old[6].hash), "branches meet in block 7");
        assert_eq!(trail.ancestors(10, B256::repeat_byte(9)), [(10, B256::repeat_byte(9))]);
    }

    #[test]
    fn old_blocks_are_forgotten() {
        let mut trail = Trail::default();
        let all: Vec<_> = (1..=1_000).map(|number| header(number, 1, 1)).collect();
        trail.cut(&all[0], 3);
        assert_eq!(trail.cut_block(1, 3, all[0].parent), Some(all[0].hash));
        trail.see(&all);
        assert_eq!(trail.cut_block(1, 3, all[0].parent), None);
        assert_eq!(u64::try_from(trail.parents.len()).unwrap(), 2 * REORG_DEPTH + 1);
        let length = trail.ancestors(1_000, all[999].hash).len();
        assert_eq!(u64::try_from(length).unwrap(), REORG_DEPTH + 1);
    }
}
