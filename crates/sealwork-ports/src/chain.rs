//! The chain as services see it: registry look-ups, events in order, transactions that are sent once.

use crate::PortError;
use async_trait::async_trait;
use sealwork_types::{
    Address, AppId, B256, Bytes, Cid, CodeHash, DealId, ManifestHash, OrderHash, PolicyHash, PoolId,
    abi::{Account, App, AppOrder, DealProgress, Effects, Outcome, PoolOrder, Registered, Tally},
    deal::Deal,
    enclave_wire::GrantFrame,
    network::Contracts,
    order::SigningDomain,
};

/// Which deployment an adapter talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Chain and market.
    pub domain: SigningDomain,
    /// Addresses.
    pub contracts: Contracts,
    /// First block to look at.
    pub deployed_at: u64,
}

/// Position in the stream of events: the next one to deliver. Every earlier event was delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EventCursor {
    /// Block number.
    pub block: u64,
    /// Index of the next log in that block.
    pub log_index: u64,
    /// Hash of the block before it, by which a chain notices that it replaced what was delivered; zero if not known.
    pub parent: B256,
}

impl EventCursor {
    /// The first event of a block, whatever lies before it.
    pub const fn at_block(block: u64) -> Self {
        Self { block, log_index: 0, parent: B256::ZERO }
    }
}

/// Blocks that may still be replaced. What an older block shows is final.
pub const REORG_DEPTH: u64 = 64;

/// Events that follow each other.
#[derive(Clone, Debug, Default)]
pub struct EventPage {
    /// The chain replaced blocks: whatever was learned from this block or later ones is void, and the events of what
    /// stands there now follow.
    pub rewound_to: Option<u64>,
    /// Events in order, each with the number of its block.
    pub events: Vec<(u64, MarketEvent)>,
    /// Position behind them.
    pub next: EventCursor,
}

/// An event of the deployment that services act on.
#[derive(Clone, Debug)]
pub enum MarketEvent {
    /// Orders were matched.
    Matched {
        /// Deal.
        id: DealId,
        /// All that was agreed.
        deal: Box<Deal>,
        /// Transaction.
        transaction: B256,
    },
    /// Orders were matched and their one task settled in one transaction; `Settled` follows. [`Chain::executed`] tells what
    /// was agreed.
    Executed {
        /// Deal.
        id: DealId,
        /// Pool that executed it.
        pool: PoolId,
        /// Hash of the request.
        request_hash: OrderHash,
        /// Transaction.
        transaction: B256,
        /// Block.
        block: u64,
    },
    /// The pool said that it works on a deal.
    Started {
        /// Deal.
        deal: DealId,
    },
    /// A task was settled by a receipt, which the deal, outcome and effects make up.
    Settled {
        /// Deal.
        deal: DealId,
        /// Enclave that signed.
        enclave: Address,
        /// Part of the receipt, and where the output lies.
        outcome: Box<Outcome>,
        /// Rest of the receipt, without the bytes for a callback; `None` when there is none.
        effects: Option<Box<Effects>>,
        /// 65-byte signature by the enclave.
        signature: Bytes,
        /// Transaction.
        transaction: B256,
        /// Block.
        block: u64,
    },
    /// Tasks that follow each other were settled by one statement; `Closed` follows.
    Batched {
        /// Deal.
        deal: DealId,
        /// Enclave that signed.
        enclave: Address,
        /// What it signed, but for what the deal determines.
        batch: Box<SettledBatch>,
        /// Transaction.
        transaction: B256,
        /// Block.
        block: u64,
    },
    /// Tasks that follow each other were closed by a batch or by the module of the deal's mode.
    Closed {
        /// Deal.
        deal: DealId,
        /// Index of the first task.
        first: u32,
        /// Number of tasks.
        count: u32,
        /// Transaction.
        transaction: B256,
    },
    /// The payer of a channel asked for the rest.
    Closing {
        /// Deal.
        deal: DealId,
        /// Until when vouchers are taken, seconds since 1970.
        until: u64,
    },
    /// The tasks in a range that were open after their deadline were refunded.
    Refunded {
        /// Deal.
        deal: DealId,
        /// Index of the first task of the range.
        first: u32,
        /// Index of the last task of the range.
        last: u32,
        /// How many were open.
        count: u32,
    },
}

/// A batch as its event shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledBatch {
    /// Index of the first task.
    pub first: u32,
    /// How the tasks ended.
    pub tally: Tally,
    /// Root over the receipts.
    pub root: B256,
    /// Where the receipts lie; `None` when the event names nothing that can be fetched.
    pub receipts: Option<Cid>,
    /// 65-byte signature by the enclave.
    pub signature: Bytes,
}

/// A posted app order that still has volume.
#[derive(Clone, Debug)]
pub struct PostedAppOrder {
    /// The order.
    pub order: AppOrder,
    /// Owner's signature.
    pub signature: Bytes,
}

/// A posted pool order that still has volume.
#[derive(Clone, Debug)]
pub struct PostedPoolOrder {
    /// The order.
    pub order: PoolOrder,
    /// Owner's signature.
    pub signature: Bytes,
}

/// A mined transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TxOutcome {
    /// Hash.
    pub transaction: B256,
    /// Block.
    pub block: u64,
    /// Gas used.
    pub gas_used: u64,
}

/// Who sent a mined transaction, and what it cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxInfo {
    /// Sender.
    pub sender: Address,
    /// Gas used.
    pub gas_used: u64,
}

/// One deployment on one EVM chain, with one account that sends.
///
/// Every `send_*` waits until the transaction is mined and fails with kind `Rejected` and the decoded contract error
/// when it reverts. Calling one again after a crash is safe: what is already done is reported as done by the contract.
#[async_trait]
pub trait Chain: Send + Sync + 'static {
    /// Which deployment this is.
    fn deployment(&self) -> Deployment;

    /// The account that sends.
    fn sender(&self) -> Address;

    /// Newest block: number and timestamp.
    async fn head(&self) -> Result<(u64, u64), PortError>;

    /// A registered app; `NotFound` otherwise.
    async fn app(&self, id: AppId) -> Result<App, PortError>;

    /// The manifest that an app had when it had this code and policy; `NotFound` when it never had.
    async fn manifest(
        &self,
        app: AppId,
        code: CodeHash,
        policy: PolicyHash,
    ) -> Result<ManifestHash, PortError>;

    /// Account in the Market.
    async fn account(&self, owner: Address) -> Result<Account, PortError>;

    /// A deal's progress; `NotFound` when there is no such deal, or it is finished and the contract has forgotten it.
    async fn deal(&self, id: DealId) -> Result<DealProgress, PortError>;

    /// Whether a deal has such a task and it is neither settled nor refunded.
    async fn is_open(&self, deal: DealId, index: u32) -> Result<bool, PortError>;

    /// Grant of an enclave key that is valid now; `None` otherwise.
    async fn grant(&self, enclave: Address) -> Result<Option<Registered>, PortError>;

    /// The grant that an enclave key was registered with, and the signatures over it; `NotFound` otherwise.
    async fn registration(&self, enclave: Address) -> Result<GrantFrame, PortError>;

    /// A mined transaction; `NotFound` otherwise.
    async fn transaction(&self, hash: B256) -> Result<TxInfo, PortError>;

    /// What was agreed in a deal that a transaction executed ([`MarketEvent::Executed`]), by the transaction's input.
    /// `NotFound` when the transaction does not execute it, or when another contract called the Market: then the orders
    /// are not in the input.
    async fn executed(&self, id: DealId, transaction: B256) -> Result<Deal, PortError>;

    /// Posted orders of an app that are neither expired, canceled nor consumed, cheapest first.
    async fn app_orders(&self, app: AppId) -> Result<Vec<PostedAppOrder>, PortError>;

    /// Posted pool orders that are neither expired, canceled nor consumed, cheapest first; of one pool if given.
    async fn pool_orders(&self, pool: Option<PoolId>) -> Result<Vec<PostedPoolOrder>, PortError>;

    /// Events after the cursor in order, at most `limit`. Does not wait.
    ///
    /// They are of one chain: when blocks before the cursor were replaced, the page begins earlier and says so.
    async fn events(&self, after: EventCursor, limit: usize) -> Result<EventPage, PortError>;

    /// Waits until something new may be on the chain, or a short time passed.
    async fn wait(&self);

    /// Sends one ABI-encoded call to a contract of the deployment and waits for it.
    async fn send(&self, to: Address, call: Vec<u8>) -> Result<TxOutcome, PortError>;

    /// Gas that sending one ABI-encoded call would use now; fails as sending it would.
    async fn estimate(&self, to: Address, call: Vec<u8>) -> Result<u64, PortError>;

    /// Runs one ABI-encoded call without sending it.
    async fn call(&self, to: Address, call: Vec<u8>) -> Result<Bytes, PortError>;
}
