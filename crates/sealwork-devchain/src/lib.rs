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
//! What is real: Osaka rules, EIP-1559 base fee, header hashes, transaction and receipt roots, and the full Merkle
//! Patricia state root of every block (an incremental trie, checked again when the file is opened).
//! What differs from Ethereum:
//! - no consensus layer: "safe", "finalized" and "pending" name the newest block; the system contracts of EIP-4788,
//!   EIP-2935, EIP-7002 and EIP-7251 do not exist; `prevrandao` is predictable;
//! - blocks may share a timestamp (never go back): an instant chain must not run ahead of the clock;
//! - transactions of type 3 (blobs) and 4 (delegation) are refused, and so is one that offers less than the base
//!   fee, instead of keeping it until the fee falls;
//! - `eth_estimateGas` at "latest" estimates for the block that would be made now, because the newest block of an
//!   idle chain may be old; `eth_call` at "latest" sees the newest block's number and time, at "pending" the next;
//! - a revert is not announced to subscribers as removed logs;
//! - historical state is kept in memory for the newest 1,024 blocks since the process started; blocks, receipts and
//!   logs are kept for ever;
//! - snapshots and waiting transactions live in memory and end with the process;
//! - an edit such as `anvil_setBalance` is mined in a block of its own, so that state roots stay true.
//!
//! Layout: `chain` is the core (no clock, no network), `trie` and `state` hold accounts, `storage` the database,
//! `rpc` one module per group of methods, `devchain` the lifecycle.
//!
//! Status: experimental.

mod accounts;
mod block;
mod chain;
mod config;
mod devchain;
mod error;
mod evm;
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
pub use config::{Config, DEFAULT_CHAIN_ID, Durability, FundedAccount, Mining, dev_accounts};
pub use devchain::{Devchain, Handle};
pub use error::{DevchainError, StorageError};
