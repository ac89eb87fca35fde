//! Follows a path inside one pre-opened directory. Nothing here can leave it: a path never starts at a root, and `..`
//! only undoes a step that the same path made.

use super::{FileSystem, NodeId};
use crate::wasi::Errno;

/// Longest path, bytes.
const PATH_MAX_BYTES: usize = 4_096;
/// Longest part of a path, bytes.
const PART_MAX_BYTES: usize = 255;

/// Where a path leads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Resolved<'p> {
    /// To a directory that the path passed through or started at.
    Itself(NodeId),
    /// To a name in a directory, which may be free.
    Child {
        /// The directory.
        parent: NodeId,
        /// The name.
        name: &'p str,
        /// The node that has this name.
        node: Option<NodeId>,
        /// Whether the path ends in a slash.
        wants_directory: bool,
    },
}

impl Resolved<'_> {
    /// The node, which must exist.
    pub(crate) const fn existing(self) -> Result<NodeId, Errno> {
        match self {
            Self::Itself(id) | Self::Child { node: Some(id), .. } => Ok(id),
            Self::Child { node: None, .. } => Err(Errno::NOENT),
        }
    }
}

impl FileSystem {
    /// Follows `path` from the directory `start`.
    pub(crate) fn resolve<'p>(&self, start: NodeId, path: &'p str) -> Result<Resolved<'p>, Errno> {
        if path.is_empty() {
            return Err(Errno::NOENT);
        }
        if path.len() > PATH_MAX_BYTES {
            return Err(Errno::NAMETOOLONG);
        }
        if path.starts_with('/') {
            return Err(Errno::NOTCAPABLE);
        }
        if path.contains('\0') {
            return Err(Errno::INVAL);
        }
        let wants_directory = path.ends_with('/') || path.ends_with("/.");
        let mut parts = path.split('/').filter(|part| !part.is_empty() && *part != ".").peekable();
        let mut above = Vec::new();
        let mut here = start;
        while let Some(part) = parts.next() {
            if part.len() > PART_MAX_BYTES {
                return Err(Errno::NAMETOOLONG);
            }
            if part == ".." {
                here = above.pop().ok_or(Errno::NOTCAPABLE)?;
                continue;
            }
            let node = self.directory(here)?.get(part);
            if parts.peek().is_none() {
                return self.last_part(here, part, node, wants_directory);
            }
            let next = node.ok_or(Errno::NOENT)?;
            self.directory(next)?;
            above.push(here);
            here = next;
        }
        self.directory(here)?;
        Ok(Resolved::Itself(here))
    }

    fn last_part<'p>(
        &self,
        parent: NodeId,
        name: &'p str,
        node: Option<NodeId>,
        wants_directory: bool,
    ) -> Result<Resolved<'p>, Errno> {
        if let Some(id) = node
            && wants_directory
        {
            self.directory(id)?;
        }
        Ok(Resolved::Child { parent, name, node, wants_directory })
    }
}
