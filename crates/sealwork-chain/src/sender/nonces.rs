//! The nonces of one account: which come next, and what was sent with the last ones, in case nodes forget it.

use super::fees::Fees;
use alloy_primitives::B256;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::time::Instant;

/// Sent transactions that are kept to be sent again.
const KEPT: u64 = 256;

/// One account in this process: everybody who sends for it shares this.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// Whoever holds it takes the next nonce and broadcasts.
    pub(crate) turn: tokio::sync::Mutex<()>,
    nonces: Mutex<Nonces>,
}

impl Account {
    /// Not to be held while something is awaited.
    pub(crate) fn nonces(&self) -> MutexGuard<'_, Nonces> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The nonces of one account.
#[derive(Debug, Default)]
pub(crate) struct Nonces {
    /// What an earlier life of this process left behind was looked at.
    pub(crate) recovered: bool,
    /// The next one, as far as this process knows.
    pub(crate) next: Option<u64>,
    kept: BTreeMap<u64, Sent>,
}

/// The newest version of what was sent with a nonce.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) raw: Vec<u8>,
    pub(crate) hash: B256,
    pub(crate) fees: Fees,
    pub(crate) broadcast: Instant,
    /// Somebody waits for it, and will replace it.
    pub(crate) waited: bool,
}

impl Nonces {
    /// A transaction was sent with the next nonce, or replaces what was sent with an earlier one.
    pub(crate) fn keep(&mut self, nonce: u64, sent: Sent) {
        self.kept.insert(nonce, sent);
        self.next = self.next.max(Some(nonce.saturating_add(1)));
        let newest = self.kept.last_key_value().map_or(0, |(nonce, _)| *nonce);
        self.kept = self.kept.split_off(&newest.saturating_sub(KEPT));
    }

    pub(crate) fn sent(&self, nonce: u64) -> Option<Sent> {
        self.kept.get(&nonce).cloned()
    }

    /// It was broadcast again.
    pub(crate) fn touch(&mut self, nonce: u64) {
        if let Some(sent) = self.kept.get_mut(&nonce) {
            sent.broadcast = Instant::now();
        }
    }

    /// Nobody waits for it any more.
    pub(crate) fn abandon(&mut self, nonce: u64) {
        if let Some(sent) = self.kept.get_mut(&nonce) {
            sent.waited = false;
        }
    }

    /// Nothing was sent with this nonce after all. True when it is simply the next one again; false when later ones are
    /// used already, so that something must take its place.
    pub(crate) fn give_back(&mut self, nonce: u64) -> bool {
        self.kept.remove(&nonce);
        let was_last = self.next == Some(nonce.saturating_add(1));
        if was_last {
            self.next = Some(nonce);
        }
        was_last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> Sent {
        let fees = Fees { most: 1, tip: 1 };
        Sent { raw: Vec::new(), hash: B256::ZERO, fees, broadcast: Instant::now(), waited: true }
    }

    #[test]
    fn a_nonce_that_was_not_used_is_the_next_again_or_leaves_a_gap_to_fill() {
        let mut nonces = Nonces::default();
        for nonce in 5..8 {
            nonces.keep(nonce, sent());
        }
        assert_eq!(nonces.next, Some(8));
        assert!(nonces.give_back(7));
        assert_eq!(nonces.next, Some(7));
        assert!(!nonces.give_back(5), "6 is on its way");
        assert_eq!((nonces.next, nonces.sent(5).is_none(), nonces.sent(6).is_some()), (Some(7), true, true));
    }

    #[test]
    fn only_the_newest_are_kept() {
        let mut nonces = Nonces::default();
        for nonce in 0..1_000 {
            nonces.keep(nonce, sent());
        }
        assert!(nonces.sent(999 - KEPT).is_some() && nonces.sent(998 - KEPT).is_none());
    }
}
