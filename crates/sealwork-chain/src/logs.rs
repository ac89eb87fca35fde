//! Market events out of raw logs.

use alloy_rpc_types_eth::{Filter, Log};
use alloy_sol_types::SolEvent;
use sealwork_ports::{MarketEvent, SettledBatch};
use sealwork_types::{
    B256, Bytes, DealId, OrderHash, PoolId,
    abi::{
        Effects,
        IBatches::BatchSettled,
        IChannels::ClosingStarted,
        IMarket::{DealStarted, Executed, Matched, TaskEffects, TaskSettled, TasksClosed, TasksRefunded},
    },
    deal::{self, Deal, full_signature},
    network::Contracts,
};

/// Filter for every event that services act on.
pub(crate) fn market_filter(contracts: &Contracts, from: u64, to: u64) -> Filter {
    Filter::new()
        .address(vec![contracts.market, contracts.channels, contracts.batches])
        .event_signature(vec![
            Matched::SIGNATURE_HASH,
            Executed::SIGNATURE_HASH,
            DealStarted::SIGNATURE_HASH,
            TaskSettled::SIGNATURE_HASH,
            TaskEffects::SIGNATURE_HASH,
            TasksClosed::SIGNATURE_HASH,
            TasksRefunded::SIGNATURE_HASH,
            ClosingStarted::SIGNATURE_HASH,
            BatchSettled::SIGNATURE_HASH,
        ])
        .from_block(from)
        .to_block(to)
}

/// Where a log stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) block: u64,
    pub(crate) log_index: u64,
}

pub(crate) fn position(log: &Log) -> Place {
    Place { block: log.block_number.unwrap_or_default(), log_index: log.log_index.unwrap_or_default() }
}

/// Decodes logs in order, with their positions; skips what is not a well-formed event of ours.
pub(crate) fn decode_all(logs: &[Log]) -> Vec<(Place, MarketEvent)> {
    let mut found: Vec<(Place, MarketEvent)> = Vec::with_capacity(logs.len());
    for log in logs {
        if let Ok(event) = TaskEffects::decode_log(&log.inner) {
            // The Market emits them right behind the settlement that they belong to.
            attach(&mut found, &event.data);
        } else if let Some(event) = decode(log) {
            found.push((position(log), event));
        }
    }
    found
}

fn attach(found: &mut [(Place, MarketEvent)], data: &TaskEffects) {
    let &TaskEffects { dealId, index, callbackHash, stateBefore, stateAfter, deltaIndex } = data;
    if let Some((_, MarketEvent::Settled { deal, outcome, effects, .. })) = found.last_mut()
        && deal.get() == dealId
        && outcome.index == index
    {
        *effects = Some(Box::new(Effects {
            callbackHash,
            stateBefore,
            stateAfter,
            deltaIndex,
            callbackData: Bytes::new(),
        }));
    }
}

fn decode(log: &Log) -> Option<MarketEvent> {
    let transaction = log.transaction_hash.unwrap_or_default();
    let block = log.block_number.unwrap_or_default();
    if let Ok(event) = Matched::decode_log(&log.inner) {
        let Matched { dealId, pool, volume, terms, request, requestSignature, .. } = event.data;
        let deal = Deal { pool, volume, terms, request, request_signature: requestSignature };
        return Some(MarketEvent::Matched { id: DealId::new(dealId), deal: Box::new(deal), transaction });
    }
    if let Ok(event) = Executed::decode_log(&log.inner) {
        let Executed { dealId, pool, requestHash, .. } = event.data;
        let (id, request_hash) = (DealId::new(dealId), OrderHash::new(requestHash));
        return Some(MarketEvent::Executed { id, pool: PoolId::new(pool), request_hash, transaction, block });
    }
    if let Ok(event) = TaskSettled::decode_log(&log.inner) {
        let TaskSettled { dealId, enclave, outcome, r, vs } = event.data;
        return Some(MarketEvent::Settled {
            deal: DealId::new(dealId),
            enclave,
            outcome: Box::new(outcome),
            effects: None,
            signature: full_signature(r, vs),
            transaction,
            block,
        });
    }
    if let Ok(event) = BatchSettled::decode_log(&log.inner) {
        return Some(batched(event.data, transaction, block));
    }
    if let Ok(event) = TasksClosed::decode_log(&log.inner) {
        let TasksClosed { dealId, first, tally } = event.data;
        let parts = [tally.paid, tally.poolOnly, tally.refunded, tally.slashed];
        let count = parts.into_iter().fold(0, u32::saturating_add);
        return Some(MarketEvent::Closed { deal: DealId::new(dealId), first, count, transaction });
    }
    if let Ok(event) = TasksRefunded::decode_log(&log.inner) {
        let TasksRefunded { dealId, first, last, count } = event.data;
        return Some(MarketEvent::Refunded { deal: DealId::new(dealId), first, last, count });
    }
    if let Ok(event) = ClosingStarted::decode_log(&log.inner) {
        let ClosingStarted { dealId, closableAt } = event.data;
        return Some(MarketEvent::Closing { deal: DealId::new(dealId), until: closableAt });
    }
    let DealStarted { dealId } = DealStarted::decode_log(&log.inner).ok()?.data;
    Some(MarketEvent::Started { deal: DealId::new(dealId) })
}

fn batched(event: BatchSettled, transaction: B256, block: u64) -> MarketEvent {
    let BatchSettled { dealId, enclave, first, tally, root, receiptsCid, receiptsCodec, r, vs } = event;
    let batch = SettledBatch {
        first,
        tally,
        root,
        receipts: deal::cid_of(receiptsCid, receiptsCodec),
        signature: full_signature(r, vs),
    };
    MarketEvent::Batched { deal: DealId::new(dealId), enclave, batch: Box::new(batch), transaction, block }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Address, B256, LogData};
    use sealwork_types::abi::Outcome;

    fn log(index: u64, data: LogData) -> Log {
        Log {
            inner: alloy_primitives::Log { address: Address::ZERO, data },
            block_number: Some(7),
            log_index: Some(index),
            transaction_hash: Some(B256::repeat_byte(9)),
            ..Log::default()
        }
    }

    fn executed() -> Executed {
        let word = B256::repeat_byte;
        Executed { dealId: word(1), app: word(2), pool: word(3), requestHash: word(4) }
    }

    #[test]
    fn an_execution_and_its_settlement_are_two_events() {
        let outcome = Outcome {
            index: 0,
            status: 0,
            fuel: 5,
            keyEpoch: 0,
            output: B256::ZERO,
            outputCid: B256::ZERO,
            outputCodec: 0,
        };
        let (r, vs) = (B256::repeat_byte(5), B256::repeat_byte(6));
        let settled = TaskSettled { dealId: B256::repeat_byte(1), enclave: Address::ZERO, outcome, r, vs };
        let logs = [log(0, executed().encode_log_data()), log(1, settled.encode_log_data())];
        let found = decode_all(&logs);
        let [
            (first, MarketEvent::Executed { id, pool, request_hash, transaction, block }),
            (second, settled),
        ] = &found[..]
        else {
            panic!("{found:?}")
        };
        let word = B256::repeat_byte;
        assert_eq!((id.get(), pool.get(), request_hash.get()), (word(1), word(3), word(4)));
        assert_eq!((*transaction, *block, *first), (word(9), 7, Place { block: 7, log_index: 0 }));
        assert!(matches!(settled, MarketEvent::Settled { deal, .. } if deal == id), "{settled:?}");
        assert_eq!(*second, Place { block: 7, log_index: 1 });
    }

    #[test]
    fn a_malformed_execution_is_no_event() {
        let mut data = executed().encode_log_data();
        data.data = Bytes::from(vec![0; 31]);
        assert!(decode_all(&[log(0, data)]).is_empty());
    }
}
