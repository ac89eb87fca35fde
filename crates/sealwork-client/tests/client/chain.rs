//! A chain that tells pages of events in the order in which a test wrote them down, and a pool that knows nothing or gives
//! tasks up.

use async_trait::async_trait;
use sealwork_ports::{
    Chain, Clock, Deployment, ErrorKind, EventCursor, EventPage, MarketEvent, OrderBook, PortError,
    PostedAppOrder, PostedOrder, PostedPoolOrder, ProgressSource, RequestTaker, TxInfo, TxOutcome,
};
use sealwork_types::{
    Address, AppId, B256, Bytes, CodeHash, DealId, ManifestHash, PolicyHash, PoolId, TaskId,
    abi::{Account, App, DealProgress, Registered},
    channel::{ChannelState, ChannelTask, TaskReceipt},
    deal::Deal,
    enclave_wire::GrantFrame,
    network::Contracts,
    order::{SignedRequest, SigningDomain},
    progress::{AcceptedRequest, TaskProgress},
};
use std::{collections::VecDeque, sync::Mutex, time::Duration};

pub(crate) const DOMAIN: SigningDomain =
    SigningDomain { chain_id: 31_337, market: Address::repeat_byte(0x3a) };
/// Gas of every transaction.
pub(crate) const GAS: u64 = 1_000;
/// Sender of every transaction.
pub(crate) const SENDER: Address = Address::repeat_byte(0x5e);

pub(crate) fn contracts() -> Contracts {
    let at = Address::repeat_byte;
    Contracts {
        registry: at(1),
        market: DOMAIN.market,
        attestations: at(2),
        batches: at(3),
        channels: at(4),
        book: at(5),
        token: at(6),
    }
}

/// Pages that were not told yet.
#[derive(Default)]
pub(crate) struct Script(Mutex<VecDeque<EventPage>>);

impl Script {
    /// Tells these events of a block next.
    pub(crate) fn tell(&self, block: u64, events: Vec<MarketEvent>) {
        self.page(None, block, events);
    }

    /// Takes blocks back and tells what stands there now.
    pub(crate) fn rewind(&self, to: u64, block: u64, events: Vec<MarketEvent>) {
        self.page(Some(to), block, events);
    }

    fn page(&self, rewound_to: Option<u64>, block: u64, events: Vec<MarketEvent>) {
        let events = events.into_iter().map(|event| (block, event)).collect();
        let next = EventCursor::at_block(block + 1);
        self.0.lock().unwrap().push_back(EventPage { rewound_to, events, next });
    }
}

fn unasked<T>(what: &str) -> Result<T, PortError> {
    Err(PortError::new(ErrorKind::Rejected, format!("no test asks for {what}")))
}

#[async_trait]
impl Chain for Script {
    fn deployment(&self) -> Deployment {
        Deployment { domain: DOMAIN, contracts: contracts(), deployed_at: 1 }
    }

    fn sender(&self) -> Address {
        SENDER
    }

    async fn head(&self) -> Result<(u64, u64), PortError> {
        Ok((1_000, 0))
    }

    async fn app(&self, _: AppId) -> Result<App, PortError> {
        unasked("an app")
    }

    async fn manifest(&self, _: AppId, _: CodeHash, _: PolicyHash) -> Result<ManifestHash, PortError> {
        unasked("a manifest")
    }

    async fn account(&self, _: Address) -> Result<Account, PortError> {
        unasked("an account")
    }

    async fn deal(&self, _: DealId) -> Result<DealProgress, PortError> {
        unasked("a deal")
    }

    async fn is_open(&self, _: DealId, _: u32) -> Result<bool, PortError> {
        unasked("a task")
    }

    async fn grant(&self, _: Address) -> Result<Option<Registered>, PortError> {
        unasked("a grant")
    }

    async fn registration(&self, _: Address) -> Result<GrantFrame, PortError> {
        unasked("a registration")
    }

    async fn transaction(&self, _: B256) -> Result<TxInfo, PortError> {
        Ok(TxInfo { sender: SENDER, gas_used: GAS })
    }

    async fn executed(&self, _: DealId, _: B256) -> Result<Deal, PortError> {
        unasked("an executed deal")
    }

    async fn app_orders(&self, _: AppId) -> Result<Vec<PostedAppOrder>, PortError> {
        unasked("app orders")
    }

    async fn pool_orders(&self, _: Option<PoolId>) -> Result<Vec<PostedPoolOrder>, PortError> {
        unasked("pool orders")
    }

    async fn events(&self, after: EventCursor, _: usize) -> Result<EventPage, PortError> {
        let told = self.0.lock().unwrap().pop_front();
        Ok(told.unwrap_or(EventPage { rewound_to: None, events: Vec::new(), next: after }))
    }

    async fn wait(&self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    async fn send(&self, _: Address, _: Vec<u8>) -> Result<TxOutcome, PortError> {
        unasked("a transaction")
    }

    async fn estimate(&self, _: Address, _: Vec<u8>) -> Result<u64, PortError> {
        unasked("gas")
    }

    async fn call(&self, _: Address, _: Vec<u8>) -> Result<Bytes, PortError> {
        unasked("a call")
    }
}

#[async_trait]
impl OrderBook for Script {
    async fn posted(&self) -> Result<Vec<PostedOrder>, PortError> {
        unasked("posted orders")
    }

    async fn gas_price(&self) -> Result<u128, PortError> {
        Ok(1)
    }
}

/// A pool without a page.
pub(crate) struct Silent;

#[async_trait]
impl ProgressSource for Silent {
    async fn serves(&self, _: &str) -> bool {
        false
    }

    async fn progress(&self, _: &str, _: TaskId) -> Result<TaskProgress, PortError> {
        unasked("progress")
    }
}

#[async_trait]
impl RequestTaker for Silent {
    async fn takes(&self, _: &str) -> bool {
        false
    }

    async fn submit(&self, _: &str, _: &SignedRequest) -> Result<AcceptedRequest, PortError> {
        unasked("a request")
    }

    async fn channel(&self, _: &str, _: DealId) -> Result<ChannelState, PortError> {
        unasked("a channel")
    }

    async fn submit_in_channel(
        &self,
        _: &str,
        _: DealId,
        _: &ChannelTask,
    ) -> Result<AcceptedRequest, PortError> {
        unasked("a channel's task")
    }

    async fn receipt(&self, _: &str, _: TaskId) -> Result<TaskReceipt, PortError> {
        unasked("a receipt")
    }
}

impl Clock for Silent {
    fn unix_s(&self) -> u64 {
        1_800_000_000
    }
}
