//! Accounts and their storage at one block.

use crate::trie::{LeafValue, Trie};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::TrieAccount;
use revm::state::{AccountInfo, Bytecode, EvmState};
use std::collections::BTreeMap;

/// Accounts and their storage at one block. Cloning is one reference count.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    accounts: Trie<AccountState>,
}

/// One account.
#[derive(Clone, Debug)]
pub(crate) struct AccountState {
    pub(crate) nonce: u64,
    pub(crate) balance: U256,
    pub(crate) code_hash: B256,
    pub(crate) code: Bytecode,
    pub(crate) storage: Trie<U256>,
}

/// The rows that lead from one state to another, under hashed keys.
#[derive(Debug, Default)]
pub(crate) struct StateChange {
    /// New or changed accounts; `None` deletes.
    pub(crate) accounts: BTreeMap<B256, Option<AccountRow>>,
    /// New or changed slots; zero deletes.
    pub(crate) slots: BTreeMap<(B256, B256), U256>,
    /// Code that may be new.
    pub(crate) codes: BTreeMap<B256, Bytes>,
}

/// An account without its storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AccountRow {
    pub(crate) nonce: u64,
    pub(crate) balance: U256,
    pub(crate) code_hash: B256,
}

impl LeafValue for U256 {
    fn leaf_rlp(&self) -> Vec<u8> {
        alloy_rlp::encode(self)
    }
}

impl LeafValue for AccountState {
    fn leaf_rlp(&self) -> Vec<u8> {
        alloy_rlp::encode(TrieAccount::new(self.nonce, self.balance, self.storage.root(), self.code_hash))
    }
}

impl Default for AccountState {
    fn default() -> Self {
        Self {
            nonce: 0,
            balance: U256::ZERO,
            code_hash: KECCAK256_EMPTY,
            code: Bytecode::default(),
            storage: Trie::default(),
        }
    }
}

impl AccountState {
    pub(crate) fn with_code(mut self, code: Bytes) -> Self {
        // A delegation (EIP-7702) is told by its prefix; anything else that begins so is ordinary, dead code.
        self.code = Bytecode::new_raw_checked(code.clone()).unwrap_or_else(|_| Bytecode::new_legacy(code));
        self.code_hash = self.code.hash_slow();
        self
    }

    pub(crate) fn info(&self) -> AccountInfo {
        AccountInfo {
            balance: self.balance,
            nonce: self.nonce,
            code_hash: self.code_hash,
            code: Some(self.code.clone()),
            ..AccountInfo::default()
        }
    }

    pub(crate) fn slot(&self, slot: U256) -> U256 {
        self.storage.get(&hashed_slot(slot)).copied().unwrap_or_default()
    }

    pub(crate) fn set_slot(&mut self, hashed: B256, value: U256) {
        if value.is_zero() {
            self.storage.remove(&hashed);
        } else {
            self.storage.insert(&hashed, value);
        }
    }

    fn row(&self) -> AccountRow {
        AccountRow { nonce: self.nonce, balance: self.balance, code_hash: self.code_hash }
    }
}

impl State {
    pub(crate) fn account(&self, address: Address) -> Option<&AccountState> {
        self.accounts.get(&keccak256(address))
    }

    pub(crate) fn set_account(&mut self, address: Address, account: AccountState) {
        self.accounts.insert(&keccak256(address), account);
    }

    pub(crate) fn set_hashed(&mut self, hashed: B256, account: AccountState) {
        self.accounts.insert(&hashed, account);
    }

    pub(crate) fn nonce(&self, address: Address) -> u64 {
        self.account(address).map_or(0, |account| account.nonce)
    }

    pub(crate) fn balance(&self, address: Address) -> U256 {
        self.account(address).map_or(U256::ZERO, |account| account.balance)
    }

    pub(crate) fn root(&self) -> B256 {
        self.accounts.root()
    }

    /// The Merkle proof of an account, or that there is none.
    pub(crate) fn proof(&self, address: Address) -> Vec<Bytes> {
        self.accounts.proof(&keccak256(address))
    }

    /// Applies what one transaction changed.
    pub(crate) fn apply(&mut self, changes: EvmState) {
        for (address, change) in changes {
            if !change.is_touched() {
                continue;
            }
            let hashed = keccak256(address);
            if change.is_selfdestructed() || change.is_empty() {
                self.accounts.remove(&hashed);
                continue;
            }
            let old = if change.is_created() { None } else { self.accounts.get(&hashed) };
            let mut account = old.cloned().unwrap_or_default();
            account.nonce = change.info.nonce;
            account.balance = change.info.balance;
            if account.code_hash != change.info.code_hash {
                account.code_hash = change.info.code_hash;
                account.code = change.info.code.clone().unwrap_or_default();
            }
            for (slot, value) in change.changed_storage_slots() {
                account.set_slot(hashed_slot(*slot), value.present_value());
            }
            self.accounts.insert(&hashed, account);
        }
    }

    /// The rows that turn `old` into `self`.
    pub(crate) fn change_since(&self, old: &Self) -> StateChange {
        let mut change = StateChange::default();
        self.accounts.difference(&old.accounts, &mut |key, before, after| change.account(key, before, after));
        change
    }
}

impl StateChange {
    fn account(&mut self, key: B256, before: Option<&AccountState>, after: Option<&AccountState>) {
        self.accounts.insert(key, after.map(AccountState::row));
        let none = Trie::default();
        let old = before.map_or(&none, |account| &account.storage);
        let new = after.map_or(&none, |account| &account.storage);
        new.difference(old, &mut |slot, _, value| {
            self.slots.insert((key, slot), value.copied().unwrap_or_default());
        });
        if let Some(account) = after
            && before.is_none_or(|before| before.code_hash != account.code_hash)
        {
            self.codes.insert(account.code_hash, account.code.original_bytes());
        }
    }
}

/// The key under which a slot is stored.
pub(crate) fn hashed_slot(slot: U256) -> B256 {
    keccak256(slot.to_be_bytes::<32>())
}
