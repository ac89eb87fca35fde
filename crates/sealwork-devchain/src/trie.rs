//! A persistent Merkle Patricia trie: old versions stay readable and share what did not change.
//!
//! One structure serves three needs: the state root is the real Ethereum root and costs only the changed paths,
//! a snapshot is a reference count, and recent blocks keep their state for historical calls.

mod proof;

use alloy_primitives::B256;
use alloy_trie::{
    EMPTY_ROOT_HASH, Nibbles, TrieMask,
    nodes::{BranchNodeRef, ExtensionNodeRef, LeafNodeRef, RlpNode},
};
use std::sync::{Arc, OnceLock};

/// What a leaf contributes to the root.
pub(crate) trait LeafValue: Clone {
    /// RLP of the value as Ethereum puts it into the trie.
    fn leaf_rlp(&self) -> Vec<u8>;
}

/// A map from hashed keys to values with an Ethereum root. Cloning is one reference count.
#[derive(Clone, Debug)]
pub(crate) struct Trie<V> {
    root: Option<Arc<Node<V>>>,
}

/// A node and the cached reference its parent holds. A node never changes the depth at which it starts, so the
/// cache is right for its whole life; moving a node makes a new one.
#[derive(Debug)]
struct Node<V> {
    kind: Kind<V>,
    reference: OnceLock<RlpNode>,
}

#[derive(Clone, Debug)]
enum Kind<V> {
    Leaf { key: Nibbles, value: V },
    Branch { prefix: Nibbles, children: Box<[Option<Arc<Node<V>>>; 16]> },
}

/// Takes a key with its old and its new value.
type Visit<'a, 'b, V> = dyn FnMut(B256, Option<&'a V>, Option<&'a V>) + 'b;

impl<V> Default for Trie<V> {
    fn default() -> Self {
        Self { root: None }
    }
}

impl<V: LeafValue> Trie<V> {
    /// The value of a key.
    pub(crate) fn get(&self, key: &B256) -> Option<&V> {
        let key = Nibbles::unpack_array(&key.0);
        let mut node = self.root.as_deref()?;
        loop {
            match &node.kind {
                Kind::Leaf { key: found, value } => return (*found == key).then_some(value),
                Kind::Branch { prefix, children } => {
                    if !key.starts_with(prefix) {
                        return None;
                    }
                    node = children.get(usize::from(key.get(prefix.len())?))?.as_deref()?;
                }
            }
        }
    }

    /// Sets the value of a key.
    pub(crate) fn insert(&mut self, key: &B256, value: V) {
        let key = Nibbles::unpack_array(&key.0);
        self.root = Some(insert(self.root.as_ref(), key, value));
    }

    /// Forgets a key.
    pub(crate) fn remove(&mut self, key: &B256) {
        let key = Nibbles::unpack_array(&key.0);
        if let Some(root) = &self.root {
            self.root = remove(root, &key);
        }
    }

    /// The Ethereum root hash.
    pub(crate) fn root(&self) -> B256 {
        self.root.as_ref().map_or(EMPTY_ROOT_HASH, |node| {
            let mut rlp = Vec::new();
            node.encode(0, &mut rlp);
            alloy_primitives::keccak256(&rlp)
        })
    }

    /// Calls `visit` with the old and the new value of every key that may differ from `old`. Costs what changed, not
    /// what there is; a key whose node only moved may be visited with equal values.
    pub(crate) fn difference<'a>(&'a self, old: &'a Self, visit: &mut Visit<'a, '_, V>) {
        difference(old.root.as_ref(), self.root.as_ref(), visit);
    }
}

impl<V: LeafValue> Node<V> {
    fn leaf(key: Nibbles, value: V) -> Arc<Self> {
        Arc::new(Self { kind: Kind::Leaf { key, value }, reference: OnceLock::new() })
    }

    fn branch(prefix: Nibbles, children: Box<[Option<Arc<Self>>; 16]>) -> Arc<Self> {
        Arc::new(Self { kind: Kind::Branch { prefix, children }, reference: OnceLock::new() })
    }

    /// The same node for another depth.
    fn moved(&self) -> Arc<Self> {
        Arc::new(Self { kind: self.kind.clone(), reference: OnceLock::new() })
    }

    fn path(&self) -> &Nibbles {
        match &self.kind {
            Kind::Leaf { key, .. } => key,
            Kind::Branch { prefix, .. } => prefix,
        }
    }

    /// What the parent stores for this node when it starts at nibble `start`.
    fn reference(&self, start: usize) -> RlpNode {
        self.reference
            .get_or_init(|| {
                let mut rlp = Vec::new();
                self.encode(start, &mut rlp)
            })
            .clone()
    }

    /// Writes the node's RLP and returns its reference.
    fn encode(&self, start: usize, rlp: &mut Vec<u8>) -> RlpNode {
        match &self.kind {
            Kind::Leaf { key, value } => LeafNodeRef::new(&key.slice(start..), &value.leaf_rlp()).rlp(rlp),
            Kind::Branch { prefix, children } => {
                let (mask, stack) = references(prefix, children);
                let branch = BranchNodeRef::new(&stack, mask).rlp(rlp);
                if prefix.len() == start {
                    return branch;
                }
                rlp.clear();
                ExtensionNodeRef::new(&prefix.slice(start..), &branch).rlp(rlp)
            }
        }
    }
}

/// What a branch with this prefix stores for its children.
fn references<V: LeafValue>(
    prefix: &Nibbles,
    children: &[Option<Arc<Node<V>>>; 16],
) -> (TrieMask, Vec<RlpNode>) {
    let mut mask = TrieMask::default();
    let mut stack = Vec::with_capacity(16);
    for (nibble, child) in (0u8..).zip(children) {
        if let Some(child) = child {
            mask.set_bit(nibble);
            stack.push(child.reference(prefix.len() + 1));
        }
    }
    (mask, stack)
}

/// Index of the nibble at `depth`; keys are 64 nibbles and branches sit above their leaves.
fn slot(path: &Nibbles, depth: usize) -> usize {
    usize::from(path.get(depth).expect("a branch is above the end of every key beneath it"))
}

fn put<T>(children: &mut [Option<T>; 16], at: usize, node: Option<T>) {
    *children.get_mut(at).expect("a nibble is below 16") = node;
}

fn insert<V: LeafValue>(node: Option<&Arc<Node<V>>>, key: Nibbles, value: V) -> Arc<Node<V>> {
    let Some(node) = node else { return Node::leaf(key, value) };
    let path = node.path();
    let common = path.common_prefix_length(&key);
    match &node.kind {
        Kind::Leaf { .. } if common == key.len() => Node::leaf(key, value),
        Kind::Branch { prefix, children } if common == prefix.len() => {
            let at = slot(&key, common);
            let mut children = children.clone();
            let child = children.get(at).and_then(Option::as_ref).cloned();
            put(&mut children, at, Some(insert(child.as_ref(), key, value)));
            Node::branch(*prefix, children)
        }
        Kind::Leaf { .. } | Kind::Branch { .. } => {
            let mut children: Box<[Option<Arc<Node<V>>>; 16]> = Box::default();
            put(&mut children, slot(path, common), Some(node.moved()));
            put(&mut children, slot(&key, common), Some(Node::leaf(key, value)));
            Node::branch(key.slice(..common), children)
        }
    }
}

fn remove<V: LeafValue>(node: &Arc<Node<V>>, key: &Nibbles) -> Option<Arc<Node<V>>> {
    match &node.kind {
        Kind::Leaf { key: found, .. } if found == key => None,
        Kind::Branch { prefix, children } if key.starts_with(prefix) => {
            let at = slot(key, prefix.len());
            let Some(child) = children.get(at).and_then(Option::as_ref) else {
                return Some(Arc::clone(node));
            };
            let replacement = remove(child, key);
            if replacement.as_ref().is_some_and(|new| Arc::ptr_eq(new, child)) {
                return Some(Arc::clone(node));
            }
            let mut children = children.clone();
            put(&mut children, at, replacement);
            let mut left = children.iter().flatten();
            match (left.next(), left.next()) {
                (Some(only), None) => Some(only.moved()),
                _ => Some(Node::branch(*prefix, children)),
            }
        }
        Kind::Leaf { .. } | Kind::Branch { .. } => Some(Arc::clone(node)),
    }
}

fn difference<'a, V: LeafValue>(
    old: Option<&'a Arc<Node<V>>>,
    new: Option<&'a Arc<Node<V>>>,
    visit: &mut Visit<'a, '_, V>,
) {
    let (old, new) = match (old, new) {
        (None, None) => return,
        (Some(old), None) => return leaves(old, &mut |key, value| visit(key, Some(value), None)),
        (None, Some(new)) => return leaves(new, &mut |key, value| visit(key, None, Some(value))),
        (Some(old), Some(new)) if Arc::ptr_eq(old, new) => return,
        (Some(old), Some(new)) => (old, new),
    };
    let (old_path, new_path) = (old.path(), new.path());
    match (&old.kind, &new.kind) {
        (Kind::Leaf { key, value: before }, Kind::Leaf { key: same, value: after }) if key == same => {
            visit(hashed(key), Some(before), Some(after));
        }
        (Kind::Branch { children: before, .. }, Kind::Branch { children: after, .. })
            if old_path == new_path =>
        {
            for (before, after) in before.iter().zip(after.iter()) {
                difference(before.as_ref(), after.as_ref(), visit);
            }
        }
        (Kind::Branch { children, .. }, _) if new_path.starts_with(old_path) => {
            let at = slot(new_path, old_path.len());
            for (nibble, child) in children.iter().enumerate() {
                difference(child.as_ref(), (nibble == at).then_some(new), visit);
            }
        }
        (_, Kind::Branch { children, .. }) if old_path.starts_with(new_path) => {
            let at = slot(old_path, new_path.len());
            for (nibble, child) in children.iter().enumerate() {
                difference((nibble == at).then_some(old), child.as_ref(), visit);
            }
        }
        _ => {
            difference(Some(old), None, visit);
            difference(None, Some(new), visit);
        }
    }
}

fn leaves<'a, V>(node: &'a Arc<Node<V>>, visit: &mut dyn FnMut(B256, &'a V)) {
    match &node.kind {
        Kind::Leaf { key, value } => visit(hashed(key), value),
        Kind::Branch { children, .. } => {
            for child in children.iter().flatten() {
                leaves(child, visit);
            }
        }
    }
}

fn hashed(key: &Nibbles) -> B256 {
    B256::from_slice(&key.pack())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{U256, keccak256};
    use alloy_trie::root::storage_root_unsorted;
    use std::collections::BTreeMap;

    impl LeafValue for u64 {
        fn leaf_rlp(&self) -> Vec<u8> {
            alloy_rlp::encode(U256::from(*self))
        }
    }

    fn expected(model: &BTreeMap<B256, u64>) -> B256 {
        storage_root_unsorted(model.iter().map(|(key, value)| (*key, U256::from(*value))))
    }

    #[test]
    fn root_equals_the_reference_builder_through_inserts_updates_and_removals() {
        let (mut trie, mut model) = (Trie::<u64>::default(), BTreeMap::new());
        for number in 0u64..1_500 {
            let key = step(number, &mut trie, &mut model);
            assert_eq!(trie.root(), expected(&model), "step {number}");
            assert_eq!(trie.get(&key), model.get(&key));
        }
        for key in model.keys() {
            trie.remove(key);
        }
        assert_eq!(trie.root(), EMPTY_ROOT_HASH);
    }

    /// A small key space makes updates and removals hit; close keys make long extensions.
    fn step(number: u64, trie: &mut Trie<u64>, model: &mut BTreeMap<B256, u64>) -> B256 {
        let seed = keccak256(number.to_be_bytes());
        let mut key = B256::ZERO;
        key[0] = seed[0] & 0x13;
        key[30] = seed[1] & 0x31;
        key[31] = seed[2] & 0x0f;
        if seed[3].is_multiple_of(3) {
            trie.remove(&key);
            model.remove(&key);
        } else {
            trie.insert(&key, number);
            model.insert(key, number);
        }
        key
    }

    #[test]
    fn an_old_version_is_untouched_and_the_difference_leads_from_it_to_the_new() {
        let (mut trie, mut model) = (Trie::<u64>::default(), BTreeMap::new());
        for round in 0u64..60 {
            let (old, mut rebuilt, old_root) = (trie.clone(), model.clone(), trie.root());
            for number in 0..=round {
                step(round * 1_000 + number, &mut trie, &mut model);
            }
            assert_eq!(old.root(), old_root);
            trie.difference(&old, &mut |key, before, after| {
                assert_eq!(rebuilt.get(&key), before);
                match after {
                    Some(value) => rebuilt.insert(key, *value),
                    None => rebuilt.remove(&key),
                };
            });
            assert_eq!(rebuilt, model, "round {round}");
        }
    }

    #[test]
    fn the_difference_visits_only_what_changed() {
        let mut trie = Trie::<u64>::default();
        for number in 0u64..2_000 {
            trie.insert(&keccak256(number.to_be_bytes()), number);
        }
        let old = trie.clone();
        trie.insert(&keccak256(7u64.to_be_bytes()), 1_000);
        trie.remove(&keccak256(9u64.to_be_bytes()));
        let mut visited = 0;
        trie.difference(&old, &mut |_, _, _| visited += 1);
        assert!((2..5).contains(&visited), "{visited}");
    }
}
