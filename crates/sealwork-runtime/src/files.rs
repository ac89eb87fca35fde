//! The file system that a program sees: three trees in memory, bounded in bytes and in number of nodes.

mod export;
mod node;
mod rename;
mod resolve;

pub(crate) use node::{Kind, Node, NodeId};
pub(crate) use resolve::Resolved;

use crate::{
    batch::Exit,
    convert::{size_of_u64, to_u64},
    wasi::{Errno, Fail},
};
use node::Directory;
use sealwork_types::params::{MAX_INPUT_FILES, MAX_NAME_BYTES};

/// Most files and directories under `/in`, and as many under `/tmp`.
const NODES_MAX: u32 = 4_096;
/// Most files and directories under `/out`; an output bundle has room for as many files.
const OUTPUT_NODES_MAX: u32 = 256;
const _: () = assert!(OUTPUT_NODES_MAX as u64 <= MAX_INPUT_FILES, "an output bundle holds no more files");
/// Most bytes in files under `/tmp`.
const SCRATCH_MAX_BYTES: u64 = 64 << 20;

/// Which of the three trees a node belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    /// `/in`, read-only.
    Input,
    /// `/out`, delivered to the requester.
    Output,
    /// `/tmp`, forgotten.
    Scratch,
}

impl Tree {
    /// Every tree with the name under which it is pre-opened, in the order of file descriptors.
    pub(crate) const PREOPENS: [(Self, &'static str); 3] =
        [(Self::Input, "/in"), (Self::Output, "/out"), (Self::Scratch, "/tmp")];
}

/// What is left of a bound.
#[derive(Debug)]
struct Budget {
    bytes: u64,
    nodes: u32,
}

/// The three trees.
#[derive(Debug)]
pub(crate) struct FileSystem {
    nodes: Vec<Option<Node>>,
    vacant: Vec<NodeId>,
    roots: [NodeId; 3],
    input: Budget,
    output: Budget,
    scratch: Budget,
}

impl FileSystem {
    /// Three empty trees; `stamp_ns` is the time of the roots.
    pub(crate) fn new(output_bytes: u64, stamp_ns: u64) -> Self {
        let roots = [0, 1, 2].map(NodeId);
        let trees = [Tree::Input, Tree::Output, Tree::Scratch];
        let nodes = roots.iter().zip(trees).map(|(id, tree)| Some(Node::root(*id, tree, stamp_ns))).collect();
        Self {
            nodes,
            vacant: Vec::new(),
            roots,
            input: Budget { bytes: u64::MAX, nodes: NODES_MAX },
            output: Budget { bytes: output_bytes, nodes: OUTPUT_NODES_MAX },
            scratch: Budget { bytes: SCRATCH_MAX_BYTES, nodes: NODES_MAX },
        }
    }

    /// The root directory of a tree.
    pub(crate) const fn root(&self, tree: Tree) -> NodeId {
        let [input, output, scratch] = self.roots;
        match tree {
            Tree::Input => input,
            Tree::Output => output,
            Tree::Scratch => scratch,
        }
    }

    /// A node; ids only come from this file system and stay valid while they are linked or open.
    pub(crate) fn node(&self, id: NodeId) -> Result<&Node, Errno> {
        self.nodes.get(id.index()).and_then(Option::as_ref).ok_or(Errno::BADF)
    }

    pub(crate) fn node_mut(&mut self, id: NodeId) -> Result<&mut Node, Errno> {
        self.nodes.get_mut(id.index()).and_then(Option::as_mut).ok_or(Errno::BADF)
    }

    pub(crate) fn directory(&self, id: NodeId) -> Result<&Directory, Errno> {
        match &self.node(id)?.kind {
            Kind::Directory(directory) => Ok(directory),
            Kind::File(_) => Err(Errno::NOTDIR),
        }
    }

    fn directory_mut(&mut self, id: NodeId) -> Result<&mut Directory, Errno> {
        match &mut self.node_mut(id)?.kind {
            Kind::Directory(directory) => Ok(directory),
            Kind::File(_) => Err(Errno::NOTDIR),
        }
    }

    /// Content of a file.
    pub(crate) fn file(&self, id: NodeId) -> Result<&[u8], Errno> {
        match &self.node(id)?.kind {
            Kind::File(bytes) => Ok(bytes),
            Kind::Directory(_) => Err(Errno::ISDIR),
        }
    }

    fn file_mut(&mut self, id: NodeId) -> Result<&mut Vec<u8>, Errno> {
        match &mut self.node_mut(id)?.kind {
            Kind::File(bytes) => Ok(bytes),
            Kind::Directory(_) => Err(Errno::ISDIR),
        }
    }

    /// Fails with `ROFS` under `/in`.
    pub(crate) fn check_writable(&self, id: NodeId) -> Result<(), Errno> {
        if self.node(id)?.tree == Tree::Input { Err(Errno::ROFS) } else { Ok(()) }
    }

    /// Makes a file or an empty directory; the name must be free.
    pub(crate) fn create(
        &mut self,
        parent: NodeId,
        name: &str,
        kind: Kind,
        stamp_ns: u64,
    ) -> Result<NodeId, Errno> {
        let tree = self.node(parent)?.tree;
        self.check_writable(parent)?;
        check_name(name)?;
        self.insert(tree, parent, name, kind, stamp_ns)
    }

    /// Like [`Self::create`], also under `/in`.
    fn insert(
        &mut self,
        tree: Tree,
        parent: NodeId,
        name: &str,
        kind: Kind,
        stamp_ns: u64,
    ) -> Result<NodeId, Errno> {
        let directory = self.directory(parent)?;
        if directory.is_removed() {
            return Err(Errno::NOENT);
        }
        if self.path_len(parent, name)? > MAX_NAME_BYTES {
            return Err(Errno::NAMETOOLONG);
        }
        let budget = self.budget_mut(tree);
        budget.nodes = budget.nodes.checked_sub(1).ok_or(Errno::NOSPC)?;
        let id = match self.vacant.pop() {
            Some(id) => id,
            None => NodeId::new(self.nodes.len()).ok_or(Errno::NOSPC)?,
        };
        let mut node = Node::new(tree, kind, stamp_ns);
        if let Kind::Directory(directory) = &mut node.kind {
            directory.attach(parent, name.len());
        }
        match self.nodes.get_mut(id.index()) {
            Some(place) => *place = Some(node),
            None => self.nodes.push(Some(node)),
        }
        self.directory_mut(parent)?.insert(name, id);
        self.node_mut(parent)?.modified_ns = stamp_ns;
        Ok(id)
    }

    /// Takes a name away. A file lives on while it is open.
    pub(crate) fn unlink(&mut self, parent: NodeId, name: &str, stamp_ns: u64) -> Result<(), Errno> {
        let id = self.directory_mut(parent)?.remove(name).ok_or(Errno::NOENT)?;
        self.node_mut(parent)?.modified_ns = stamp_ns;
        let node = self.node_mut(id)?;
        node.linked = false;
        if let Kind::Directory(directory) = &mut node.kind {
            directory.detach();
        }
        self.collect(id);
        Ok(())
    }

    /// Counts one more descriptor on a node.
    pub(crate) fn opened(&mut self, id: NodeId) -> Result<(), Errno> {
        let node = self.node_mut(id)?;
        node.opens = node.opens.saturating_add(1);
        Ok(())
    }

    /// Counts one descriptor less on a node.
    pub(crate) fn closed(&mut self, id: NodeId) {
        if let Ok(node) = self.node_mut(id) {
            node.opens = node.opens.saturating_sub(1);
        }
        self.collect(id);
    }

    /// Frees a node that nobody can reach any more.
    fn collect(&mut self, id: NodeId) {
        let Some(place) = self.nodes.get_mut(id.index()) else { return };
        let Some(node) = place.take_if(|node| !node.linked && node.opens == 0) else { return };
        self.vacant.push(id);
        let budget = self.budget_mut(node.tree);
        budget.nodes = budget.nodes.saturating_add(1);
        if let Kind::File(bytes) = node.kind {
            budget.bytes = budget.bytes.saturating_add(to_u64(bytes.len()));
        }
    }

    const fn budget_mut(&mut self, tree: Tree) -> &mut Budget {
        match tree {
            Tree::Input => &mut self.input,
            Tree::Output => &mut self.output,
            Tree::Scratch => &mut self.scratch,
        }
    }

    /// Takes bytes from a tree's bound, before they are allocated. Standard output takes from that of `/out`.
    pub(crate) fn charge(&mut self, tree: Tree, bytes: u64) -> Result<(), Fail> {
        let budget = self.budget_mut(tree);
        match (budget.bytes.checked_sub(bytes), tree) {
            (Some(left), _) => {
                budget.bytes = left;
                Ok(())
            }
            (None, Tree::Output) => Err(Fail::End(Exit::OutputLimit)),
            (None, Tree::Input | Tree::Scratch) => Err(Errno::NOSPC.into()),
        }
    }

    /// Sets a file's length; new bytes are zero.
    pub(crate) fn resize(&mut self, id: NodeId, len: u64) -> Result<(), Fail> {
        self.check_writable(id)?;
        let tree = self.node(id)?.tree;
        let old = to_u64(self.file(id)?.len());
        match len.checked_sub(old) {
            Some(more) => self.charge(tree, more)?,
            None => {
                let budget = self.budget_mut(tree);
                budget.bytes = budget.bytes.saturating_add(old.saturating_sub(len));
            }
        }
        let bytes = self.file_mut(id)?;
        bytes.resize(size_of_u64(len), 0);
        if len < old / 2 {
            bytes.shrink_to_fit();
        }
        Ok(())
    }

    /// The part of a file that a write fills; the file grows as needed, after the bound is checked.
    pub(crate) fn writable(
        &mut self,
        id: NodeId,
        offset: u64,
        len: u64,
        stamp_ns: u64,
    ) -> Result<&mut [u8], Fail> {
        let end = offset.checked_add(len).ok_or(Errno::FBIG)?;
        if len > 0 && end > to_u64(self.file(id)?.len()) {
            self.resize(id, end)?;
        }
        self.check_writable(id)?;
        self.node_mut(id)?.modified_ns = stamp_ns;
        let range = if len == 0 { 0..0 } else { size_of_u64(offset)..size_of_u64(end) };
        Ok(self.file_mut(id)?.get_mut(range).ok_or(Errno::FBIG)?)
    }
}

/// Refuses names that an output bundle does not carry: some systems and terminals give them a meaning.
fn check_name(name: &str) -> Result<(), Errno> {
    if name.chars().any(|c| c == '\\' || c.is_control()) { Err(Errno::INVAL) } else { Ok(()) }
}
