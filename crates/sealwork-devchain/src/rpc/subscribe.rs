//! `eth_subscribe` over WebSocket: new heads, logs, and transactions that were taken. When blocks leave the chain,
//! their logs are told again as removed, and new heads follow from the branch on.

use super::{
    Context, Methods, convert,
    error::invalid,
    filters::{matching, removed},
    logs, txpool,
};
use crate::{node::Node, tip::News};
use alloy_primitives::B256;
use alloy_rpc_types_eth::{Filter, Log, Transaction};
use jsonrpsee::{
    PendingSubscriptionSink, SubscriptionSink,
    core::RegisterMethodError,
    server::SubscriptionMessage,
    types::{ErrorObjectOwned, Params},
};
use serde::Serialize;
use std::sync::{Arc, Weak};
use tokio::sync::broadcast::error::RecvError;

enum Kind {
    NewHeads,
    Logs(Box<Filter>),
    PendingTransactions { full: bool },
}

pub(super) fn register(methods: &mut Methods) -> Result<(), RegisterMethodError> {
    methods.module.register_subscription(
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
        "newPendingTransactions" => {
            Ok(Kind::PendingTransactions { full: params.optional_next()?.unwrap_or(false) })
        }
        other => Err(invalid(format!(
            "cannot subscribe to {other:?}; newHeads, logs and newPendingTransactions exist"
        ))),
    }
}

/// Sends news until the client leaves or falls so far behind that it would miss something.
async fn follow(kind: Kind, pending: PendingSubscriptionSink, context: Arc<Context>) {
    let mut news = context.node.tip().news();
    // Following must not keep a stopped chain open.
    let node = Arc::downgrade(&context.node);
    drop(context);
    let Ok(sink) = pending.accept().await else { return };
    loop {
        let news = tokio::select! {
            () = sink.closed() => return,
            news = news.recv() => news,
        };
        let sent = match news {
            Ok(news) => tell(&sink, &kind, &news, &node).await,
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

async fn tell(sink: &SubscriptionSink, kind: &Kind, news: &News, node: &Weak<Node>) -> Option<()> {
    match (kind, news) {
        (Kind::NewHeads, News::Added(block)) => send(sink, &convert::header(block)).await,
        (Kind::Logs(filter), News::Added(block)) => send_all(sink, matching(block, filter)).await,
        (Kind::Logs(filter), News::Removed(block)) => send_all(sink, removed(block, filter)).await,
        (Kind::PendingTransactions { full: false }, News::Arrived(hash)) => send(sink, hash).await,
        (Kind::PendingTransactions { full: true }, News::Arrived(hash)) => {
            let found = node.upgrade().and_then(|node| find_transaction(&node, *hash));
            match found {
                Some(transaction) => send(sink, &transaction).await,
                None => Some(()),
            }
        }
        (Kind::NewHeads | Kind::PendingTransactions { .. }, News::Removed(_))
        | (Kind::NewHeads | Kind::Logs(_), News::Arrived(_))
        | (Kind::PendingTransactions { .. }, News::Added(_)) => Some(()),
    }
}

/// A transaction that was just taken: it waits, or is mined already.
fn find_transaction(node: &Node, hash: B256) -> Option<Transaction> {
    if let Some(waiting) = node.chain().pool().find(hash) {
        return Some(txpool::transaction(waiting));
    }
    let (block, index) = node.storage.transaction(hash).ok().flatten()?;
    convert::transaction(&block, index)
}

async fn send_all(sink: &SubscriptionSink, logs: Vec<Log>) -> Option<()> {
    for log in logs {
        send(sink, &log).await?;
    }
    Some(())
}

async fn send(sink: &SubscriptionSink, item: &(impl Serialize + Sync)) -> Option<()> {
    let message = SubscriptionMessage::from(serde_json::value::to_raw_value(item).ok()?);
    sink.send(message).await.ok()
}
