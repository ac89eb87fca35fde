//! Transactions that wait for a block.

use crate::error::Rejection;
use alloy_consensus::{Transaction as _, TxEnvelope};
use alloy_primitives::{Address, B256};
use revm::context::result::InvalidTransaction;
use std::collections::{BTreeMap, BTreeSet};

/// Transactions that wait at most.
pub(crate) const POOL_LIMIT: usize = 4_096;
/// How far ahead of the account's next nonce a transaction may be.
pub(crate) const NONCE_WINDOW: u64 = 1_024;
/// Percent by which a replacement must pay more.
const REPLACEMENT_PERCENT: u128 = 10;

/// A transaction with its sender.
#[derive(Clone, Debug)]
pub(crate) struct PooledTransaction {
    pub(crate) envelope: TxEnvelope,
    pub(crate) sender: Address,
}

/// Transactions that wait for a block, by sender and nonce.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    senders: BTreeMap<Address, BTreeMap<u64, Waiting>>,
    length: usize,
    arrivals: u64,
}

#[derive(Clone, Debug)]
struct Waiting {
    transaction: PooledTransaction,
    arrival: u64,
}

/// A transaction whose turn it is, ordered by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn {
    arrival: u64,
    pub(crate) sender: Address,
    pub(crate) nonce: u64,
    pub(crate) gas_limit: u64,
}

impl PooledTransaction {
    pub(crate) fn hash(&self) -> B256 {
        *self.envelope.tx_hash()
    }
}

impl Pool {
    /// Takes a transaction. `next` is the sender's nonce on the chain.
    pub(crate) fn insert(&mut self, transaction: PooledTransaction, next: u64) -> Result<(), Rejection> {
        let nonce = transaction.envelope.nonce();
        if nonce < next {
            return Err(Rejection::Invalid(InvalidTransaction::NonceTooLow { tx: nonce, state: next }));
        }
        if nonce - next > NONCE_WINDOW {
            return Err(Rejection::Invalid(InvalidTransaction::NonceTooHigh { tx: nonce, state: next }));
        }
        let old = self.senders.get(&transaction.sender).and_then(|waiting| waiting.get(&nonce));
        match old {
            Some(old) if old.transaction.hash() == transaction.hash() => {
                return Err(Rejection::AlreadyKnown(transaction.hash()));
            }
            Some(old) => {
                let fee = old.transaction.envelope.max_fee_per_gas();
                let needed = fee.saturating_add(fee.div_ceil(100 / REPLACEMENT_PERCENT));
                if transaction.envelope.max_fee_per_gas() < needed {
                    return Err(Rejection::Underpriced { needed });
                }
            }
            None if self.length >= POOL_LIMIT => return Err(Rejection::PoolFull { limit: POOL_LIMIT }),
            None => self.length += 1,
        }
        self.arrivals += 1;
        let waiting = self.senders.entry(transaction.sender).or_default();
        waiting.insert(nonce, Waiting { transaction, arrival: self.arrivals });
        Ok(())
    }

    /// The transactions whose turn it is, the oldest first; `nonce` names each sender's next nonce. Forgets those
    /// whose nonce is used.
    pub(crate) fn turns(&mut self, nonce: &dyn Fn(Address) -> u64) -> BTreeSet<Turn> {
        let mut turns = BTreeSet::new();
        self.senders.retain(|sender, waiting| {
            let next = nonce(*sender);
            *waiting = waiting.split_off(&next);
            turns.extend(waiting.get(&next).map(|first| Turn::new(*sender, next, first)));
            !waiting.is_empty()
        });
        self.length = self.senders.values().map(BTreeMap::len).sum();
        turns
    }

    /// The turn of a sender's transaction, if it is here.
    pub(crate) fn turn(&self, sender: Address, nonce: u64) -> Option<Turn> {
        let waiting = self.senders.get(&sender)?.get(&nonce)?;
        Some(Turn::new(sender, nonce, waiting))
    }

    /// Takes out one transaction.
    pub(crate) fn take(&mut self, sender: Address, nonce: u64) -> Option<PooledTransaction> {
        let waiting = self.senders.get_mut(&sender)?;
        let found = waiting.remove(&nonce)?;
        self.length -= 1;
        if waiting.is_empty() {
            self.senders.remove(&sender);
        }
        Some(found.transaction)
    }

    /// The nonce after all of the sender's transactions that can be mined in a row.
    pub(crate) fn next_nonce(&self, sender: Address, on_chain: u64) -> u64 {
        let Some(waiting) = self.senders.get(&sender) else { return on_chain };
        let mut next = on_chain;
        while waiting.contains_key(&next) {
            next += 1;
        }
        next
    }

    /// A waiting transaction by its hash.
    pub(crate) fn find(&self, hash: B256) -> Option<&PooledTransaction> {
        let mut all = self.senders.values().flat_map(BTreeMap::values);
        all.find(|waiting| waiting.transaction.hash() == hash).map(|waiting| &waiting.transaction)
    }
}

impl Turn {
    fn new(sender: Address, nonce: u64, waiting: &Waiting) -> Self {
        Self { arrival: waiting.arrival, sender, nonce, gas_limit: waiting.transaction.envelope.gas_limit() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::{SignableTransaction as _, TxEip1559};
    use alloy_primitives::Signature;

    fn transaction(sender: u8, nonce: u64, fee: u128) -> PooledTransaction {
        let tx = TxEip1559 { nonce, max_fee_per_gas: fee, ..TxEip1559::default() };
        let envelope = tx.into_signed(Signature::test_signature()).into();
        PooledTransaction { envelope, sender: Address::repeat_byte(sender) }
    }

    #[test]
    fn takes_each_senders_nonces_in_order_and_the_oldest_first() {
        let mut pool = Pool::default();
        for (sender, nonce) in [(1, 1), (2, 0), (1, 0), (2, 1)] {
            pool.insert(transaction(sender, nonce, 10), 0).unwrap();
        }
        assert_eq!(pool.next_nonce(Address::repeat_byte(1), 0), 2);
        let mut turns = pool.turns(&|_| 0);
        let mut order = Vec::new();
        while let Some(turn) = turns.pop_first() {
            pool.take(turn.sender, turn.nonce).unwrap();
            order.push((turn.sender.0[0], turn.nonce));
            turns.extend(pool.turn(turn.sender, turn.nonce + 1));
        }
        assert_eq!(order, [(2, 0), (1, 0), (1, 1), (2, 1)]);
        assert_eq!(pool.length, 0);
    }

    #[test]
    fn forgets_used_nonces() {
        let mut pool = Pool::default();
        for nonce in 0..3 {
            pool.insert(transaction(1, nonce, 10), 0).unwrap();
        }
        assert_eq!(pool.turns(&|_| 2).len(), 1);
        assert_eq!(pool.length, 1);
        assert!(pool.turns(&|_| 3).is_empty());
        assert_eq!(pool.length, 0);
    }

    #[test]
    fn replaces_only_for_a_tenth_more() {
        let mut pool = Pool::default();
        pool.insert(transaction(1, 0, 100), 0).unwrap();
        assert!(matches!(pool.insert(transaction(1, 0, 100), 0), Err(Rejection::AlreadyKnown(_))));
        assert!(matches!(
            pool.insert(transaction(1, 0, 109), 0),
            Err(Rejection::Underpriced { needed: 110 })
        ));
        pool.insert(transaction(1, 0, 110), 0).unwrap();
        assert_eq!(pool.length, 1);
    }

    #[test]
    fn refuses_nonces_outside_the_window_and_more_than_the_limit() {
        let mut pool = Pool::default();
        assert!(pool.insert(transaction(1, 4, 10), 5).is_err());
        assert!(pool.insert(transaction(1, 6 + NONCE_WINDOW, 10), 5).is_err());
        for number in 0..u64::try_from(POOL_LIMIT).unwrap() {
            let sender = u8::try_from(number / NONCE_WINDOW).unwrap();
            pool.insert(transaction(sender, number % NONCE_WINDOW, 10), 0).unwrap();
        }
        assert!(matches!(pool.insert(transaction(99, 0, 10), 0), Err(Rejection::PoolFull { .. })));
    }
}
