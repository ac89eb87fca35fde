//! The requester of a run: asks for tasks in every way there is.

use crate::{
    clock::SimClock,
    network::{Route, Server, SimKeyService, SimPool},
    process::Life,
    services::{Surroundings, first_words},
    trace::{INPUT_CANARY, OUTPUT_CANARY},
    world::Wallet,
};
use anyhow::{Context, Result, ensure};
use sealwork_client::{
    Client, Outcome, Parts, Proposal, RunInput, RunRequest, Salts, Settlement, SignedVouchers, Source,
};
use sealwork_ports::KeyService;
use sealwork_types::{
    Status,
    abi::RequestOrder,
    order::TrustMode,
    signed_order::{Order, SignedOrder},
};
use sealwork_worker::Worker;
use std::{sync::Arc, time::Duration};

/// How long the requester waits for a task.
const PATIENCE: Duration = Duration::from_secs(1_500);
/// How long orders are valid.
const VALID_S: u64 = 3_000;

/// One way to ask for tasks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wish {
    /// One task, matched on chain.
    Single,
    /// One task, matched and settled in one transaction.
    OneTransaction,
    /// Tasks of one deal on one input.
    Bag(u32),
}

/// The requester.
#[derive(Debug)]
pub(crate) struct Requester {
    client: Client,
    around: Surroundings,
}

/// Standard input of a wish.
pub(crate) fn input_of(number: u64) -> Vec<u8> {
    [INPUT_CANARY, format!("wish number {number}").as_bytes()].concat()
}

/// What the program makes of it.
pub(crate) fn output_of(number: u64) -> Vec<u8> {
    [OUTPUT_CANARY, format!("WISH NUMBER {number}").as_bytes()].concat()
}

impl Requester {
    /// A requester whose every connection may fail.
    pub(crate) async fn connect(
        around: &Surroundings,
        life: &Life,
        clock: &SimClock,
        worker: &Server<Worker>,
    ) -> Self {
        let chain = around.connect(Wallet::Requester, life).await;
        let route = Route { life: life.clone(), faults: around.faults.clone() };
        let cas = SimKeyService { cas: around.cas.clone(), route: route.clone() };
        let pool = Arc::new(SimPool { worker: worker.clone(), route });
        let parts = Parts {
            chain: Arc::clone(&chain) as _,
            book: chain,
            store: Arc::new(around.store.for_process(life.clone())),
            cas: vec![Arc::new(cas) as Arc<dyn KeyService>],
            progress: Arc::clone(&pool) as _,
            requests: pool,
            clock: Arc::new(clock.clone()),
            salts: Salts::in_memory(),
            vouchers: SignedVouchers::in_memory(),
        };
        let network = around.world.network.clone();
        Self { client: Client::new(network, Wallet::Requester.key(), parts), around: around.clone() }
    }

    /// Makes a wish, again when it fails before anything is spent, and says what came of it.
    pub(crate) async fn wish(&self, number: u64, wish: Wish) {
        let trace = &self.around.trace;
        trace.note(format_args!("wish {number}: {wish:?}"));
        for _ in 0..5 {
            let made = match wish {
                Wish::Single => self.run(number, Settlement::Deal).await,
                Wish::OneTransaction => self.run(number, Settlement::OneTransaction).await,
                Wish::Bag(volume) => self.bag(number, volume).await,
            };
            match made {
                Ok(()) => return trace.note(format_args!("wish {number} is granted")),
                Err(error) => {
                    trace.note(format_args!("wish {number} failed: {}", first_words(&error)));
                    if matches!(error.downcast_ref(), Some(Wrong(_))) {
                        return trace.violation(format_args!("wish {number}: {error:#}"));
                    }
                }
            }
            if !self.around.faults.is_active() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(20)).await;
        }
    }

    async fn run(&self, number: u64, settlement: Settlement) -> Result<()> {
        let request = RunRequest {
            app: self.around.world.app,
            volume: 1,
            input: input(number),
            pool: Some(self.around.world.pool),
            max_price: None,
            valid_for_s: VALID_S,
            timeout: PATIENCE,
            deposit: false,
            settlement,
        };
        let outcome = self.client.run(request, &mut |_| {}).await?;
        check(number, &outcome)
    }

    async fn bag(&self, number: u64, volume: u32) -> Result<()> {
        let (client, world) = (&self.client, &self.around.world);
        let domain = world.network.anchors.domain;
        let expiry = client.now().await?.saturating_add(VALID_S);
        let app = client.chain().app_orders(world.app).await?.into_iter().next().context("no app order")?;
        let pool = client.chain().pool_orders(Some(world.pool)).await?.into_iter().next();
        let pool = pool.context("no pool order")?;
        let request = client.request_with_input(world.app, input(number), expiry).await?;
        let request = RequestOrder {
            volume,
            mode: TrustMode::Tee.code(),
            appMaxPrice: app.order.price,
            poolMaxPrice: pool.order.price,
            poolRestrict: pool.order.pool,
            ..request
        };
        let signed = |order, signature| SignedOrder { domain, order, signature };
        let orders = vec![
            signed(Order::App(Box::new(app.order)), app.signature),
            signed(Order::Pool(Box::new(pool.order)), pool.signature),
            client.sign_order(Order::Request(Box::new(request))),
        ];
        let proposal = Proposal::of(orders, client)?;
        let (_, plan) = client.match_plan(&proposal, false).await?;
        client.carry_out(&plan).await?;
        Ok(())
    }
}

fn input(number: u64) -> RunInput {
    RunInput { args: Vec::new(), files: Vec::new(), stdin: Source::Bytes(input_of(number)) }
}

/// An answer that must not be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Wrong(String);

fn check(number: u64, outcome: &Outcome) -> Result<()> {
    ensure!(outcome.status == Status::SUCCESS, Wrong(format!("status {}", outcome.status)));
    let output = outcome.output.as_ref().ok_or_else(|| Wrong("no output".into()))?;
    ensure!(output.bundle.stdout == output_of(number), Wrong("another output".into()));
    Ok(())
}
