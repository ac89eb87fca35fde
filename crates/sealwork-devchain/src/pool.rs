//! Transactions that wait for a block: for their sender's earlier ones, for a lower base fee, or because blocks are
//! made on request.

use crate::error::Rejection;
use alloy_consensus::{Transaction as _, TxEnvelope, transaction::SignerRecoverable as _};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, B256, map::B256HashMap};
use revm::context::result::InvalidTransaction;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// Transactions that wait at most.
pub(crate) const POOL_LIMIT: usize = 65_536;
/// Transactions of one sender that wait at most, and how far ahead of the next nonce one may be.
pub(crate) const SENDER_LIMIT: u64 = 16_384;
/// Bytes of all transactions that wait at most.
const POOL_BYTES: usize = 128 << 20;
/// Bytes of one transaction at most, as in go-ethereum.
pub(crate) const TRANSACTION_BYTES: usize = 128 << 10;
/// Percent by which a replacement must pay more, as in go-ethereum.
const REPLACEMENT_PERCENT: u128 = 10;

/// A transaction with its sender.
#[derive(Clone, Debug)]
pub(crate) struct PooledTransaction {
    pub(crate) envelope: TxEnvelope,
    pub(crate) sender: Address,
    /// Sent in the name of an account without its key; rules that protect from that do not hold.
    pub(crate) impersonated: bool,
}

/// Transactions that wait for a block, by sender and nonce.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    senders: BTreeMap<Address, BTreeMap<u64, Waiting>>,
    hashes: B256HashMap<(Address, u64)>,
    bytes: usize,
    arrivals: u64,
}

#[derive(Clone, Debug)]
struct Waiting {
    transaction: PooledTransaction,
    arrival: u64,
    bytes: usize,
}

/// A transaction whose turn it is; the smallest is the best paid, then the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn {
    tip: Reverse<u128>,
    arrival: u64,
    pub(crate) sender: Address,
    pub(crate) nonce: u64,
    pub(crate) gas_limit: u64,
}

impl PooledTransaction {
    /// Finds out who signed. Costs more than everything else about a transaction, so nobody should hold a lock.
    pub(crate) fn recover(envelope: TxEnvelope) -> Result<Self, Rejection> {
        let sender = envelope.recover_signer().map_err(|_| Rejection::Signature)?;
        Ok(Self { envelope, sender, impersonated: false })
    }

    pub(crate) fn hash(&self) -> B256 {
        *self.envelope.tx_hash()
    }

    pub(crate) fn nonce(&self) -> u64 {
        self.envelope.nonce()
    }
}

impl Pool {
    /// Takes a transaction. `next` is the sender's nonce on the chain. Gives back the hash of the transaction that had
    /// to leave for it, if one had.
    pub(crate) fn insert(
        &mut self,
        transaction: PooledTransaction,
        next: u64,
    ) -> Result<Option<B256>, Rejection> {
        let (hash, sender, nonce) = (transaction.hash(), transaction.sender, transaction.nonce());
        if self.hashes.contains_key(&hash) {
            return Err(Rejection::AlreadyKnown(hash));
        }
        if nonce < next {
            return Err(Rejection::Invalid(InvalidTransaction::NonceTooLow { tx: nonce, state: next }));
        }
        if nonce - next >= SENDER_LIMIT {
            return Err(Rejection::Invalid(InvalidTransaction::NonceTooHigh { tx: nonce, state: next }));
        }
        let bytes = transaction.envelope.encode_2718_len();
        let old = self.senders.get(&sender).and_then(|waiting| waiting.get(&nonce));
        let left = match old {
            Some(old) => {
                old.transaction.check_replacement(&transaction)?;
                let left = old.transaction.hash();
                self.take(sender, nonce);
                Some(left)
            }
            None => self.make_room(&transaction, bytes)?,
        };
        self.arrivals += 1;
        self.bytes += bytes;
        self.hashes.insert(hash, (sender, nonce));
        let waiting = self.senders.entry(sender).or_default();
        waiting.insert(nonce, Waiting { transaction, arrival: self.arrivals, bytes });
        Ok(left)
    }

    /// When the pool is full, the worst paid transaction leaves for a better paid one. Only the last of a sender can
    /// leave, so that no gap opens.
    fn make_room(&mut self, newcomer: &PooledTransaction, bytes: usize) -> Result<Option<B256>, Rejection> {
        if self.length() < POOL_LIMIT && self.bytes.saturating_add(bytes) <= POOL_BYTES {
            return Ok(None);
        }
        let lasts = self.senders.iter().filter_map(|(sender, waiting)| {
            let (nonce, last) = waiting.last_key_value()?;
            Some((last.transaction.envelope.max_fee_per_gas(), Reverse(last.arrival), *sender, *nonce))
        });
        let worst = lasts.min().filter(|worst| worst.2 != newcomer.sender);
        let Some((fee, _, sender, nonce)) = worst else {
            return Err(Rejection::PoolFull { limit: POOL_LIMIT });
        };
        if newcomer.envelope.max_fee_per_gas() <= fee {
            return Err(Rejection::PoolFull { limit: POOL_LIMIT });
        }
        Ok(self.take(sender, nonce).map(|left| left.hash()))
    }

    /// The transactions whose turn it is in a block with this base fee; `nonce` names each sender's next nonce.
    /// Forgets those whose nonce is used.
    pub(crate) fn turns(&mut self, base_fee: u64, nonce: &dyn Fn(Address) -> u64) -> BTreeSet<Turn> {
        let mut used = Vec::new();
        for (sender, waiting) in &self.senders {
            used.extend(waiting.range(..nonce(*sender)).map(|(nonce, _)| (*sender, *nonce)));
        }
        for (sender, nonce) in used {
            self.take(sender, nonce);
        }
        self.ready(base_fee, nonce)
    }

    /// The same without forgetting anything.
    pub(crate) fn ready(&self, base_fee: u64, nonce: &dyn Fn(Address) -> u64) -> BTreeSet<Turn> {
        let first = |(sender, waiting): (&Address, &BTreeMap<u64, Waiting>)| {
            waiting.get(&nonce(*sender))?.turn(base_fee)
        };
        self.senders.iter().filter_map(first).collect()
    }

    /// One waiting transaction.
    pub(crate) fn get(&self, sender: Address, nonce: u64) -> Option<&PooledTransaction> {
        Some(&self.senders.get(&sender)?.get(&nonce)?.transaction)
    }

    /// The turn of a sender's transaction, if it is here and offers the base fee.
    pub(crate) fn turn(&self, sender: Address, nonce: u64, base_fee: u64) -> Option<Turn> {
        self.senders.get(&sender)?.get(&nonce)?.turn(base_fee)
    }

    /// Takes out one transaction.
    pub(crate) fn take(&mut self, sender: Address, nonce: u64) -> Option<PooledTransaction> {
        let waiting = self.senders.get_mut(&sender)?;
        let found = waiting.remove(&nonce)?;
        if waiting.is_empty() {
            self.senders.remove(&sender);
        }
        self.bytes -= found.bytes;
        self.hashes.remove(&found.transaction.hash());
        Some(found.transaction)
    }

    /// Takes out a transaction by its hash.
    pub(crate) fn remove(&mut self, hash: B256) -> Option<PooledTransaction> {
        let (sender, nonce) = self.hashes.get(&hash).copied()?;
        self.take(sender, nonce)
    }

    /// Takes out all transactions of a sender.
    pub(crate) fn remove_sender(&mut self, sender: Address) {
        let nonces: Vec<_> =
            self.senders.get(&sender).into_iter().flat_map(BTreeMap::keys).copied().collect();
        for nonce in nonces {
            self.take(sender, nonce);
        }
    }

    /// The nonce after all of the sender's transactions that can be mined in a row.
    pub(crate) fn next_nonce(&self, sender: Address, on_chain: u64) -> u64 {
        let Some(waiting) = self.senders.get(&sender) else { return on_chain };
        let in_a_row =
            (on_chain..).zip(waiting.range(on_chain..)).take_while(|(wanted, (nonce, _))| wanted == *nonce);
        in_a_row.last().map_or(on_chain, |(nonce, _)| nonce.saturating_add(1))
    }

    /// Whether a transaction with this nonce waits.
    pub(crate) fn waits(&self, sender: Address, nonce: u64) -> bool {
        self.senders.get(&sender).is_some_and(|waiting| waiting.contains_key(&nonce))
    }

    /// A waiting transaction by its hash.
    pub(crate) fn find(&self, hash: B256) -> Option<&PooledTransaction> {
        let (sender, nonce) = self.hashes.get(&hash)?;
        Some(&self.senders.get(sender)?.get(nonce)?.transaction)
    }

    /// All transactions, by sender and nonce.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &PooledTransaction> {
        self.senders.values().flat_map(BTreeMap::values).map(|waiting| &waiting.transaction)
    }

    /// How many wait.
    pub(crate) fn length(&self) -> usize {
        self.hashes.len()
    }
}

impl PooledTransaction {
    /// A replacement must raise both fees, by a tenth at least.
    fn check_replacement(&self, new: &Self) -> Result<(), Rejection> {
        let raised = |fee: u128| {
            fee.saturating_add(fee.div_ceil(100 / REPLACEMENT_PERCENT)).max(fee.saturating_add(1))
        };
        let needed_fee = raised(self.envelope.max_fee_per_gas());
        let needed_tip = raised(priority_fee(&self.envelope));
        if new.envelope.max_fee_per_gas() < needed_fee || priority_fee(&new.envelope) < needed_tip {
            return Err(Rejection::Underpriced { needed_fee, needed_tip });
        }
        Ok(())
    }
}

impl Waiting {
    /// `None` when it does not offer the base fee.
    fn turn(&self, base_fee: u64) -> Option<Turn> {
        let envelope = &self.transaction.envelope;
        let tip = envelope.effective_tip_per_gas(base_fee)?;
        Some(Turn {
            tip: Reverse(tip),
            arrival: self.arrival,
            sender: self.transaction.sender,
            nonce: envelope.nonce(),
            gas_limit: envelope.gas_limit(),
        })
    }
}

/// What a transaction offers beyond the base fee; without a limit of its own, all it offers.
fn priority_fee(envelope: &TxEnvelope) -> u128 {
    envelope.max_priority_fee_per_gas().unwrap_or_else(|| envelope.max_fee_per_gas())
}

#[cfg(test)]
mod tests;
