//! Reads deals from the chain's events, and from the transactions of those that were executed in one.

use crate::{Client, ClientError, DealRecord};
use futures::{StreamExt, TryStreamExt, stream};
use sealwork_ports::{Chain, ErrorKind, EventCursor, EventPage, MarketEvent, PortError};
use sealwork_types::{DealId, deal::Deal};
use std::collections::BTreeMap;

/// Events read at once.
const PAGE: usize = 1_000;
/// Transactions read at once.
const READ_AT_ONCE: usize = 8;

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct FoundDeals {
    /// Deals, oldest first.
    pub(crate) deals: Vec<DealRecord>,
    /// Executed deals that the chain does not show, and why.
    pub(crate) unreadable: Vec<PortError>,
}

impl FoundDeals {
    /// Why nothing was found, when it may be one of those that cannot be read.
    pub(crate) fn or_unreadable<T>(mut self, result: Result<T, ClientError>) -> Result<T, ClientError> {
        match (result, self.unreadable.pop()) {
            (Err(ClientError::Port(error)), Some(why)) if error.kind == ErrorKind::NotFound => {
                Err(why.into())
            }
            (result, _) => result,
        }
    }
}

/// Executed deals of a page of events, by id.
type Executed = BTreeMap<DealId, Result<Deal, PortError>>;

impl Client {
    /// Deals that `wanted` accepts. `executed` chooses by their ids those whose transactions are worth reading.
    pub(crate) async fn find_deals(
        &self,
        executed: impl Fn(DealId) -> bool,
        wanted: impl Fn(&Deal) -> bool,
    ) -> Result<FoundDeals, ClientError> {
        let chain = &*self.parts.chain;
        let mut reading = Reading::default();
        let mut cursor = EventCursor::default();
        loop {
            let EventPage { rewound_to, events, next } = chain.events(cursor, PAGE).await?;
            if rewound_to.is_some() {
                // The chain changed while it was read: from the start again.
                (reading, cursor) = (Reading::default(), EventCursor::default());
                continue;
            }
            let events: Vec<MarketEvent> = events.into_iter().map(|(_, event)| event).collect();
            let caught_up = next.block > chain.head().await?.0;
            let mut read = read_executed(chain, &events, &executed).await?;
            for event in events {
                reading.take(event, &mut read, &wanted);
            }
            if caught_up || next == cursor {
                return Ok(reading.finish());
            }
            cursor = next;
        }
    }
}

/// Records that events add to.
#[derive(Default)]
struct Reading {
    seen: Vec<DealId>,
    records: BTreeMap<DealId, DealRecord>,
    unreadable: Vec<PortError>,
}

impl Reading {
    fn take(&mut self, event: MarketEvent, read: &mut Executed, wanted: impl Fn(&Deal) -> bool) {
        match event {
            MarketEvent::Matched { id, deal, transaction } => {
                if wanted(&deal) {
                    self.begin(DealRecord::new(id, *deal, transaction));
                }
            }
            MarketEvent::Executed { id, transaction, .. } => match read.remove(&id) {
                Some(Ok(deal)) if wanted(&deal) => self.begin(DealRecord::new(id, deal, transaction)),
                Some(Err(why)) => self.unreadable.push(why),
                Some(Ok(_)) | None => {}
            },
            event @ (MarketEvent::Started { .. }
            | MarketEvent::Settled { .. }
            | MarketEvent::Batched { .. }
            | MarketEvent::Closed { .. }
            | MarketEvent::Closing { .. }
            | MarketEvent::Refunded { .. }) => {
                if let Some(record) = self.records.get_mut(&deal_of(&event)) {
                    record.apply(event);
                }
            }
        }
    }

    fn begin(&mut self, record: DealRecord) {
        self.seen.push(record.id);
        self.records.insert(record.id, record);
    }

    fn finish(mut self) -> FoundDeals {
        let deals = self.seen.iter().filter_map(|id| self.records.remove(id)).collect();
        FoundDeals { deals, unreadable: self.unreadable }
    }
}

/// The executed deals among events, with the reason for each that the chain does not show. A chain that cannot be asked
/// is an error: trying again helps.
async fn read_executed(
    chain: &dyn Chain,
    events: &[MarketEvent],
    chosen: impl Fn(DealId) -> bool,
) -> Result<Executed, ClientError> {
    let executed = events.iter().filter_map(|event| match event {
        MarketEvent::Executed { id, transaction, .. } => Some((*id, *transaction)),
        MarketEvent::Matched { .. }
        | MarketEvent::Started { .. }
        | MarketEvent::Settled { .. }
        | MarketEvent::Batched { .. }
        | MarketEvent::Closed { .. }
        | MarketEvent::Closing { .. }
        | MarketEvent::Refunded { .. } => None,
    });
    let chosen: Vec<_> = executed.filter(|(id, _)| chosen(*id)).collect();
    let read = |(id, transaction)| async move {
        match chain.executed(id, transaction).await {
            Err(error) if !matches!(error.kind, ErrorKind::NotFound | ErrorKind::Corrupt) => Err(error),
            result => Ok((id, result)),
        }
    };
    Ok(stream::iter(chosen.into_iter().map(read)).buffer_unordered(READ_AT_ONCE).try_collect().await?)
}

/// The deal that an event is about.
pub(crate) const fn deal_of(event: &MarketEvent) -> DealId {
    match event {
        MarketEvent::Matched { id, .. } | MarketEvent::Executed { id, .. } => *id,
        MarketEvent::Started { deal }
        | MarketEvent::Settled { deal, .. }
        | MarketEvent::Batched { deal, .. }
        | MarketEvent::Closed { deal, .. }
        | MarketEvent::Closing { deal, .. }
        | MarketEvent::Refunded { deal, .. } => *deal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TaskState;
    use sealwork_types::{
        Address, B256, Bytes, OrderHash, PoolId,
        abi::{DealTerms, Outcome, RequestOrder},
    };

    const TRANSACTION: B256 = B256::repeat_byte(0x77);

    fn deal(salt: u8) -> Deal {
        let (zero, address) = (B256::ZERO, Address::ZERO);
        let request = RequestOrder {
            app: zero,
            codeHash: zero,
            policyHash: zero,
            appMaxPrice: Default::default(),
            datasets: Vec::new(),
            datasetMaxPrice: Default::default(),
            poolRestrict: zero,
            poolMaxPrice: Default::default(),
            minStake: Default::default(),
            requester: address,
            sponsor: address,
            outputRecipient: zero,
            volume: 1,
            tag: zero,
            category: 0,
            trust: 0,
            mode: 0,
            callback: address,
            callbackGas: 0,
            params: Bytes::new(),
            requirements: zero,
            expiry: 0,
            nonce: 0,
            salt: B256::repeat_byte(salt),
        };
        let terms = DealTerms {
            requestHash: B256::repeat_byte(salt),
            firstTask: 0,
            workHash: zero,
            payer: address,
            appOwner: address,
            poolOwner: address,
            appPrice: Default::default(),
            poolPrice: Default::default(),
            stake: Default::default(),
            feeBps: 0,
            mode: 0,
            startedAt: 1,
            callback: address,
            callbackGas: 0,
            datasets: Vec::new(),
        };
        Deal { pool: zero, volume: 1, terms, request, request_signature: Bytes::new() }
    }

    /// The two events of an execution.
    fn execution(deal: &Deal) -> [MarketEvent; 2] {
        let outcome = Outcome {
            index: 0,
            status: 0,
            fuel: 1,
            keyEpoch: 0,
            output: B256::ZERO,
            outputCid: B256::ZERO,
            outputCodec: 0,
        };
        let request_hash = OrderHash::new(deal.terms.requestHash);
        let (pool, transaction) = (PoolId::new(deal.pool), TRANSACTION);
        [
            MarketEvent::Executed { id: deal.id(), pool, request_hash, transaction, block: 5 },
            MarketEvent::Settled {
                deal: deal.id(),
                enclave: Address::ZERO,
                outcome: Box::new(outcome),
                effects: None,
                signature: Bytes::new(),
                transaction,
                block: 5,
            },
        ]
    }

    fn unreadable() -> PortError {
        PortError::new(ErrorKind::NotFound, "executed through another contract")
    }

    #[test]
    fn an_executed_deal_is_settled_by_the_transaction_that_made_it() {
        let deal = deal(1);
        let mut read = Executed::from([(deal.id(), Ok(deal.clone()))]);
        let mut reading = Reading::default();
        for event in execution(&deal) {
            reading.take(event, &mut read, |_| true);
        }
        let found = reading.finish();
        let [record] = &found.deals[..] else { panic!("{found:?}") };
        assert_eq!((record.id, record.open(), record.matched_in), (deal.id(), 0, TRANSACTION));
        let task = record.task(0);
        assert!(matches!(&task.state, TaskState::Settled(settled) if settled.transaction == TRANSACTION));
        assert!(task.in_one_transaction());
    }

    #[test]
    fn what_is_not_wanted_not_read_or_not_readable_is_left_out() {
        let (unwanted, unread, hidden, wanted) = (deal(1), deal(2), deal(3), deal(4));
        let mut read = Executed::from([
            (unwanted.id(), Ok(unwanted.clone())),
            (hidden.id(), Err(unreadable())),
            (wanted.id(), Ok(wanted.clone())),
        ]);
        let mut reading = Reading::default();
        for event in [&unwanted, &unread, &hidden, &wanted].into_iter().flat_map(execution) {
            reading.take(event, &mut read, |deal| deal.request.salt != unwanted.request.salt);
        }
        let found = reading.finish();
        let ids: Vec<_> = found.deals.iter().map(|record| record.id).collect();
        assert_eq!((ids, found.unreadable.len()), (vec![wanted.id()], 1));
    }

    #[test]
    fn a_search_in_vain_tells_of_the_deal_that_cannot_be_read() {
        let none = || Err(PortError::new(ErrorKind::NotFound, "no task starts with 0x01").into());
        let several = || Err(PortError::new(ErrorKind::Rejected, "several").into());
        let found = |unreadable| FoundDeals { deals: Vec::new(), unreadable };
        let text = |result: Result<(), ClientError>| result.unwrap_err().to_string();
        assert_eq!(text(found(Vec::new()).or_unreadable(none())), "no task starts with 0x01");
        assert_eq!(text(found(vec![unreadable()]).or_unreadable(none())), unreadable().to_string());
        assert_eq!(text(found(vec![unreadable()]).or_unreadable(several())), "several");
        assert!(found(vec![unreadable()]).or_unreadable(Ok(())).is_ok());
    }
}
