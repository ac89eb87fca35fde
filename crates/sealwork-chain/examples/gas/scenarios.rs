//! What is measured.

use crate::{Outcome, market::Market, parties::price};
use alloy_primitives::{aliases::U96, hex};
use alloy_sol_types::SolCall;
use sealwork_types::{
    Address, B256, U256,
    abi::{
        Batch, DealTerms,
        IBatches::settleBatchCall,
        IChannels::redeemCall,
        IMarket::{claimCall, depositCall, matchOrdersCall, multicallCall, startCall},
        Orders, Tally, Voucher,
    },
    deal::work,
};

/// Repetitions; the first of some pays for storage that nobody used before.
const RUNS: u8 = 5;
/// Creates a contract whose code is `sstore(0, calldataload(4))`: it keeps the id that it is told.
const CONSUMER: [u8; 14] = hex!("656004355f55005f526006601af3");

/// What the pool puts up: 30 % of its price.
fn stake() -> U96 {
    price(300)
}

pub(crate) async fn run_all(market: &mut Market) -> Outcome<()> {
    registrations(market).await?;
    single_tasks(market).await?;
    one_transaction(market).await?;
    with_dataset_and_callback(market).await?;
    batches(market).await?;
    money(market).await?;
    channel(market).await?;
    with_fee(market).await
}

async fn registrations(market: &mut Market) -> Outcome<()> {
    for seed in 2..2 + RUNS {
        let (_, gas) = market.register_app(seed).await?;
        market.note("registerApp", gas);
        let (_, gas) = market.register_dataset(seed).await?;
        market.note("registerDataset", gas);
        let (_, gas) = market.register_pool(seed).await?;
        market.note("registerPool", gas);
        let enclave = Address::repeat_byte(seed);
        let known = B256::repeat_byte(0x11);
        let gas = market.grant(known, B256::repeat_byte(seed), enclave).await?;
        market.note("register enclave", gas);
        let gas = market
            .grant(B256::repeat_byte(seed), B256::repeat_byte(0x22), Address::repeat_byte(0x80 + seed))
            .await?;
        market.note("register enclave with a new measurement", gas);
    }
    Ok(())
}

async fn single_tasks(market: &mut Market) -> Outcome<()> {
    for _ in 0..RUNS {
        let orders = market.orders(1, stake(), None)?;
        let (matched, terms) = market.match_orders(&orders).await?;
        let settled = market.settle(&orders, terms).await?;
        market.note("matchOrders", matched);
        market.note("settle", settled);
        market.note("match and settle", matched + settled);
    }
    for _ in 0..RUNS {
        let orders = market.orders(1, stake(), None)?;
        let (app, pool) = (market.app_order(1_000_000), market.pool_order(1_000_000, stake()));
        let orders = market.signed(app, pool, orders.request, Vec::new())?;
        let (matched, terms) = market.match_orders(&orders).await?;
        market.note("matchOrders, offers with a limit", matched);
        market.settle(&orders, terms).await?;
    }
    Ok(())
}

async fn one_transaction(market: &mut Market) -> Outcome<()> {
    for _ in 0..RUNS {
        let orders = market.orders(1, stake(), None)?;
        let gas = market.execute(&orders).await?;
        market.note("one transaction", gas);
    }
    Ok(())
}

async fn with_dataset_and_callback(market: &mut Market) -> Outcome<()> {
    let consumer = market.parties.governor.address().create(market.parties.governor.endpoint.nonce().await?);
    market.parties.governor.endpoint.send(None, CONSUMER.to_vec()).await?;
    for _ in 0..RUNS {
        let orders = with_dataset(market, Some(consumer))?;
        let (matched, terms) = market.match_orders(&orders).await?;
        let settled = market.settle(&orders, terms).await?;
        market.note("match and settle with dataset and callback", matched + settled);
        let orders = with_dataset(market, Some(consumer))?;
        let gas = market.execute(&orders).await?;
        market.note("one transaction with dataset and callback", gas);
    }
    Ok(())
}

fn with_dataset(market: &mut Market, callback: Option<Address>) -> Outcome<Orders> {
    let orders = market.orders(1, stake(), callback)?;
    market.signed(orders.app, orders.pool, orders.request, vec![market.dataset_order()])
}

async fn batches(market: &mut Market) -> Outcome<()> {
    for _ in 0..RUNS {
        let total = bag(market, 10).await?;
        market.note("bag of 10 in a batch, each", total / 10);
    }
    for _ in 0..2 {
        let total = bag(market, 1_000).await?;
        market.note("1,000 receipts in a batch, each", total / 1_000);
    }
    Ok(())
}

/// Matches a deal of `volume` tasks and settles all in one batch; the gas of both.
async fn bag(market: &mut Market, volume: u32) -> Outcome<u64> {
    let orders = market.orders(volume, stake(), None)?;
    let (matched, terms) = market.match_orders(&orders).await?;
    let tally = Tally { paid: volume, ..Tally::default() };
    let root = B256::repeat_byte(0x77);
    let deal = market.receipt(&orders, 0).dealId;
    let batch = Batch { work: work(&orders.request), dealId: deal, first: 0, tally: tally.clone(), root };
    let (r, vs) = market.parties.attest(&market.domain, &batch)?;
    let call = settleBatchCall {
        terms,
        first: 0,
        tally,
        root,
        receiptsCid: B256::repeat_byte(0x78),
        receiptsCodec: 0x55,
        r,
        vs,
    };
    Ok(matched + market.send(&market.parties.pool, market.contracts.batches, &call).await?)
}

async fn money(market: &mut Market) -> Outcome<()> {
    for _ in 0..RUNS {
        let deposit = depositCall { amount: U256::from(price(1_300)) };
        let gas = market.send(&market.parties.requester, market.contracts.market, &deposit).await?;
        market.note("deposit", gas);
        let orders = market.orders(1, stake(), None)?;
        let calls =
            vec![deposit.abi_encode().into(), matchOrdersCall { orders: orders.clone() }.abi_encode().into()];
        let both = multicallCall { calls };
        let gas = market.send(&market.parties.requester, market.contracts.market, &both).await?;
        market.note("deposit and match in one transaction", gas);
        let terms: DealTerms = market.terms(&orders).await?;
        let gas = market
            .send(&market.parties.pool, market.contracts.market, &startCall { terms: terms.clone() })
            .await?;
        market.note("start", gas);
        market.settle(&orders, terms).await?;
    }
    Ok(())
}

async fn channel(market: &mut Market) -> Outcome<()> {
    let mut orders = market.orders(1_000, stake(), None)?;
    orders.request.mode = 5;
    let orders = market.signed(orders.app, orders.pool, orders.request, Vec::new())?;
    let (opened, terms) = market.match_orders(&orders).await?;
    market.note("open a channel", opened);
    let deal = market.receipt(&orders, 0).dealId;
    for count in [100, 200, 1_000] {
        let signature = market.parties.requester.sign(&market.domain, &Voucher { dealId: deal, count })?;
        let call = redeemCall { terms: terms.clone(), count, signature };
        let gas = market.send(&market.parties.pool, market.contracts.channels, &call).await?;
        market.note("redeem a voucher", gas);
    }
    // Nothing is overdue: the call only has to be there.
    let claim = claimCall { terms, first: 0, count: 1 };
    let refused = market.send(&market.parties.pool, market.contracts.market, &claim).await;
    if refused.is_ok() {
        return Err("a closed task was refunded".into());
    }
    Ok(())
}

async fn with_fee(market: &mut Market) -> Outcome<()> {
    market.set_fee(250).await?;
    for _ in 0..RUNS {
        let orders = market.orders(1, stake(), None)?;
        let (_, terms) = market.match_orders(&orders).await?;
        let settled = market.settle(&orders, terms).await?;
        market.note("settle, with a protocol fee", settled);
    }
    Ok(())
}
