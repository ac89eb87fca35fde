//! From mined blocks to the JSON that clients read.

use crate::block::Block;
use alloy_consensus::{BlockBody, TxEnvelope, transaction::Recovered};
use alloy_eips::eip4895::Withdrawals;
use alloy_primitives::U256;
use alloy_rlp::Encodable;
use alloy_rpc_types_eth as rpc;

pub(super) fn header(block: &Block) -> rpc::Header {
    rpc::Header {
        hash: block.hash,
        inner: block.header.clone(),
        total_difficulty: Some(U256::ZERO),
        size: Some(U256::from(whole(block).length())),
    }
}

/// The block as it would travel between Ethereum nodes.
pub(super) fn whole(block: &Block) -> alloy_consensus::Block<&TxEnvelope> {
    let body = BlockBody {
        transactions: block.transactions.iter().map(|mined| &mined.envelope).collect(),
        ommers: Vec::new(),
        withdrawals: Some(Withdrawals::default()),
    };
    alloy_consensus::Block::new(block.header.clone(), body)
}

pub(super) fn block(block: &Block, full: bool) -> rpc::Block {
    let transactions = if full {
        let all = 0..block.transactions.len();
        rpc::BlockTransactions::Full(all.filter_map(|index| transaction(block, index)).collect())
    } else {
        rpc::BlockTransactions::Hashes(block.transactions.iter().map(|mined| mined.hash()).collect())
    };
    rpc::Block {
        header: header(block),
        uncles: Vec::new(),
        transactions,
        withdrawals: Some(Withdrawals::default()),
    }
}

pub(super) fn transaction(block: &Block, index: usize) -> Option<rpc::Transaction> {
    let mined = block.transactions.get(index)?;
    Some(rpc::Transaction {
        inner: Recovered::new_unchecked(mined.envelope.clone(), mined.sender),
        block_hash: Some(block.hash),
        block_number: Some(block.number()),
        transaction_index: u64::try_from(index).ok(),
        effective_gas_price: Some(mined.effective_gas_price),
        block_timestamp: Some(block.header.timestamp),
    })
}

pub(super) fn receipt(block: &Block, index: usize) -> Option<rpc::TransactionReceipt> {
    let mined = block.transactions.get(index)?;
    let mut logs = logs_of(block, index).into_iter();
    let inner = mined
        .receipt
        .clone()
        .map_logs(|log| logs.next().unwrap_or(rpc::Log { inner: log, ..rpc::Log::default() }));
    Some(rpc::TransactionReceipt {
        inner,
        transaction_hash: mined.hash(),
        transaction_index: u64::try_from(index).ok(),
        block_hash: Some(block.hash),
        block_number: Some(block.number()),
        gas_used: mined.gas_used,
        effective_gas_price: mined.effective_gas_price,
        blob_gas_used: None,
        blob_gas_price: None,
        from: mined.sender,
        to: alloy_consensus::Transaction::to(&mined.envelope),
        contract_address: mined.contract,
    })
}

/// The logs of one transaction.
pub(super) fn logs_of(block: &Block, index: usize) -> Vec<rpc::Log> {
    let before = block.transactions.iter().take(index).map(|mined| mined.receipt.logs().len()).sum();
    transaction_logs(block, index, before).collect()
}

pub(super) fn receipts(block: &Block) -> Vec<rpc::TransactionReceipt> {
    (0..block.transactions.len()).filter_map(|index| receipt(block, index)).collect()
}

/// All logs of a block in order.
pub(super) fn logs(block: &Block) -> impl Iterator<Item = rpc::Log> + '_ {
    let mut before = 0usize;
    block.transactions.iter().enumerate().flat_map(move |(index, mined)| {
        let logs = transaction_logs(block, index, before);
        before += mined.receipt.logs().len();
        logs
    })
}

fn transaction_logs(block: &Block, index: usize, before: usize) -> impl Iterator<Item = rpc::Log> + '_ {
    let mined = block.transactions.get(index);
    let logs = mined.into_iter().flat_map(|mined| mined.receipt.logs().iter().map(|log| (mined.hash(), log)));
    logs.enumerate().map(move |(position, (transaction_hash, log))| rpc::Log {
        inner: log.clone(),
        block_hash: Some(block.hash),
        block_number: Some(block.number()),
        block_timestamp: Some(block.header.timestamp),
        transaction_hash: Some(transaction_hash),
        transaction_index: u64::try_from(index).ok(),
        log_index: u64::try_from(before + position).ok(),
        removed: false,
    })
}
