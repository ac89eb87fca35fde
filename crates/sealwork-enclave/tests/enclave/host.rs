//! A host in memory: an enclave on a thread, two pipes, and the streams of one task.

use sealwork_enclave::{EnclaveError, Host, KeyRequest, KeySource, KeySourceSetup, Stop, serve};
use sealwork_runtime::Engine;
use sealwork_seal::Secret;
use sealwork_types::{
    Address, B256,
    abi::Grant,
    enclave_wire::{
        BatchDone, DoneFrame, FrameError, FromEnclave, GrantFrame, SandboxReport, Step, TaskFrame, ToEnclave,
        read_message, write_message,
    },
    evidence::TeeKind,
    network::TrustAnchors,
    params::GRANT_LIFETIME_S,
};
use std::{
    io::{PipeReader, PipeWriter, pipe},
    thread::JoinHandle,
    time::Duration,
};

/// What the CAS says the time is.
pub(crate) const NOW: u64 = 1_800_000_000;
/// The secret that the CAS gives for every app.
pub(crate) const APP_SECRET: [u8; 32] = [7; 32];

/// A CAS that gives everybody everything.
struct FixedKeys(Address);

impl KeySource for FixedKeys {
    fn attest(&mut self, _now: u64) -> Result<GrantFrame, Stop> {
        let grant = Grant {
            enclave: self.0,
            measurement: B256::ZERO,
            tee: 0,
            hardwareId: B256::ZERO,
            expiry: NOW + GRANT_LIFETIME_S,
        };
        Ok(GrantFrame { grant, signatures: Vec::new() })
    }

    fn app_secret(&mut self, _request: &KeyRequest<'_>) -> Result<Secret<[u8; 32]>, Stop> {
        Ok(Secret::new(APP_SECRET))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the signature of a key source's maker")]
fn fixed_keys(setup: KeySourceSetup) -> Result<Box<dyn KeySource>, EnclaveError> {
    Ok(Box::new(FixedKeys(setup.enclave)))
}

/// An enclave on a thread.
pub(crate) struct TestHost {
    to: PipeWriter,
    from: PipeReader,
    enclave: JoinHandle<Result<(), EnclaveError>>,
    pub(crate) address: Address,
    /// How long storage takes for each chunk.
    pub(crate) latency: Duration,
    /// What the enclave lets the host keep; all of it under one name.
    pub(crate) kept: Vec<u8>,
    /// How often the enclave asked for it.
    pub(crate) kept_requests: usize,
}

/// How a task ended.
#[derive(Debug)]
pub(crate) enum End {
    Done(Box<DoneFrame>),
    Batch(Box<BatchDone>),
    Refused { retryable: bool, reason: String },
}

/// What a task produced.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) steps: Vec<Step>,
    pub(crate) output: Vec<u8>,
    /// How often the module was asked for.
    pub(crate) module_requests: usize,
    pub(crate) end: End,
}

impl TestHost {
    /// Starts an enclave that knows nothing yet.
    pub(crate) fn spawn() -> Self {
        let (enclave_reads, to) = pipe().unwrap();
        let (from, enclave_writes) = pipe().unwrap();
        let enclave = std::thread::spawn(move || {
            let host = Host::new(enclave_reads, enclave_writes);
            serve(&host, Engine::new().unwrap(), SandboxReport::default(), fixed_keys)
        });
        Self {
            to,
            from,
            enclave,
            address: Address::ZERO,
            latency: Duration::ZERO,
            kept: Vec::new(),
            kept_requests: 0,
        }
    }

    /// Starts, initializes and attests.
    pub(crate) fn ready(anchors: &TrustAnchors) -> Self {
        let mut host = Self::spawn();
        host.init(anchors);
        host.say(&ToEnclave::Attest { now: NOW });
        assert!(matches!(host.hear(), FromEnclave::Attested { .. }));
        host
    }

    pub(crate) fn init(&mut self, anchors: &TrustAnchors) {
        let anchors = serde_json::to_vec(anchors).unwrap();
        self.say(&ToEnclave::Init { anchors, tee: TeeKind::Sim });
        let FromEnclave::Ready { enclave, .. } = self.hear() else { panic!("expected Ready") };
        self.address = enclave;
    }

    pub(crate) fn say(&mut self, message: &ToEnclave) {
        // The enclave may be gone already; then `hear` or `end` tells.
        let _ = write_message(&mut self.to, message);
    }

    pub(crate) fn try_hear(&mut self) -> Result<FromEnclave, FrameError> {
        read_message(&mut self.from)
    }

    pub(crate) fn hear(&mut self) -> FromEnclave {
        self.try_hear().unwrap()
    }

    /// Runs one task, feeding `module` and `sealed` in small chunks.
    #[expect(clippy::wildcard_enum_match_arm, reason = "every other message fails the test")]
    pub(crate) fn run(&mut self, frame: TaskFrame, module: &[u8], sealed: &[u8]) -> Outcome {
        let batch = frame.count > 1;
        self.say(&ToEnclave::Task(Box::new(frame)));
        let mut module = module.chunks(1000);
        let mut sealed = sealed.chunks(10_000);
        let (mut steps, mut output, mut module_requests) = (Vec::new(), Vec::new(), 0);
        loop {
            let end = match self.hear() {
                FromEnclave::NeedModule => {
                    module_requests += 1;
                    self.chunk(module.next());
                    continue;
                }
                FromEnclave::NeedInput => {
                    self.chunk(sealed.next());
                    continue;
                }
                FromEnclave::NeedCompiled(_) => {
                    self.kept_requests += 1;
                    let (kept, none) = (self.kept.clone(), self.kept_requests.is_multiple_of(2));
                    self.chunk((!none).then_some(&kept));
                    continue;
                }
                FromEnclave::KeepCompiled { bytes, .. } => {
                    self.kept.extend_from_slice(&bytes);
                    continue;
                }
                FromEnclave::Progress(step) => {
                    steps.push(step);
                    continue;
                }
                FromEnclave::Output(bytes) => {
                    assert!(sealed.next().is_none(), "output before the whole input was read");
                    output.extend_from_slice(&bytes);
                    continue;
                }
                FromEnclave::Done { done } if batch => {
                    End::Batch(Box::new(serde_json::from_slice(&done).unwrap()))
                }
                FromEnclave::Done { done } => End::Done(Box::new(serde_json::from_slice(&done).unwrap())),
                FromEnclave::Refused { retryable, reason } => End::Refused { retryable, reason },
                other => panic!("unexpected {other:?}"),
            };
            return Outcome { steps, output, module_requests, end };
        }
    }

    fn chunk(&mut self, bytes: Option<&[u8]>) {
        std::thread::sleep(self.latency);
        self.say(&ToEnclave::Chunk(bytes.unwrap_or_default().to_vec().into()));
    }

    /// Closes the pipe and waits for the enclave's end.
    pub(crate) fn end(self) -> Result<(), EnclaveError> {
        let Self { to, from, enclave, .. } = self;
        drop((to, from));
        enclave.join().unwrap()
    }
}
