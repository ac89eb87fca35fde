//! Batches of receipts and allow-lists: Merkle trees whose proofs a contract checks.
//!
//! A node is the keccak256 of its two children, the lower one first; a node without a sibling moves up as it is. So a
//! path needs no directions, and the contracts verify it with any of the common libraries (`OpenZeppelin`, solady).
//!
//! ```text
//! level 2          root
//! level 1      ┌───┴───┐             a leaf of a batch is the structure hash of a receipt: more than 64 bytes are
//! level 0    ┌─┴─┐     2             hashed, so no node passes for a leaf; a leaf of an allow-list is hashed twice
//!            0   1
//! ```

use alloy_primitives::keccak256;
use alloy_sol_types::SolStruct;
use sealwork_types::{
    B256, Bytes, DealId, Status,
    abi::{Batch, Membership, Receipt, Work},
    deal::{membership_leaf, tally},
    receipt::BatchProof,
};

/// A Merkle tree over at least one leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// From the leaves to the level below the root.
    levels: Vec<Vec<B256>>,
    root: B256,
}

impl Tree {
    /// The tree over leaves in this order; `None` without leaves.
    pub fn new(leaves: Vec<B256>) -> Option<Self> {
        let mut levels = Vec::new();
        let mut level = leaves;
        while level.len() > 1 {
            let above: Vec<B256> = level
                .chunks(2)
                .map(|pair| match pair {
                    [left, right] => node(*left, *right),
                    _ => pair.first().copied().unwrap_or_default(),
                })
                .collect();
            levels.push(std::mem::replace(&mut level, above));
        }
        level.first().map(|root| Self { levels, root: *root })
    }

    /// Hash over all leaves; the leaf itself when there is one.
    pub const fn root(&self) -> B256 {
        self.root
    }

    /// Siblings from leaf number `index` to the root, as [`verify`] takes them; `None` when there is no such leaf.
    pub fn path(&self, index: usize) -> Option<Vec<B256>> {
        let leaves = self.levels.first().map_or(1, Vec::len);
        if index >= leaves {
            return None;
        }
        let sibling = |(height, level): (usize, &Vec<B256>)| level.get((index >> height) ^ 1).copied();
        Some(self.levels.iter().enumerate().filter_map(sibling).collect())
    }
}

/// Hash of a node over its children, in any order.
pub fn node(one: B256, other: B256) -> B256 {
    let (low, high) = if one < other { (one, other) } else { (other, one) };
    keccak256([low.as_slice(), high.as_slice()].concat())
}

/// Root of the tree in which `path` leads up from `leaf`.
pub fn root_of(leaf: B256, path: &[B256]) -> B256 {
    path.iter().fold(leaf, |hash, sibling| node(hash, *sibling))
}

/// Whether `path` leads from `leaf` to `root`.
pub fn verify(root: B256, leaf: B256, path: &[B256]) -> bool {
    root_of(leaf, path) == root
}

/// Leaf of a batch.
pub fn receipt_leaf(receipt: &Receipt) -> B256 {
    receipt.eip712_hash_struct()
}

/// Why receipts do not make a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// Nothing to sign.
    #[error("a batch needs at least one receipt")]
    Empty,
    /// A receipt of another deal, or about other work.
    #[error(
        "the receipt of task {index} is of deal {found} or other work, the batch began with deal {expected}"
    )]
    OtherDeal {
        /// Index in its deal.
        index: u32,
        /// Deal of the first receipt.
        expected: DealId,
        /// Deal of this receipt.
        found: DealId,
    },
    /// The tasks do not follow each other.
    #[error("task {found} stands where task {expected} belongs")]
    Order {
        /// Next index.
        expected: u32,
        /// Index given.
        found: u32,
    },
}

/// Receipts of tasks that follow each other, as one statement for an enclave to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptBatch {
    batch: Batch,
    tree: Tree,
}

impl ReceiptBatch {
    /// Takes receipts of one deal in the order of their tasks.
    ///
    /// # Errors
    /// [`BatchError`].
    pub fn new(receipts: &[Receipt]) -> Result<Self, BatchError> {
        let head = receipts.first().ok_or(BatchError::Empty)?;
        let mut expected = Some(head.index);
        for receipt in receipts {
            check_follows(head, receipt, expected)?;
            expected = receipt.index.checked_add(1);
        }
        let tree = Tree::new(receipts.iter().map(receipt_leaf).collect()).ok_or(BatchError::Empty)?;
        let batch = Batch {
            work: head.work.clone(),
            dealId: head.dealId,
            first: head.index,
            tally: tally(receipts.iter().map(|receipt| Status::new(receipt.status))),
            root: tree.root(),
        };
        Ok(Self { batch, tree })
    }

    /// What the enclave signs and the contract takes.
    pub const fn statement(&self) -> &Batch {
        &self.batch
    }

    /// Shows that the receipt of a task belongs to the batch; `None` when it does not. `signature` is the enclave's over
    /// [`ReceiptBatch::statement`].
    pub fn proof(&self, index: u32, signature: Bytes) -> Option<BatchProof> {
        let position = usize::try_from(index.checked_sub(self.batch.first)?).ok()?;
        Some(BatchProof {
            first: self.batch.first,
            tally: self.batch.tally.clone(),
            root: self.batch.root,
            path: self.tree.path(position)?,
            signature,
        })
    }
}

fn check_follows(head: &Receipt, receipt: &Receipt, expected: Option<u32>) -> Result<(), BatchError> {
    let subject = |receipt: &Receipt| -> (B256, Work) { (receipt.dealId, receipt.work.clone()) };
    if subject(head) != subject(receipt) {
        let (expected, found) = (DealId::new(head.dealId), DealId::new(receipt.dealId));
        return Err(BatchError::OtherDeal { index: receipt.index, expected, found });
    }
    if expected != Some(receipt.index) {
        return Err(BatchError::Order { expected: expected.unwrap_or(u32::MAX), found: receipt.index });
    }
    Ok(())
}

/// Apps, datasets, pools or requesters that an order admits. An order names the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowList {
    members: Vec<B256>,
    tree: Tree,
}

impl AllowList {
    /// The list of these ids or addresses (in the low 20 bytes), whatever their order; `None` when it is empty.
    pub fn new(members: impl IntoIterator<Item = B256>) -> Option<Self> {
        let mut members: Vec<B256> = members.into_iter().collect();
        members.sort_unstable();
        members.dedup();
        let tree = Tree::new(members.iter().copied().map(membership_leaf).collect())?;
        Some(Self { members, tree })
    }

    /// The restriction to write into an order.
    pub const fn root(&self) -> B256 {
        self.tree.root()
    }

    /// What a match needs to show that `member` stands on the list; `None` when it does not.
    pub fn membership(&self, member: B256) -> Option<Membership> {
        let position = self.members.binary_search(&member).ok()?;
        Some(Membership { root: self.root(), member, path: self.tree.path(position)? })
    }
}

/// Whether a membership shows what it says.
pub fn admits(membership: &Membership) -> bool {
    verify(membership.root, membership_leaf(membership.member), &membership.path)
}

#[cfg(test)]
mod tests;
