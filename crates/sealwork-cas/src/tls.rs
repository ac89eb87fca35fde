//! The enclaves' side of a member: attested TLS.

use crate::{
    CasError, Member,
    denial::with_causes,
    session::Session,
    stream::{BoundedListener, read_message, write_message},
};
use sealwork_ratls::{exporter, peer_spki, server_config};
use sealwork_types::enclave_wire::FrameError;
use std::{future::Future, io, pin::pin, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::watch,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

/// Serves enclaves until `shutdown`, then lets running requests finish for the configured grace.
///
/// # Errors
/// [`CasError::Tls`] before the first connection. Nothing that a peer does ends the server.
pub async fn serve_tls(
    member: Arc<Member>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), CasError> {
    let acceptor = TlsAcceptor::from(server_config(member.identity())?);
    let listener = BoundedListener::new(listener, &member.serve, member.serve.lifetime);
    let (stop, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            (stream, peer) = listener.next() => {
                let connection = serve_until(Arc::clone(&member), acceptor.clone(), stream, stopped.clone());
                connections.spawn(async move {
                    if let Err(error) = Box::pin(connection).await {
                        tracing::debug!(%peer, error = %with_causes(&error), "enclave connection ended");
                    }
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
    stop.send_replace(true);
    let finished =
        timeout(member.serve.grace, async { while connections.join_next().await.is_some() {} }).await;
    if finished.is_err() {
        tracing::warn!(connections = connections.len(), "ended connections that did not finish in time");
    }
    Ok(())
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// No TLS session.
    #[error("TLS handshake failed")]
    Handshake(#[source] io::Error),
    /// No message, or the connection broke.
    #[error("frame failed")]
    Frame(#[from] FrameError),
    /// Not the peer's doing.
    #[error("this member cannot serve")]
    Member(#[from] CasError),
}

/// Serves one enclave over a connection of any kind until either side ends it. Dropping it closes the connection.
///
/// # Errors
/// [`ConnectionError`] when the peer or this member broke it.
pub async fn serve_connection(
    member: Arc<Member>,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin,
) -> Result<(), ConnectionError> {
    let acceptor = TlsAcceptor::from(server_config(member.identity()).map_err(CasError::from)?);
    let (_running, stopped) = watch::channel(false);
    serve_until(member, acceptor, stream, stopped).await
}

async fn serve_until(
    member: Arc<Member>,
    acceptor: TlsAcceptor,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), ConnectionError> {
    let limits = member.serve;
    let handshake = timeout(limits.message, acceptor.accept(stream)).await;
    let mut tls = handshake
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        .map_err(ConnectionError::Handshake)?;
    let (_, connection) = tls.get_ref();
    let tls_key = peer_spki(connection).map_err(CasError::from)?;
    let exporter = exporter(connection).map_err(CasError::from)?;
    let mut session = Session::new(member, tls_key, exporter);
    while !session.has_ended() {
        let patience = if session.is_proven() { limits.idle } else { limits.message };
        let message = tokio::select! {
            message = read_message(&mut tls, patience, limits.message) => message,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        let answer = match message {
            Ok(message) => session.answer(message).await?,
            Err(FrameError::Malformed | FrameError::TooLarge { .. }) => session.malformed(),
            Err(FrameError::Closed) => break,
            Err(error) => return Err(error.into()),
        };
        write_message(&mut tls, &answer, limits.message).await?;
    }
    // The peer may be gone already, which is fine at the end.
    let _ = timeout(limits.message, tls.shutdown()).await;
    Ok(())
}
