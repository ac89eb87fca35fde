//! What was agreed in a deal that one transaction matched and settled: the Market keeps nothing of it and its event names
//! only hashes, so the orders are read from the transaction's input, and what the contract added from other events.

mod calldata;
mod past;

pub(crate) use past::Past;

use crate::{
    EvmChain,
    logs::{self, Place},
};
use alloy_primitives::{Address, B256, Bytes};
use alloy_sol_types::{SolEvent, SolStruct};
use sealwork_ports::{Chain, ErrorKind, PortError};
use sealwork_types::{
    DealId,
    abi::{
        DatasetOrder, DatasetShare, DealTerms,
        IMarket::{Executed, feeCall},
        Orders, RequestOrder, Work,
    },
    deal::Deal,
    order::SigningDomain,
};
use std::{collections::BTreeMap, ops::Range};

/// Where the digest of the sealed input stands in a request's params.
const INPUT: Range<usize> = 37..69;

/// What the contract added to the orders.
struct Facts {
    request_hash: B256,
    fee_bps: u16,
    started_at: u64,
    /// Owners of app, pool and datasets at that time.
    owners: BTreeMap<B256, Address>,
}

/// The deal that a transaction executed.
pub(crate) async fn deal(chain: &EvmChain, id: DealId, transaction: B256) -> Result<Deal, PortError> {
    let (place, request_hash) = place(chain, id, transaction).await?;
    let missing = || not_found(format!("transaction {transaction} is not on this chain"));
    let called = chain.endpoint().calldata(transaction).await?.ok_or_else(missing)?;
    let orders = orders(&called, &chain.deployment().domain, id, transaction)?;
    let started_at = chain.endpoint().timestamp(place.block).await?;
    let mut past = chain.past().lock().await;
    past.read(chain).await?;
    if !past.reaches(place.block) {
        let text = format!("the endpoint does not show all events up to block {} yet", place.block);
        return Err(PortError::new(ErrorKind::Unavailable, text));
    }
    let owners = past.owners(&parties(&orders), place);
    let fee_bps = match past.fee(place) {
        Some(fee) => fee,
        None => chain.view(chain.contracts().market, &feeCall {}).await?,
    };
    drop(past);
    rebuild(orders, &Facts { request_hash, fee_bps, started_at, owners })
}

/// The orders of a deal in the input of the transaction that executed it.
fn orders(
    (to, input): &(Option<Address>, Bytes),
    domain: &SigningDomain,
    id: DealId,
    transaction: B256,
) -> Result<Orders, PortError> {
    if *to != Some(domain.market) {
        let called = to.map_or_else(|| "a contract that it creates".to_owned(), |to| to.to_string());
        return Err(not_found(format!(
            "transaction {transaction} executed deal {id} through {called}: its input does not hold the orders, which \
             only a call of the Market ({}) shows",
            domain.market
        )));
    }
    calldata::find(input, domain, id).ok_or_else(|| {
        not_found(format!("the input of transaction {transaction} holds no readable orders of deal {id}"))
    })
}

/// Where the event stands in the chain, and the request's hash that it names.
async fn place(chain: &EvmChain, id: DealId, transaction: B256) -> Result<(Place, B256), PortError> {
    let receipt = chain.endpoint().receipt(transaction).await?.ok_or_else(|| {
        // Its event was seen, so another machine behind the endpoint has it already.
        let text = format!("the endpoint does not show the receipt of transaction {transaction} yet");
        PortError::new(ErrorKind::Unavailable, text)
    })?;
    let logs = receipt.inner.logs().iter();
    logs.filter(|log| log.address() == chain.contracts().market)
        .find_map(|log| {
            let event = Executed::decode_log(&log.inner).ok()?.data;
            (event.dealId == id.get()).then(|| (logs::position(log), event.requestHash))
        })
        .ok_or_else(|| not_found(format!("transaction {transaction} does not execute deal {id}")))
}

fn parties(orders: &Orders) -> Vec<B256> {
    let datasets = orders.datasets.iter().map(|order| order.dataset);
    [orders.app.app, orders.pool.pool].into_iter().chain(datasets).collect()
}

/// The deal as the contract makes it of the orders.
fn rebuild(orders: Orders, facts: &Facts) -> Result<Deal, PortError> {
    let owner = |id: B256| {
        facts.owners.get(&id).copied().ok_or_else(|| {
            let text = format!("the registry tells of no owner of {id}, which was traded before");
            PortError::new(ErrorKind::Corrupt, text)
        })
    };
    let Orders { app, pool, request, requestSignature, datasets, .. } = orders;
    let share = |order: &DatasetOrder| {
        Ok::<_, PortError>(DatasetShare { owner: owner(order.dataset)?, price: order.price })
    };
    let terms = DealTerms {
        requestHash: facts.request_hash,
        firstTask: 0,
        workHash: work_hash(&request),
        payer: if request.sponsor.is_zero() { request.requester } else { request.sponsor },
        appOwner: owner(app.app)?,
        poolOwner: owner(pool.pool)?,
        appPrice: app.price,
        poolPrice: pool.price,
        // Nothing is at stake: the task is done when the deal comes into being.
        stake: Default::default(),
        feeBps: facts.fee_bps,
        mode: request.mode,
        startedAt: facts.started_at,
        callback: request.callback,
        callbackGas: request.callbackGas,
        datasets: datasets.iter().map(share).collect::<Result<_, _>>()?,
    };
    Ok(Deal { pool: pool.pool, volume: 1, terms, request, request_signature: requestSignature })
}

/// As the contract computes it: of the bytes where the digest of the input belongs, whatever the params are.
fn work_hash(request: &RequestOrder) -> B256 {
    let input = request.params.get(INPUT).map_or(B256::ZERO, B256::from_slice);
    let &RequestOrder { app, codeHash, policyHash, .. } = request;
    Work { app, codeHash, policyHash, input }.eip712_hash_struct()
}

fn not_found(text: String) -> PortError {
    PortError::new(ErrorKind::NotFound, text)
}

#[cfg(test)]
mod tests {
    use super::{calldata::tests as sample, *};
    use alloy_primitives::aliases::U96;
    use sealwork_types::order::TaskParams;

    fn facts(orders: &Orders) -> Facts {
        let owners = parties(orders).into_iter().map(|id| (id, Address::from_word(id))).collect();
        let request_hash = sample::DOMAIN.order_hash(&orders.request).get();
        Facts { request_hash, fee_bps: 250, started_at: 1_700_000_000, owners }
    }

    #[test]
    fn a_deal_is_rebuilt_as_the_contract_makes_it() {
        let orders = sample::orders(1);
        let facts = facts(&orders);
        let deal = rebuild(orders.clone(), &facts).unwrap();
        assert_eq!(deal.id(), sample::deal(&orders));
        assert!(deal.names_its_work());
        assert_eq!((deal.pool, deal.volume), (orders.pool.pool, 1));
        let terms = &deal.terms;
        assert_eq!((terms.firstTask, terms.mode, terms.feeBps, terms.startedAt), (0, 0, 250, 1_700_000_000));
        assert!(terms.stake.is_zero(), "the pool's stake of {} is not taken", orders.pool.stake);
        assert_eq!((terms.appPrice, terms.poolPrice), (orders.app.price, orders.pool.price));
        assert_eq!(terms.appOwner, Address::from_word(orders.app.app));
        assert_eq!(terms.poolOwner, Address::from_word(orders.pool.pool));
        assert_eq!(terms.payer, orders.request.requester);
        assert_eq!((&deal.request, &deal.request_signature), (&orders.request, &orders.requestSignature));
    }

    #[test]
    fn sponsors_pay_and_datasets_get_their_shares_in_order() {
        let mut orders = sample::orders(1);
        orders.request.sponsor = Address::repeat_byte(0x55);
        orders.datasets = [7, 8].map(dataset).to_vec();
        let terms = rebuild(orders.clone(), &facts(&orders)).unwrap().terms;
        assert_eq!(terms.payer, Address::repeat_byte(0x55));
        let share = |n: u8| DatasetShare { owner: Address::repeat_byte(n), price: U96::from(n) };
        assert_eq!(terms.datasets, [share(7), share(8)]);
    }

    fn dataset(n: u8) -> DatasetOrder {
        DatasetOrder {
            dataset: B256::repeat_byte(n),
            price: U96::from(n),
            volume: 1,
            tag: B256::ZERO,
            appRestrict: B256::ZERO,
            poolRestrict: B256::ZERO,
            requesterRestrict: B256::ZERO,
            expiry: 0,
            nonce: 0,
            salt: B256::ZERO,
        }
    }

    #[test]
    fn the_work_is_that_of_the_bytes_even_where_params_are_of_another_version() {
        let mut orders = sample::orders(1);
        let mut params = orders.request.params.to_vec();
        params[0] ^= 0xff;
        assert!(TaskParams::from_bytes(&params).is_err());
        let good = work_hash(&orders.request);
        orders.request.params = params.into();
        assert_eq!(work_hash(&orders.request), good);
        orders.request.params = orders.request.params.slice(..68);
        assert_ne!(work_hash(&orders.request), good, "too short to name an input");
    }

    #[test]
    fn orders_are_read_from_calls_of_the_market_only() {
        let expected = sample::orders(1);
        let (id, transaction) = (sample::deal(&expected), B256::repeat_byte(0x77));
        let input = sample::execute(expected.clone());
        let read = |to, input: &Bytes| orders(&(to, input.clone()), &sample::DOMAIN, id, transaction);
        assert_eq!(read(Some(sample::DOMAIN.market), &input).unwrap(), expected);
        let foreign = Address::repeat_byte(0xfe);
        for (to, named) in [(Some(foreign), foreign.to_string()), (None, "it creates".to_owned())] {
            let error = read(to, &input).unwrap_err();
            assert_eq!(error.kind, ErrorKind::NotFound);
            assert!(error.to_string().contains(&named), "{error}");
        }
        let error = read(Some(sample::DOMAIN.market), &input.slice(..99)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound);
        assert!(error.to_string().contains(&transaction.to_string()), "{error}");
    }

    #[test]
    fn a_party_that_the_registry_does_not_know_is_an_error() {
        let orders = sample::orders(1);
        let mut facts = facts(&orders);
        facts.owners.remove(&orders.pool.pool);
        let error = rebuild(orders.clone(), &facts).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Corrupt);
        assert!(error.to_string().contains(&orders.pool.pool.to_string()), "{error}");
    }
}
