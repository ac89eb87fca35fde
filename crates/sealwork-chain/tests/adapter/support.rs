//! A chain to test, endpoints that show it truly or not, and a contract that logs what it is told.

use alloy_primitives::{Address, B256, Bytes, hex};
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::SolEvent;
use alloy_transport::{BoxTransport, IntoBoxTransport};
use sealwork_chain::{Endpoint, EvmChain, TextTransport};
use sealwork_devchain::{Clock, Config, DEV_PRIVATE_KEYS, Devchain, LocalChain, Mining};
use sealwork_ports::{Chain, Deployment, EventCursor, EventPage, MarketEvent};
use sealwork_types::{abi::IMarket::DealStarted, network::Contracts, order::SigningDomain};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};

pub(crate) const MARKET: Address = Address::repeat_byte(0x11);

/// Logs without data, of two topics: the words of its input, in pairs.
const LOGGER: [u8; 26] = hex!("5f 5b 80 36 11 6009 57 00 5b 80 6020 01 35 81 35 5f 5f a2 6040 01 6001 56");

/// A chain that makes blocks when it is told to.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) chain: LocalChain,
    ids: Arc<AtomicU64>,
}

/// What an endpoint does with a request.
pub(crate) enum Act {
    /// Answers truly.
    Pass,
    /// Cannot be reached.
    Fail,
    /// Does what it is asked to and cannot be reached for the answer.
    Lose,
    /// Never answers.
    Stall,
    /// Says that something is wrong.
    Refuse(&'static str),
    /// Says something else than what is.
    Say(Value),
    /// Changes what is.
    Edit(fn(Value) -> Value),
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Mining::Manual).await
    }

    pub(crate) async fn with(mining: Mining) -> Self {
        let clock = Clock::new(|| 1_700_000_000);
        let config = Config { mining, clock, ..Config::default() };
        let chain = Devchain::open(&config).unwrap().local().unwrap();
        let world = Self { chain, ids: Arc::default() };
        world.ask("anvil_setCode", json!([MARKET, Bytes::from(LOGGER)])).await;
        world
    }

    pub(crate) async fn ask(&self, method: &str, params: Value) -> Value {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer: Value = serde_json::from_str(&self.chain.request(&request.to_string()).await).unwrap();
        answer.get("result").cloned().unwrap_or_else(|| panic!("{method}: {answer}"))
    }

    /// A call that logs an event of a new deal, and the deal.
    pub(crate) fn call(&self) -> (Vec<u8>, u64) {
        let input = self.input(1);
        (input, self.ids.load(SeqCst))
    }

    /// A transaction that logs so many events of new deals.
    pub(crate) fn logging(&self, events: u64) -> Value {
        let input = Bytes::from(self.input(events));
        json!({ "from": signer(9).address(), "to": MARKET, "input": input, "gas": "0xf4240" })
    }

    fn input(&self, events: u64) -> Vec<u8> {
        let mut input = Vec::new();
        for _ in 0..events {
            let id = self.ids.fetch_add(1, SeqCst) + 1;
            input.extend_from_slice(DealStarted::SIGNATURE_HASH.as_slice());
            input.extend_from_slice(B256::left_padding_from(&id.to_be_bytes()).as_slice());
        }
        input
    }

    /// One block with so many events.
    pub(crate) async fn block(&self, events: u64) {
        if events > 0 {
            self.ask("eth_sendTransaction", json!([self.logging(events)])).await;
        }
        self.ask("evm_mine", json!([])).await;
    }

    pub(crate) async fn blocks(&self, events: &[u64]) {
        for count in events {
            self.block(*count).await;
        }
    }

    /// Replaces as many blocks as are given by others with so many events.
    pub(crate) async fn reorg(&self, events: &[u64]) {
        let with_events = events.iter().enumerate().filter(|(_, count)| **count > 0);
        let pairs: Vec<_> = with_events.map(|(place, count)| json!([self.logging(*count), place])).collect();
        self.ask("anvil_reorg", json!([events.len(), pairs])).await;
    }

    /// What stands on the chain now: each event's block and deal.
    pub(crate) async fn truth(&self) -> Vec<(u64, u64)> {
        let filter = json!([{ "fromBlock": "0x0", "address": MARKET }]);
        let logs = self.ask("eth_getLogs", filter).await;
        let quantity = |value: &Value| {
            let text = value.as_str().unwrap().trim_start_matches("0x").to_owned();
            u64::from_str_radix(text.trim_start_matches('0'), 16).unwrap()
        };
        let logs = logs.as_array().unwrap().iter();
        logs.map(|log| (quantity(&log["blockNumber"]), quantity(&log["topics"][1]))).collect()
    }

    /// A chain with the same past and another future.
    pub(crate) fn fork(&self) -> Self {
        let chain = self.chain.fork(Clock::new(|| 1_700_000_000)).unwrap();
        Self { chain, ids: Arc::clone(&self.ids) }
    }

    /// An endpoint that shows the chain truly and counts what it is asked.
    pub(crate) fn counted(&self) -> (BoxTransport, Arc<AtomicU64>) {
        let count = Arc::new(AtomicU64::new(0));
        let own = Arc::clone(&count);
        let transport = self.twisted(move |_, _| {
            own.fetch_add(1, SeqCst);
            Act::Pass
        });
        (transport, count)
    }

    /// An endpoint that shows the chain truly.
    pub(crate) fn endpoint(&self) -> BoxTransport {
        self.twisted(|_, _| Act::Pass)
    }

    /// An endpoint that does what a function of method and parameters says.
    pub(crate) fn twisted(&self, acts: impl Fn(&str, &Value) -> Act + Send + Sync + 'static) -> BoxTransport {
        let (chain, acts) = (self.chain.clone(), Arc::new(acts));
        let transport = TextTransport::new(move |text: String| {
            let (chain, acts) = (chain.clone(), Arc::clone(&acts));
            async move {
                let request: Value = serde_json::from_str(&text)?;
                let Value::Array(batch) = request else {
                    return Ok(one(&chain, &*acts, &request).await?.to_string());
                };
                let mut answers = Vec::new();
                for request in &batch {
                    answers.push(one(&chain, &*acts, request).await?);
                }
                Ok(Value::Array(answers).to_string())
            }
        });
        transport.into_box_transport()
    }

    /// The adapter over an endpoint.
    pub(crate) async fn adapter(&self, transport: BoxTransport) -> EvmChain {
        self.adapter_of(vec![transport]).await
    }

    /// The adapter over several endpoints.
    pub(crate) async fn adapter_of(&self, transports: Vec<BoxTransport>) -> EvmChain {
        EvmChain::over(deployment(), self.sender_of(transports).await).unwrap()
    }

    /// An account over several endpoints.
    pub(crate) async fn sender_of(&self, transports: Vec<BoxTransport>) -> Endpoint {
        let named = transports.into_iter().enumerate().map(|(index, one)| (format!("node {index}"), one));
        Endpoint::over_all(named.collect(), signer(0)).await.unwrap()
    }
}

async fn one(
    chain: &LocalChain,
    acts: &(dyn Fn(&str, &Value) -> Act + Send + Sync),
    request: &Value,
) -> std::io::Result<Value> {
    let envelope = |key: &str, value: Value| json!({ "jsonrpc": "2.0", "id": request["id"], key: value });
    let truth = async || serde_json::from_str::<Value>(&chain.request(&request.to_string()).await);
    match acts(request["method"].as_str().unwrap_or_default(), &request["params"]) {
        Act::Pass => Ok(truth().await?),
        Act::Fail => Err(std::io::Error::other("connection refused")),
        Act::Lose => {
            truth().await?;
            Err(std::io::Error::other("connection reset"))
        }
        Act::Stall => std::future::pending().await,
        Act::Refuse(message) => Ok(envelope("error", json!({ "code": -32000, "message": message }))),
        Act::Say(value) => Ok(envelope("result", value)),
        Act::Edit(edit) => {
            let mut truth = truth().await?;
            truth["result"] = edit(truth["result"].take());
            Ok(truth)
        }
    }
}

pub(crate) fn signer(index: usize) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&DEV_PRIVATE_KEYS[index]).unwrap()
}

pub(crate) fn deployment() -> Deployment {
    let at = Address::repeat_byte;
    let contracts = Contracts {
        registry: at(0x12),
        market: MARKET,
        attestations: at(0x13),
        batches: at(0x14),
        channels: at(0x15),
        book: at(0x16),
        token: at(0x17),
    };
    Deployment { domain: SigningDomain { chain_id: 31_337, market: MARKET }, contracts, deployed_at: 1 }
}

/// Somebody who follows the events.
#[derive(Debug, Default)]
pub(crate) struct Consumer {
    pub(crate) cursor: EventCursor,
    pub(crate) learned: Vec<(u64, u64)>,
}

impl Consumer {
    pub(crate) fn take(&mut self, page: EventPage) -> Option<u64> {
        if let Some(back) = page.rewound_to {
            self.learned.retain(|(block, _)| *block < back);
        }
        for (block, event) in page.events {
            let MarketEvent::Started { deal } = event else { panic!("{event:?}") };
            let id = u64::from_be_bytes(deal.get()[24..].try_into().unwrap());
            self.learned.push((block, id));
        }
        self.cursor = page.next;
        page.rewound_to
    }

    /// Reads until there is nothing new; returns how far it was thrown back.
    pub(crate) async fn catch_up(&mut self, adapter: &EvmChain, limit: usize) -> Option<u64> {
        let mut rewound: Option<u64> = None;
        loop {
            let page = adapter.events(self.cursor, limit).await.unwrap();
            let is_last = page.events.is_empty() && page.rewound_to.is_none() && page.next == self.cursor;
            if let Some(back) = self.take(page) {
                rewound = Some(rewound.map_or(back, |earlier| earlier.min(back)));
            }
            if is_last {
                return rewound;
            }
        }
    }
}
