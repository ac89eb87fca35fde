//! `eth_subscribe` over WebSocket: new heads and logs.

use super::{Context, Methods, convert, error::invalid, filters::matching, logs};
use crate::block::Block;
use alloy_rpc_types_eth::Filter;
use jsonrpsee::{
    PendingSubscriptionSink, SubscriptionSink,
    core::RegisterMethodError,
    server::SubscriptionMessage,
    types::{ErrorObjectOwned, Params},
};
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;

enum Kind {
    NewHeads,
    Logs(Box<Filter>),
}

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.0.register_subscription(
        "eth_subscribe",
        "eth_subscription",
        "eth_unsubscribe",
        |params, pending, context, _| async move {
            match kind(&params) {
                Ok(kind) => follow(kind, pending, context).await,
                Err(error) => pending.reject(error).await,
            }
        },
    )?;
    Ok(())
}

fn kind(params: &Params<'_>) -> Result<Kind, ErrorObjectOwned> {
    let mut params = params.sequence();
    match params.next::<&str>()? {
        "newHeads" => Ok(Kind::NewHeads),
        "logs" => {
            let filter: Filter = params.optional_next()?.unwrap_or_default();
            logs::check(&filter)?;
            Ok(Kind::Logs(Box::new(filter)))
        }
        other => Err(invalid(format!("cannot subscribe to {other:?}; newHeads and logs exist"))),
    }
}

/// Sends news until the client leaves or falls so far behind that it would miss something.
async fn follow(kind: Kind, pending: PendingSubscriptionSink, context: Arc<Context>) {
    let mut news = context.node.news();
    drop(context);
    let Ok(sink) = pending.accept().await else { return };
    loop {
        let block = tokio::select! {
            () = sink.closed() => return,
            block = news.recv() => block,
        };
        let sent = match block {
            Ok(block) => tell(&sink, &kind, &block).await,
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "a subscriber was too slow and is cut off");
                None
            }
            Err(RecvError::Closed) => None,
        };
        if sent.is_none() {
            return;
        }
    }
}

async fn tell(sink: &SubscriptionSink, kind: &Kind, block: &Block) -> Option<()> {
    match kind {
        Kind::NewHeads => send(sink, &convert::header(block)).await,
        Kind::Logs(filter) => {
            for log in matching(block, filter) {
                send(sink, &log).await?;
            }
            Some(())
        }
    }
}

async fn send(sink: &SubscriptionSink, item: &(impl Serialize + Sync)) -> Option<()> {
    let message = SubscriptionMessage::from(serde_json::value::to_raw_value(item).ok()?);
    sink.send(message).await.ok()
}
