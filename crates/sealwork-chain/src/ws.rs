//! Endpoints over WebSocket: requests and answers on one connection, and new heads without asking.
//!
//! A connection that ends is made again with the next request; the pool decides how long an endpoint rests before that.

use crate::ChainError;
use alloy_json_rpc::{
    ErrorPayload, RequestPacket, Response, ResponsePacket, ResponsePayload, SerializedRequest,
};
use alloy_primitives::U64;
use alloy_transport::{TransportError, TransportErrorKind, TransportFut};
use jsonrpsee::{
    client_transport::ws::{Url, WsTransportClientBuilder},
    core::{
        client::{Client, ClientBuilder, ClientT, Error, SubscriptionClientT, async_client::PingConfig},
        traits::ToRpcParams,
    },
    rpc_params,
};
use rustls_platform_verifier::ConfigVerifierExt;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{
    fmt, io,
    sync::{Arc, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::{Mutex, watch},
    time::Instant,
};
use tokio_rustls::{TlsConnector, rustls::ClientConfig, rustls::pki_types::ServerName};
use tower::Service;

/// Largest answer in bytes: a page of events may be large.
const ANSWER_BYTES: u32 = 64 << 20;
/// Longest wait for an answer; who asks waits no longer than the pool says.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Who announces no heads is asked to again after so long.
const QUIET: Duration = Duration::from_secs(10);

/// A connection that carries bytes, encrypted or not.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// An endpoint over WebSocket.
#[derive(Clone)]
pub(crate) struct Link(Arc<Inner>);

struct Inner {
    url: Url,
    open: Mutex<Option<Open>>,
    /// Heads are not asked for before: they were not announced, or could not be.
    quiet_until: std::sync::Mutex<Option<Instant>>,
}

/// A connection, and the news that come over it.
#[derive(Clone)]
struct Open {
    client: Arc<Client>,
    heads: watch::Receiver<u64>,
}

/// The part of a head that is needed.
#[derive(Debug, Deserialize)]
struct Head {
    number: U64,
}

/// Parameters as they are.
struct Params(Option<Box<RawValue>>);

impl ToRpcParams for Params {
    fn to_rpc_params(self) -> Result<Option<Box<RawValue>>, serde_json::Error> {
        Ok(self.0)
    }
}

impl Link {
    /// An endpoint at a `ws` or `wss` URL; connects when it is first asked.
    pub(crate) fn new(url: Url) -> Self {
        Self(Arc::new(Inner { url, open: Mutex::default(), quiet_until: std::sync::Mutex::default() }))
    }

    /// Number of the newest block that was announced, 0 before the first; closed when the connection ends. `None` when
    /// the endpoint does not announce any.
    pub(crate) async fn heads(&self) -> Option<watch::Receiver<u64>> {
        let now = Instant::now();
        if self.quiet_until().is_some_and(|until| now < until) {
            return None;
        }
        // Before the attempt: who waits for news may not wait until it fails.
        *self.quiet_until() = Some(now + QUIET);
        let heads = self.open().await.ok()?.heads;
        heads.has_changed().ok()?;
        *self.quiet_until() = None;
        Some(heads)
    }

    fn quiet_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.quiet_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn open(&self) -> Result<Open, TransportError> {
        let mut open = self.0.open.lock().await;
        if let Some(open) = &*open
            && open.client.is_connected()
        {
            return Ok(open.clone());
        }
        let made = tokio::time::timeout(CONNECT_WITHIN, self.connect()).await;
        let client =
            made.map_err(|_| TransportErrorKind::custom(io::Error::from(io::ErrorKind::TimedOut)))?;
        let client = Arc::new(client.map_err(TransportErrorKind::custom)?);
        let made = Open { heads: follow(&client).await, client };
        *open = Some(made.clone());
        Ok(made)
    }

    async fn connect(&self) -> io::Result<Client> {
        let mut url = self.0.url.clone();
        let stream = stream(&mut url).await?;
        let builder = WsTransportClientBuilder::default()
            .max_response_size(ANSWER_BYTES)
            .max_request_size(ANSWER_BYTES);
        let (sender, receiver) = builder.build_with_stream(url, stream).await.map_err(io::Error::other)?;
        let client =
            ClientBuilder::new().request_timeout(ANSWER_WITHIN).enable_ws_ping(PingConfig::default());
        Ok(client.build_with_tokio(sender, receiver))
    }

    async fn answer(&self, request: RequestPacket) -> Result<ResponsePacket, TransportError> {
        let client = self.open().await?.client;
        match request {
            RequestPacket::Single(request) => one(&client, request).await.map(ResponsePacket::Single),
            RequestPacket::Batch(requests) => {
                let all = requests.into_iter().map(|request| one(&client, request));
                futures::future::try_join_all(all).await.map(ResponsePacket::Batch)
            }
        }
    }
}

async fn one(client: &Client, request: SerializedRequest) -> Result<Response, TransportError> {
    let id = request.id().clone();
    let params = Params(request.params().map(ToOwned::to_owned));
    let payload = match client.request::<Box<RawValue>, _>(request.method(), params).await {
        Ok(result) => ResponsePayload::Success(result),
        Err(Error::Call(error)) => ResponsePayload::Failure(ErrorPayload {
            code: error.code().into(),
            message: error.message().to_owned().into(),
            data: error.data().map(ToOwned::to_owned),
        }),
        Err(error) => return Err(TransportErrorKind::custom(error)),
    };
    Ok(Response { id, payload })
}

/// Announces heads as long as the connection lasts; closed at once when the endpoint does not.
async fn follow(client: &Arc<Client>) -> watch::Receiver<u64> {
    let (announce, heads) = watch::channel(0);
    let subscribed =
        client.subscribe::<Head, _>("eth_subscribe", rpc_params!["newHeads"], "eth_unsubscribe").await;
    if let Ok(mut news) = subscribed {
        // Ends with the connection, which ends when nobody holds the client.
        tokio::spawn(async move {
            while let Some(Ok(head)) = news.next().await {
                if announce.send(head.number.to()).is_err() {
                    return;
                }
            }
        });
    }
    heads
}

/// Connects; the URL becomes one without TLS, which is done here.
async fn stream(url: &mut Url) -> io::Result<Box<dyn Stream>> {
    let wrong =
        |what: &str| io::Error::new(io::ErrorKind::InvalidInput, format!("the URL has no usable {what}"));
    let host = url.host_str().ok_or_else(|| wrong("host"))?.to_owned();
    let port = url.port_or_known_default().ok_or_else(|| wrong("port"))?;
    let tcp = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    tcp.set_nodelay(true)?;
    if url.scheme() == "ws" {
        return Ok(Box::new(tcp));
    }
    url.set_scheme("ws").map_err(|()| wrong("scheme"))?;
    url.set_port(Some(port)).map_err(|()| wrong("port"))?;
    let config = ClientConfig::with_platform_verifier().map_err(io::Error::other)?;
    let name = ServerName::try_from(host).map_err(io::Error::other)?;
    Ok(Box::new(TlsConnector::from(Arc::new(config)).connect(name, tcp).await?))
}

impl Service<RequestPacket> for Link {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RequestPacket) -> TransportFut<'static> {
        let link = self.clone();
        Box::pin(async move { link.answer(request).await })
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Link").finish_non_exhaustive()
    }
}

/// The way to news of a node on this machine that is asked over HTTP: most serve WebSocket on the same port.
pub(crate) fn beside(http: &Url) -> Option<Link> {
    let mut url = http.clone();
    let plain = http.scheme() == "http" && http.username().is_empty() && url.set_scheme("ws").is_ok();
    plain.then(|| Link::new(url))
}

/// The way to a `ws` or `wss` URL.
pub(crate) fn link(url: &Url) -> Result<Link, ChainError> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ChainError::Url { url: crate::urls::redacted(url) });
    }
    Ok(Link::new(url.clone()))
}
