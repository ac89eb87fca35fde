//! A market that keeps the rules a worker can notice.

use alloy_sol_types::{SolCall, SolValue};
use async_trait::async_trait;
use sealwork_ports::{
    Chain, Deployment, ErrorKind, EventCursor, EventPage, MarketEvent, PortError, PostedAppOrder,
    PostedPoolOrder, SettledBatch, TxInfo, TxOutcome,
};
use sealwork_types::{
    Address, AppId, B256, Bytes, CodeHash, DealId, ManifestHash, OrderHash, PolicyHash, PoolId,
    abi::{
        Account, App, DealProgress, DealTerms,
        IBatches::settleBatchCall,
        IChannels::redeemCall,
        IMarket::{executeCall, isSaltUsedCall, matchOrdersCall, settleCall, startCall},
        Outcome, Registered,
    },
    deal::{Deal, cid_of, full_signature, tasks_in},
    enclave_wire::GrantFrame,
    network::Contracts,
    order::{SigningDomain, deal_id},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{Mutex, MutexGuard},
    time::Duration,
};
use tokio::sync::watch;

pub(crate) const DOMAIN: SigningDomain =
    SigningDomain { chain_id: 31_337, market: Address::repeat_byte(0x3a) };

/// A transaction that took effect.
#[derive(Clone, Debug)]
pub(crate) enum Sent {
    Settle(Box<settleCall>),
    Batch(Box<settleBatchCall>),
    Start(Box<DealTerms>),
    Execute(Box<executeCall>),
    Redeem(Box<redeemCall>),
}

#[derive(Default)]
pub(crate) struct State {
    deals: BTreeMap<DealId, Open>,
    pub(crate) salts: BTreeSet<B256>,
    events: Vec<MarketEvent>,
    pub(crate) sent: Vec<Sent>,
    /// Nothing answers.
    pub(crate) down: bool,
    /// Transactions take effect, but nobody hears of it.
    pub(crate) loses_answers: bool,
    /// Whoever asks whether a task is open waits.
    pub(crate) slow_looks: bool,
    /// How often somebody asked for a deal.
    pub(crate) asked: usize,
    /// What every account has.
    pub(crate) balance: u64,
    /// Why no orders match, if they do not.
    pub(crate) refuses: Option<String>,
    pub(crate) app_orders: Vec<PostedAppOrder>,
    pub(crate) pool_orders: Vec<PostedPoolOrder>,
    pub(crate) manifest: ManifestHash,
}

/// A deal with open tasks.
struct Open {
    deal: Deal,
    closed: BTreeSet<u32>,
    started: bool,
}

pub(crate) struct Ledger {
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

fn rejected(what: &str) -> PortError {
    PortError::new(ErrorKind::Rejected, format!("reverted: {what}"))
}

fn unavailable() -> PortError {
    PortError::new(ErrorKind::Unavailable, "the chain is away")
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State { balance: 1_000, ..State::default() }),
            changes: watch::Sender::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.changes.send_modify(|count| *count += 1);
        result
    }

    pub(crate) fn matched(&self, deal: &Deal) {
        self.change(|state| {
            let id = deal.id();
            state.salts.insert(deal.request.salt);
            state.deals.insert(id, Open { deal: deal.clone(), closed: BTreeSet::new(), started: false });
            let deal = Box::new(deal.clone());
            state.events.push(MarketEvent::Matched { id, deal, transaction: B256::ZERO });
        });
    }

    /// Tells of something that others did.
    pub(crate) fn tell(&self, event: MarketEvent) {
        self.change(|state| state.events.push(event));
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.lock().sent.clone()
    }

    /// Waits until what was sent satisfies a condition.
    pub(crate) async fn until(&self, holds: impl Fn(&[Sent]) -> bool) -> Vec<Sent> {
        self.until_state(|state| holds(&state.sent)).await;
        self.sent()
    }

    pub(crate) async fn until_state(&self, holds: impl Fn(&State) -> bool) {
        let mut changes = self.changes.subscribe();
        let waiting = changes.wait_for(|_| holds(&self.lock()));
        tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("in time").unwrap();
    }
}

impl State {
    fn apply(&mut self, call: &[u8]) -> Result<(), PortError> {
        if let Ok(call) = settleCall::abi_decode(call) {
            self.settle(&call)?;
            self.sent.push(Sent::Settle(Box::new(call)));
        } else if let Ok(call) = settleBatchCall::abi_decode(call) {
            self.settle_batch(&call)?;
            self.sent.push(Sent::Batch(Box::new(call)));
        } else if let Ok(call) = executeCall::abi_decode(call) {
            self.execute(&call)?;
            self.sent.push(Sent::Execute(Box::new(call)));
        } else if let Ok(call) = startCall::abi_decode(call) {
            let id = deal_id(OrderHash::new(call.terms.requestHash), call.terms.firstTask);
            self.deals.get_mut(&id).ok_or_else(|| rejected("DealUnknown"))?.started = true;
            self.events.push(MarketEvent::Started { deal: id });
            self.sent.push(Sent::Start(Box::new(call.terms)));
        } else if let Ok(call) = redeemCall::abi_decode(call) {
            self.redeem(&call)?;
            self.sent.push(Sent::Redeem(Box::new(call)));
        } else {
            return Err(rejected("no such function"));
        }
        Ok(())
    }

    fn redeem(&mut self, call: &redeemCall) -> Result<(), PortError> {
        let id = deal_id(OrderHash::new(call.terms.requestHash), call.terms.firstTask);
        let open = self.deals.get_mut(&id).ok_or_else(|| rejected("DealUnknown"))?;
        let first = u32::try_from(open.closed.len()).unwrap();
        if call.count <= first {
            return Err(rejected("NothingNew"));
        }
        open.closed.extend(first..call.count);
        let count = call.count - first;
        self.events.push(MarketEvent::Closed { deal: id, first, count, transaction: B256::ZERO });
        Ok(())
    }

    fn settle(&mut self, call: &settleCall) -> Result<(), PortError> {
        let index = call.outcome.index;
        let id = self.close(&call.terms, index..index + 1)?;
        self.settled(id, &call.outcome, call.r, call.vs);
        Ok(())
    }

    fn settle_batch(&mut self, call: &settleBatchCall) -> Result<(), PortError> {
        let (first, count) = (call.first, tasks_in(&call.tally));
        let deal = self.close(&call.terms, first..first + count)?;
        let (transaction, block) = (B256::repeat_byte(0x77), 1);
        let batch = Box::new(SettledBatch {
            first,
            tally: call.tally.clone(),
            root: call.root,
            receipts: cid_of(call.receiptsCid, call.receiptsCodec),
            signature: full_signature(call.r, call.vs),
        });
        let enclave = Address::ZERO;
        self.events.push(MarketEvent::Batched { deal, enclave, batch, transaction, block });
        self.events.push(MarketEvent::Closed { deal, first, count, transaction });
        Ok(())
    }

    /// Closes open tasks of a deal, all or none.
    fn close(&mut self, terms: &DealTerms, tasks: Range<u32>) -> Result<DealId, PortError> {
        let id = deal_id(OrderHash::new(terms.requestHash), terms.firstTask);
        let open = self.deals.get_mut(&id).ok_or_else(|| rejected("DealUnknown"))?;
        if open.deal.terms != *terms {
            return Err(rejected("TermsMismatch"));
        }
        if tasks.clone().any(|index| open.closed.contains(&index)) {
            return Err(rejected("TaskClosed"));
        }
        open.closed.extend(tasks);
        if open.closed.len() == usize::try_from(open.deal.volume).unwrap() {
            self.deals.remove(&id);
        }
        Ok(id)
    }

    fn execute(&mut self, call: &executeCall) -> Result<(), PortError> {
        let request = &call.orders.request;
        if !self.salts.insert(request.salt) {
            return Err(rejected("OrderConsumed"));
        }
        let request_hash = DOMAIN.order_hash(request);
        let id = deal_id(request_hash, 0);
        let pool = PoolId::new(call.orders.pool.pool);
        let transaction = B256::repeat_byte(0x77);
        self.events.push(MarketEvent::Executed { id, pool, request_hash, transaction, block: 1 });
        self.settled(id, &call.outcome, call.r, call.vs);
        Ok(())
    }

    fn settled(&mut self, deal: DealId, outcome: &Outcome, r: B256, vs: B256) {
        self.events.push(MarketEvent::Settled {
            deal,
            enclave: Address::ZERO,
            outcome: Box::new(outcome.clone()),
            effects: None,
            signature: full_signature(r, vs),
            transaction: B256::repeat_byte(0x77),
            block: 1,
        });
    }
}

#[async_trait]
impl Chain for Ledger {
    fn deployment(&self) -> Deployment {
        let at = Address::repeat_byte;
        let contracts = Contracts {
            registry: at(1),
            market: DOMAIN.market,
            attestations: at(2),
            batches: at(3),
            channels: at(4),
            book: at(5),
            token: at(6),
        };
        Deployment { domain: DOMAIN, contracts, deployed_at: 0 }
    }

    fn sender(&self) -> Address {
        Address::repeat_byte(9)
    }

    async fn head(&self) -> Result<(u64, u64), PortError> {
        Ok((1, 1))
    }

    async fn app(&self, id: AppId) -> Result<App, PortError> {
        Err(PortError::new(ErrorKind::NotFound, format!("app {id}")))
    }

    async fn manifest(&self, _: AppId, _: CodeHash, _: PolicyHash) -> Result<ManifestHash, PortError> {
        Ok(self.lock().manifest)
    }

    async fn account(&self, _: Address) -> Result<Account, PortError> {
        let available = alloy_primitives::aliases::U112::from(self.lock().balance);
        Ok(Account {
            available,
            nonce: Default::default(),
            merit: Default::default(),
            withdrawing: 0,
            withdrawableAt: 0,
        })
    }

    async fn deal(&self, id: DealId) -> Result<DealProgress, PortError> {
        if self.change(|state| {
            state.asked += 1;
            state.down
        }) {
            return Err(unavailable());
        }
        let state = self.lock();
        let open = state.deals.get(&id).ok_or_else(|| PortError::new(ErrorKind::NotFound, "deal"))?;
        Ok(DealProgress {
            volume: open.deal.volume,
            closed: u32::try_from(open.closed.len()).unwrap(),
            started: open.started,
            whole: true,
            termsHash: Default::default(),
        })
    }

    async fn is_open(&self, deal: DealId, index: u32) -> Result<bool, PortError> {
        self.until_state(|state| !state.slow_looks).await;
        let state = self.lock();
        Ok(state
            .deals
            .get(&deal)
            .is_some_and(|open| index < open.deal.volume && !open.closed.contains(&index)))
    }

    async fn grant(&self, _: Address) -> Result<Option<Registered>, PortError> {
        Ok(Some(Registered {
            measurement: B256::ZERO,
            tee: 0,
            hardware: Default::default(),
            expiry: u64::MAX,
        }))
    }

    async fn registration(&self, _: Address) -> Result<GrantFrame, PortError> {
        Err(PortError::new(ErrorKind::NotFound, "grant"))
    }

    async fn transaction(&self, _: B256) -> Result<TxInfo, PortError> {
        Err(PortError::new(ErrorKind::NotFound, "transaction"))
    }

    async fn executed(&self, id: DealId, _: B256) -> Result<Deal, PortError> {
        Err(PortError::new(
            ErrorKind::NotFound,
            format!("a worker knows what it executes, and asked for {id}"),
        ))
    }

    async fn app_orders(&self, _: AppId) -> Result<Vec<PostedAppOrder>, PortError> {
        Ok(self.lock().app_orders.clone())
    }

    async fn pool_orders(&self, _: Option<PoolId>) -> Result<Vec<PostedPoolOrder>, PortError> {
        Ok(self.lock().pool_orders.clone())
    }

    async fn events(&self, after: EventCursor, limit: usize) -> Result<EventPage, PortError> {
        let state = self.lock();
        if state.down {
            return Err(unavailable());
        }
        let seen = usize::try_from(after.log_index).unwrap();
        let new = state.events.iter().skip(seen).take(limit).cloned();
        let events: Vec<_> = new.map(|event| (0, event)).collect();
        let log_index = u64::try_from(seen + events.len()).unwrap();
        let next = EventCursor { log_index, ..EventCursor::default() };
        Ok(EventPage { rewound_to: None, events, next })
    }

    async fn wait(&self) {
        let mut changes = self.changes.subscribe();
        let _ = tokio::time::timeout(Duration::from_millis(20), changes.changed()).await;
    }

    async fn send(&self, to: Address, call: Vec<u8>) -> Result<TxOutcome, PortError> {
        let contracts = self.deployment().contracts;
        let expected = match call.first_chunk::<4>() {
            Some(&redeemCall::SELECTOR) => contracts.channels,
            Some(&settleBatchCall::SELECTOR) => contracts.batches,
            _ => DOMAIN.market,
        };
        assert_eq!(to, expected);
        self.change(|state| {
            if state.down {
                return Err(unavailable());
            }
            state.apply(&call)?;
            if state.loses_answers {
                return Err(unavailable());
            }
            Ok(TxOutcome { transaction: B256::repeat_byte(0x77), block: 1, gas_used: 1 })
        })
    }

    async fn estimate(&self, _: Address, _: Vec<u8>) -> Result<u64, PortError> {
        Ok(1)
    }

    async fn call(&self, _: Address, call: Vec<u8>) -> Result<Bytes, PortError> {
        let state = self.lock();
        if let Ok(call) = isSaltUsedCall::abi_decode(&call) {
            return Ok(state.salts.contains(&call.salt).abi_encode().into());
        }
        let call = matchOrdersCall::abi_decode(&call).map_err(|_| rejected("no such function"))?;
        match &state.refuses {
            Some(reason) => Err(rejected(reason)),
            None if state.salts.contains(&call.orders.request.salt) => Err(rejected("OrderConsumed")),
            None => Ok(B256::ZERO.abi_encode().into()),
        }
    }
}
