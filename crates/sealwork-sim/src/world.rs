//! What every run begins with: a deployed market, a published app, a pool that is offered, wallets with money. It is made
//! once for all runs of a process.

use crate::{clock::BEGINNING, store::Contents};
use alloy_primitives::aliases::U96;
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::SolCall;
use anyhow::{Context, Result};
use futures::{FutureExt, future::BoxFuture};
use sealwork_chain::{DeployOptions, Endpoint, EvmChain, TextTransport, deploy};
use sealwork_client::{Client, Parts, PublishRequest, Salts, SignedVouchers};
use sealwork_devchain::{Clock, Config, DEV_PRIVATE_KEYS, Devchain, LocalChain, Mining};
use sealwork_ports::{Chain, Deployment, memory::MemoryStore};
use sealwork_seal::{Secret, sign::SigningKey};
use sealwork_simtee::{SimPlatform, SimRoot};
use sealwork_types::{
    Address, AppId, B256, Measurement, PoolId, Sha256Digest, U256,
    abi::{
        IRegistry::{predictIdCall, registerPoolCall},
        IToken, kind,
    },
    evidence::TeeKind,
    manifest::document_cid,
    network::{CasMember, NetworkDocument, TrustAnchors},
    order::{SigningDomain, TrustMode},
    policy::{AcceptedEnclave, Limits, Policy},
    progress::PoolManifest,
    signed_order::{Order, UNLIMITED},
};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// Copies standard input to standard output with every letter made a capital.
const PROGRAM: &str = r#"(module
 (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
 (memory (export "memory") 2)
 (func (export "_start") (local $n i32) (local $i i32) (local $c i32)
  (loop $next
   (i32.store (i32.const 0) (i32.const 64))
   (i32.store (i32.const 4) (i32.const 60000))
   (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
   (local.set $n (i32.load (i32.const 8)))
   (if (local.get $n) (then
    (local.set $i (i32.const 0))
    (loop $letter
     (local.set $c (i32.load8_u (i32.add (i32.const 64) (local.get $i))))
     (if (i32.and (i32.ge_u (local.get $c) (i32.const 97)) (i32.le_u (local.get $c) (i32.const 122)))
      (then (i32.store8 (i32.add (i32.const 64) (local.get $i)) (i32.sub (local.get $c) (i32.const 32)))))
     (local.set $i (i32.add (local.get $i) (i32.const 1)))
     (br_if $letter (i32.lt_u (local.get $i) (local.get $n))))
    (i32.store (i32.const 4) (local.get $n))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (br $next))))))"#;

/// Enclaves of the workers.
pub(crate) const WORKER_MEASUREMENT: Measurement = Measurement::new(B256::repeat_byte(0xe1));
/// Enclaves that no policy accepts.
pub(crate) const ROGUE_MEASUREMENT: Measurement = Measurement::new(B256::repeat_byte(0xbd));
/// The CAS member.
pub(crate) const CAS_MEASUREMENT: Measurement = Measurement::new(B256::repeat_byte(0xca));

/// Price of the app and of the pool for one task.
pub(crate) const PRICES: [u64; 2] = [3, 4];
/// What the requester has in the Market.
const DEPOSIT: u64 = 100_000;
/// How long offers and manifests last.
const YEAR_S: u64 = 365 * 86_400;

/// Wallets, by their number among the development accounts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wallet {
    /// Deployed the contracts.
    Deployer = 0,
    /// Publishes the app, and asks for tasks.
    Requester = 1,
    /// Owns the pool and runs the workers.
    Worker = 2,
    /// Somebody else.
    Anybody = 3,
}

impl Wallet {
    /// Its key as the chain's adapter takes it.
    ///
    /// # Panics
    /// Never: the keys are constants inside the curve's order.
    pub(crate) fn signer(self) -> PrivateKeySigner {
        PrivateKeySigner::from_bytes(&self.secret().into()).expect("a development key")
    }

    /// Its key as orders take it.
    ///
    /// # Panics
    /// Never: the keys are constants inside the curve's order.
    pub(crate) fn key(self) -> SigningKey {
        SigningKey::from_bytes(Secret::new(self.secret())).expect("a development key")
    }

    fn secret(self) -> [u8; 32] {
        let key = match self {
            Self::Deployer => &DEV_PRIVATE_KEYS[0],
            Self::Requester => &DEV_PRIVATE_KEYS[1],
            Self::Worker => &DEV_PRIVATE_KEYS[2],
            Self::Anybody => &DEV_PRIVATE_KEYS[3],
        };
        **key
    }

    /// Its address.
    pub(crate) fn address(self) -> Address {
        self.key().address()
    }
}

/// What every run begins with.
pub struct World {
    /// The chain; runs begin with forks of it.
    pub chain: LocalChain,
    /// The network document.
    pub network: NetworkDocument,
    /// The app.
    pub app: AppId,
    /// The pool.
    pub pool: PoolId,
    /// Documents and module.
    pub contents: Contents,
    /// The vendor's platform under everybody.
    pub platform: SimPlatform,
    /// The CAS member's key.
    cas_key: [u8; 32],
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("app", &self.app).field("pool", &self.pool).finish_non_exhaustive()
    }
}

fn accepted(measurement: Measurement) -> AcceptedEnclave {
    AcceptedEnclave { tee: TeeKind::Sim, measurement, min_platform_svn: 0 }
}

/// A transport to a chain without faults.
fn plain(
    chain: &LocalChain,
) -> TextTransport<impl Fn(String) -> BoxFuture<'static, std::io::Result<String>> + use<>> {
    let chain = chain.clone();
    TextTransport::new(move |request| {
        let chain = chain.clone();
        async move { Ok(chain.request(&request).await) }.boxed()
    })
}

impl World {
    /// Makes the world.
    ///
    /// # Errors
    /// When contracts, chain or client do not do as they are told.
    pub async fn make() -> Result<Self> {
        let config =
            Config { mining: Mining::Instant, clock: Clock::new(|| BEGINNING - 3_600), ..Config::default() };
        let chain = Devchain::open(&config)?.local()?;
        let cas = SigningKey::from_bytes(Secret::new([0xca; 32]))?;
        let endpoint = Endpoint::over(plain(&chain), Wallet::Deployer.signer()).await?;
        let options = DeployOptions {
            token: None,
            fee_recipient: Address::repeat_byte(0xfe),
            fee_bps: 0,
            cas_members: vec![cas.address()],
            cas_threshold: 1,
        };
        let (contracts, deployed_at) = deploy(&endpoint, &options).await?;
        let root = SimRoot::generate()?;
        let domain = SigningDomain { chain_id: endpoint.chain_id(), market: contracts.market };
        let network = NetworkDocument {
            version: 1,
            name: "simulation".into(),
            anchors: TrustAnchors {
                domain,
                cas_members: vec![cas.address()],
                cas_threshold: 1,
                cas_enclaves: vec![accepted(CAS_MEASUREMENT)],
                sim_roots: vec![root.public_key()],
            },
            contracts,
            deployed_at,
            rpc: "http://chain".into(),
            store: "http://store".into(),
            cas: vec![CasMember { address: cas.address(), url: "http://cas".into(), tls: "cas:1".into() }],
        };
        for wallet in [Wallet::Requester, Wallet::Worker] {
            let mint = IToken::mintCall { to: wallet.address(), amount: U256::from(10 * DEPOSIT) };
            endpoint.send(Some(contracts.token), mint.abi_encode()).await?;
        }
        let store = Arc::new(MemoryStore::new());
        let app = publish(&chain, &network, &store).await?;
        let pool = offer_pool(&chain, &network, &store).await?;
        Ok(Self {
            contents: store.contents(),
            platform: root.certify("simulated machine", 1)?,
            cas_key: [0xca; 32],
            chain,
            network,
            app,
            pool,
        })
    }

    /// The CAS member's key.
    ///
    /// # Panics
    /// Never: the key was used to make the world.
    pub fn cas_key(&self) -> SigningKey {
        SigningKey::from_bytes(Secret::new(self.cas_key)).expect("it was used before")
    }

    /// What the CAS grants keys to.
    pub fn grantable() -> Vec<AcceptedEnclave> {
        vec![accepted(WORKER_MEASUREMENT)]
    }

    /// The deployment.
    pub fn deployment(&self) -> Deployment {
        Deployment {
            domain: self.network.anchors.domain,
            contracts: self.network.contracts,
            deployed_at: self.network.deployed_at,
        }
    }
}

async fn client(
    chain: &LocalChain,
    network: &NetworkDocument,
    store: &Arc<MemoryStore>,
    wallet: Wallet,
) -> Result<(Client, Arc<EvmChain>)> {
    let deployment = Deployment {
        domain: network.anchors.domain,
        contracts: network.contracts,
        deployed_at: network.deployed_at,
    };
    let endpoint = Endpoint::over(plain(chain), wallet.signer()).await?;
    let chain = Arc::new(EvmChain::over(deployment, endpoint)?);
    let nobody = Arc::new(sealwork_worker::HttpWorker::default());
    let parts = Parts {
        chain: Arc::clone(&chain) as _,
        book: Arc::clone(&chain) as _,
        store: Arc::clone(store) as _,
        cas: Vec::new(),
        progress: Arc::clone(&nobody) as _,
        requests: nobody,
        clock: Arc::new(Beginning),
        salts: Salts::in_memory(),
        vouchers: SignedVouchers::in_memory(),
    };
    Ok((Client::new(network.clone(), wallet.key(), parts), chain))
}

/// The time at which the world is made.
struct Beginning;

impl sealwork_ports::Clock for Beginning {
    fn unix_s(&self) -> u64 {
        BEGINNING - 3_600
    }
}

async fn publish(chain: &LocalChain, network: &NetworkDocument, store: &Arc<MemoryStore>) -> Result<AppId> {
    let (client, _) = client(chain, network, store, Wallet::Requester).await?;
    client.deposit(U256::from(DEPOSIT)).await?;
    let module = wat::parse_str(PROGRAM)?;
    let policy = Policy {
        version: 1,
        code_hash: Default::default(),
        enclaves: vec![accepted(WORKER_MEASUREMENT)],
        max_evidence_age_s: 300,
        allow_debug: false,
        limits: Limits::default(),
        environment: BTreeMap::new(),
    };
    let request = PublishRequest {
        name: "capitals".into(),
        description: "makes capitals".into(),
        module,
        policy,
        price: U96::from(PRICES[0]),
        volume: UNLIMITED,
        expiry: BEGINNING + YEAR_S,
    };
    Ok(client.publish(request).await?.app)
}

async fn offer_pool(
    chain: &LocalChain,
    network: &NetworkDocument,
    store: &Arc<MemoryStore>,
) -> Result<PoolId> {
    let (client, chain) = client(chain, network, store, Wallet::Worker).await?;
    let manifest = PoolManifest { version: 1, name: "pool".into(), url: "http://worker".into() };
    let bytes = serde_json::to_vec(&manifest)?;
    let hash = Sha256Digest::of(&bytes);
    let stored = store.insert(bytes.into());
    anyhow::ensure!(stored == document_cid(hash), "a document has another name");
    let owner = Wallet::Worker.address();
    let predict = predictIdCall { kind: kind::POOL, owner, manifestHash: hash };
    let answer = chain.call(network.contracts.registry, predict.abi_encode()).await?;
    let pool = PoolId::new(predictIdCall::abi_decode_returns(&answer).context("an id")?);
    let register = registerPoolCall { owner, manifestHash: hash };
    chain.send(network.contracts.registry, register.abi_encode()).await?;
    let mut order = client.pool_offer(pool, U96::from(PRICES[1]), BEGINNING + YEAR_S).await?;
    order.modes = TrustMode::Tee.bit() | TrustMode::Channel.bit();
    let signed = client.sign_order(Order::Pool(Box::new(order)));
    client.carry_out(&client.post_plan(&signed)).await?;
    Ok(pool)
}
