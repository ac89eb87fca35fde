//! One enclave: launched, initialized, attested.

use super::{
    CompiledFolder, Dialer, EnclaveLife, EnclaveSettings, EnclaveTimeouts, LaunchedEnclave, Launcher,
    pipe::Pipe, relay::MemberRelay,
};
use sealwork_ports::{Clock, EnclaveInfo, ErrorKind, PortError, QuoteProvider};
use sealwork_types::{
    Address, Measurement,
    bounded::parse_json,
    enclave_wire::{EvidenceFrame, FromEnclave, GrantFrame, ToEnclave},
    evidence::ReportData,
    network::NetworkDocument,
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::JoinHandle,
    time::timeout,
};
use tracing::{info, warn};

/// Largest grant or result document that is read.
pub(super) const MAX_DOCUMENT_BYTES: usize = 64 << 10;

/// What every launch has in common.
pub(super) struct Launch {
    launcher: Arc<dyn Launcher>,
    dialer: Arc<dyn Dialer>,
    anchors: Vec<u8>,
    network: NetworkDocument,
    quotes: Arc<dyn QuoteProvider>,
    clock: Arc<dyn Clock>,
    timeouts: EnclaveTimeouts,
    pub(super) compiled: Option<CompiledFolder>,
}

impl Launch {
    pub(super) fn new(
        launcher: Arc<dyn Launcher>,
        dialer: Arc<dyn Dialer>,
        settings: EnclaveSettings,
    ) -> Self {
        let EnclaveSettings { network, quotes, clock, slots: _, timeouts } = settings;
        let anchors =
            serde_json::to_vec(&network.anchors).expect("strings, numbers and hashes always serialize");
        let quotes = quotes(launcher.measurement());
        Self { launcher, dialer, anchors, network, quotes, clock, timeouts, compiled: None }
    }

    pub(super) fn measurement(&self) -> Measurement {
        self.launcher.measurement()
    }

    pub(super) fn now(&self) -> u64 {
        self.clock.unix_s()
    }

    pub(super) const fn timeouts(&self) -> &EnclaveTimeouts {
        &self.timeouts
    }
}

/// A running enclave. Dropping it ends the enclave.
pub(super) struct Process {
    life: Box<dyn EnclaveLife>,
    pipe: Pipe,
    relay: MemberRelay,
    info: EnclaveInfo,
    renewal: Option<Renewal>,
}

/// A task that is ended with the process that it renews.
struct Renewal(JoinHandle<()>);

impl Drop for Renewal {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("info", &self.info).finish_non_exhaustive()
    }
}

impl Process {
    /// Launches, initializes and attests.
    pub(super) async fn start(launch: &Launch, slot: usize) -> Result<Self, PortError> {
        let LaunchedEnclave { to_enclave, from_enclave, life } = launch.launcher.launch(slot).await?;
        let mut pipe = Pipe { to_enclave, from_enclave };
        let patience = launch.timeouts.silence;
        let (anchors, tee) = (launch.anchors.clone(), launch.quotes.tee());
        pipe.send(&ToEnclave::Init { anchors, tee }, patience).await?;
        let first = pipe.receive(patience).await?;
        let FromEnclave::Ready { enclave, sandbox } = first else {
            return Err(unexpected("Ready", &first));
        };
        info!(slot, %enclave, ?sandbox, "enclave is ready");
        let mut relay = MemberRelay::new(Arc::clone(&launch.dialer));
        let info = attest(launch, &mut pipe, &mut relay, enclave).await?;
        Ok(Self { life, pipe, relay, info, renewal: None })
    }

    /// Gets a fresh grant for the same key. While the old one lasts, a CAS that cannot be reached is no failure.
    pub(super) async fn renew(mut self, launch: &Launch) -> Result<Self, PortError> {
        match attest(launch, &mut self.pipe, &mut self.relay, self.info.enclave).await {
            Ok(info) => self.info = info,
            Err(error) if error.is_retryable() && self.grant_left(launch.now()) > 0 => {
                warn!(enclave = %self.info.enclave, %error, "cannot renew the grant yet");
            }
            Err(error) => return Err(error),
        }
        Ok(self)
    }

    /// Has the grant renewed by a task of its own, unless there is one.
    pub(super) fn renew_by(&mut self, start: impl FnOnce(Address) -> JoinHandle<()>) {
        self.renewal.get_or_insert_with(|| Renewal(start(self.info.enclave)));
    }

    pub(super) const fn info(&self) -> &EnclaveInfo {
        &self.info
    }

    /// The process, unless the enclave has ended.
    pub(super) fn if_alive(mut self) -> Option<Self> {
        (!self.life.has_ended()).then_some(self)
    }

    /// Seconds until the grant ends.
    pub(super) const fn grant_left(&self, now: u64) -> u64 {
        self.info.grant.grant.expiry.saturating_sub(now)
    }

    pub(super) async fn send(&mut self, launch: &Launch, message: &ToEnclave) -> Result<(), PortError> {
        self.pipe.send(message, launch.timeouts.silence).await
    }

    /// The next message that is not a question to the platform or a CAS member; those are answered here.
    pub(super) async fn receive(
        &mut self,
        launch: &Launch,
        patience: Duration,
    ) -> Result<FromEnclave, PortError> {
        match receive(launch, &mut self.pipe, &mut self.relay, patience).await {
            Err(error) => Err(self.explain(error).await),
            message => message,
        }
    }

    /// Adds how the enclave ended, if it did.
    async fn explain(&mut self, error: PortError) -> PortError {
        // The pipe closes a moment before the enclave can be waited for.
        match timeout(Duration::from_millis(200), self.life.ended()).await {
            Ok(Ok(status)) => {
                let action = format!("{error}: the enclave process ended with {status}");
                PortError { action, ..error }
            }
            Ok(Err(_)) | Err(_) => error,
        }
    }

    /// Asks the enclave to leave, and ends it when it does not.
    pub(super) async fn stop(mut self, launch: &Launch) {
        let patience = launch.timeouts.stop;
        if self.pipe.send(&ToEnclave::Stop, patience).await.is_ok() {
            let _ = timeout(patience, self.life.ended()).await;
        }
        // Dropping ends what is left; an enclave that has ended is only reaped.
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "every other message is out of order")]
async fn attest(
    launch: &Launch,
    pipe: &mut Pipe,
    relay: &mut MemberRelay,
    enclave: Address,
) -> Result<EnclaveInfo, PortError> {
    let patience = launch.timeouts.silence;
    pipe.send(&ToEnclave::Attest { now: launch.now() }, patience).await?;
    match receive(launch, pipe, relay, patience).await? {
        FromEnclave::Attested { grant } => {
            let grant: GrantFrame = parse_json("grant", &grant, MAX_DOCUMENT_BYTES)
                .map_err(|error| PortError::because(ErrorKind::Local, "read the enclave's grant", error))?;
            info!(%enclave, expiry = grant.grant.expiry, "enclave is attested");
            Ok(EnclaveInfo { enclave, grant })
        }
        FromEnclave::Refused { retryable, reason } => {
            let kind = if retryable { ErrorKind::Unavailable } else { ErrorKind::Rejected };
            Err(PortError::new(kind, format!("attest the enclave: {reason}")))
        }
        other => Err(unexpected("Attested", &other)),
    }
}

/// The next message that is for the caller.
#[expect(clippy::wildcard_enum_match_arm, reason = "the caller knows which messages may come")]
async fn receive(
    launch: &Launch,
    pipe: &mut Pipe,
    relay: &mut MemberRelay,
    patience: Duration,
) -> Result<FromEnclave, PortError> {
    let waiting = launch.timeouts.member;
    loop {
        let answer = match pipe.receive(patience).await? {
            FromEnclave::Quote { report_data } => ToEnclave::QuoteReply(quote(launch, &report_data).await),
            FromEnclave::TlsOpen { member } => {
                relay.open(member, &launch.network.cas, waiting).await;
                continue;
            }
            FromEnclave::TlsOut { member, bytes } => {
                relay.write(member, &bytes, waiting).await;
                continue;
            }
            FromEnclave::TlsNeed { member } => ToEnclave::TlsIn(relay.read(member, waiting).await),
            other => return Ok(other),
        };
        pipe.send(&answer, patience).await?;
    }
}

/// Evidence of the platform. It may block, so it is asked on a thread of its own where the runtime has several.
async fn quote(launch: &Launch, report_data: &[u8]) -> Result<EvidenceFrame, String> {
    let report_data =
        ReportData::try_from(report_data).map_err(|_| "report data must have 64 bytes".to_owned())?;
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        return launch.quotes.quote(&report_data).map(Into::into).map_err(|error| error.to_string());
    }
    let quotes = Arc::clone(&launch.quotes);
    let answer = tokio::task::spawn_blocking(move || quotes.quote(&report_data)).await;
    match answer {
        Ok(Ok(evidence)) => Ok(evidence.into()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the platform's quote provider failed".to_owned()),
    }
}

/// The error for a message that an enclave may not send now.
pub(super) fn unexpected(expected: &str, found: &FromEnclave) -> PortError {
    let found = match found {
        FromEnclave::Ready { .. } => "Ready",
        FromEnclave::Quote { .. } => "Quote",
        FromEnclave::TlsOpen { .. } => "TlsOpen",
        FromEnclave::TlsOut { .. } => "TlsOut",
        FromEnclave::TlsNeed { .. } => "TlsNeed",
        FromEnclave::Attested { .. } => "Attested",
        FromEnclave::NeedModule => "NeedModule",
        FromEnclave::NeedInput => "NeedInput",
        FromEnclave::Progress(_) => "Progress",
        FromEnclave::Output(_) => "Output",
        FromEnclave::Done { .. } => "Done",
        FromEnclave::Refused { .. } => "Refused",
        FromEnclave::NeedCompiled(_) => "NeedCompiled",
        FromEnclave::KeepCompiled { .. } => "KeepCompiled",
    };
    PortError::new(ErrorKind::Local, format!("talk to the enclave: it sent {found}, expected {expected}"))
}
