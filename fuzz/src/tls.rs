//! A member that serves, an enclave's keys, and a pipe in memory between two TLS sides.

use crate::{
    http::runtime,
    samples::{self, key, word},
};
use rustls::{
    ClientConnection, ServerConfig, StreamOwned,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::{CertifiedKey, SingleCertAndKey},
    version::TLS13,
};
use sealwork_cas::{Member, MemberConfig, RateLimit, ServeLimits, serve_tls};
use sealwork_ports::Clock;
use sealwork_ratls::{TlsIdentity, client_config};
use sealwork_seal::sign::SigningKey;
use sealwork_simtee::{SimEnclave, SimPlatform, SimRoot};
use sealwork_types::{
    AppId, Measurement,
    evidence::{Evidence, ReportData, TeeKind},
    network::TrustAnchors,
    policy::{AcceptedEnclave, Policy},
};
use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Condvar, LazyLock, Mutex, PoisonError},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime};

mod chain;

pub(crate) const NOW: u64 = 1_800_000_000;
const CAS: Measurement = Measurement::new(word(0xca));
const ENCLAVE: Measurement = Measurement::new(word(0xec));

struct Still;

impl Clock for Still {
    fn unix_s(&self) -> u64 {
        NOW
    }
}

/// All that sessions need.
pub(crate) struct World {
    pub(crate) anchors: TrustAnchors,
    pub(crate) member_key: SigningKey,
    pub(crate) enclave_key: SigningKey,
    pub(crate) member_identity: TlsIdentity,
    pub(crate) enclave_identity: TlsIdentity,
    pub(crate) certificate: Certificate,
    pub(crate) policy: Vec<u8>,
    pub(crate) app: AppId,
    pub(crate) at: SocketAddr,
    platform: SimPlatform,
    _runtime: Runtime,
    _state: TempDir,
}

pub(crate) fn world() -> &'static World {
    static WORLD: LazyLock<World> = LazyLock::new(World::start);
    &WORLD
}

fn accepted(measurement: Measurement) -> AcceptedEnclave {
    AcceptedEnclave { tee: TeeKind::Sim, measurement, min_platform_svn: 3 }
}

impl World {
    fn start() -> Self {
        let root = SimRoot::generate().expect("randomness");
        let platform = root.certify("a machine", 3).expect("a certificate");
        let (member_key, enclave_key) = (key(3), key(2));
        let anchors = TrustAnchors {
            cas_members: vec![member_key.address()],
            cas_enclaves: vec![accepted(CAS)],
            sim_roots: vec![root.public_key()],
            ..samples::anchors()
        };
        let app = AppId::new(word(0xa9));
        let policy = Policy { enclaves: vec![accepted(ENCLAVE)], ..samples::policy() }.to_bytes();
        let state = TempDir::new().expect("a temporary folder can be made");
        let clock = Arc::new(Still);
        let quote = SimEnclave::new(platform.clone(), CAS).with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
        let config = MemberConfig {
            state_dir: state.path().join("cas"),
            anchors: anchors.clone(),
            signing_key: key(3),
            quote: Arc::new(quote),
            chain: Arc::new(chain::Registry {
                domain: anchors.domain,
                app,
                policy: Policy::hash_of(&policy),
            }),
            clock,
            grantable: vec![accepted(ENCLAVE)],
            grant_debuggable: false,
            rate_limit: RateLimit { burst: u64::MAX / 4, per_second: u64::MAX / 4 },
            serve: ServeLimits { message: Duration::from_secs(5), ..ServeLimits::default() },
        };
        let runtime = runtime();
        let member = Member::open(config).expect("a member");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let at = listener.local_addr().expect("a bound socket");
        runtime.spawn(serve_tls(member, listener, std::future::pending()));
        Self {
            anchors,
            member_key,
            enclave_key,
            member_identity: TlsIdentity::generate().expect("randomness"),
            enclave_identity: TlsIdentity::generate().expect("randomness"),
            certificate: Certificate::make(),
            policy,
            app,
            at,
            platform,
            _runtime: runtime,
            _state: state,
        }
    }

    pub(crate) fn quote_member(&self, data: &ReportData, debug: bool, now: u64) -> Evidence {
        self.platform.quote(CAS, data, debug, now).expect("a quote")
    }

    pub(crate) fn quote_enclave(&self, data: &ReportData, debug: bool, now: u64) -> Evidence {
        self.platform.quote(ENCLAVE, data, debug, now).expect("a quote")
    }

    /// A TLS session with the member, without any of the protocol.
    pub(crate) fn stranger(&self) -> StreamOwned<ClientConnection, TcpStream> {
        let socket = TcpStream::connect(self.at).expect("the member accepts connections");
        socket.set_nodelay(true).expect("a socket option");
        socket.set_read_timeout(Some(Duration::from_secs(15))).expect("a socket option");
        let config = client_config(&self.enclave_identity).expect("a TLS configuration");
        let name = "member.invalid".try_into().expect("a name");
        StreamOwned::new(ClientConnection::new(config, name).expect("a TLS client"), socket)
    }
}

/// A key with its certificate, and servers that show another certificate for the same key.
pub(crate) struct Certificate {
    der: Vec<u8>,
    key: PrivatePkcs8KeyDer<'static>,
}

impl Certificate {
    fn make() -> Self {
        let made = rcgen::generate_simple_self_signed(["member.invalid".to_owned()]).expect("randomness");
        Self {
            der: made.cert.der().to_vec(),
            key: PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()),
        }
    }

    pub(crate) fn certificate(&self) -> &[u8] {
        &self.der
    }

    pub(crate) fn server(&self, certificate: &[u8]) -> Arc<ServerConfig> {
        let provider = Arc::new(CryptoProvider {
            kx_groups: vec![aws_lc_rs::kx_group::X25519MLKEM768],
            ..aws_lc_rs::default_provider()
        });
        let key = provider.key_provider.load_private_key(PrivateKeyDer::Pkcs8(self.key.clone_key()));
        let chain = vec![CertificateDer::from(certificate.to_vec())];
        let certified = CertifiedKey::new(chain, key.expect("a P-256 key"));
        let config =
            ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13]).expect("TLS 1.3");
        Arc::new(config.with_no_client_auth().with_cert_resolver(Arc::new(SingleCertAndKey::from(certified))))
    }
}

#[derive(Default)]
struct Half {
    bytes: Mutex<(VecDeque<u8>, bool)>,
    changed: Condvar,
}

impl Half {
    fn end(&self) {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.changed.notify_all();
    }
}

/// One end of a connection in memory.
pub(crate) struct Pipe {
    incoming: Arc<Half>,
    outgoing: Arc<Half>,
}

impl Pipe {
    pub(crate) fn pair() -> (Self, Self) {
        let (one, other) = (Arc::new(Half::default()), Arc::new(Half::default()));
        let near = Self { incoming: Arc::clone(&one), outgoing: Arc::clone(&other) };
        (near, Self { incoming: other, outgoing: one })
    }

    /// Nothing more is said here; what comes in is thrown away.
    pub(crate) fn close(&self) {
        self.outgoing.end();
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.outgoing.end();
        self.incoming.end();
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.incoming.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        while state.0.is_empty() && !state.1 {
            state = self.incoming.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.0.read(buffer)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.outgoing.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        if state.1 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        state.0.extend(bytes);
        self.outgoing.changed.notify_all();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
