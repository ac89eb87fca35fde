//! Protocol fees and owners as they were at a place in the chain, from events that are read once.

use crate::{
    ChainError, EvmChain,
    evm::BLOCKS_PER_QUERY,
    logs::{self, Place},
};
use alloy_primitives::{Address, B256};
use alloy_rpc_types_eth::{Filter, Log};
use alloy_sol_types::{SolEvent, sol};
use sealwork_types::{abi::IMarket::FeeChanged, network::Contracts};
use std::collections::BTreeMap;

sol! {
    /// ERC-721.
    event Transfer(address indexed from, address indexed to, uint256 indexed id);
}

/// What happened up to a block, in order.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// First block that was not read.
    next: u64,
    fees: Vec<(Place, u16)>,
    transfers: Vec<(Place, B256, Address)>,
}

impl Past {
    /// Reads what is missing up to a block, in ranges that public endpoints answer.
    pub(crate) async fn read(&mut self, chain: &EvmChain, to: u64) -> Result<(), ChainError> {
        self.next = self.next.max(chain.deployed_at());
        while self.next <= to {
            let last = to.min(self.next.saturating_add(BLOCKS_PER_QUERY));
            let filter = Filter::new()
                .address(vec![chain.contracts().market, chain.contracts().registry])
                .event_signature(vec![FeeChanged::SIGNATURE_HASH, Transfer::SIGNATURE_HASH])
                .from_block(self.next)
                .to_block(last);
            for log in chain.endpoint().logs(&filter).await? {
                self.take(chain.contracts(), &log);
            }
            self.next = last.saturating_add(1);
        }
        Ok(())
    }

    fn take(&mut self, contracts: &Contracts, log: &Log) {
        let (at, from) = (logs::position(log), log.address());
        if from == contracts.market
            && let Ok(changed) = FeeChanged::decode_log(&log.inner)
        {
            self.fees.push((at, changed.feeBps));
        }
        if from == contracts.registry
            && let Ok(transfer) = Transfer::decode_log(&log.inner)
        {
            self.transfers.push((at, transfer.id.into(), transfer.to));
        }
    }

    /// The protocol fee that was in force; the Market tells of the first one when it is created.
    pub(crate) fn fee(&self, before: Place) -> Option<u16> {
        self.fees.iter().rev().find(|(at, _)| *at < before).map(|(_, fee)| *fee)
    }

    /// Who owned those apps, pools and datasets.
    pub(crate) fn owners(&self, ids: &[B256], before: Place) -> BTreeMap<B256, Address> {
        let earlier = self.transfers.iter().take_while(|(at, ..)| *at < before);
        earlier.filter(|(_, id, _)| ids.contains(id)).map(|(_, id, to)| (*id, *to)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::U256;

    const MARKET: Address = Address::repeat_byte(1);
    const REGISTRY: Address = Address::repeat_byte(2);

    fn contracts() -> Contracts {
        let other = Address::repeat_byte(3);
        Contracts {
            registry: REGISTRY,
            market: MARKET,
            attestations: other,
            batches: other,
            channels: other,
            book: other,
            token: other,
        }
    }

    fn log(address: Address, block: u64, event: &impl SolEvent) -> Log {
        let inner = alloy_primitives::Log { address, data: event.encode_log_data() };
        Log { inner, block_number: Some(block), log_index: Some(3), ..Log::default() }
    }

    fn transfer(id: u8, to: u8) -> Transfer {
        Transfer { from: Address::ZERO, to: Address::repeat_byte(to), id: U256::from_be_bytes([id; 32]) }
    }

    fn at(block: u64, log_index: u64) -> Place {
        Place { block, log_index }
    }

    #[test]
    fn fee_and_owners_are_those_before_the_place() {
        let mut past = Past::default();
        for log in [
            log(MARKET, 1, &FeeChanged { feeBps: 100 }),
            log(REGISTRY, 2, &transfer(7, 0xa)),
            log(REGISTRY, 2, &transfer(8, 0xb)),
            log(MARKET, 5, &FeeChanged { feeBps: 250 }),
            log(REGISTRY, 6, &transfer(7, 0xc)),
            // Whoever else emits the same events is not asked.
            log(REGISTRY, 7, &FeeChanged { feeBps: 1 }),
            log(MARKET, 7, &transfer(7, 0xd)),
        ] {
            past.take(&contracts(), &log);
        }
        assert_eq!(past.fee(at(1, 3)), None);
        let fees = [at(1, 4), at(5, 3), at(5, 4), at(9, 0)].map(|place| past.fee(place));
        assert_eq!(fees, [Some(100), Some(100), Some(250), Some(250)]);
        let id = B256::repeat_byte(7);
        let owner = |place| past.owners(&[id], place).get(&id).copied();
        assert_eq!(owner(at(2, 3)), None);
        assert_eq!(owner(at(6, 3)), Some(Address::repeat_byte(0xa)));
        assert_eq!(owner(at(6, 4)), Some(Address::repeat_byte(0xc)));
        assert_eq!(past.owners(&[], at(9, 0)).len(), 0);
    }
}
