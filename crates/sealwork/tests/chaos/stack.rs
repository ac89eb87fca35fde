//! One network, every service a process of its own, with proxies between the worker and the others.

use crate::{
    support::{
        eventually,
        memory::{Canary, children},
        process::{Daemon, Home},
        proxy::Proxy,
    },
    template::Template,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fmt,
    net::{SocketAddr, TcpListener},
};

/// What can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    Chain,
    Store,
    Cas,
    Worker,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chain => "chain",
            Self::Store => "store",
            Self::Cas => "CAS",
            Self::Worker => "worker",
        })
    }
}

/// A network that runs.
pub(crate) struct Stack {
    pub(crate) requester: Home,
    pub(crate) machine: Home,
    pub(crate) document: Value,
    pub(crate) canary_hex: String,
    pub(crate) canary: Canary,
    /// Between the worker and chain, store, CAS, and attested TLS.
    pub(crate) proxies: Vec<(&'static str, Proxy)>,
    pub(crate) ports: [u16; 5],
    running: BTreeMap<Service, Daemon>,
    /// Seconds by which the worker's clock is ahead, when it is started next.
    skew: Option<i64>,
}

impl Stack {
    /// Copies the template and starts everything.
    pub(crate) fn start(template: &Template) -> Self {
        let (requester, machine) = template.copies();
        let ports = free_ports();
        let [chain, store, cas, tls, _] = ports;
        let mut document = template.document.clone();
        document["rpc"] = format!("http://127.0.0.1:{chain}").into();
        document["store"] = format!("http://127.0.0.1:{store}").into();
        document["cas"][0]["url"] = format!("http://127.0.0.1:{cas}").into();
        document["cas"][0]["tls"] = format!("127.0.0.1:{tls}").into();
        requester.write("network.json", document.to_string());
        let between = |port: u16| Proxy::to(&format!("127.0.0.1:{port}"));
        let proxies: Vec<(&'static str, Proxy)> = vec![
            ("chain", between(chain)),
            ("store", between(store)),
            ("CAS", between(cas)),
            ("TLS", between(tls)),
        ];
        let mut seen = document.clone();
        let address = |place: usize| proxies[place].1.address;
        // The chain is reached by a way that may be cut, and by one that is slower to be tried and never is.
        seen["rpc"] = format!("http://{},http://127.0.0.1:{chain}", address(0)).into();
        seen["store"] = format!("http://{}", address(1)).into();
        seen["cas"][0]["url"] = format!("http://{}", address(2)).into();
        seen["cas"][0]["tls"] = address(3).to_string().into();
        machine.write("network.json", seen.to_string());
        let (canary, canary_hex) = (Canary::of(template.canary.raw), template.canary.hex.clone());
        let running = BTreeMap::new();
        let mut stack =
            Self { requester, machine, document, canary_hex, canary, proxies, ports, running, skew: None };
        for service in [Service::Chain, Service::Store, Service::Cas, Service::Worker] {
            stack.run(service);
        }
        stack
    }

    /// Starts a service unless it runs. One that ended by itself, as it may when its disk is full, is started again.
    pub(crate) fn run(&mut self, service: Service) {
        if self.running.get_mut(&service).is_some_and(Daemon::is_alive) {
            return;
        }
        self.running.remove(&service);
        let port = |place: usize| self.ports[place].to_string();
        let local = |name: &str| self.requester.path(name).to_str().unwrap().to_owned();
        let (home, arguments): (&Home, Vec<String>) = match service {
            Service::Chain => {
                (&self.requester, words(&["chain", "--path", &local("local/chain.redb"), "--port", &port(0)]))
            }
            Service::Store => {
                let data = local("local/store");
                (&self.requester, words(&["store", "start", "--data", &data, "--port", &port(1)]))
            }
            Service::Cas => (&self.requester, words(&["cas", "start"])),
            Service::Worker => {
                let (sim_root, port) = (local("local/sim-root.key"), port(4));
                let options = ["--port", &port, "--drain", "5", "--slots", "2", "--take-requests"];
                (
                    &self.machine,
                    words(&[&["worker", "start", "--sim-root", &sim_root][..], &options].concat()),
                )
            }
        };
        let skew = self.skew.filter(|_| service == Service::Worker);
        let daemon = start(home, &arguments, skew);
        // A worker that finds the chain dead at its start ends, as it should; whoever starts it tries again.
        if daemon.ready()["ready"] == true {
            self.running.insert(service, daemon);
        }
    }

    pub(crate) fn kill(&mut self, service: Service) {
        if let Some(daemon) = self.running.remove(&service) {
            daemon.kill_9();
        }
    }

    pub(crate) fn signal(&self, service: Service, signal: &str) {
        if let Some(daemon) = self.running.get(&service) {
            daemon.signal(signal);
        }
    }

    /// Lets no file of a service grow beyond some bytes, or any again.
    pub(crate) fn limit_files(&self, service: Service, bytes: Option<u64>) {
        if let Some(daemon) = self.running.get(&service) {
            let limit = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
            let (pid, limit) = (daemon.pid().to_string(), format!("--fsize={limit}:unlimited"));
            // It may have ended meanwhile.
            let _ = std::process::Command::new("prlimit").args(["--pid", &pid, &limit]).output();
        }
    }

    /// Starts the worker again with a clock that is ahead by some seconds, or behind.
    pub(crate) fn skew_worker(&mut self, seconds: i64) {
        self.kill(Service::Worker);
        self.skew = Some(seconds);
        self.run(Service::Worker);
    }

    /// Kills the enclaves of the worker.
    pub(crate) fn kill_enclaves(&self) {
        for pid in self.enclaves() {
            // It may have ended meanwhile.
            let _ = std::process::Command::new("kill").args(["-s", "KILL", &pid.to_string()]).output();
        }
    }

    fn enclaves(&self) -> Vec<u32> {
        self.running.get(&Service::Worker).map(|worker| children(worker.pid())).unwrap_or_default()
    }

    /// Puts everything back into order.
    pub(crate) fn heal(&mut self) {
        for (_, proxy) in &self.proxies {
            proxy.mend();
        }
        if self.skew.is_some() {
            self.skew = None;
            self.kill(Service::Worker);
        }
        for service in [Service::Chain, Service::Store, Service::Cas, Service::Worker] {
            self.signal(service, "CONT");
            self.limit_files(service, None);
            eventually("a service starts again", || {
                self.run(service);
                self.running.get_mut(&service).is_some_and(Daemon::is_alive).then_some(())
            });
        }
    }

    /// Asks every process to end and sees that it does.
    pub(crate) fn stop(&mut self) {
        let enclaves = self.enclaves();
        for service in [Service::Worker, Service::Cas, Service::Store, Service::Chain] {
            if let Some(daemon) = self.running.remove(&service) {
                daemon.signal("TERM");
                assert_eq!(daemon.exit_code(), 0, "{service} does not end as it should");
            }
        }
        eventually("enclaves end with their worker", || {
            enclaves.iter().all(|pid| !std::fs::exists(format!("/proc/{pid}/exe")).unwrap()).then_some(())
        });
    }

    pub(crate) fn worker_status(&self) -> Option<Value> {
        let reply = self.machine.run(["worker", "status"]);
        (reply.code == 0).then(|| reply.last())
    }
}

fn words(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|argument| (*argument).to_owned()).collect()
}

/// Preloaded, it changes what a process takes for the time.
const FAKE_TIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// Whether clocks can be changed here.
pub(crate) fn has_fake_time() -> bool {
    std::fs::exists(FAKE_TIME).unwrap()
}

/// Starts a service that is told, and not killed, when a file grows beyond its limit.
fn start(home: &Home, arguments: &[String], skew: Option<i64>) -> Daemon {
    let plain = home.command();
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(plain.get_program()).args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.current_dir(home.root()).stdin(std::process::Stdio::null()).args(arguments);
    command.env("SEALWORK_LOG", "info,sealwork_worker=debug");
    if let Some(seconds) = skew {
        command.env("LD_PRELOAD", FAKE_TIME).env("FAKETIME", format!("{seconds:+}s"));
        // Waiting is measured by another clock, which goes right.
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
    Daemon::spawn(command, &home.log_file())
}

/// Ports that nobody listens at, below those that the system gives to connections.
fn free_ports() -> [u16; 5] {
    static NEXT: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(0);
    let mut free = std::iter::repeat_with(|| {
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        16_000 + (u16::try_from(std::process::id() % 97).unwrap() * 101 + number) % 16_000
    })
    .filter(|port| TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], *port))).is_ok());
    std::array::from_fn(|_| free.next().unwrap())
}
