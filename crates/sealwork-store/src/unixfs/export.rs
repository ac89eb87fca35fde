//! Reading a file out of a block store, verified and in constant memory.

use super::walk::{FileWalk, WalkLimits};
use crate::{
    block::{BlockStore, GeneralCid, load},
    error::DagError,
};
use bytes::Bytes;

/// Streams the file `root`. Fails at the first block that is missing or wrong; what came before it was right.
pub fn cat(root: GeneralCid, limits: WalkLimits, store: &dyn BlockStore) -> Cat<'_> {
    Cat { walk: FileWalk::new(root, limits), store }
}

/// Iterator of [`cat`]: non-empty pieces in order, ended by the first error.
pub struct Cat<'a> {
    walk: FileWalk,
    store: &'a dyn BlockStore,
}

impl std::fmt::Debug for Cat<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cat").field("walk", &self.walk).finish_non_exhaustive()
    }
}

impl Iterator for Cat<'_> {
    type Item = Result<Bytes, DagError>;

    fn next(&mut self) -> Option<Self::Item> {
        next_piece(&mut self.walk, self.store).transpose()
    }
}

/// Reads blocks until one brings content.
pub(crate) fn next_piece(walk: &mut FileWalk, store: &dyn BlockStore) -> Result<Option<Bytes>, DagError> {
    while let Some(cid) = walk.next() {
        let block = load(store, &cid).inspect_err(|_| walk.stop())?;
        let piece = walk.supply(&block)?;
        if !piece.content.is_empty() {
            return Ok(Some(piece.content));
        }
    }
    Ok(None)
}
