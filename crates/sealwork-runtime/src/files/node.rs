//! Files and directories.

use super::Tree;
use crate::convert::{to_u64, to_usize};
use std::{collections::BTreeMap, ops::Bound};

/// Position of a node; also its inode number, less one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeId(pub(super) u32);

impl NodeId {
    pub(super) fn new(index: usize) -> Option<Self> {
        u32::try_from(index).ok().map(Self)
    }

    pub(super) fn index(self) -> usize {
        to_usize(self.0)
    }

    /// Inode number; 0 means "unknown" to some libraries and is not used.
    pub(crate) fn inode(self) -> u64 {
        u64::from(self.0).saturating_add(1)
    }
}

/// What a node is.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Names of other nodes.
    Directory(Directory),
    /// Bytes.
    File(Vec<u8>),
}

/// A file or directory.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) tree: Tree,
    pub(crate) kind: Kind,
    pub(crate) modified_ns: u64,
    pub(crate) accessed_ns: u64,
    /// Whether a directory names this node. Roots count as named.
    pub(super) linked: bool,
    /// Number of descriptors on this node.
    pub(super) opens: u32,
}

impl Node {
    pub(super) const fn new(tree: Tree, kind: Kind, stamp_ns: u64) -> Self {
        Self { tree, kind, modified_ns: stamp_ns, accessed_ns: stamp_ns, linked: true, opens: 0 }
    }

    pub(super) fn root(id: NodeId, tree: Tree, stamp_ns: u64) -> Self {
        let mut directory = Directory::default();
        directory.attach(id, 0);
        Self::new(tree, Kind::Directory(directory), stamp_ns)
    }

    /// Size in bytes; 0 for a directory.
    pub(crate) fn size(&self) -> u64 {
        match &self.kind {
            Kind::File(bytes) => to_u64(bytes.len()),
            Kind::Directory(_) => 0,
        }
    }
}

/// The names in a directory. Each name has a cookie that grows with every new name, so that a listing can go on after
/// names have been taken away.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    by_name: BTreeMap<String, (u64, NodeId)>,
    by_cookie: BTreeMap<u64, String>,
    last_cookie: u64,
    parent: Option<NodeId>,
    /// Length of its own name, 0 for the root.
    name_len: usize,
}

impl Directory {
    /// Gives the directory its place. The root is its own parent.
    pub(super) const fn attach(&mut self, parent: NodeId, name_len: usize) {
        self.parent = Some(parent);
        self.name_len = name_len;
    }

    /// Marks the directory as removed: nothing can be made in it any more.
    pub(super) const fn detach(&mut self) {
        self.parent = None;
    }

    pub(super) const fn is_removed(&self) -> bool {
        self.parent.is_none()
    }

    /// The directory above; a removed directory has the first root above it, which only shows in listings.
    pub(crate) fn parent(&self) -> NodeId {
        self.parent.unwrap_or(NodeId(0))
    }

    pub(super) const fn name_len(&self) -> usize {
        self.name_len
    }

    pub(crate) fn get(&self, name: &str) -> Option<NodeId> {
        self.by_name.get(name).map(|(_, id)| *id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    pub(super) fn insert(&mut self, name: &str, id: NodeId) {
        self.last_cookie = self.last_cookie.saturating_add(1);
        self.by_cookie.insert(self.last_cookie, name.to_owned());
        self.by_name.insert(name.to_owned(), (self.last_cookie, id));
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<NodeId> {
        let (cookie, id) = self.by_name.remove(name)?;
        self.by_cookie.remove(&cookie);
        Some(id)
    }

    /// Names in the order of the alphabet.
    pub(super) fn sorted(&self) -> impl Iterator<Item = (&str, NodeId)> {
        self.by_name.iter().map(|(name, (_, id))| (name.as_str(), *id))
    }

    /// Names made after the one with the given cookie, oldest first.
    pub(crate) fn after(&self, cookie: u64) -> impl Iterator<Item = (u64, &str, NodeId)> {
        self.by_cookie
            .range((Bound::Excluded(cookie), Bound::Unbounded))
            .filter_map(|(cookie, name)| Some((*cookie, name.as_str(), self.get(name)?)))
    }
}
