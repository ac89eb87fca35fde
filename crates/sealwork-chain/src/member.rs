//! One JSON-RPC endpoint of several: what it is called, how it fares, and questions to it alone.

use crate::{
    ChainError,
    error::at,
    header::{Header, Look, NoBatch},
    ws::Link,
};
use alloy_json_rpc::{RequestPacket, ResponsePacket};
use alloy_primitives::{B256, Bytes};
use alloy_provider::{DynProvider, Provider, ProviderBuilder};
use alloy_rpc_client::RpcClient;
use alloy_rpc_types_eth::Filter;
use alloy_transport::{BoxTransport, TransportError, TransportErrorKind, TransportFut};
use std::{
    error::Error,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};
use tower::Service;

/// An endpoint that fails rests so long, twice as long after each further failure,
const FIRST_REST: Duration = Duration::from_secs(1);
/// but not longer than this.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// Characters of what an endpoint said that an error repeats at most; it may be a whole page of HTML.
const WORDS: usize = 300;

/// One endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    line: Arc<Line>,
    provider: DynProvider,
}

/// The way to an endpoint, and how it fares.
struct Line {
    name: String,
    /// What must not be shown: the address with its credentials, as errors may spell it.
    secrets: Vec<String>,
    transport: BoxTransport,
    local: bool,
    link: Option<Link>,
    /// Longest wait for an answer.
    within: Duration,
    health: Mutex<Health>,
}

#[derive(Debug, Default)]
struct Health {
    /// Failures since the last answer.
    failures: u32,
    rests_until: Option<Instant>,
    /// Newest block that it told of.
    height: Option<u64>,
    /// Whether it was compared with the others before it was believed.
    checked: bool,
    /// Why it is not believed any more.
    out: Option<String>,
    /// It does not take batches.
    singly: bool,
}

/// Where an endpoint is, what errors call it, and what must not be shown of it.
pub(crate) struct Address {
    pub(crate) name: String,
    pub(crate) secrets: Vec<String>,
    pub(crate) transport: BoxTransport,
    /// On this machine, where asking costs nothing.
    pub(crate) local: bool,
    /// The connection over which news come, if there is one.
    pub(crate) link: Option<Link>,
}

impl Member {
    pub(crate) fn new(at: Address, within: Duration) -> Self {
        let Address { name, secrets, transport, local, link } = at;
        let line = Arc::new(Line { name, secrets, transport, local, link, within, health: Mutex::default() });
        let client = RpcClient::new(Asking(Arc::clone(&line)), true);
        let provider = ProviderBuilder::default().connect_client(client).erased();
        Self { line, provider }
    }

    /// Its address without credentials.
    pub(crate) fn name(&self) -> &str {
        &self.line.name
    }

    /// New heads as they come; `None` when it does not announce them.
    pub(crate) async fn heads(&self) -> Option<watch::Receiver<u64>> {
        self.line.link.as_ref()?.heads().await
    }

    /// Whether it is on this machine, where asking costs nothing.
    pub(crate) fn is_local(&self) -> bool {
        self.line.local
    }

    /// Whether two are one endpoint.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.line, &other.line)
    }

    /// Sends a request to it alone, and remembers how that went.
    pub(crate) async fn ask(&self, request: RequestPacket) -> Result<ResponsePacket, TransportError> {
        self.line.ask(request).await
    }

    /// Header of a block; `None` when the endpoint has no such block.
    pub(crate) async fn header(&self, number: u64) -> Result<Option<Header>, ChainError> {
        Header::read(&self.provider, number.into()).await.map_err(at("eth_getBlockByNumber"))
    }

    /// The newest block.
    pub(crate) async fn latest(&self) -> Result<Header, ChainError> {
        Header::latest(&self.provider).await.map_err(at("eth_getBlockByNumber"))
    }

    /// Headers of blocks, and the logs of a filter, read at one time if the endpoint takes batches.
    pub(crate) async fn look(&self, blocks: &[u64], filter: Option<&Filter>) -> Result<Look, ChainError> {
        if !self.line.health().singly {
            match Look::together(&self.provider, blocks, filter).await {
                Ok(look) => return Ok(look),
                Err(NoBatch::Failed(error)) => return Err(at("eth_getLogs")(error)),
                Err(NoBatch::Refused) => {}
            }
        }
        let look = Look::singly(&self.provider, blocks, filter).await.map_err(at("eth_getLogs"))?;
        self.line.health().singly = true;
        Ok(look)
    }

    /// Chain id and hash of the first block.
    pub(crate) async fn identity(&self) -> Result<(u64, B256), ChainError> {
        let id = self.provider.get_chain_id().await.map_err(at("eth_chainId"))?;
        Ok((id, self.header(0).await?.map(|header| header.hash).unwrap_or_default()))
    }

    /// Code at an address.
    pub(crate) async fn code(&self, address: alloy_primitives::Address) -> Result<Bytes, ChainError> {
        self.provider.get_code_at(address).await.map_err(at("eth_getCode"))
    }

    /// Broadcasts a signed transaction.
    pub(crate) async fn broadcast(&self, raw: &[u8]) -> Result<(), TransportError> {
        self.provider.send_raw_transaction(raw).await.map(drop)
    }

    /// Whether it may be asked when there are others: it answered last time, or rested long enough.
    pub(crate) fn is_rested(&self) -> bool {
        self.rests_until().is_none_or(|until| until <= Instant::now())
    }

    pub(crate) fn rests_until(&self) -> Option<Instant> {
        self.line.health().rests_until
    }

    /// Never believes it again, until the next start.
    pub(crate) fn put_out(&self, reason: String) {
        self.line.health().out.get_or_insert(reason);
    }

    /// Why it is not believed.
    pub(crate) fn out(&self) -> Option<String> {
        self.line.health().out.clone()
    }

    pub(crate) fn is_checked(&self) -> bool {
        self.line.health().checked
    }

    pub(crate) fn set_checked(&self) {
        self.line.health().checked = true;
    }

    pub(crate) fn height(&self) -> Option<u64> {
        self.line.health().height
    }

    pub(crate) fn set_height(&self, height: u64) {
        self.line.health().height = Some(height);
    }
}

impl Line {
    async fn ask(&self, request: RequestPacket) -> Result<ResponsePacket, TransportError> {
        let mut transport = self.transport.clone();
        let answer = match tokio::time::timeout(self.within, transport.call(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(self.failure(&error)),
            Err(_) => return Err(self.failure(&Silent(self.within))),
        };
        if answer.iter_errors().any(is_overload) {
            let words = answer.first_error_message().unwrap_or("too many requests").to_owned();
            return Err(self.failure(&Overloaded(words)));
        }
        self.answered();
        Ok(answer)
    }

    /// A failure with the endpoint's name instead of its credentials; it rests for a while.
    fn failure(&self, cause: &dyn Error) -> TransportError {
        let mut words = cause.to_string();
        let mut next = cause.source();
        while let Some(deeper) = next {
            let deep = deeper.to_string();
            if !words.contains(&deep) {
                words = format!("{words}: {deep}");
            }
            next = deeper.source();
        }
        for secret in &self.secrets {
            words = words.replace(secret.as_str(), &self.name);
        }
        let words: String = words.chars().take(WORDS).collect();
        self.rest(&words);
        TransportErrorKind::custom(Failure { endpoint: self.name.clone(), words })
    }

    fn rest(&self, words: &str) {
        let mut health = self.health();
        let doublings = health.failures.min(10);
        let rest = LONGEST_REST.min(FIRST_REST.saturating_mul(1 << doublings));
        health.rests_until = Some(Instant::now() + rest);
        health.failures = health.failures.saturating_add(1);
        if health.failures == 1 {
            tracing::warn!(endpoint = %self.name, cause = words, "a chain endpoint fails");
        }
    }

    fn answered(&self) {
        let mut health = self.health();
        if health.failures > 0 {
            tracing::info!(endpoint = %self.name, failures = health.failures, "a chain endpoint answers again");
        }
        (health.failures, health.rests_until) = (0, None);
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Line").field("name", &self.name).finish_non_exhaustive()
    }
}

/// One endpoint as a transport.
#[derive(Clone)]
struct Asking(Arc<Line>);

impl Service<RequestPacket> for Asking {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RequestPacket) -> TransportFut<'static> {
        let line = Arc::clone(&self.0);
        Box::pin(async move { line.ask(request).await })
    }
}

/// Why an endpoint gave no usable answer.
#[derive(Debug, thiserror::Error)]
#[error("{endpoint}: {words}")]
struct Failure {
    endpoint: String,
    words: String,
}

#[derive(Debug, thiserror::Error)]
#[error("no answer within {} s", .0.as_secs())]
struct Silent(Duration);

#[derive(Debug, thiserror::Error)]
#[error("it answers too many requests already: {0}")]
struct Overloaded(String);

/// Whether an error says that the endpoint is of no use now, and not that it refused this request.
pub(crate) fn is_unreachable(error: &TransportError) -> bool {
    error.as_error_resp().is_none()
        && !matches!(error, TransportError::LocalUsageError(_) | TransportError::NullResp)
}

/// Whether an answer only says that too much is asked of the endpoint.
fn is_overload<D>(error: &alloy_json_rpc::ErrorPayload<D>) -> bool {
    let words = error.message.to_lowercase();
    error.code == 429
        || ["rate limit", "too many requests", "request count exceeded"]
            .iter()
            .any(|part| words.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TextTransport;
    use alloy_transport::IntoBoxTransport;

    #[tokio::test(start_paused = true)]
    async fn failures_rest_longer_and_longer_and_hide_the_address() {
        let secret = "http://me:secret@node.example/".to_owned();
        let words = format!("cannot connect to {secret}");
        let transport = TextTransport::new(move |_| {
            let words = words.clone();
            async move { Err(std::io::Error::other(words)) }
        });
        let at = Address {
            name: "http://node.example".into(),
            secrets: vec![secret],
            transport: transport.into_box_transport(),
            local: true,
            link: None,
        };
        let member = Member::new(at, Duration::from_secs(20));
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            let error = member.latest().await.unwrap_err();
            let ChainError::Endpoint { source, .. } = error else { panic!("{error}") };
            assert_eq!(source.to_string(), "http://node.example: cannot connect to http://node.example");
            let rest = member.rests_until().unwrap() - Instant::now();
            assert_eq!(rest, Duration::from_secs(seconds));
            assert!(!member.is_rested());
            tokio::time::advance(rest).await;
            assert!(member.is_rested());
        }
    }
}
