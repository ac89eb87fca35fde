//! Deals and their deadlines: who says in time that the work goes on, and who gets what when it does not end.
//!
//! A worker measures its half of the start window by the machine's clock, a deal begins by the chain's. A chain that is
//! slow therefore has it send the start early, and nobody has to wait a minute for that. The embedded chain's clock only
//! goes ahead, so these tests use anvil.

use super::{NOTHING, chain, fails_with, posted, sign_request, text, tokens};
use crate::support::{
    anvil::Anvil,
    eventually,
    network::{Network, WorkerMachine},
    process::{Daemon, Home},
    rpc,
};
use alloy_sol_types::{SolCall, SolEvent};
use sealwork_types::{
    B256,
    abi::{IMarket::DealStarted, IToken::balanceOfCall},
    params::{START_WINDOW_S, TASK_DEADLINE_S},
};
use serde_json::{Value, json};

/// Never ends by itself.
const ENDLESS: &str =
    r#"(module (memory (export "memory") 1) (func (export "_start") (loop $spin (br $spin))))"#;
/// After half of its window a pool says that it works on a deal.
const START_AFTER_S: u64 = START_WINDOW_S / 2;

/// A network with the app `nothing` for 2 and a worker for 1, who deposited 5 and stakes 2.
fn with_stake(module: &str, options: &[&str]) -> (Network, WorkerMachine, Daemon) {
    let network = Network::start(&[&["--no-worker"], options].concat());
    network.publish_text("nothing", module, "");
    let machine = WorkerMachine::new(&network, &network.document());
    machine.home.ok(["account", "deposit", "5"]);
    let worker = machine.start_with(&["--stake", "2"]);
    (network, machine, worker)
}

/// The only deal of the wallet, as it is listed.
fn listed(home: &Home) -> Value {
    let mut deals = home.run(["deal", "list"]).lines;
    assert_eq!(deals.len(), 1, "{deals:#?}");
    deals.remove(0)
}

/// The same with its tasks.
fn deal(home: &Home) -> Value {
    home.ok(["deal", "show", text(&listed(home)["deal"])])
}

/// How long after the match the deal's refund can be claimed, as the command line says.
fn window(deal: &Value) -> u64 {
    deal["deadline"].as_u64().unwrap() - deal["matched_at"].as_u64().unwrap()
}

fn started(home: &Home) -> Value {
    eventually("the pool starts the deal", || {
        let deal = deal(home);
        (deal["started"] == true).then_some(deal)
    })
}

/// Tokens of the Market: everything in all accounts, deals and the kitty.
fn held(network: &Network) -> Value {
    let contracts = network.document()["contracts"].clone();
    let call = balanceOfCall { owner: text(&contracts["market"]).parse().unwrap() };
    let data = format!("0x{}", hex::encode(call.abi_encode()));
    let answer =
        rpc::call(chain(network), "eth_call", &json!([{ "to": contracts["token"], "data": data }, "latest"]));
    Value::from(u128::from_str_radix(text(&answer).trim_start_matches("0x"), 16).unwrap().to_string())
}

/// What an account has at hand and in deals.
fn money(home: &Home) -> (Value, Value) {
    let account = home.ok(["account", "show"]);
    (account["available"].clone(), account["locked"].clone())
}

/// Somebody who has nothing to do with any deal.
fn bystander(network: &Network) -> Home {
    WorkerMachine::new(network, &network.document()).home
}

/// The bystander claims the refund of one task of 3 tokens; who claims gets nothing.
fn claims_for_others(bystander: &Home, deal: &Value) {
    let before = bystander.ok(["account", "show"]);
    let claimed = bystander.ok(["claim", text(&deal["deal"])]);
    assert_eq!(claimed["refunded"], 1, "{claimed}");
    assert_eq!(
        (&claimed["amount"], &claimed["payer"]),
        (&"0x29a2241af62c0000".into(), &deal["payer"]),
        "{claimed}"
    );
    assert_eq!(bystander.ok(["account", "show"]), before);
    fails_with(bystander, &["claim", text(&deal["deal"])], "DealUnknown");
}

#[test]
fn a_pool_says_in_time_that_it_works_on_a_long_task() {
    // Long enough to look at the deal before, short enough to wait for.
    let behind = START_AFTER_S - 6;
    let Some(anvil) = Anvil::start_behind(behind) else { return };
    let (network, machine, _worker) = with_stake(ENDLESS, &["--rpc", &anvil.url]);
    let run = network.home.start(["run", "nothing"]);
    run.answer("match", |line| line["step"] == "matched" || !line["error"].is_null());
    let matched = listed(&network.home);
    assert_eq!((&matched["started"], window(&matched)), (&false.into(), START_WINDOW_S), "{matched:#}");

    let started = started(&network.home);
    assert_eq!(
        (window(&started), &started["tasks"][0]["state"]),
        (TASK_DEADLINE_S, &"open".into()),
        "{started:#}"
    );
    assert_eq!(started["tasks"][0]["deadline"], started["deadline"]);
    assert_eq!(machine.status()["running"], 1, "the program runs on");

    // Said by the pool, once, after half of the window by its own clock.
    let topics = json!([B256::from(DealStarted::SIGNATURE_HASH), started["deal"]]);
    let logs = rpc::call(&anvil.url, "eth_getLogs", &json!([{ "fromBlock": "0x0", "topics": topics }]));
    assert_eq!(logs.as_array().unwrap().len(), 1, "{logs}");
    assert_eq!(logs[0]["address"], text(&network.document()["contracts"]["market"]).to_lowercase());
    let sent = rpc::call(&anvil.url, "eth_getTransactionByHash", &json!([logs[0]["transactionHash"]]));
    let operator = machine.home.ok(["wallet", "show"])["address"].clone();
    assert_eq!(text(&sent["from"]).to_lowercase(), text(&operator).to_lowercase());
    let block = rpc::call(&anvil.url, "eth_getBlockByHash", &json!([logs[0]["blockHash"], false]));
    let after = rpc::number(&block["timestamp"]) - started["matched_at"].as_u64().unwrap();
    // Both clocks are cut to whole seconds.
    assert!((START_AFTER_S - 2..START_WINDOW_S).contains(&(after + behind)), "{after} s after the match");

    rpc::travel(&anvil.url, START_WINDOW_S);
    fails_with(&network.home, &["claim", text(&started["deal"])], "DeadlineNotReached");
    assert_eq!(money(&network.home), (tokens(0), tokens(3)));
}

#[test]
fn a_deal_that_nobody_serves_is_refunded_and_the_pool_gets_its_stake_back() {
    let (network, machine, worker) = with_stake(NOTHING, &[]);
    let (home, url) = (&network.home, chain(&network));
    drop(worker);
    sign_request(home, "request.json");
    home.ok(["deal", "match", &posted(home, "app"), &posted(home, "pool"), "request.json"]);
    let matched = deal(home);
    assert_eq!(window(&matched), START_WINDOW_S);
    assert_eq!((money(&machine.home).0, money(home)), (tokens(3), (tokens(0), tokens(3))));
    assert_eq!(held(&network), tokens(8));
    let carol = bystander(&network);
    fails_with(&carol, &["claim", text(&matched["deal"])], "DeadlineNotReached");

    rpc::travel(url, START_WINDOW_S + 1);
    claims_for_others(&carol, &matched);
    assert_eq!(money(home), (tokens(3), tokens(0)));
    // Anybody can match an offer, so a pool answers with its stake only for what it started.
    assert_eq!(money(&machine.home).0, tokens(5));
    assert_eq!(home.ok(["kitty", "show"])["kitty"], tokens(0));
    assert_eq!(held(&network), tokens(8));
    fails_with(&machine.home, &["kitty", "draw"], "NothingToDraw");
    assert_eq!(deal(home)["tasks"][0]["state"], "refunded");
}

#[test]
fn a_pool_that_starts_a_deal_and_leaves_it_loses_its_stake() {
    // The start is due as soon as the deal is there.
    let Some(anvil) = Anvil::start_behind(START_AFTER_S + 10) else { return };
    let (network, machine, worker) = with_stake(ENDLESS, &["--rpc", &anvil.url]);
    let (home, url) = (&network.home, anvil.url.as_str());
    let run = home.start(["run", "nothing"]);
    run.answer("running program", |line| line["step"] == "running" || !line["error"].is_null());
    let started = started(home);
    worker.kill_9();
    drop(run);
    assert_eq!((money(&machine.home).0, money(home)), (tokens(3), (tokens(0), tokens(3))));
    assert_eq!((home.ok(["kitty", "show"])["kitty"].clone(), held(&network)), (tokens(0), tokens(8)));

    let (carol, name) = (bystander(&network), text(&started["deal"]));
    let deadline = started["deadline"].as_u64().unwrap();
    for time in [deadline - TASK_DEADLINE_S + START_WINDOW_S + 1, deadline - 60] {
        rpc::travel(url, time - rpc::now(url));
        fails_with(&carol, &["claim", name], "DeadlineNotReached");
    }
    rpc::travel(url, 61);
    claims_for_others(&carol, &started);
    assert_eq!(money(home), (tokens(3), tokens(0)));
    assert_eq!(money(&machine.home).0, tokens(3), "the stake does not come back");
    for who in [home, &machine.home, &carol] {
        assert_eq!(who.ok(["kitty", "show"]), json!({ "kitty": tokens(2), "merit": "0" }));
    }
    assert_eq!(held(&network), tokens(8), "nothing left the Market");
    assert_eq!(deal(home)["tasks"][0]["state"], "refunded");

    // Who comes back later lets go of the task.
    let _worker = machine.start_with(&["--stake", "2"]);
    let status = eventually("the worker hears of the refund", || {
        let status = machine.status();
        (status["abandoned"] == 1).then_some(status)
    });
    assert!(text(&status["reasons"][0]).contains("closed on chain"), "{status}");
    assert_eq!((money(&machine.home).0, money(home).0), (tokens(3), tokens(3)));
}
