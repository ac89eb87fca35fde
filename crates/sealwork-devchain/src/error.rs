//! Everything that can go wrong, by level: opening, transactions, execution.

use crate::revert::{halt_reason, revert_reason};
use alloy_primitives::{B256, Bytes};
use revm::context::result::{HaltReason, InvalidTransaction};
use std::{net::SocketAddr, path::PathBuf, sync::Arc};

/// Why a chain could not be opened, started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum DevchainError {
    /// The database could not be read or written.
    #[error("the chain database{} cannot be used; check that the file is writable and no other process has it open", at(path.as_ref()))]
    Storage {
        /// Database file; `None` in memory.
        path: Option<PathBuf>,
        /// Cause.
        #[source]
        source: StorageError,
    },
    /// The database was made for another chain.
    #[error(
        "the database holds chain {stored}, the configuration says {configured}; use that id or another path"
    )]
    OtherChain {
        /// Id in the database.
        stored: u64,
        /// Id asked for.
        configured: u64,
    },
    /// The server could not be started.
    #[error("cannot serve JSON-RPC on {address}; choose a free address, or port 0")]
    Listen {
        /// Address asked for.
        address: SocketAddr,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// A block every zero seconds.
    #[error("the mining interval is zero; it must be at least one millisecond")]
    ZeroInterval,
    /// The method table could not be built.
    #[error("JSON-RPC methods collide")]
    Methods {
        /// Cause.
        #[source]
        source: jsonrpsee::core::RegisterMethodError,
    },
}

/// Why stored data could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The database engine failed.
    #[error("the database engine failed")]
    Engine(#[source] Box<redb::Error>),
    /// There is no room for the next block.
    #[error("no space is left for the database; free some and start again")]
    Full,
    /// An earlier commit failed, so nothing is stored any more.
    #[error("the chain stopped{} because a block could not be stored; start it again", after(newest))]
    Stopped {
        /// Newest stored block, if this process stored any.
        newest: Option<u64>,
        /// Why the commit failed.
        #[source]
        cause: Arc<Self>,
    },
    /// The writer's thread could not be started, or ended.
    #[error("the thread that stores blocks does not run")]
    Thread(#[source] std::io::Error),
    /// A chain that is kept in a file cannot be forked.
    #[error("only a chain without a path can be forked")]
    Fork,
    /// The file was written by another version.
    #[error("the database has schema {found}, this version reads {expected}; start with a fresh path")]
    Schema {
        /// In the file.
        found: u64,
        /// Readable.
        expected: u64,
    },
    /// A record does not decode.
    #[error("a {record} record does not decode; the file is damaged")]
    Record {
        /// Kind of the record.
        record: &'static str,
    },
    /// The stored accounts do not have the state root of the newest block.
    #[error("the stored accounts have root {found}, block {block} says {expected}; the file is damaged")]
    StateRoot {
        /// Newest block.
        block: u64,
        /// Root of the accounts.
        found: B256,
        /// Root in the header.
        expected: B256,
    },
}

/// Why a transaction was not taken. The texts begin as go-ethereum's do, because tools recognize errors by them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Rejection {
    #[error("{}", describe(.0))]
    Invalid(InvalidTransaction),
    #[error("already known: transaction {0}")]
    AlreadyKnown(B256),
    #[error(
        "replacement transaction underpriced: needs a maximum fee of {needed_fee} and a tip of {needed_tip} wei per gas"
    )]
    Underpriced { needed_fee: u128, needed_tip: u128 },
    #[error(
        "txpool is full: at most {limit} transactions wait; offer more than the worst paid, or mine a block"
    )]
    PoolFull { limit: usize },
    #[error("oversized data: transaction size {bytes}, limit {limit}")]
    Oversized { bytes: usize, limit: usize },
    #[error("invalid transaction signature")]
    Signature,
    #[error("invalid chain id: signed for {found}, this is {expected}")]
    OtherChain { found: u64, expected: u64 },
    #[error("transaction type not supported: {0}; types 0, 1, 2 and 4 are")]
    UnsupportedType(u8),
}

/// Why the chain could not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChainError {
    #[error(transparent)]
    Rejected(#[from] Rejection),
    #[error("execution reverted{}", reason(.output))]
    Reverted { output: Bytes },
    #[error("{}", halt_reason(.reason))]
    Halted { reason: HaltReason },
    #[error("unknown block {0}")]
    UnknownBlock(String),
    #[error("unknown block")]
    UnknownBlockHash,
    #[error("BlockOutOfRangeError: block height is {newest} but requested was {asked}")]
    OutOfRange { asked: u64, newest: u64 },
    #[error("state of block {block} is not kept; blocks from {oldest} on are")]
    StateGone { block: u64, oldest: u64 },
    #[error("limit exceeded: {what}, at most {limit}")]
    Limit { what: &'static str, limit: u64 },
    #[error("timestamp {asked} is before the newest block's {newest}")]
    TimeRunsForward { asked: u64, newest: u64 },
    #[error("cannot go back {depth} blocks: the newest block is {newest}")]
    ReorgDepth { depth: u64, newest: u64 },
    #[error("the chain database failed")]
    Storage(#[from] StorageError),
}

impl<E: Into<redb::Error>> From<E> for StorageError {
    fn from(source: E) -> Self {
        let error = source.into();
        if matches!(&error, redb::Error::Io(io) if is_full(io)) {
            Self::Full
        } else {
            Self::Engine(Box::new(error))
        }
    }
}

fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

fn after(newest: &Option<u64>) -> String {
    newest.map(|newest| format!(" after block {newest}")).unwrap_or_default()
}

fn at(path: Option<&PathBuf>) -> String {
    path.map(|path| format!(" {}", path.display())).unwrap_or_default()
}

/// The text of the revert, if there is one.
fn reason(output: &Bytes) -> String {
    revert_reason(output).map(|text| format!(": {text}")).unwrap_or_default()
}

fn describe(invalid: &InvalidTransaction) -> String {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the engine's own texts serve for all other variants")]
    match invalid {
        InvalidTransaction::NonceTooLow { tx, state } => {
            format!("nonce too low: next nonce {state}, tx nonce {tx}")
        }
        InvalidTransaction::NonceTooHigh { tx, state } => {
            format!("nonce too high: next nonce {state}, tx nonce {tx}")
        }
        InvalidTransaction::LackOfFundForMaxFee { fee, balance } => {
            format!("insufficient funds for gas * price + value: balance {balance}, tx cost {fee}")
        }
        InvalidTransaction::GasPriceLessThanBasefee => "max fee per gas less than block base fee".into(),
        InvalidTransaction::PriorityFeeGreaterThanMaxFee => {
            "max priority fee per gas higher than max fee per gas".into()
        }
        InvalidTransaction::CallGasCostMoreThanGasLimit { initial_gas: needed, gas_limit }
        | InvalidTransaction::GasFloorMoreThanGasLimit { gas_floor: needed, gas_limit } => {
            format!("intrinsic gas too low: have {gas_limit}, want {needed}")
        }
        InvalidTransaction::CallerGasLimitMoreThanBlock => "exceeds block gas limit".into(),
        InvalidTransaction::TxGasLimitGreaterThanCap { gas_limit, cap } => {
            format!("transaction gas limit too high (cap: {cap}, tx: {gas_limit})")
        }
        InvalidTransaction::CreateInitCodeSizeLimit => "max initcode size exceeded".into(),
        other => other.to_string(),
    }
}
