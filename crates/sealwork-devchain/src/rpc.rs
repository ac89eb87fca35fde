//! JSON-RPC: one module per name space, and what they share.

mod access_list;
mod blocks;
mod call;
mod convert;
mod debug;
mod edit;
mod error;
mod estimate;
mod evm;
mod fees;
mod filters;
mod http;
mod logs;
mod number;
mod overrides;
mod parity;
mod proof;
mod reorg;
mod replay;
mod send;
mod server;
mod sign;
mod simulate;
mod state;
mod subscribe;
mod trace_budget;
mod transactions;
mod turns;
mod txpool;
mod web3;

use crate::{metrics::Metrics, node::Node, sandbox::Sandbox};
use alloy_eips::BlockId;
use filters::Filters;
use jsonrpsee::{
    RpcModule,
    core::RegisterMethodError,
    types::{ErrorObjectOwned, Params, params::ParamsSequence},
};
use serde::Serialize;
use std::sync::Arc;
use turns::Turns;

pub(crate) use server::serve;
pub(crate) use txpool::split_pool;

/// What every method can reach.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) node: Arc<Node>,
    pub(crate) filters: Filters,
    tracing: Turns,
    /// Whether everything runs where it was asked for, without threads.
    inline: bool,
}

impl Context {
    /// State and surroundings for calls at a block.
    fn sandbox(&self, block: BlockId) -> Reply<Sandbox> {
        let (view, env) = self.node.at(block)?;
        Ok(Sandbox::new(self.node.chain_id, view, env))
    }
}

type Reply<R> = Result<R, ErrorObjectOwned>;

/// The method table while it is filled.
struct Methods {
    module: RpcModule<Context>,
    metrics: Arc<Metrics>,
    inline: bool,
}

impl Methods {
    /// Adds a method that may take a while; it runs on a thread of its own, if there may be threads.
    fn add<R: Serialize + Clone + 'static>(
        &mut self,
        name: &'static str,
        answer: fn(&Context, &mut ParamsSequence<'_>) -> Reply<R>,
    ) -> Result<(), RegisterMethodError> {
        if self.inline {
            return self.add_quick(name, answer);
        }
        let calls = self.metrics.calls(name);
        self.module.register_blocking_method(name, move |params, context, _| {
            let reply = answer(&context, &mut params.sequence());
            calls.count(reply.is_ok());
            reply
        })?;
        Ok(())
    }

    /// Adds a method that answers from memory at once.
    fn add_quick<R: Serialize + Clone + 'static>(
        &mut self,
        name: &'static str,
        answer: fn(&Context, &mut ParamsSequence<'_>) -> Reply<R>,
    ) -> Result<(), RegisterMethodError> {
        let calls = self.metrics.calls(name);
        self.module.register_method(name, move |params, context, _| {
            let reply = answer(context, &mut params.sequence());
            calls.count(reply.is_ok());
            reply
        })?;
        Ok(())
    }

    /// Adds a method that waits for others without a thread of its own.
    fn add_async<R, F>(
        &mut self,
        name: &'static str,
        answer: fn(Arc<Context>, Params<'static>) -> F,
    ) -> Result<(), RegisterMethodError>
    where
        R: Serialize + Clone + 'static,
        F: Future<Output = Reply<R>> + Send + 'static,
    {
        let calls = self.metrics.calls(name);
        self.module.register_async_method(name, move |params, context, _| {
            let calls = Arc::clone(&calls);
            async move {
                let reply = answer(context, params).await;
                calls.count(reply.is_ok());
                reply
            }
        })?;
        Ok(())
    }

    fn alias(&mut self, name: &'static str, of: &'static str) -> Result<(), RegisterMethodError> {
        self.module.register_alias(name, of)
    }
}

/// All methods; `inline` ones run where they are called, without threads.
pub(crate) fn methods(node: Arc<Node>, inline: bool) -> Result<RpcModule<Context>, RegisterMethodError> {
    let metrics = Arc::clone(&node.metrics);
    let context = Context { node, filters: Filters::default(), tracing: Turns::default(), inline };
    let mut methods = Methods { module: RpcModule::new(context), metrics, inline };
    web3::register(&mut methods)?;
    state::register(&mut methods)?;
    blocks::register(&mut methods)?;
    transactions::register(&mut methods)?;
    fees::register(&mut methods)?;
    call::register(&mut methods)?;
    proof::register(&mut methods)?;
    simulate::register(&mut methods)?;
    send::register(&mut methods)?;
    sign::register(&mut methods)?;
    debug::register(&mut methods)?;
    parity::register(&mut methods)?;
    logs::register(&mut methods)?;
    filters::register(&mut methods)?;
    subscribe::register(&mut methods)?;
    evm::register(&mut methods)?;
    edit::register(&mut methods)?;
    reorg::register(&mut methods)?;
    txpool::register(&mut methods)?;
    web3::register_modules(&mut methods)?;
    Ok(methods.module)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, chain::Chain};

    /// `methods.txt` is what users and the hostile tests read.
    #[test]
    fn every_method_is_listed() {
        let metrics = Arc::new(Metrics::default());
        let chain = Chain::open(&Config::default(), true, 0, Arc::clone(&metrics)).unwrap();
        let node = Arc::new(Node::new(31_337, chain, Vec::new(), metrics, None, crate::Clock::default()));
        let methods = methods(node, false).unwrap();
        let mut found: Vec<_> = methods.method_names().collect();
        found.sort_unstable();
        let listed: Vec<_> = include_str!("../methods.txt").lines().collect();
        assert_eq!(found, listed, "write these names to methods.txt");
    }
}
