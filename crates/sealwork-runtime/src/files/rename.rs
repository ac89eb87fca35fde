//! Moves a node to another name, and measures the paths that this makes.

use super::{FileSystem, Kind, NodeId, check_name};
use crate::wasi::Errno;
use sealwork_types::params::MAX_NAME_BYTES;

impl FileSystem {
    /// Moves a file or directory within its tree, over `target` if that name is taken.
    pub(crate) fn rename(
        &mut self,
        source: (NodeId, &str),
        target: (NodeId, &str),
        stamp_ns: u64,
    ) -> Result<(), Errno> {
        let id = self.directory(source.0)?.get(source.1).ok_or(Errno::NOENT)?;
        if self.node(source.0)?.tree != self.node(target.0)?.tree {
            return Err(Errno::XDEV);
        }
        let is_directory = matches!(self.node(id)?.kind, Kind::Directory(_));
        if is_directory && self.is_within(target.0, id)? {
            return Err(Errno::INVAL);
        }
        if self.directory(target.0)?.is_removed() {
            return Err(Errno::NOENT);
        }
        check_name(target.1)?;
        if self.path_len(target.0, target.1)?.saturating_add(self.deepest(id)) > MAX_NAME_BYTES {
            return Err(Errno::NAMETOOLONG);
        }
        if let Some(old) = self.directory(target.0)?.get(target.1) {
            if old == id {
                return Ok(());
            }
            self.check_replaceable(old, is_directory)?;
            self.unlink(target.0, target.1, stamp_ns)?;
        }
        self.directory_mut(source.0)?.remove(source.1);
        self.directory_mut(target.0)?.insert(target.1, id);
        if let Kind::Directory(directory) = &mut self.node_mut(id)?.kind {
            directory.attach(target.0, target.1.len());
        }
        self.node_mut(source.0)?.modified_ns = stamp_ns;
        self.node_mut(target.0)?.modified_ns = stamp_ns;
        Ok(())
    }

    /// Length of the path that `name` in `directory` has from the root of its tree.
    pub(super) fn path_len(&self, directory: NodeId, name: &str) -> Result<usize, Errno> {
        let mut len = name.len();
        let mut here = directory;
        loop {
            let directory = self.directory(here)?;
            if directory.parent() == here {
                return Ok(len);
            }
            len = len.saturating_add(1).saturating_add(directory.name_len());
            here = directory.parent();
        }
    }

    /// Length of the longest path below a node. Paths are short, so the recursion is shallow.
    fn deepest(&self, id: NodeId) -> usize {
        let Ok(directory) = self.directory(id) else { return 0 };
        let below =
            |(name, child): (&str, NodeId)| self.deepest(child).saturating_add(name.len()).saturating_add(1);
        directory.sorted().map(below).max().unwrap_or(0)
    }

    fn check_replaceable(&self, old: NodeId, by_directory: bool) -> Result<(), Errno> {
        match (&self.node(old)?.kind, by_directory) {
            (Kind::Directory(directory), true) if !directory.is_empty() => Err(Errno::NOTEMPTY),
            (Kind::Directory(_), true) | (Kind::File(_), false) => Ok(()),
            (Kind::Directory(_), false) => Err(Errno::ISDIR),
            (Kind::File(_), true) => Err(Errno::NOTDIR),
        }
    }

    fn is_within(&self, mut id: NodeId, ancestor: NodeId) -> Result<bool, Errno> {
        loop {
            if id == ancestor {
                return Ok(true);
            }
            let parent = self.directory(id)?.parent();
            if parent == id {
                return Ok(false);
            }
            id = parent;
        }
    }
}
