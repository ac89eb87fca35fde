//! Accounts by where they send: whoever connects to the same endpoints with the same key counts with the same nonces.

use super::Account;
use alloy_primitives::Address;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

type Accounts = BTreeMap<(String, Address), Weak<Account>>;

static ACCOUNTS: Mutex<Accounts> = Mutex::new(BTreeMap::new());

/// The account at these endpoints, as long as somebody uses it.
pub(crate) fn shared(urls: &str, account: Address) -> Arc<Account> {
    let mut accounts = ACCOUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    accounts.retain(|_, state| state.strong_count() > 0);
    let slot = accounts.entry((urls.to_owned(), account)).or_default();
    slot.upgrade().unwrap_or_else(|| {
        let state = Arc::default();
        *slot = Arc::downgrade(&state);
        state
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_is_one_while_somebody_uses_it() {
        let (alice, bob) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let first = shared("http://a", alice);
        assert!(Arc::ptr_eq(&first, &shared("http://a", alice)));
        assert!(!Arc::ptr_eq(&first, &shared("http://a", bob)));
        assert!(!Arc::ptr_eq(&first, &shared("http://b", alice)));
        first.nonces().next = Some(7);
        drop(first);
        assert_eq!(shared("http://a", alice).nonces().next, None, "nobody knows of an earlier chain there");
    }
}
