//! A running member, and enclaves and clients that talk to it.

use crate::chain::{TestChain, TestClock};
use sealwork_cas::{HttpKeyService, Member, MemberConfig, RateLimit, ServeLimits, serve_http, serve_tls};
use sealwork_ratls::{Introduction, MemberSession, SessionError, TlsIdentity};
use sealwork_seal::{Secret, sign::SigningKey};
use sealwork_simtee::{SimEnclave, SimPlatform, SimRoot};
use sealwork_types::{
    Address, AppId, B256, CodeHash, Measurement, PolicyHash,
    cas_wire::DenialRule,
    enclave_wire::GrantFrame,
    evidence::TeeKind,
    network::TrustAnchors,
    order::SigningDomain,
    policy::{AcceptedEnclave, Limits, Policy},
};
use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64},
    },
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime, sync::watch, task::JoinHandle};

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const CAS: Measurement = Measurement::new(B256::repeat_byte(0xca));
pub(crate) const ENCLAVE: Measurement = Measurement::new(B256::repeat_byte(0xec));
pub(crate) const OTHER_ENCLAVE: Measurement = Measurement::new(B256::repeat_byte(0xed));
pub(crate) const APP: AppId = AppId::new(B256::repeat_byte(0xa9));

pub(crate) type Connected = Result<(MemberSession<TcpStream>, GrantFrame), SessionError>;

/// Everything that survives a restart of the member.
pub(crate) struct Setup {
    pub(crate) state: TempDir,
    pub(crate) root: SimRoot,
    pub(crate) platform: SimPlatform,
    pub(crate) key: [u8; 32],
    pub(crate) anchors: TrustAnchors,
    pub(crate) chain: Arc<TestChain>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) grantable: Vec<AcceptedEnclave>,
    pub(crate) grant_debuggable: bool,
    pub(crate) rate_limit: RateLimit,
    pub(crate) serve: ServeLimits,
}

pub(crate) fn accepted(measurement: Measurement) -> AcceptedEnclave {
    AcceptedEnclave { tee: TeeKind::Sim, measurement, min_platform_svn: 3 }
}

impl Setup {
    pub(crate) fn new() -> Self {
        let root = SimRoot::generate().unwrap();
        let key = SigningKey::generate().unwrap();
        let domain = SigningDomain { chain_id: 31_337, market: Address::repeat_byte(1) };
        let anchors = TrustAnchors {
            domain,
            cas_members: vec![key.address()],
            cas_threshold: 1,
            cas_enclaves: vec![accepted(CAS)],
            sim_roots: vec![root.public_key()],
        };
        let chain = TestChain { domain, apps: Mutex::new(BTreeMap::new()), down: AtomicBool::new(false) };
        Self {
            state: tempfile::tempdir().unwrap(),
            platform: root.certify("test machine", 3).unwrap(),
            root,
            key: key.secret_bytes().expose(|bytes| *bytes),
            anchors,
            chain: Arc::new(chain),
            clock: Arc::new(TestClock(AtomicU64::new(NOW))),
            grantable: vec![accepted(ENCLAVE), accepted(OTHER_ENCLAVE)],
            grant_debuggable: false,
            rate_limit: RateLimit::default(),
            serve: ServeLimits::default(),
        }
    }

    pub(crate) fn config(&self) -> MemberConfig {
        let quote = SimEnclave::new(self.platform.clone(), CAS).with_clock(self.clock.clone());
        MemberConfig {
            state_dir: self.state.path().join("cas"),
            anchors: self.anchors.clone(),
            signing_key: SigningKey::from_bytes(Secret::new(self.key)).unwrap(),
            quote: Arc::new(quote),
            chain: self.chain.clone(),
            clock: self.clock.clone(),
            grantable: self.grantable.clone(),
            grant_debuggable: self.grant_debuggable,
            rate_limit: self.rate_limit,
            serve: self.serve,
        }
    }

    pub(crate) fn start(self) -> Network {
        let runtime = Runtime::new().unwrap();
        let member = Member::open(self.config()).unwrap();
        let bind = || runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let (http, tls) = (bind(), bind());
        let (http_at, tls_at) = (http.local_addr().unwrap(), tls.local_addr().unwrap());
        let (stop, stopped) = watch::channel(false);
        let signal = |mut stopped: watch::Receiver<bool>| async move {
            let _ = stopped.wait_for(|stopped| *stopped).await;
        };
        let servers = vec![
            runtime.spawn({
                let (member, signal) = (member.clone(), signal(stopped.clone()));
                async move { serve_http(member, http, signal).await.unwrap() }
            }),
            runtime.spawn({
                let (member, signal) = (member.clone(), signal(stopped));
                async move { serve_tls(member, tls, signal).await.unwrap() }
            }),
        ];
        let client = HttpKeyService::new(&format!("http://{http_at}")).unwrap();
        Network { setup: self, runtime, http: http_at, tls: tls_at, client, stop, servers, member }
    }
}

/// A running member.
pub(crate) struct Network {
    pub(crate) setup: Setup,
    pub(crate) runtime: Runtime,
    pub(crate) http: SocketAddr,
    pub(crate) tls: SocketAddr,
    pub(crate) client: HttpKeyService,
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
    member: Arc<Member>,
}

impl Network {
    pub(crate) fn start() -> Self {
        Setup::new().start()
    }

    /// Shuts the member down.
    pub(crate) fn stop(self) -> Setup {
        self.stop.send_replace(true);
        for server in self.servers {
            self.runtime.block_on(server).unwrap();
        }
        // The HTTP server reports a connection as finished just before it drops its handle on the member.
        let deadline = Instant::now() + Duration::from_secs(10);
        while Arc::strong_count(&self.member) > 1 {
            assert!(Instant::now() < deadline, "a connection outlives the servers");
            std::thread::yield_now();
        }
        self.setup
    }

    /// An enclave on a machine of the network's vendor.
    pub(crate) fn enclave(&self) -> Enclave {
        Enclave {
            at: self.tls,
            identity: TlsIdentity::generate().unwrap(),
            anchors: self.setup.anchors.clone(),
            platform: self.setup.platform.clone(),
            key: SigningKey::generate().unwrap().address(),
            measurement: ENCLAVE,
            debug: false,
            now: NOW,
            quoted_at: NOW,
        }
    }

    /// A policy that accepts [`ENCLAVE`], registered for [`APP`].
    pub(crate) fn registered_policy(&self) -> Vec<u8> {
        self.register(&policy())
    }

    pub(crate) fn register(&self, policy: &Policy) -> Vec<u8> {
        let bytes = policy.to_bytes();
        self.setup.chain.register(APP, Policy::hash_of(&bytes));
        bytes
    }

    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

pub(crate) fn policy() -> Policy {
    Policy {
        version: 1,
        code_hash: CodeHash::default(),
        enclaves: vec![accepted(ENCLAVE)],
        max_evidence_age_s: 300,
        allow_debug: false,
        limits: Limits::default(),
        environment: BTreeMap::new(),
    }
}

/// A simulated enclave.
pub(crate) struct Enclave {
    pub(crate) at: SocketAddr,
    pub(crate) identity: TlsIdentity,
    pub(crate) anchors: TrustAnchors,
    pub(crate) platform: SimPlatform,
    pub(crate) key: Address,
    pub(crate) measurement: Measurement,
    pub(crate) debug: bool,
    pub(crate) now: u64,
    pub(crate) quoted_at: u64,
}

impl Enclave {
    pub(crate) fn connect(&self) -> Connected {
        let pipe = TcpStream::connect(self.at).unwrap();
        let introduction = Introduction {
            identity: &self.identity,
            anchors: &self.anchors,
            member: self.anchors.cas_members[0],
            enclave: self.key,
            nonce: [5; 32],
            now: self.now,
        };
        MemberSession::connect(pipe, &introduction, &mut |data| {
            Ok(self.platform.quote(self.measurement, data, self.debug, self.quoted_at)?)
        })
    }
}

/// Asks for [`APP`]'s share under the given policy document.
pub(crate) fn release(
    session: &mut MemberSession<TcpStream>,
    policy: &[u8],
) -> Result<Secret<[u8; 32]>, SessionError> {
    session.release(APP, Policy::hash_of(policy), 0, policy).map(|share| share.secret)
}

/// The rule by which a member denied.
pub(crate) fn denied<T>(result: Result<T, SessionError>) -> Option<DenialRule> {
    match result {
        Err(SessionError::Denied { rule, .. }) => Some(rule),
        Err(error) => panic!("not a denial: {error:?}"),
        Ok(_) => None,
    }
}

pub(crate) fn no_policy() -> PolicyHash {
    PolicyHash::default()
}
