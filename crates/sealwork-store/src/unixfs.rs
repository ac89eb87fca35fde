//! Files as trees of blocks: UnixFS over dag-pb, the encoding that IPFS uses.

mod export;
mod import;
mod node;
mod walk;

pub(crate) use export::next_piece;
pub use export::{Cat, cat};
pub(crate) use import::BATCH_BYTES;
pub use import::{Importer, Profile, Root, add};
pub use node::{FileNode, Link};
pub use walk::{FileWalk, Piece, Reach, WalkLimits, reach};
