//! What a chain is opened with.

use crate::accounts::DEV_PRIVATE_KEYS;
use alloy_primitives::U256;
use alloy_signer_local::PrivateKeySigner;
use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Chain id when nothing else is asked for.
pub const DEFAULT_CHAIN_ID: u64 = 31_337;
/// Gas of a block when nothing else is asked for.
pub const DEFAULT_GAS_LIMIT: u64 = 60_000_000;
/// Base fee of the first block, in wei per gas, when nothing else is asked for.
pub const DEFAULT_BASE_FEE: u64 = 1_000_000_000;

/// When blocks are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mining {
    /// A block for each transaction, at once.
    #[default]
    Instant,
    /// A block every period, empty or not.
    Interval(Duration),
    /// A block only when a client asks for it.
    Manual,
}

/// When a client learns of a block on a chain that is kept in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// When the block is on disk: whatever a client saw is there after a crash.
    #[default]
    BeforeAnswer,
    /// At once; the disk follows within moments. A crash can lose the newest blocks, never part of one.
    Background,
}

/// Where the chain takes the time from.
#[derive(Clone, Default)]
pub struct Clock(Option<Arc<dyn Fn() -> u64 + Send + Sync>>);

impl Clock {
    /// A clock that answers in seconds since 1970; the default is the machine's.
    pub fn new(seconds: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(seconds)))
    }

    /// Seconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        self.0.as_ref().map_or_else(|| since_1970().as_secs(), |seconds| seconds())
    }

    /// As exact as the clock tells it; only good for telling moments apart.
    pub(crate) fn moment(&self) -> u128 {
        self.0.as_ref().map_or_else(|| since_1970().as_nanos(), |seconds| seconds().into())
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "Clock(given)" } else { "Clock(machine)" })
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// An account that exists in the first block and for which the chain signs `eth_sendTransaction`.
#[derive(Clone, Debug)]
pub struct FundedAccount {
    /// Key. Its memory is wiped when dropped.
    pub signer: PrivateKeySigner,
    /// Wei in the first block.
    pub balance: U256,
}

/// What a chain is opened with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Chain id; must equal the one stored at `path`.
    pub chain_id: u64,
    /// Database file; `None` keeps everything in memory.
    pub path: Option<PathBuf>,
    /// When clients learn of blocks. Without a `path` always at once.
    pub durability: Durability,
    /// When blocks are made.
    pub mining: Mining,
    /// Where JSON-RPC is served, HTTP and WebSocket on one port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Accounts of the first block. Only read when the chain is new, except that their keys sign.
    pub accounts: Vec<FundedAccount>,
    /// Gas of each block that is made; below 21,000 no transaction fits. Blocks that are stored keep theirs.
    pub gas_limit: u64,
    /// Base fee of the first block, in wei per gas. Only read when the chain is new.
    pub base_fee: u64,
    /// Where the timestamps of blocks come from.
    pub clock: Clock,
}

impl Default for Config {
    /// In memory, instant mining, the ten development accounts, a free port of the loopback interface.
    fn default() -> Self {
        Self {
            chain_id: DEFAULT_CHAIN_ID,
            path: None,
            durability: Durability::BeforeAnswer,
            mining: Mining::Instant,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            accounts: dev_accounts(),
            gas_limit: DEFAULT_GAS_LIMIT,
            base_fee: DEFAULT_BASE_FEE,
            clock: Clock::default(),
        }
    }
}

/// The ten well-known development accounts with 10,000 ether each.
///
/// # Panics
/// Never: the keys are constants inside the curve's order.
pub fn dev_accounts() -> Vec<FundedAccount> {
    let balance = U256::from(10_000) * U256::from(10).pow(U256::from(18));
    DEV_PRIVATE_KEYS
        .iter()
        .map(|key| FundedAccount {
            signer: PrivateKeySigner::from_bytes(key).expect("development keys are inside the curve's order"),
            balance,
        })
        .collect()
}
