//! The embedded EVM chain: revm in process behind standard Ethereum JSON-RPC, persistent in one file.
//!
//! It exists so that `sealwork up`, the demo and tests need no outside chain; alloy, viem and cast work against it.
//! It is a chain for one machine: one process makes the blocks, nobody can disagree.
//!
//! ```no_run
//! # async fn example() -> Result<(), sealwork_devchain::DevchainError> {
//! use sealwork_devchain::{Config, Devchain};
//! let chain = Devchain::open(&Config { path: Some("chain.redb".into()), ..Config::default() })?.start().await?;
//! println!("{}", chain.http_url());
//! chain.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! What is real: Osaka rules with every kind of transaction but blobs, EIP-1559 base fee, the system contracts of
//! EIP-2935 and EIP-4788, header hashes, transaction and receipt roots, and the full Merkle Patricia state root of
//! every block (an incremental trie, checked again when the file is opened).
//!
//! What lasts: with a `path`, everything that a client was told is on disk before it is told ([`Durability`]). Blocks
//! are stored by a thread of their own, all that gathered since its last commit in one transaction of the database,
//! together with the state after them; so a process killed at any moment, or a disk that is full, leaves a chain that
//! ends with a whole block. When a block cannot be stored, the chain stops taking changes and says why.
//!
//! What differs from Ethereum:
//! - no consensus layer: "safe" and "finalized" name the newest block, beacon roots are zero, the request contracts
//!   of EIP-7002 and EIP-7251 do not exist; `prevrandao` is predictable;
//! - blocks may share a timestamp (never go back): an instant chain must not run ahead of the clock;
//! - block 1 has the base fee of block 0;
//! - transactions of type 3 (blobs) are refused; the pool holds more of one sender than go-ethereum's and nothing is
//!   announced to other nodes, as there are none;
//! - `eth_estimateGas` at "latest" estimates for the block that would be made now, because the newest block of an
//!   idle chain may be old; `eth_call` at "latest" sees the newest block's number and time, at "pending" the next;
//! - when blocks leave the chain (`evm_revert`, `anvil_reorg`, `anvil_rollback`), their transactions are forgotten;
//!   removed logs are announced for the newest 1,024 of them;
//! - historical state is kept in memory for the newest 1,024 blocks since the process started; blocks, receipts and
//!   logs are kept for ever;
//! - snapshots, settings and waiting transactions live in memory and end with the process;
//! - an edit such as `anvil_setBalance` is mined in a block of its own, so that state roots stay true;
//! - traces (`debug_…`, `trace_…`) run transactions again, so they need the state before the block; they remember at
//!   most 160 MiB, one at a time, and there are no tracers in JavaScript;
//! - `eth_estimateGas` answers the exact limit up to 2 million gas, above it one that is at most 1/64 too high.
//!
//! All JSON-RPC methods are listed in `methods.txt`; errors have go-ethereum's codes and words.
//!
//! Counters for Prometheus are at `GET /metrics` of the same port. Pages of any origin may call, as with anvil, because
//! wallets do: keep nothing of value here.
//!
//! Layout: `chain` is the core (no calendar, no network), `pool` what waits, `trie` and `state` hold accounts, `storage`
//! the blocks and the database, `tip` what clients see, `rpc` one module per group of methods, `devchain` the lifecycle,
//! `local` the chain in process without network and threads.
//!
//! Status: experimental.

mod accounts;
mod block;
mod chain;
mod config;
mod devchain;
mod error;
mod evm;
mod local;
mod metrics;
mod node;
mod pool;
mod revert;
mod rpc;
mod sandbox;
mod state;
mod storage;
mod tip;
mod trie;

pub use accounts::{DEV_MNEMONIC, DEV_PRIVATE_KEYS};
pub use config::{
    Clock, Config, DEFAULT_BASE_FEE, DEFAULT_CHAIN_ID, DEFAULT_GAS_LIMIT, Durability, FundedAccount, Mining,
    dev_accounts,
};
pub use devchain::{Devchain, Handle};
pub use error::{DevchainError, StorageError};
pub use local::LocalChain;
