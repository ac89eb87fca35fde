//! Garbage collection: rewrites the segments that hold garbage and removes them.

use super::{
    PackStore,
    segment::{Segment, sync_dir},
    state::Location,
    writer::Writer,
};
use crate::{block::BlockStore, error::BlockError};
use sealwork_types::B256;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering},
};

/// A segment with garbage, and the blocks in it that live.
type Victim = (Arc<Segment>, Vec<(B256, Location)>);

/// What a collection did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Blocks that are gone, ordered.
    pub digests: Vec<B256>,
    /// Bytes that the files are smaller by; 0 when pins took more than was freed.
    pub freed_bytes: u64,
}

impl PackStore {
    /// Removes every block that is not in `live` and was not put after `spare_after` (a [`PackStore::sequence`]).
    ///
    /// Segments without garbage stay; from the others live blocks are copied, one segment after the other, and each
    /// old file is removed once its copies are durable. A crash at any time loses nothing that is live. Reading goes
    /// on meanwhile; writing waits.
    ///
    /// # Errors
    /// [`BlockError::Corrupt`] when a live block is damaged (its segment then stays), [`BlockError::DiskFull`],
    /// [`BlockError::Io`].
    pub fn collect(&self, live: &BTreeSet<B256>, spare_after: u64) -> Result<Collected, BlockError> {
        let mut writer = self.writer();
        let before = self.read().file_bytes();
        let digests = self.drop_dead(live, spare_after);
        let victims = self.victims();
        if victims.is_empty() {
            return Ok(Collected::default());
        }
        writer.rotate(&self.state)?;
        writer.restate_pins(&self.state)?;
        writer.commit(&[], &[], &self.state)?;
        for (segment, blocks) in victims {
            self.rewrite(&mut writer, &segment, blocks)?;
        }
        sync_dir(&self.dir).map_err(|source| BlockError::io("flush", &self.dir, source))?;
        Ok(Collected { digests, freed_bytes: before.saturating_sub(self.read().file_bytes()) })
    }

    fn drop_dead(&self, live: &BTreeSet<B256>, spare_after: u64) -> Vec<B256> {
        let mut state = self.write();
        let is_dead = |digest: &B256, touched: u64| touched <= spare_after && !live.contains(digest);
        let mut dead: Vec<_> = state
            .index
            .iter()
            .filter(|(digest, entry)| is_dead(digest, entry.touched.load(Ordering::SeqCst)))
            .map(|(digest, _)| *digest)
            .collect();
        dead.sort_unstable();
        dead.iter().for_each(|digest| state.remove(digest));
        dead
    }

    /// Segments with garbage and their live blocks, those that free most for least copying first.
    fn victims(&self) -> Vec<Victim> {
        let state = self.read();
        let mut victims: BTreeMap<u32, Victim> = state
            .segments
            .iter()
            .filter(|(_, used)| used.has_dead_blocks)
            .map(|(id, used)| (*id, (Arc::clone(&used.segment), Vec::new())))
            .collect();
        for (digest, entry) in &state.index {
            if let Some((_, blocks)) = victims.get_mut(&entry.location.segment.id) {
                blocks.push((*digest, entry.location.clone()));
            }
        }
        let mut victims: Vec<_> = victims.into_values().collect();
        victims.sort_by_key(|(_, blocks)| blocks.iter().map(|(_, at)| u64::from(at.len)).sum::<u64>());
        victims
    }

    fn rewrite(
        &self,
        writer: &mut Writer,
        segment: &Segment,
        mut blocks: Vec<(B256, Location)>,
    ) -> Result<(), BlockError> {
        blocks.sort_unstable_by_key(|(_, location)| location.offset);
        let mut copies = Vec::with_capacity(blocks.len());
        for (digest, location) in blocks {
            let data = self.get(&digest)?.ok_or(BlockError::Corrupt { digest })?;
            copies.push((digest, writer.append_block(location.codec, &digest, &data, &self.state)?));
        }
        writer.commit(&[], &[], &self.state)?;
        let mut state = self.write();
        for (digest, copy) in copies {
            state.relocate(&digest, copy);
        }
        state.segments.remove(&segment.id);
        drop(state);
        std::fs::remove_file(&segment.path).map_err(|source| BlockError::io("remove", &segment.path, source))
    }
}
