//! Chains that are reached without a network.

use alloy_json_rpc::{RequestPacket, ResponsePacket};
use alloy_transport::{TransportError, TransportErrorKind, TransportFut};
use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};
use tower::Service;

/// A transport that hands the text of a request, or of a batch, to a function and reads the text of the answer, for
/// [`Endpoint::over`](crate::Endpoint::over): chains in the same process, and endpoints that tests make up.
pub struct TextTransport<F>(Arc<F>);

impl<F> TextTransport<F> {
    /// A transport over a function from JSON-RPC text to JSON-RPC text. What it fails with counts as an endpoint that
    /// cannot be reached.
    pub fn new<A>(answer: F) -> Self
    where
        F: Fn(String) -> A + Send + Sync + 'static,
        A: Future<Output = std::io::Result<String>> + Send + 'static,
    {
        Self(Arc::new(answer))
    }
}

impl<F> Clone for TextTransport<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F> fmt::Debug for TextTransport<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TextTransport").finish_non_exhaustive()
    }
}

impl<F, A> Service<RequestPacket> for TextTransport<F>
where
    F: Fn(String) -> A + Send + Sync + 'static,
    A: Future<Output = std::io::Result<String>> + Send + 'static,
{
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RequestPacket) -> TransportFut<'static> {
        let answer = Arc::clone(&self.0);
        Box::pin(async move {
            let text = request.serialize().map_err(TransportError::ser_err)?;
            let answer = answer(text.get().to_owned()).await.map_err(TransportErrorKind::custom)?;
            serde_json::from_str(&answer).map_err(|error| TransportError::deser_err(error, answer))
        })
    }
}
