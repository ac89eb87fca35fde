//! Mined blocks once more: each transaction on the state it found.

use super::{Context, Reply, error::server};
use crate::{
    block::{Block, MinedTransaction},
    chain::{begin_block, outcome},
    evm::{block_env, tx_env},
    sandbox::Sandbox,
};
use alloy_eips::{BlockId, BlockNumberOrTag};
use revm::context::TxEnv;

/// A mined block that runs once more.
#[derive(Debug)]
pub(super) struct Replay<'a> {
    block: &'a Block,
    sandbox: Sandbox,
    done: usize,
}

impl<'a> Replay<'a> {
    /// Stands before the first transaction of a block, whose parent's state must still be kept.
    pub(super) fn new(context: &Context, block: &'a Block) -> Reply<Self> {
        let parent = BlockNumberOrTag::Number(block.number().saturating_sub(1));
        let (mut view, _) = context.node.at(BlockId::Number(parent))?;
        begin_block(&mut view.state, &block.header);
        let sandbox = Sandbox::new(context.node.chain_id, view, block_env(&block.header));
        Ok(Self { block, sandbox, done: 0 })
    }

    /// Stands before transaction `index`.
    pub(super) fn at(context: &Context, block: &'a Block, index: usize) -> Reply<Self> {
        let mut replay = Self::new(context, block)?;
        while replay.done < index {
            let Some(next) = replay.next() else {
                return Err(server(format!("block {} has no transaction {index}", block.number())));
            };
            let changes = outcome(replay.sandbox.run(next.mined.rules(), next.env))?.state;
            replay.apply(changes);
        }
        Ok(replay)
    }

    /// The next transaction.
    pub(super) fn next(&self) -> Option<Next<'a>> {
        let mined = self.block.transactions.get(self.done)?;
        Some(Next { index: self.done, mined, env: tx_env(&mined.envelope, mined.sender) })
    }

    /// The state before the next transaction, with the block around it.
    pub(super) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    pub(super) fn into_sandbox(self) -> Sandbox {
        self.sandbox
    }

    /// Goes on to the transaction after the next with what the next one changed.
    pub(super) fn apply(&mut self, changes: revm::state::EvmState) {
        self.sandbox.view.state.apply(changes);
        self.done += 1;
    }
}

/// A transaction whose turn it is.
#[derive(Debug)]
pub(super) struct Next<'a> {
    pub(super) index: usize,
    pub(super) mined: &'a MinedTransaction,
    pub(super) env: TxEnv,
}
