//! Keeps content under its IPFS name, on disk or behind a Kubo RPC, and checks every byte that comes out.
//!
//! Terms: a *block* is at most 2 MiB under the SHA-256 of its bytes; a *file* is a tree of blocks cut by a [`Profile`];
//! a *root* is the CID of that tree's top; a *pin* keeps a root and everything below it from being collected.
//!
//! Three layers, each usable alone:
//! 1. blocks: [`BlockStore`] with [`PackStore`] (append-only segments on disk) and [`MemStore`];
//! 2. files: [`Importer`] and [`FileWalk`] turn bytes into blocks and back without doing I/O; [`add()`] and [`cat()`] run
//!    them over a block store;
//! 3. the `Store` port: [`LocalStore`] over a pack store, [`KuboStore`] over the RPC of a Kubo node or of a local store
//!    that [`serve`] offers.
//!
//! Invariants
//! 1. No byte leaves a store that was not hashed and found to belong to the CID that was asked for.
//! 2. After a crash a store holds what some commit left, all of it, and nothing half-written.
//! 3. Memory does not grow with content, and no tree makes a reader work more than its content is long.
//! 4. What is pinned, or being added, survives gc.
//!
//! Content is public to whoever can read the store; secrecy is `sealwork-seal`'s part.

mod block;
mod error;
mod kubo;
mod local;
mod memory_blocks;
mod pack;
mod rpc;
mod stage;
mod unixfs;

pub use block::{
    Block, BlockStore, GeneralCid, MAX_BLOCK_BYTES, Put, StoredBlock, cid_v0, cid_v1, general_cid, parts_of,
};
pub use error::{AddError, BlockError, DagError};
pub use kubo::{KuboOptions, KuboStore};
pub use local::{Keep, LocalOptions, LocalStore};
pub use memory_blocks::MemStore;
pub use pack::{Collected, DEFAULT_SEGMENT_BYTES, PackStore, Usage};
pub use rpc::{serve, serve_with};
pub use unixfs::{
    Cat, FileNode, FileWalk, Importer, Link, Piece, Profile, Reach, Root, WalkLimits, add, cat, reach,
};
