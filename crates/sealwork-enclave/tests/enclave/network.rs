//! A network of one CAS member, and the worker's enclave host in front of the real binary.

use async_trait::async_trait;
use futures::stream;
use sealwork_cas::{HttpKeyService, Member, MemberConfig, RateLimit, ServeLimits, serve_http, serve_tls};
use sealwork_ports::{
    ByteStream, Chain, Clock, Deployment, ErrorKind, EventCursor, EventPage, KeyService, PortError,
    PostedAppOrder, PostedPoolOrder, SystemClock, TxInfo, TxOutcome,
};
use sealwork_seal::{age::Recipient, sign::SigningKey};
use sealwork_simtee::{SimEnclave, SimPlatform, SimRoot, measure_file};
use sealwork_types::{
    Address, AppId, B256, Bytes, CodeHash, DealId, ManifestHash, Measurement, PolicyHash, PoolId,
    abi::{Account, App, DealProgress, Registered},
    deal::Deal,
    enclave_wire::GrantFrame,
    evidence::TeeKind,
    network::{CasMember, Contracts, NetworkDocument, TrustAnchors},
    policy::AcceptedEnclave,
};
use sealwork_worker::{EnclaveProcess, EnclaveSettings, EnclaveTimeouts};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};

/// The program under test. Cargo names it for tests; for examples it lies one folder above them.
pub(crate) fn binary() -> PathBuf {
    let named = option_env!("CARGO_BIN_EXE_sealwork-enclave").map(PathBuf::from);
    named.unwrap_or_else(|| std::env::current_exe().unwrap().with_file_name("../sealwork-enclave"))
}

const CAS: Measurement = Measurement::new(B256::repeat_byte(0xca));

/// The machine's clock, and how far a test has moved it.
#[derive(Debug, Default)]
pub(crate) struct ShiftedClock(pub(crate) AtomicI64);

impl Clock for ShiftedClock {
    fn unix_s(&self) -> u64 {
        SystemClock.unix_s().saturating_add_signed(self.0.load(Ordering::SeqCst))
    }
}

/// A running member and the network document that names it.
pub(crate) struct Network {
    _state: TempDir,
    pub(crate) document: NetworkDocument,
    platform: SimPlatform,
    registry: Arc<Registry>,
    keys: HttpKeyService,
    pub(crate) clock: Arc<ShiftedClock>,
    pub(crate) member: Arc<Member>,
    servers: Vec<JoinHandle<()>>,
}

fn accepted(measurement: Measurement) -> AcceptedEnclave {
    AcceptedEnclave { tee: TeeKind::Sim, measurement, min_platform_svn: 0 }
}

impl Network {
    /// Grants keys to the binary under test.
    pub(crate) async fn start() -> Self {
        Self::granting(measure_file(&binary()).unwrap()).await
    }

    pub(crate) async fn granting(measurement: Measurement) -> Self {
        let root = SimRoot::generate().unwrap();
        let platform = root.certify("test machine", 1).unwrap();
        let key = SigningKey::generate().unwrap();
        let (http, tls) = (
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
        );
        let url = format!("http://{}", http.local_addr().unwrap());
        let endpoint = tls.local_addr().unwrap().to_string();
        let document = document(&key, root.public_key(), url.clone(), endpoint);
        let state = tempfile::tempdir().unwrap();
        let registry = Arc::new(Registry { domain: crate::case::domain(), apps: Mutex::default() });
        let clock = Arc::new(ShiftedClock::default());
        let member = Member::open(MemberConfig {
            state_dir: state.path().join("cas"),
            anchors: document.anchors.clone(),
            signing_key: key,
            quote: Arc::new(SimEnclave::new(platform.clone(), CAS).with_clock(clock.clone())),
            chain: registry.clone(),
            clock: clock.clone(),
            grantable: vec![accepted(measurement)],
            grant_debuggable: false,
            rate_limit: RateLimit::default(),
            serve: ServeLimits::default(),
        })
        .unwrap();
        let (for_http, for_tls) = (Arc::clone(&member), Arc::clone(&member));
        let servers = vec![
            tokio::spawn(async move { serve_http(for_http, http, std::future::pending()).await.unwrap() }),
            tokio::spawn(async move { serve_tls(for_tls, tls, std::future::pending()).await.unwrap() }),
        ];
        let keys = HttpKeyService::new(&url).unwrap();
        Self { _state: state, document, platform, registry, keys, clock, member, servers }
    }

    /// An enclave host with one slot.
    pub(crate) fn host(&self) -> EnclaveProcess {
        EnclaveProcess::new(&binary(), self.settings()).unwrap()
    }

    /// What a host with one slot needs.
    pub(crate) fn settings(&self) -> EnclaveSettings {
        let (platform, clock) = (self.platform.clone(), self.clock.clone());
        EnclaveSettings {
            network: self.document.clone(),
            quotes: Arc::new(move |measurement| {
                Arc::new(SimEnclave::new(platform.clone(), measurement).with_clock(clock.clone()))
            }),
            clock: self.clock.clone(),
            slots: 1,
            timeouts: EnclaveTimeouts {
                member: Duration::from_secs(5),
                renewal: Duration::from_millis(20),
                ..EnclaveTimeouts::default()
            },
        }
    }

    /// Registers an app's policy and gives the key that its inputs are sealed to.
    pub(crate) async fn register(&self, app: AppId, policy: PolicyHash) -> Recipient {
        self.registry.apps.lock().unwrap().insert(app, policy);
        let signed = self.keys.recipient(app, policy).await.unwrap();
        Recipient::from_bytes(&signed.recipient).unwrap()
    }

    /// The member is gone from one moment to the next.
    pub(crate) async fn take_down(&mut self) {
        for server in self.servers.drain(..) {
            server.abort();
            let _ = server.await;
        }
    }
}

fn document(key: &SigningKey, root: Bytes, url: String, tls: String) -> NetworkDocument {
    let domain = crate::case::domain();
    let none = Address::ZERO;
    let contracts = Contracts {
        registry: none,
        market: domain.market,
        attestations: none,
        batches: none,
        channels: none,
        book: none,
        token: none,
    };
    NetworkDocument {
        version: 1,
        name: "test".to_owned(),
        anchors: TrustAnchors {
            domain,
            cas_members: vec![key.address()],
            cas_threshold: 1,
            cas_enclaves: vec![accepted(CAS)],
            sim_roots: vec![root],
        },
        contracts,
        deployed_at: 0,
        rpc: String::new(),
        store: String::new(),
        cas: vec![CasMember { address: key.address(), url, tls }],
    }
}

/// A stream of the given items.
pub(crate) fn stream_of(items: Vec<Result<Vec<u8>, PortError>>) -> ByteStream {
    Box::pin(stream::iter(items.into_iter().map(|item| item.map(bytes::Bytes::from))))
}

/// A chain that knows apps and nothing else.
#[derive(Debug)]
struct Registry {
    domain: sealwork_types::order::SigningDomain,
    apps: Mutex<BTreeMap<AppId, PolicyHash>>,
}

macro_rules! not_needed {
    () => {
        Err(PortError::new(ErrorKind::NotFound, "look at more than the registry"))
    };
}

#[async_trait]
impl Chain for Registry {
    fn deployment(&self) -> Deployment {
        let none = Address::ZERO;
        let contracts = Contracts {
            registry: none,
            market: self.domain.market,
            attestations: none,
            batches: none,
            channels: none,
            book: none,
            token: none,
        };
        Deployment { domain: self.domain, contracts, deployed_at: 0 }
    }
    fn sender(&self) -> Address {
        Address::ZERO
    }
    async fn app(&self, id: AppId) -> Result<App, PortError> {
        let apps = self.apps.lock().unwrap();
        let policy = apps.get(&id).ok_or_else(|| PortError::new(ErrorKind::NotFound, format!("app {id}")))?;
        Ok(App {
            owner: Address::ZERO,
            manifestHash: B256::ZERO,
            codeHash: B256::ZERO,
            policyHash: policy.get(),
            version: 1,
        })
    }
    async fn head(&self) -> Result<(u64, u64), PortError> {
        not_needed!()
    }
    async fn manifest(&self, _: AppId, _: CodeHash, _: PolicyHash) -> Result<ManifestHash, PortError> {
        not_needed!()
    }
    async fn account(&self, _: Address) -> Result<Account, PortError> {
        not_needed!()
    }
    async fn deal(&self, _: DealId) -> Result<DealProgress, PortError> {
        not_needed!()
    }
    async fn is_open(&self, _: DealId, _: u32) -> Result<bool, PortError> {
        not_needed!()
    }
    async fn grant(&self, _: Address) -> Result<Option<Registered>, PortError> {
        not_needed!()
    }
    async fn registration(&self, _: Address) -> Result<GrantFrame, PortError> {
        not_needed!()
    }
    async fn transaction(&self, _: B256) -> Result<TxInfo, PortError> {
        not_needed!()
    }
    async fn executed(&self, _: DealId, _: B256) -> Result<Deal, PortError> {
        not_needed!()
    }
    async fn app_orders(&self, _: AppId) -> Result<Vec<PostedAppOrder>, PortError> {
        not_needed!()
    }
    async fn pool_orders(&self, _: Option<PoolId>) -> Result<Vec<PostedPoolOrder>, PortError> {
        not_needed!()
    }
    async fn events(&self, _: EventCursor, _: usize) -> Result<EventPage, PortError> {
        not_needed!()
    }
    async fn wait(&self) {
        std::future::pending().await
    }
    async fn send(&self, _: Address, _: Vec<u8>) -> Result<TxOutcome, PortError> {
        not_needed!()
    }
    async fn estimate(&self, _: Address, _: Vec<u8>) -> Result<u64, PortError> {
        not_needed!()
    }
    async fn call(&self, _: Address, _: Vec<u8>) -> Result<Bytes, PortError> {
        not_needed!()
    }
}
