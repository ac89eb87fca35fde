//! The server: HTTP and WebSocket on one port, everything bounded.

use super::{http::Surroundings, methods};
use crate::{error::DevchainError, node::Node};
use jsonrpsee::{
    core::traits::IdProvider,
    server::{BatchRequestConfig, Server, ServerConfig, ServerHandle},
    types::SubscriptionId,
};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Largest request in bytes; the largest transaction the rules allow is below 1 MiB in hexadecimal.
const REQUEST_BYTES: u32 = 8 << 20;
/// Largest answer in bytes.
const ANSWER_BYTES: u32 = 64 << 20;
/// Requests in one batch.
const BATCH_LENGTH: u32 = 1_000;
/// Open connections.
const CONNECTIONS: u32 = 512;
/// Subscriptions of one connection.
const SUBSCRIPTIONS: u32 = 64;

/// Starts serving; returns the address, with the port that was taken.
pub(crate) async fn serve(
    node: Arc<Node>,
    address: SocketAddr,
) -> Result<(SocketAddr, ServerHandle), DevchainError> {
    let listen = |source| DevchainError::Listen { address, source };
    let surroundings = tower::ServiceBuilder::new().layer(Surroundings(Arc::clone(&node)));
    let methods = methods(node, false).map_err(|source| DevchainError::Methods { source })?;
    let config = ServerConfig::builder()
        .max_request_body_size(REQUEST_BYTES)
        .max_response_body_size(ANSWER_BYTES)
        .set_batch_request_config(BatchRequestConfig::Limit(BATCH_LENGTH))
        .max_connections(CONNECTIONS)
        .max_subscriptions_per_connection(SUBSCRIPTIONS)
        .set_id_provider(HexIds::default())
        .build();
    let server = Server::builder()
        .set_config(config)
        .set_http_middleware(surroundings)
        .build(address)
        .await
        .map_err(listen)?;
    let bound = server.local_addr().map_err(listen)?;
    Ok((bound, server.start(methods)))
}

/// Subscription ids as Ethereum clients expect them: hexadecimal quantities.
#[derive(Debug, Default)]
struct HexIds(AtomicU64);

impl IdProvider for HexIds {
    fn next_id(&self) -> SubscriptionId<'static> {
        let id = self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        SubscriptionId::Str(format!("{id:#x}").into())
    }
}
