//! Protocol fees and owners as they were at a place in the chain, from events that are read once.

use crate::{ChainError, EvmChain, logs::Place, pages::Kept};
use alloy_primitives::{Address, B256};
use alloy_rpc_types_eth::{Filter, Log};
use alloy_sol_types::{SolEvent, sol};
use sealwork_types::{abi::IMarket::FeeChanged, network::Contracts};
use std::collections::BTreeMap;

sol! {
    /// ERC-721.
    event Transfer(address indexed from, address indexed to, uint256 indexed id);
}

/// Something that happened.
#[derive(Clone, Copy, Debug)]
enum Fact {
    Fee(u16),
    Owner(B256, Address),
}

/// What happened, in order.
#[derive(Debug, Default)]
pub(crate) struct Past(Kept<Fact>);

impl Past {
    /// Reads what is missing, in ranges that public endpoints answer.
    pub(crate) async fn read(&mut self, chain: &EvmChain) -> Result<(), ChainError> {
        let filter = Filter::new()
            .address(vec![chain.contracts().market, chain.contracts().registry])
            .event_signature(vec![FeeChanged::SIGNATURE_HASH, Transfer::SIGNATURE_HASH]);
        self.0.read(chain, &filter, |log| fact(chain.contracts(), log)).await
    }

    /// Whether a block was read.
    pub(crate) fn reaches(&self, block: u64) -> bool {
        self.0.reaches(block)
    }

    /// The protocol fee that was in force; the Market tells of the first one when it is created.
    pub(crate) fn fee(&self, before: Place) -> Option<u16> {
        fee(self.0.found(), before)
    }

    /// Who owned those apps, pools and datasets.
    pub(crate) fn owners(&self, ids: &[B256], before: Place) -> BTreeMap<B256, Address> {
        owners(self.0.found(), ids, before)
    }
}

fn fact(contracts: &Contracts, log: &Log) -> Option<Fact> {
    if log.address() == contracts.market {
        return FeeChanged::decode_log(&log.inner).ok().map(|changed| Fact::Fee(changed.feeBps));
    }
    let transfer = Transfer::decode_log(&log.inner).ok().filter(|_| log.address() == contracts.registry)?;
    Some(Fact::Owner(transfer.id.into(), transfer.to))
}

fn fee(facts: &[(Place, Fact)], before: Place) -> Option<u16> {
    facts.iter().rev().filter(|(at, _)| *at < before).find_map(|(_, fact)| match fact {
        Fact::Fee(fee) => Some(*fee),
        Fact::Owner(..) => None,
    })
}

fn owners(facts: &[(Place, Fact)], ids: &[B256], before: Place) -> BTreeMap<B256, Address> {
    let earlier = facts.iter().take_while(|(at, _)| *at < before);
    let owner = |(_, fact): &(Place, Fact)| match fact {
        Fact::Owner(id, to) if ids.contains(id) => Some((*id, *to)),
        Fact::Owner(..) | Fact::Fee(_) => None,
    };
    earlier.filter_map(owner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs;
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
        let facts: Vec<_> = [
            log(MARKET, 1, &FeeChanged { feeBps: 100 }),
            log(REGISTRY, 2, &transfer(7, 0xa)),
            log(REGISTRY, 2, &transfer(8, 0xb)),
            log(MARKET, 5, &FeeChanged { feeBps: 250 }),
            log(REGISTRY, 6, &transfer(7, 0xc)),
            // Whoever else emits the same events is not asked.
            log(REGISTRY, 7, &FeeChanged { feeBps: 1 }),
            log(MARKET, 7, &transfer(7, 0xd)),
        ]
        .iter()
        .filter_map(|log| Some((logs::position(log), fact(&contracts(), log)?)))
        .collect();
        assert_eq!(fee(&facts, at(1, 3)), None);
        let fees = [at(1, 4), at(5, 3), at(5, 4), at(9, 0)].map(|place| fee(&facts, place));
        assert_eq!(fees, [Some(100), Some(100), Some(250), Some(250)]);
        let id = B256::repeat_byte(7);
        let owner = |place| owners(&facts, &[id], place).get(&id).copied();
        assert_eq!(owner(at(2, 3)), None);
        assert_eq!(owner(at(6, 3)), Some(Address::repeat_byte(0xa)));
        assert_eq!(owner(at(6, 4)), Some(Address::repeat_byte(0xc)));
        assert_eq!(owners(&facts, &[], at(9, 0)).len(), 0);
    }
}
