//! What happens before a block's first transaction (EIP-2935, EIP-4788): the system contracts learn of the block
//! before. Their storage is written as their code would write it; nobody sees the difference, and a block costs less.

use crate::state::{AccountState, State, hashed_slot};
use alloy_consensus::Header;
use alloy_eips::{
    eip2935::{HISTORY_SERVE_WINDOW, HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE},
    eip4788::{BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CODE},
};
use alloy_primitives::{Address, B256, Bytes, U256};

/// Timestamps that the contract of EIP-4788 remembers.
const BEACON_ROOTS_WINDOW: u64 = 8_191;

/// The system contracts of the first block.
pub(super) fn contracts() -> [(Address, AccountState); 2] {
    let contract =
        |code: &Bytes| AccountState { nonce: 1, ..AccountState::default() }.with_code(code.clone());
    [
        (HISTORY_STORAGE_ADDRESS, contract(&HISTORY_STORAGE_CODE)),
        (BEACON_ROOTS_ADDRESS, contract(&BEACON_ROOTS_CODE)),
    ]
}

/// Writes what the system calls at the start of this block write.
pub(crate) fn begin_block(state: &mut State, header: &Header) {
    if let Some(parent) = header.number.checked_sub(1) {
        let window = u64::try_from(HISTORY_SERVE_WINDOW).unwrap_or(u64::MAX);
        write(state, HISTORY_STORAGE_ADDRESS, &[(parent % window, header.parent_hash.into())]);
    }
    if header.number == 0 {
        return;
    }
    let slot = header.timestamp % BEACON_ROOTS_WINDOW;
    let root: B256 = header.parent_beacon_block_root.unwrap_or_default();
    let rows = [(slot, U256::from(header.timestamp)), (slot + BEACON_ROOTS_WINDOW, root.into())];
    write(state, BEACON_ROOTS_ADDRESS, &rows);
}

fn write(state: &mut State, address: Address, rows: &[(u64, U256)]) {
    // A tool may have removed the contract; calling nothing does nothing.
    let Some(account) = state.account(address) else { return };
    if account.code.is_empty() || rows.iter().all(|(slot, value)| account.slot(U256::from(*slot)) == *value) {
        return;
    }
    let mut account = account.clone();
    for (slot, value) in rows {
        account.set_slot(hashed_slot(U256::from(*slot)), *value);
    }
    state.set_account(address, account);
}
