//! The chain in process, without network and threads: every request runs where it is made, so that a program with one
//! thread and a clock of its own sees the same chain every time.

use crate::{Clock, DevchainError, node::Node, rpc::methods};
use jsonrpsee::{
    Methods,
    types::{ErrorCode, ErrorObject},
};
use serde_json::{json, value::RawValue};
use std::sync::Arc;

/// A chain that answers JSON-RPC in process.
///
/// Has the methods of the served chain, except that nobody can subscribe: there is no connection to tell news on.
/// Nothing but the requests and [`Config::clock`](crate::Config::clock) decides what it answers.
#[derive(Clone, Debug)]
pub struct LocalChain {
    node: Arc<Node>,
    methods: Methods,
}

impl LocalChain {
    pub(crate) fn new(node: Arc<Node>) -> Result<Self, DevchainError> {
        let table = methods(Arc::clone(&node), true);
        let mut methods = table.map_err(|source| DevchainError::Methods { source })?;
        for name in ["eth_subscribe", "eth_unsubscribe"] {
            methods.remove_method(name);
        }
        Ok(Self { node, methods: methods.into() })
    }

    /// Answers one JSON-RPC request, or a batch of them in order.
    pub async fn request(&self, json: &str) -> String {
        if json.trim_start().starts_with('[') {
            let Ok(batch) = serde_json::from_str::<Vec<&RawValue>>(json) else { return unreadable() };
            let mut answers = Vec::new();
            for request in batch {
                answers.push(self.one(request.get()).await);
            }
            return format!("[{}]", answers.join(","));
        }
        self.one(json).await
    }

    async fn one(&self, json: &str) -> String {
        match self.methods.raw_json_request(json, 1).await {
            Ok((answer, _)) => answer.get().to_owned(),
            Err(_) => unreadable(),
        }
    }

    /// A second chain with the same past that goes its own way from here, with a clock of its own. Costs little: blocks
    /// and states are shared.
    ///
    /// # Errors
    /// [`DevchainError::Storage`] when the chain is kept in a file.
    pub fn fork(&self, clock: Clock) -> Result<Self, DevchainError> {
        let metrics = Arc::default();
        let chain = self.node.chain().fork(Arc::clone(&metrics));
        let chain = chain.map_err(|source| DevchainError::Storage { path: None, source })?;
        let signers = self.node.accounts.iter().filter_map(|address| self.node.signers.get(address).cloned());
        let node = Node::new(self.node.chain_id, chain, signers.collect(), metrics, None, clock);
        Self::new(Arc::new(node))
    }
}

fn unreadable() -> String {
    let error = ErrorObject::from(ErrorCode::ParseError);
    json!({ "jsonrpc": "2.0", "id": null, "error": error }).to_string()
}
