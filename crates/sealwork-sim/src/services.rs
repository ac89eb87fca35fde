//! The processes of a run: started, killed, started again.

use crate::{
    chain::SimChain,
    clock::SimClock,
    disk::Disk,
    enclave::SimLauncher,
    faults::Faults,
    network::{Route, Server, SimDialer},
    process::Life,
    store::SimStore,
    trace::Trace,
    world::{CAS_MEASUREMENT, WORKER_MEASUREMENT, Wallet, World},
};
use alloy_transport::IntoBoxTransport;
use anyhow::Result;
use sealwork_cas::{Member, MemberConfig, RateLimit, ServeLimits};
use sealwork_chain::{Endpoint, EvmChain};
use sealwork_simtee::SimEnclave;
use sealwork_types::Measurement;
use sealwork_worker::{
    EnclaveProcess, EnclaveSettings, EnclaveTimeouts, Journal, Ports, Worker, WorkerConfig,
};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::watch;

/// What every process of a run is surrounded by.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    /// The beginning.
    pub(crate) world: Arc<World>,
    /// The chain.
    pub(crate) chain: SimChain,
    /// Storage; each process takes its own view.
    pub(crate) store: SimStore,
    /// The CAS, when it serves.
    pub(crate) cas: Server<Arc<Member>>,
    /// What goes wrong.
    pub(crate) faults: Faults,
    /// The story.
    pub(crate) trace: Trace,
    /// A number that no other run of this program has: endpoints of one name are one chain to the adapter.
    pub(crate) run: u64,
}

impl Surroundings {
    /// The chain as a process with this wallet reaches it. Tries until it answers.
    pub(crate) async fn connect(&self, wallet: Wallet, life: &Life) -> Arc<EvmChain> {
        loop {
            // Two endpoints, so that there is one to go to.
            let ways = [1, 2].map(|number| {
                let transport = self.chain.endpoint(life.clone(), number == 2);
                (format!("endpoint-{number} {:08x}", self.run), transport.into_box_transport())
            });
            let connected = Endpoint::over_all(ways.into(), wallet.signer()).await;
            if let Ok(endpoint) = connected
                && let Ok(chain) = EvmChain::over(self.world.deployment(), endpoint)
            {
                return Arc::new(chain);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    fn route(&self, life: &Life) -> Route {
        Route { life: life.clone(), faults: self.faults.clone() }
    }

    /// Enclaves of a process.
    pub(crate) fn enclaves(&self, measurement: Measurement, clock: &SimClock, life: &Life) -> EnclaveProcess {
        let launcher = SimLauncher {
            measurement,
            life: life.clone(),
            faults: self.faults.clone(),
            trace: self.trace.clone(),
        };
        let dialer = SimDialer { cas: self.cas.clone(), route: self.route(life) };
        let (platform, quoting) = (self.world.platform.clone(), clock.clone());
        let settings = EnclaveSettings {
            network: self.world.network.clone(),
            quotes: Arc::new(move |measurement| {
                let enclave = SimEnclave::new(platform.clone(), measurement);
                Arc::new(enclave.with_clock(Arc::new(quoting.clone())))
            }),
            clock: Arc::new(clock.clone()),
            slots: SLOTS,
            timeouts: EnclaveTimeouts::default(),
        };
        EnclaveProcess::with(Arc::new(launcher), Arc::new(dialer), settings)
    }
}

/// Slots of every worker.
const SLOTS: usize = 2;

/// A worker over all its lives.
#[derive(Clone, Debug)]
pub(crate) struct WorkerProcess {
    /// What it is surrounded by.
    pub(crate) around: Surroundings,
    /// Its life.
    pub(crate) life: Life,
    /// Its clock.
    pub(crate) clock: SimClock,
    /// Its disk.
    pub(crate) disk: Disk,
    /// Whom clients reach.
    pub(crate) server: Server<Worker>,
}

impl WorkerProcess {
    /// Runs the worker, whatever happens to it, until `stop`; then it drains and ends.
    pub(crate) async fn run(self, stop: watch::Receiver<bool>) {
        loop {
            let mut deaths = self.life.deaths_seen();
            let living = self.live(stop.clone());
            let died = tokio::select! {
                biased;
                _ = deaths.changed() => true,
                ended = living => {
                    if let Err(error) = ended {
                        self.around.trace.note(format_args!("the worker ended: {}", first_words(&error)));
                        true
                    } else {
                        false
                    }
                }
            };
            self.server.cut();
            self.disk.lose_power();
            if !died {
                return;
            }
            tokio::time::sleep(self.around.faults.pause(100..=30_000)).await;
        }
    }

    async fn live(&self, stop: watch::Receiver<bool>) -> Result<()> {
        let around = &self.around;
        let journal = Journal::on(self.disk.open(self.life.clone()))?;
        let chain = around.connect(Wallet::Worker, &self.life).await;
        let enclaves = around.enclaves(WORKER_MEASUREMENT, &self.clock, &self.life);
        let store = around.store.for_process(self.life.clone());
        let ports = Ports::new(chain, Arc::new(store), Arc::new(enclaves), Arc::new(self.clock.clone()));
        let config = WorkerConfig {
            pool: around.world.pool,
            slots: SLOTS,
            state_dir: PathBuf::new(),
            takes_requests: true,
            drain: Duration::from_secs(30),
        };
        let worker = Worker::with(config, ports, journal);
        self.server.up(worker.clone());
        around.trace.note("a worker serves");
        Ok(worker.run(stop).await?)
    }
}

/// The CAS over all its lives.
#[derive(Debug)]
pub(crate) struct CasProcess {
    /// What it is surrounded by.
    pub(crate) around: Surroundings,
    /// Its life.
    pub(crate) life: Life,
    /// Its clock.
    pub(crate) clock: SimClock,
    /// Its folder.
    pub(crate) folder: PathBuf,
}

impl CasProcess {
    /// Runs the CAS for ever, whatever happens to it.
    pub(crate) async fn run(self) {
        loop {
            let mut deaths = self.life.deaths_seen();
            tokio::select! {
                biased;
                _ = deaths.changed() => {}
                () = self.live() => {}
            }
            self.around.cas.cut();
            tokio::time::sleep(self.around.faults.pause(100..=30_000)).await;
        }
    }

    async fn live(&self) {
        let chain = self.around.connect(Wallet::Anybody, &self.life).await;
        let world = &self.around.world;
        let enclave = SimEnclave::new(world.platform.clone(), CAS_MEASUREMENT);
        let member = Member::open(MemberConfig {
            state_dir: self.folder.clone(),
            anchors: world.network.anchors.clone(),
            signing_key: world.cas_key(),
            quote: Arc::new(enclave.with_clock(Arc::new(self.clock.clone()))),
            chain,
            clock: Arc::new(self.clock.clone()),
            grantable: World::grantable(),
            grant_debuggable: false,
            rate_limit: RateLimit { burst: 10_000, per_second: 1_000 },
            serve: ServeLimits::default(),
        });
        match member {
            Ok(member) => {
                self.around.cas.up(member);
                self.around.trace.note("the CAS serves");
                std::future::pending().await
            }
            // The one before may still have the log open.
            Err(error) => {
                self.around.trace.note(format_args!("the CAS cannot start: {}", first_words(&error.into())))
            }
        }
    }
}

/// The first words of a text that are no ids.
pub(crate) fn without_ids(text: &str, words: usize) -> String {
    let is_id = |word: &str| {
        let hex = word.trim_start_matches("0x").trim_end_matches([':', ',', '.']);
        hex.len() >= 8 && hex.chars().all(|letter| letter.is_ascii_hexdigit())
    };
    let named = text.split_whitespace().filter(|word| !is_id(word) && !word.starts_with("bafk"));
    named.take(words).collect::<Vec<_>>().join(" ")
}

/// What an error says, without ids.
pub(crate) fn first_words(error: &anyhow::Error) -> String {
    let text = error.to_string();
    if let Some(cause) = error.source() {
        return format!("{} <- {}", without_ids(&text, 8), without_ids(&cause.to_string(), 12));
    }
    without_ids(&text, 8)
}
