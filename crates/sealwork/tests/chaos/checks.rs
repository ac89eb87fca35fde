//! What must hold after whatever happened.

use crate::{stack::Stack, support::rpc};
use alloy_signer_local::PrivateKeySigner;
use sealwork_cas::HttpKeyService;
use sealwork_chain::EvmChain;
use sealwork_client::{BagNews, Client, DealRecord, Parts, Salts, SignedVouchers, TaskEnd};
use sealwork_devchain::DEV_PRIVATE_KEYS;
use sealwork_ports::{EventCursor, KeyService, MarketEvent, OrderBook, Store, SystemClock};
use sealwork_seal::{Secret, sign::SigningKey};
use sealwork_store::{KuboOptions, KuboStore};
use sealwork_types::{
    DealId, U256,
    abi::IToken::balanceOfCall,
    deal::tasks_in,
    network::NetworkDocument,
    order::TrustMode,
    params::{MAX_DEAL_VOLUME, TASK_DEADLINE_S},
};
use sealwork_worker::HttpWorker;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long tasks may take once everything is in order again. Pauses of a worker grow to half a minute.
const PATIENCE: Duration = Duration::from_secs(75);
/// Index of the wallet `dev` among the development accounts.
const DEV: usize = 1;

/// Waits until no accepted task is open, and checks how each ended. Says how many deals and tasks were accepted.
pub(crate) fn everything_is_closed(stack: &Stack) -> (usize, u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = client(stack).await;
        let deals = until_closed(stack, &client).await;
        closed_exactly_once(&client, &deals).await;
        receipts_hold(&client, &deals).await;
        money_adds_up(&client, &deals).await;
        (deals.len(), deals.iter().map(DealRecord::volume).sum())
    })
}

async fn client(stack: &Stack) -> Client {
    let document = NetworkDocument::parse(stack.document.to_string().as_bytes()).unwrap();
    let secret = DEV_PRIVATE_KEYS[DEV];
    let signer = PrivateKeySigner::from_bytes(&secret).unwrap();
    let chain = Arc::new(EvmChain::connect(&document, signer).await.unwrap());
    let cas: Arc<dyn KeyService> = Arc::new(HttpKeyService::new(&document.cas[0].url).unwrap());
    let store: Arc<dyn Store> = Arc::new(KuboStore::new(&document.store, KuboOptions::default()).unwrap());
    let parts = Parts {
        book: Arc::clone(&chain) as Arc<dyn OrderBook>,
        chain,
        store,
        cas: vec![cas],
        progress: Arc::new(HttpWorker::default()),
        requests: Arc::new(HttpWorker::default()),
        clock: Arc::new(SystemClock),
        salts: Salts::in_memory(),
        vouchers: SignedVouchers::in_memory(),
    };
    Client::new(document, SigningKey::from_bytes(Secret::new(secret.0)).unwrap(), parts)
}

/// Deals of tasks, channels left out, once none of their tasks is open. What the worker gave up is claimed after its deadline.
async fn until_closed(stack: &Stack, client: &Client) -> Vec<DealRecord> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut deals = client.deals(|_| true).await.unwrap();
        deals.retain(|deal| deal.deal.terms.mode == TrustMode::Tee.code());
        let status = stack.worker_status();
        let idle = status
            .as_ref()
            .is_some_and(|status| ["queued", "running", "executed"].iter().all(|state| status[state] == 0));
        let open: Vec<&DealRecord> = deals.iter().filter(|deal| deal.open() > 0).collect();
        if idle && open.is_empty() {
            return deals;
        }
        let given_up = status.as_ref().is_some_and(|status| status["abandoned"].as_u64() > Some(0));
        if idle && given_up {
            claim(stack, client, &open).await;
        }
        assert!(Instant::now() < deadline, "still open: {open:?}, the worker says {status:#?}",);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn claim(stack: &Stack, client: &Client, open: &[&DealRecord]) {
    rpc::travel(stack.document["rpc"].as_str().unwrap(), 2 * TASK_DEADLINE_S);
    for deal in open {
        client.carry_out(&client.claim_plan(deal, 0, MAX_DEAL_VOLUME)).await.unwrap();
    }
}

/// Every task was settled once or refunded once, by the chain's own events.
async fn closed_exactly_once(client: &Client, deals: &[DealRecord]) {
    let mut closed: BTreeMap<(DealId, u32), u32> = BTreeMap::new();
    let mut refunded: BTreeMap<DealId, u32> = BTreeMap::new();
    let mut cursor = EventCursor::default();
    loop {
        let page = client.chain().events(cursor, 1_000).await.unwrap();
        for (_, event) in &page.events {
            match event {
                MarketEvent::Settled { deal, outcome, .. } => {
                    *closed.entry((*deal, outcome.index)).or_default() += 1;
                }
                MarketEvent::Batched { deal, batch, .. } => {
                    for index in batch.first..batch.first + tasks_in(&batch.tally) {
                        *closed.entry((*deal, index)).or_default() += 1;
                    }
                }
                MarketEvent::Refunded { deal, count, .. } => *refunded.entry(*deal).or_default() += count,
                MarketEvent::Matched { .. }
                | MarketEvent::Executed { .. }
                | MarketEvent::Started { .. }
                | MarketEvent::Closed { .. }
                | MarketEvent::Closing { .. } => {}
            }
        }
        if page.next == cursor {
            break;
        }
        cursor = page.next;
    }
    for deal in deals {
        let settled =
            (0..deal.volume()).filter_map(|index| closed.get(&(deal.id, index))).collect::<Vec<_>>();
        assert!(
            settled.iter().all(|times| **times == 1),
            "a task of {} was settled {settled:?} times",
            deal.id
        );
        let refunds = refunded.get(&deal.id).copied().unwrap_or(0);
        let ended = u32::try_from(settled.len()).unwrap() + refunds;
        assert_eq!(ended, deal.volume(), "tasks of {} that were settled or refunded", deal.id);
    }
}

/// Every settled task has a receipt that holds and an output that opens.
async fn receipts_hold(client: &Client, deals: &[DealRecord]) {
    for deal in deals {
        let mut take = |news: BagNews| {
            let BagNews::Task(task) = news else { return };
            let holds = matches!(&task.end, TaskEnd::Settled { output: Ok(_), .. } | TaskEnd::Refunded);
            assert!(holds, "task {} of {} ended with {:?}", task.index, deal.id, task.end);
        };
        let collected = client.collect(deal, Duration::from_secs(20), &mut take).await;
        assert_eq!(collected.unwrap().tasks, deal.volume());
    }
}

/// The Market holds exactly what accounts, open channels and the kitty hold together.
async fn money_adds_up(client: &Client, deals: &[DealRecord]) {
    let contracts = client.network().contracts;
    let chain = client.chain();
    let call = balanceOfCall { owner: contracts.market };
    let answer = chain.call(contracts.token, alloy_sol_types::SolCall::abi_encode(&call)).await.unwrap();
    let held = U256::from_be_slice(&answer);
    let mut owners: Vec<_> = DEV_PRIVATE_KEYS
        .iter()
        .map(|key| PrivateKeySigner::from_bytes(key).unwrap().address())
        .chain(deals.iter().flat_map(|deal| {
            let terms = &deal.deal.terms;
            [terms.payer, terms.appOwner, terms.poolOwner]
        }))
        .collect();
    owners.sort_unstable();
    owners.dedup();
    let mut accounted = client.locked().await.unwrap();
    for owner in owners {
        let account = chain.account(owner).await.unwrap();
        accounted += U256::from(account.available) + U256::from(account.withdrawing);
    }
    assert_eq!(held, accounted, "the Market's tokens, and what accounts and open deals hold of them");
}

/// Nothing that was sealed lies in the clear in what services wrote. The requester's own folder is the requester's.
pub(crate) fn nothing_is_in_the_clear(stack: &Stack) {
    let private = stack.requester.path("private");
    std::fs::remove_dir_all(&private).unwrap();
    for (whose, home) in [("requester", &stack.requester), ("worker", &stack.machine)] {
        let (found, looked_at) = stack.canary.in_files(home.root());
        assert!(looked_at > 10_000, "nothing to look at");
        // Logs of the requester's own commands hold its output on no stream but standard output, which is no file.
        assert_eq!(found, None, "a secret of the requester lies in the {whose}'s files");
    }
    for (name, proxy) in &stack.proxies {
        for tape in proxy.recorded() {
            assert_eq!(stack.canary.find(&tape), None, "a secret went to the {name}");
        }
    }
}
