//! Market events out of raw logs.

use alloy_rpc_types_eth::{Filter, Log};
use alloy_sol_types::SolEvent;
use sealwork_ports::{EventCursor, MarketEvent};
use sealwork_types::{
    DealId,
    abi::{
        IMarket::Matched,
        ITasks::{TaskRefunded, TaskSettled},
    },
    network::Contracts,
};

/// Filter for every event that services act on.
pub(crate) fn market_filter(contracts: &Contracts, from: u64, to: u64) -> Filter {
    Filter::new()
        .address(vec![contracts.market, contracts.tasks])
        .event_signature(vec![
            Matched::SIGNATURE_HASH,
            TaskSettled::SIGNATURE_HASH,
            TaskRefunded::SIGNATURE_HASH,
        ])
        .from_block(from)
        .to_block(to)
}

/// Where a log stands.
pub(crate) fn position(log: &Log) -> EventCursor {
    EventCursor { block: log.block_number.unwrap_or_default(), log_index: log.log_index.unwrap_or_default() }
}

/// Decodes one log; `None` for anything that is not a well-formed event of ours.
pub(crate) fn decode(log: &Log) -> Option<MarketEvent> {
    let transaction = log.transaction_hash.unwrap_or_default();
    let block = log.block_number.unwrap_or_default();
    if let Ok(event) = Matched::decode_log(&log.inner) {
        let Matched { dealId, terms, requestSignature, .. } = event.data;
        return Some(MarketEvent::Matched {
            deal: DealId::new(dealId),
            terms: Box::new(terms),
            request_signature: requestSignature,
            transaction,
        });
    }
    if let Ok(event) = TaskSettled::decode_log(&log.inner) {
        let TaskSettled { dealId, enclave, index, receipt, signature, outputCid, .. } = event.data;
        return Some(MarketEvent::Settled {
            deal: DealId::new(dealId),
            index,
            enclave,
            receipt: Box::new(receipt),
            signature,
            output_cid: outputCid,
            transaction,
            block,
        });
    }
    let TaskRefunded { dealId, index, amount, .. } = TaskRefunded::decode_log(&log.inner).ok()?.data;
    Some(MarketEvent::Refunded { deal: DealId::new(dealId), index, amount })
}
