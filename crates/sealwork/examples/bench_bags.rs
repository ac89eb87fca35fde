//! Lets one worker run bags of tasks: `bench_bags NETWORK.json WORKER_URL APP ROUNDS TASKS...`; prints tasks a second for
//! each size, from the moment the deal is on chain until the chain shows its last task closed. `cargo xtask bench spine`
//! runs it.

#[path = "support/live.rs"]
mod support;

use anyhow::{Context, Result, ensure};
use sealwork_client::{Client, Proposal, RunInput, Source};
use sealwork_ports::ErrorKind;
use sealwork_types::{
    AppId, DealId,
    abi::RequestOrder,
    order::TrustMode,
    signed_order::{Order, SignedOrder},
};
use sealwork_worker::HttpWorker;
use std::{
    fs,
    time::{Duration, Instant},
};
use support::{client, report};

/// How long orders are valid, seconds.
const VALID_S: u64 = 3_000;
/// Pause between looks at a deal.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Standard input of every task.
const INPUT: &[u8] = b"a small input, because the worker is measured and not the program";

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [network, worker, app, rounds, sizes @ ..] = arguments.as_slice() else {
        anyhow::bail!("usage: bench_bags NETWORK.json WORKER_URL APP ROUNDS TASKS...");
    };
    let client = client(&fs::read(network)?).await?;
    let (app, rounds): (AppId, u32) = (app.parse()?, rounds.parse()?);
    // Has the key released and the program compiled.
    run(&client, app, 1).await?;
    for size in sizes {
        let tasks: u32 = size.parse()?;
        let mut samples = Vec::new();
        for _ in 0..rounds {
            let took = run(&client, app, tasks).await?;
            samples.push(f64::from(tasks) / took.as_secs_f64());
        }
        report(&format!("bag::of/tasks={tasks}"), "/s", samples);
    }
    let status = HttpWorker::default().status(worker).await?;
    ensure!(status.abandoned == 0, "{} tasks were given up: {:?}", status.abandoned, status.reasons);
    Ok(())
}

/// Brings a bag on chain and waits until all its tasks are closed.
async fn run(client: &Client, app: AppId, tasks: u32) -> Result<Duration> {
    let (deal, started) = submit(client, app, tasks).await?;
    loop {
        match client.chain().deal(deal).await {
            // Finished and forgotten by the contract.
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(started.elapsed()),
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn submit(client: &Client, app: AppId, volume: u32) -> Result<(DealId, Instant)> {
    let domain = client.network().anchors.domain;
    let expiry = client.now().await?.saturating_add(VALID_S);
    let input = RunInput { args: Vec::new(), files: Vec::new(), stdin: Source::Bytes(INPUT.to_vec()) };
    let offer = client.chain().app_orders(app).await?.into_iter().next().context("no app order")?;
    let pool = client.chain().pool_orders(None).await?.into_iter().next().context("no pool order")?;
    let request = client.request_with_input(app, input, expiry).await?;
    let request = RequestOrder {
        volume,
        mode: TrustMode::Tee.code(),
        appMaxPrice: offer.order.price,
        poolMaxPrice: pool.order.price,
        poolRestrict: pool.order.pool,
        ..request
    };
    let signed = |order, signature| SignedOrder { domain, order, signature };
    let orders = vec![
        signed(Order::App(Box::new(offer.order)), offer.signature),
        signed(Order::Pool(Box::new(pool.order)), pool.signature),
        client.sign_order(Order::Request(Box::new(request))),
    ];
    let (deal, plan) = client.match_plan(&Proposal::of(orders, client)?, true).await?;
    client.carry_out(&plan).await?;
    Ok((deal, Instant::now()))
}
