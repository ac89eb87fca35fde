//! One pool with its worker, one app in storage, and requests for it.

use crate::{
    enclaves::Enclaves,
    ledger::{DOMAIN, Ledger},
    storage::Storage,
};
use alloy_primitives::aliases::U96;
use alloy_sol_types::SolStruct;
use futures::{StreamExt, stream};
use sealwork_ports::{Clock, PostedAppOrder, PostedPoolOrder, Store};
use sealwork_seal::sign::SigningKey;
use sealwork_types::{
    Address, B256, Bytes, Cid, CodeHash, Measurement, PoolId, Sha256Digest,
    abi::{AppOrder, DealTerms, PoolOrder, RequestOrder},
    deal::{self, Deal},
    evidence::TeeKind,
    manifest::{Abi, AppManifest},
    order::{SignedRequest, TaskParams},
    policy::{AcceptedEnclave, Limits, Policy},
};
use sealwork_worker::{Ports, Worker, WorkerConfig, WorkerStatus};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle};

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const POOL: PoolId = PoolId::new(B256::repeat_byte(0xb0));
const APP: B256 = B256::repeat_byte(0xa0);
/// Price of one task: 3 for the app, 4 for the pool.
pub(crate) const PRICE: u64 = 7;

pub(crate) struct TestClock(pub(crate) AtomicU64);

impl Clock for TestClock {
    fn unix_s(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) struct World {
    state: tempfile::TempDir,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) enclaves: Arc<Enclaves>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) requester: SigningKey,
    pub(crate) store: Arc<Storage>,
    code_hash: B256,
    policy_hash: B256,
    recipient: B256,
    input: Cid,
}

/// A worker that runs.
pub(crate) struct Running {
    pub(crate) worker: Worker,
    stop: watch::Sender<bool>,
    ended: JoinHandle<()>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let store = Arc::new(Storage::new());
        let code = put(&store, b"module").await;
        let code_hash = CodeHash::new(code.digest());
        let policy = policy(code_hash).to_bytes();
        let policy_hash = put(&store, &policy).await.digest();
        let manifest = AppManifest {
            version: 1,
            name: "test".into(),
            description: String::new(),
            abi: Abi::Batch,
            code,
            code_hash,
            policy_hash: Policy::hash_of(&policy),
        }
        .to_bytes();
        put(&store, &manifest).await;
        let ledger = Arc::new(Ledger::new());
        ledger.change(|state| {
            state.manifest = AppManifest::hash_of(&manifest);
            state.pool_orders = vec![PostedPoolOrder { order: pool_order(), signature: Bytes::new() }];
            state.app_orders = vec![PostedAppOrder { order: app_order(), signature: Bytes::new() }];
        });
        Self {
            state: tempfile::tempdir().unwrap(),
            ledger,
            enclaves: Arc::new(Enclaves::new()),
            clock: Arc::new(TestClock(AtomicU64::new(NOW))),
            requester: SigningKey::generate().unwrap(),
            code_hash: code_hash.get(),
            policy_hash,
            recipient: put(&store, b"recipient").await.digest(),
            input: put(&store, b"sealed input").await,
            store,
        }
    }

    /// A worker on this world's job log, not running yet.
    pub(crate) fn worker(&self, takes_requests: bool) -> Worker {
        let (chain, clock) = (Arc::clone(&self.ledger), Arc::clone(&self.clock));
        let ports = Ports::new(chain, Arc::clone(&self.store) as _, Arc::clone(&self.enclaves) as _, clock);
        let state_dir = self.state.path().to_owned();
        let drain = Duration::from_millis(10);
        Worker::open(WorkerConfig { pool: POOL, slots: 2, state_dir, takes_requests, drain }, ports).unwrap()
    }

    pub(crate) fn run(&self) -> Running {
        let worker = self.worker(true);
        let (stop, stopping) = watch::channel(false);
        let running = worker.clone();
        let ended = tokio::spawn(async move { running.run(stopping).await.unwrap() });
        Running { worker, stop, ended }
    }

    pub(crate) fn set_time(&self, after_match: u64) {
        self.clock.0.store(NOW + after_match, Ordering::SeqCst);
    }

    pub(crate) fn order(&self, volume: u32, salt: u8) -> RequestOrder {
        let params = TaskParams { input_cid: self.input, input_digest: Sha256Digest::of(b"sealed input") };
        RequestOrder {
            app: APP,
            codeHash: self.code_hash,
            policyHash: self.policy_hash,
            appMaxPrice: U96::from(3),
            datasets: vec![],
            datasetMaxPrice: U96::ZERO,
            poolRestrict: B256::ZERO,
            poolMaxPrice: U96::from(4),
            minStake: U96::ZERO,
            requester: self.requester.address(),
            sponsor: Address::ZERO,
            outputRecipient: self.recipient,
            volume,
            tag: B256::ZERO,
            category: 0,
            trust: 0,
            mode: 0,
            callback: Address::ZERO,
            callbackGas: 0,
            params: params.to_bytes().into(),
            requirements: B256::ZERO,
            expiry: NOW + 600,
            nonce: 0,
            salt: B256::repeat_byte(salt),
        }
    }

    pub(crate) fn sign(&self, order: RequestOrder) -> SignedRequest {
        SignedRequest { signature: self.requester.sign(&DOMAIN, &order), order }
    }

    /// A deal of our pool over a whole request.
    pub(crate) fn deal(&self, volume: u32, salt: u8) -> Deal {
        self.deal_of(self.sign(self.order(volume, salt)))
    }

    pub(crate) fn deal_of(&self, request: SignedRequest) -> Deal {
        let SignedRequest { order, signature } = request;
        let terms = DealTerms {
            requestHash: DOMAIN.signing_hash(&order),
            firstTask: 0,
            workHash: deal::work(&order).eip712_hash_struct(),
            payer: order.requester,
            appOwner: Address::ZERO,
            poolOwner: Address::ZERO,
            appPrice: U96::from(3),
            poolPrice: U96::from(4),
            stake: U96::ZERO,
            feeBps: 0,
            mode: order.mode,
            startedAt: NOW,
            callback: order.callback,
            callbackGas: 0,
            datasets: vec![],
        };
        Deal { pool: POOL.get(), volume: order.volume, terms, request: order, request_signature: signature }
    }
}

impl Running {
    /// Waits until the jobs satisfy a condition.
    pub(crate) async fn until(&self, holds: impl Fn(&WorkerStatus) -> bool) -> WorkerStatus {
        until(&self.worker, holds).await
    }

    /// Stops, so that another worker can open the job log.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        self.ended.await.unwrap();
    }
}

pub(crate) async fn until(worker: &Worker, holds: impl Fn(&WorkerStatus) -> bool) -> WorkerStatus {
    let waiting = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        loop {
            ticks.tick().await;
            let status = worker.status().unwrap();
            if holds(&status) {
                return status;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("in time")
}

async fn put(store: &Storage, bytes: &[u8]) -> Cid {
    let bytes = bytes::Bytes::copy_from_slice(bytes);
    store.put(stream::iter([Ok(bytes)]).boxed()).await.unwrap()
}

fn policy(code_hash: CodeHash) -> Policy {
    let measurement = Measurement::new(B256::ZERO);
    Policy {
        version: 1,
        code_hash,
        enclaves: vec![AcceptedEnclave { tee: TeeKind::Sim, measurement, min_platform_svn: 0 }],
        max_evidence_age_s: 300,
        allow_debug: false,
        limits: Limits::default(),
        environment: BTreeMap::new(),
    }
}

fn app_order() -> AppOrder {
    AppOrder {
        app: APP,
        price: U96::from(3),
        volume: u32::MAX,
        tag: B256::ZERO,
        datasetRestrict: B256::ZERO,
        poolRestrict: B256::ZERO,
        requesterRestrict: B256::ZERO,
        expiry: NOW + 10_000,
        nonce: 0,
        salt: B256::ZERO,
    }
}

fn pool_order() -> PoolOrder {
    PoolOrder {
        pool: POOL.get(),
        price: U96::from(4),
        stake: U96::ZERO,
        volume: u32::MAX,
        tag: B256::ZERO,
        category: 0,
        trust: 0,
        modes: 1,
        offer: B256::ZERO,
        appRestrict: B256::ZERO,
        datasetRestrict: B256::ZERO,
        requesterRestrict: B256::ZERO,
        expiry: NOW + 10_000,
        nonce: 0,
        salt: B256::ZERO,
    }
}
