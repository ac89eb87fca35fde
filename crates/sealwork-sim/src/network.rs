//! Connections between processes: enclaves to the CAS, clients to CAS and worker.

use crate::{faults::Faults, process::Life};
use async_trait::async_trait;
use sealwork_cas::{DirectKeyService, Member, serve_connection};
use sealwork_ports::{ErrorKind, KeyService, PortError, ProgressSource, RequestTaker};
use sealwork_types::{
    AppId, DealId, PolicyHash, TaskId,
    cas_wire::{LogEntry, MemberEvidence, MemberInfo, Nonce, SignedLogHead, SignedRecipient},
    channel::{ChannelState, ChannelTask, TaskReceipt},
    order::SignedRequest,
    progress::{AcceptedRequest, TaskProgress},
};
use sealwork_worker::{Dialer, MemberStream, Worker};
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex, split},
    sync::oneshot,
    task::JoinSet,
};

/// Bytes on their way in one direction.
const WINDOW: usize = 64 << 10;

/// A process that others connect to: what serves now, and the connections that die with it.
#[derive(Debug)]
pub(crate) struct Server<T>(Arc<Mutex<Serving<T>>>);

#[derive(Debug)]
struct Serving<T> {
    now: Option<T>,
    connections: JoinSet<()>,
}

impl<T> Clone for Server<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Clone> Server<T> {
    /// Nothing serves yet.
    pub(crate) fn down() -> Self {
        Self(Arc::new(Mutex::new(Serving { now: None, connections: JoinSet::new() })))
    }

    /// Something serves from now on.
    pub(crate) fn up(&self, server: T) {
        self.lock().now = Some(server);
    }

    /// Nothing serves any more, and every connection is cut.
    pub(crate) fn cut(&self) {
        let mut serving = self.lock();
        serving.now = None;
        serving.connections = JoinSet::new();
    }

    /// What serves now.
    pub(crate) fn now(&self) -> Option<T> {
        self.lock().now.clone()
    }

    /// Runs a connection that dies with the server.
    fn spawn(&self, connection: impl Future<Output = ()> + Send + 'static) {
        let mut serving = self.lock();
        while serving.connections.try_join_next().is_some() {}
        serving.connections.spawn(connection);
    }

    /// Asks the server; `None` when it dies before it answers.
    async fn ask<R: Send + 'static>(&self, question: impl Future<Output = R> + Send + 'static) -> Option<R> {
        let (answer, answered) = oneshot::channel();
        self.spawn(async move {
            // Nobody waits any more.
            let _ = answer.send(question.await);
        });
        answered.await.ok()
    }

    fn lock(&self) -> MutexGuard<'_, Serving<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way from one process to others.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    /// Who uses it.
    pub(crate) life: Life,
    /// What goes wrong.
    pub(crate) faults: Faults,
}

impl Route {
    async fn travel(&self, what: &str) {
        self.life.point(what).await;
        tokio::time::sleep(self.faults.pause(1..=20)).await;
    }

    fn lost(what: &str) -> PortError {
        PortError::new(ErrorKind::Unavailable, format!("{what}: the connection broke"))
    }
}

/// Connects enclaves to the CAS.
#[derive(Debug)]
pub(crate) struct SimDialer {
    /// The CAS.
    pub(crate) cas: Server<Arc<Member>>,
    /// The way.
    pub(crate) route: Route,
}

#[async_trait]
impl Dialer for SimDialer {
    async fn dial(&self, _: &str) -> io::Result<Box<dyn MemberStream>> {
        let (faults, away) = (&self.route.faults, self.route.faults.rates.cas_away);
        self.route.travel("a connection to the CAS").await;
        let member = self.cas.now().filter(|_| !faults.roll(away)).ok_or(io::ErrorKind::ConnectionRefused)?;
        let (near, middle) = duplex(WINDOW);
        let (middle_far, far) = duplex(WINDOW);
        // Some connections break in the middle of the handshake.
        let cut_after = if faults.roll(away) { faults.between(1..=6_000) } else { u64::MAX };
        self.cas.spawn(async move {
            tokio::join!(carry(middle, middle_far, cut_after), async {
                // The enclave hears of it, or the connection is cut.
                let _ = serve_connection(member, far).await;
            });
        });
        Ok(Box::new(near))
    }
}

/// Carries bytes both ways until either side ends, or so many came from the first.
async fn carry(one: DuplexStream, other: DuplexStream, cut_after: u64) {
    let (from_one, to_one) = split(one);
    let (from_other, to_other) = split(other);
    tokio::select! {
        biased;
        () = pass_on(from_one, to_other, cut_after) => {}
        () = pass_on(from_other, to_one, u64::MAX) => {}
    }
}

/// Passes on everything that is there at once: lengths of signatures vary, and must not decide how often somebody reads.
async fn pass_on(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, cut_after: u64) {
    let (mut buffer, mut left) = (vec![0; WINDOW], cut_after);
    while let Ok(count) = from.read(&mut buffer).await {
        let bytes = buffer.get(..count).unwrap_or_default();
        let rest = left.checked_sub(count as u64);
        if bytes.is_empty() || rest.is_none() || to.write_all(bytes).await.is_err() {
            break;
        }
        left = rest.unwrap_or_default();
    }
    // The other side may be gone.
    let _ = to.shutdown().await;
}

/// The CAS as clients reach it.
#[derive(Debug)]
pub(crate) struct SimKeyService {
    /// The CAS.
    pub(crate) cas: Server<Arc<Member>>,
    /// The way.
    pub(crate) route: Route,
}

impl SimKeyService {
    async fn ask<R: Send + 'static, F>(
        &self,
        question: impl FnOnce(DirectKeyService) -> F,
    ) -> Result<R, PortError>
    where
        F: Future<Output = Result<R, PortError>> + Send + 'static,
    {
        const WHAT: &str = "a question to the CAS";
        let (faults, away) = (&self.route.faults, self.route.faults.rates.cas_away);
        self.route.travel(WHAT).await;
        let member = self.cas.now().filter(|_| !faults.roll(away)).ok_or_else(|| Route::lost(WHAT))?;
        let answer = self.cas.ask(question(DirectKeyService::new(member))).await;
        answer.filter(|_| !faults.roll(away)).unwrap_or_else(|| Err(Route::lost(WHAT)))
    }
}

#[async_trait]
impl KeyService for SimKeyService {
    async fn info(&self) -> Result<MemberInfo, PortError> {
        self.ask(|cas| async move { cas.info().await }).await
    }

    async fn recipient(&self, app: AppId, policy: PolicyHash) -> Result<SignedRecipient, PortError> {
        self.ask(move |cas| async move { cas.recipient(app, policy).await }).await
    }

    async fn evidence(&self, nonce: &Nonce) -> Result<MemberEvidence, PortError> {
        let nonce = *nonce;
        self.ask(move |cas| async move { cas.evidence(&nonce).await }).await
    }

    async fn log_head(&self) -> Result<SignedLogHead, PortError> {
        self.ask(|cas| async move { cas.log_head().await }).await
    }

    async fn log_entries(&self, from: u64, count: u64) -> Result<Vec<LogEntry>, PortError> {
        self.ask(move |cas| async move { cas.log_entries(from, count).await }).await
    }
}

/// A worker's page as clients reach it.
#[derive(Debug)]
pub(crate) struct SimPool {
    /// The worker.
    pub(crate) worker: Server<Worker>,
    /// The way.
    pub(crate) route: Route,
}

/// How long a client waits for a worker.
const PATIENCE: Duration = Duration::from_secs(30);

impl SimPool {
    /// Asks the worker once, or twice when the network repeats itself.
    async fn ask<R, F>(&self, question: impl Fn(Worker) -> F + Send) -> Result<R, PortError>
    where
        R: Send + 'static,
        F: Future<Output = Result<R, PortError>> + Send + 'static,
    {
        const WHAT: &str = "a question to the pool";
        let (faults, rate) = (&self.route.faults, self.route.faults.rates.http_lost);
        self.route.travel(WHAT).await;
        let worker = self.worker.now().filter(|_| !faults.roll(rate)).ok_or_else(|| Route::lost(WHAT))?;
        if faults.roll(rate) {
            let _ = tokio::time::timeout(PATIENCE, self.worker.ask(question(worker.clone()))).await;
        }
        let answer = tokio::time::timeout(PATIENCE, self.worker.ask(question(worker))).await;
        let answer = answer.ok().flatten().filter(|_| !faults.roll(rate));
        answer.unwrap_or_else(|| Err(Route::lost(WHAT)))
    }
}

fn refused(error: sealwork_worker::RequestError) -> PortError {
    let kind = match error.code() {
        "unavailable" | "busy" | "failed" | "not-done" => ErrorKind::Unavailable,
        "no-channel" | "no-task" => ErrorKind::NotFound,
        _ => ErrorKind::Rejected,
    };
    PortError::because(kind, error.to_string(), error)
}

#[async_trait]
impl ProgressSource for SimPool {
    async fn serves(&self, _: &str) -> bool {
        self.ask(|_| async { Ok(()) }).await.is_ok()
    }

    async fn progress(&self, _: &str, task: TaskId) -> Result<TaskProgress, PortError> {
        let unknown = move || PortError::new(ErrorKind::NotFound, format!("task {task} is not known here"));
        self.ask(move |worker| async move { worker.progress(task).ok_or_else(unknown) }).await
    }
}

#[async_trait]
impl RequestTaker for SimPool {
    async fn takes(&self, _: &str) -> bool {
        self.ask(|_| async { Ok(()) }).await.is_ok()
    }

    async fn submit(&self, _: &str, request: &SignedRequest) -> Result<AcceptedRequest, PortError> {
        let request = request.clone();
        self.ask(move |worker| {
            let request = request.clone();
            async move { worker.accept(request).await.map_err(refused) }
        })
        .await
    }

    async fn channel(&self, _: &str, channel: DealId) -> Result<ChannelState, PortError> {
        self.ask(move |worker| async move { worker.channel(channel).map_err(refused) }).await
    }

    async fn submit_in_channel(
        &self,
        _: &str,
        channel: DealId,
        task: &ChannelTask,
    ) -> Result<AcceptedRequest, PortError> {
        let task = task.clone();
        self.ask(move |worker| {
            let task = task.clone();
            async move { worker.accept_in_channel(channel, task).await.map_err(refused) }
        })
        .await
    }

    async fn receipt(&self, _: &str, task: TaskId) -> Result<TaskReceipt, PortError> {
        self.ask(move |worker| async move { worker.receipt(task).map_err(refused) }).await
    }
}
