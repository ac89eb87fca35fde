//! What must hold in the end, as an honest endpoint shows it.

use crate::{
    requester::output_of,
    services::{Surroundings, WorkerProcess, without_ids},
    trace::Trace,
    world::{PRICES, WORKER_MEASUREMENT, Wallet},
};
use alloy_sol_types::SolCall;
use alloy_transport::IntoBoxTransport;
use anyhow::{Result, ensure};
use sealwork_cas::DirectKeyService;
use sealwork_chain::{Endpoint, EvmChain};
use sealwork_client::{Client, DealRecord, Parts, Salts, SignedVouchers, TaskState};
use sealwork_ports::KeyService;
use sealwork_types::{
    Address, U256,
    abi::{IMarket::kittyCall, IToken},
};
use sealwork_worker::HttpWorker;
use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

/// Tasks of a deal whose outputs are opened.
const OPENED: usize = 4;
/// Wishes that a run makes at most.
const MOST_WISHES: u64 = 5;

/// How the tasks of a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Deals.
    pub deals: u32,
    /// Tasks.
    pub tasks: u32,
    /// Settled one by one.
    pub settled: u32,
    /// Settled by batches.
    pub batched: u32,
    /// Left to be refunded.
    pub open: u32,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { deals, tasks, settled, batched, open } = self;
        write!(f, "{deals} deals, {tasks:>3} tasks: {settled} settled, {batched} in batches, {open} given up")
    }
}

/// The market as an honest endpoint shows it.
async fn observer(around: &Surroundings) -> Result<Client> {
    let transport = around.chain.honest().into_box_transport();
    let endpoint = Endpoint::over(transport, Wallet::Requester.signer()).await?;
    let chain = Arc::new(EvmChain::over(around.world.deployment(), endpoint)?);
    let nobody = Arc::new(HttpWorker::default());
    let parts = Parts {
        chain: Arc::clone(&chain) as _,
        book: chain,
        store: Arc::new(around.store.clone()),
        cas: Vec::new(),
        progress: Arc::clone(&nobody) as _,
        requests: nobody,
        clock: Arc::new(crate::clock::SimClock::begin()),
        salts: Salts::in_memory(),
        vouchers: SignedVouchers::in_memory(),
    };
    Ok(Client::new(around.world.network.clone(), Wallet::Requester.key(), parts))
}

/// What workers have not finished.
pub(crate) fn open(workers: &[WorkerProcess]) -> String {
    let status = |worker: &WorkerProcess| match worker.server.now().map(|worker| worker.status()) {
        Some(Ok(status)) => format!(
            "queued {}, running {}, executed {}, waits for {:?}",
            status.queued, status.running, status.executed, status.waiting
        ),
        _ => "down".to_owned(),
    };
    workers.iter().map(status).collect::<Vec<_>>().join("; ")
}

/// Waits until no worker has anything to do and none of their tasks is open on chain but those given up.
pub(crate) async fn until_calm(around: &Surroundings, workers: &[WorkerProcess]) {
    let mut calm = 0;
    while calm < 3 {
        tokio::time::sleep(Duration::from_secs(15)).await;
        let idle = |worker: &WorkerProcess| {
            let status = worker.server.now().and_then(|worker| worker.status().ok());
            status.is_some_and(|status| status.queued + status.running + status.executed == 0)
        };
        let all_idle = workers.iter().all(idle);
        let missing = around.chain.has_missing().await.unwrap_or(true);
        calm = if all_idle && !missing { calm + 1 } else { 0 };
    }
}

/// Looks at everything there is to look at.
///
/// # Errors
/// When the honest endpoint does not answer, or a check cannot be made.
pub(crate) async fn verdict(
    around: &Surroundings,
    workers: &[WorkerProcess],
    trace: &Trace,
) -> Result<Tally> {
    let observer = observer(around).await?;
    let deals = observer.deals(|_| true).await?;
    let mut tally = Tally { deals: u32::try_from(deals.len())?, ..Tally::default() };
    for deal in &deals {
        look_at(&observer, deal, &mut tally, trace).await?;
    }
    check_workers(workers, &tally, trace);
    check_money(&observer, &tally, trace).await?;
    check_cas(around, trace).await?;
    trace.note(tally);
    Ok(tally)
}

async fn look_at(observer: &Client, deal: &DealRecord, tally: &mut Tally, trace: &Trace) -> Result<()> {
    let mut opened = 0;
    for task in deal.tasks() {
        tally.tasks += 1;
        match &task.state {
            TaskState::Open { .. } => tally.open += 1,
            TaskState::Settled(_) => tally.settled += 1,
            TaskState::Batched { .. } => tally.batched += 1,
            TaskState::Closed { .. } => trace.violation("a task is closed without a receipt"),
            TaskState::Refunded { .. } => trace.violation("a task is refunded, and nobody asked for it"),
        }
        let ended = matches!(task.state, TaskState::Settled(_) | TaskState::Batched { .. });
        if ended && opened < OPENED {
            opened += 1;
            open_output(observer, &task, trace).await;
        }
    }
    Ok(())
}

/// The receipt of a settled task must hold, and its output must be what the program makes of some input.
async fn open_output(observer: &Client, task: &sealwork_client::TaskRecord, trace: &Trace) {
    let opening = async {
        let receipt = observer.receipt(task).await?;
        sealwork_protocol::receipt::check(&receipt, &observer.network().anchors)?;
        let output = observer.fetch(task, &receipt).await?;
        let output = output.ok_or_else(|| anyhow::anyhow!("there is no output"))?;
        let known = (0..MOST_WISHES).any(|number| output.bundle.stdout == output_of(number));
        ensure!(known, "the output is not what the program makes of any input");
        Ok(())
    };
    if let Err(error) = opening.await {
        trace.violation(format_args!("a settled task cannot be used: {error:#}"));
    }
}

/// What one worker believes must be what the chain shows.
fn check_workers(workers: &[WorkerProcess], tally: &Tally, trace: &Trace) {
    for worker in workers {
        trace.watch("the job log on disk", &worker.disk.image());
    }
    let [worker] = workers else { return };
    match sealwork_worker::Journal::on(worker.disk.open(worker.life.clone())).and_then(|log| log.counts()) {
        Ok(counts) => {
            let settled = u64::from(tally.settled + tally.batched);
            if counts.settled != settled || counts.open() != 0 {
                trace.violation(format_args!(
                    "the worker counts {} settled and {} open tasks, the chain shows {settled} settled",
                    counts.settled,
                    counts.open()
                ));
            }
            if u64::from(tally.open) > counts.abandoned {
                trace.violation(format_args!(
                    "{} tasks are open on chain, the worker gave {} up: some are lost",
                    tally.open, counts.abandoned
                ));
            }
            for reason in counts.reasons {
                trace.note(format_args!("given up: {}", without_ids(&reason, 12)));
            }
        }
        Err(error) => trace.violation(format_args!("the job log is unusable: {error}")),
    }
}

/// All money is somewhere, and everybody was paid for what was settled and nothing else.
async fn check_money(observer: &Client, tally: &Tally, trace: &Trace) -> Result<()> {
    let (chain, contracts) = (observer.chain(), observer.network().contracts);
    let mut sum = U256::ZERO;
    let parties = [Wallet::Deployer, Wallet::Requester, Wallet::Worker, Wallet::Anybody];
    let addresses: BTreeSet<Address> =
        parties.iter().map(|party| party.address()).chain([Address::repeat_byte(0xfe)]).collect();
    for address in addresses {
        let account = chain.account(address).await?;
        sum += U256::from(account.available) + U256::from(account.withdrawing);
    }
    let kitty = chain.call(contracts.market, kittyCall {}.abi_encode()).await?;
    let locked = U256::from(PRICES[0] + PRICES[1]) * U256::from(tally.open);
    sum += kittyCall::abi_decode_returns(&kitty)? + locked;
    let balance = IToken::balanceOfCall { owner: contracts.market }.abi_encode();
    let held = IToken::balanceOfCall::abi_decode_returns(&chain.call(contracts.token, balance).await?)?;
    if sum != held {
        trace.violation(format_args!("the Market holds {held}, its accounts add up to {sum}"));
    }
    let earned = U256::from(chain.account(Wallet::Worker.address()).await?.available);
    let due = U256::from(PRICES[1]) * U256::from(tally.settled + tally.batched);
    if earned != due {
        trace.violation(format_args!("the pool earned {earned}, settled tasks are worth {due}"));
    }
    Ok(())
}

/// Every grant and every key went to an enclave that may have it.
async fn check_cas(around: &Surroundings, trace: &Trace) -> Result<()> {
    let Some(member) = around.cas.now() else { return Ok(()) };
    let entries = DirectKeyService::new(member).log_entries(0, 1_000).await?;
    for entry in entries {
        if entry.measurement != WORKER_MEASUREMENT.get() {
            trace.violation("the CAS gave something to an enclave that no policy accepts");
        }
    }
    Ok(())
}
