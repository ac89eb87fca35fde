//! Merkle proofs: the nodes on the way to a key, whether it is there or not.

use super::{Kind, LeafValue, Node, Trie, references};
use alloy_primitives::{B256, Bytes};
use alloy_trie::{
    Nibbles,
    nodes::{BranchNodeRef, ExtensionNodeRef, LeafNodeRef},
};

impl<V: LeafValue> Trie<V> {
    /// The RLP of each hashed node from the root towards a key, as `eth_getProof` hands them out: they prove the
    /// key's value, or that it has none. Empty for an empty trie.
    pub(crate) fn proof(&self, key: &B256) -> Vec<Bytes> {
        let key = Nibbles::unpack_array(&key.0);
        let (mut next, mut start, mut proof) = (self.root.as_deref(), 0, Vec::new());
        while let Some(node) = next {
            next = node.prove(start, &key, &mut proof);
            start = node.path().len() + 1;
        }
        proof
    }
}

impl<V: LeafValue> Node<V> {
    /// Adds what this node, which starts at nibble `start`, contributes; returns the child on the way to the key.
    fn prove(&self, start: usize, key: &Nibbles, proof: &mut Vec<Bytes>) -> Option<&Self> {
        let mut rlp = Vec::new();
        match &self.kind {
            Kind::Leaf { key: found, value } => {
                LeafNodeRef::new(&found.slice(start..), &value.leaf_rlp()).rlp(&mut rlp);
                add(rlp, proof);
                None
            }
            Kind::Branch { prefix, children } => {
                let (mask, stack) = references(prefix, children);
                let branch = BranchNodeRef::new(&stack, mask).rlp(&mut rlp);
                if prefix.len() > start {
                    let mut extension = Vec::new();
                    ExtensionNodeRef::new(&prefix.slice(start..), &branch).rlp(&mut extension);
                    add(extension, proof);
                }
                if !key.starts_with(prefix) {
                    // The extension alone shows that the key leads elsewhere.
                    return None;
                }
                add(rlp, proof);
                children.get(usize::from(key.get(prefix.len())?))?.as_deref()
            }
        }
    }
}

/// Nodes shorter than a hash stand inside their parent; only the root is never inside another.
fn add(rlp: Vec<u8>, proof: &mut Vec<Bytes>) {
    if rlp.len() >= 32 || proof.is_empty() {
        proof.push(rlp.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;
    use alloy_trie::proof::verify_proof;

    fn check(trie: &Trie<u64>, key: B256) {
        let expected = trie.get(&key).map(LeafValue::leaf_rlp);
        let proof = trie.proof(&key);
        verify_proof(trie.root(), Nibbles::unpack(key), expected, &proof).unwrap();
        let wrong = trie.get(&key).map_or(Some(alloy_rlp::encode(1u64)), |_| None);
        assert!(verify_proof(trie.root(), Nibbles::unpack(key), wrong, &proof).is_err());
    }

    #[test]
    fn proves_values_and_absences_in_tries_of_every_shape() {
        let mut trie = Trie::<u64>::default();
        check(&trie, B256::ZERO);
        for number in 2u64..400 {
            // Keys that differ late make extensions and nodes inside nodes.
            let seed = keccak256(number.to_be_bytes());
            let mut key = B256::ZERO;
            key[0] = seed[0] & 0x21;
            key[30] = seed[1] & 0x13;
            key[31] = seed[2];
            if number.is_multiple_of(5) {
                trie.remove(&key)
            } else {
                trie.insert(&key, number)
            }
            check(&trie, key);
            key[31] ^= 1;
            check(&trie, key);
            key[15] = 7;
            check(&trie, key);
            check(&trie, seed);
        }
    }
}
