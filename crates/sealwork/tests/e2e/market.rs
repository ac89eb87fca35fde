//! Orders by the command line: posted, matched by others, canceled, approved, tried out; and what became of them.

mod agreements;
mod deadlines;

use crate::support::{
    network::{Network, WorkerMachine},
    process::{Daemon, Home},
    rpc,
};
use serde_json::Value;

/// Copies nothing, does nothing.
const NOTHING: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
/// What a request for the app below has to pay: 2 for the app, 1 for the pool.
const PRICES: [&str; 4] = ["--max-app-price", "2", "--max-pool-price", "1"];

/// Whole tokens as the account shows them.
fn tokens(amount: u32) -> Value {
    Value::from(format!("{amount}{}", if amount == 0 { "" } else { "000000000000000000" }))
}

fn chain(network: &Network) -> &str {
    network.ready["chain"].as_str().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// Runs a command that must fail with exit code 1 and a text that contains `error`.
fn fails_with(home: &Home, arguments: &[&str], error: &str) {
    let reply = home.run(arguments);
    assert_eq!(reply.code, 1, "{arguments:?}: {reply:#?}");
    assert!(text(&reply.last()["error"]).contains(error), "{arguments:?}: expected {error}, got {reply:#?}");
}

/// Hash of the only valid posted order of a kind.
fn posted(home: &Home, kind: &str) -> String {
    let listed = home.run(["book", "--kind", kind]).lines;
    assert_eq!(listed.len(), 1, "{listed:#?}");
    assert_eq!(listed[0]["valid"], true);
    text(&listed[0]["hash"]).to_owned()
}

/// Signs a request for the app `nothing`.
fn sign_request(home: &Home, file: &str) -> Value {
    home.ok([&["order", "sign", "request", "nothing", "--out", file], &PRICES[..]].concat())
}

/// A network with the app `nothing` and a worker on a machine of its own.
fn with_worker() -> (Network, WorkerMachine, Daemon) {
    let network = Network::start(&["--no-worker"]);
    network.publish_text("nothing", NOTHING, "");
    let machine = WorkerMachine::new(&network, &network.document());
    let worker = machine.start();
    (network, machine, worker)
}

#[test]
fn posted_orders_are_found_and_matched_by_somebody_else() {
    let (network, machine, _worker) = with_worker();
    let home = &network.home;
    home.ok(["account", "deposit", "5"]);
    let signed = sign_request(home, "request.json");
    let request = text(&signed["hash"]);
    assert_eq!(home.ok(["order", "show", "request.json"])["state"], "valid");
    home.ok(["order", "post", "request.json"]);
    fails_with(home, &["order", "post", "request.json"], "AlreadyPosted");
    assert_eq!(posted(home, "request"), request);
    let mine = home.run(["book", "--mine"]).lines;
    assert_eq!(mine.len(), 2, "the app order and the request: {mine:#?}");
    assert_eq!(machine.home.run(["book", "--mine", "--kind", "request"]).lines.len(), 0);

    home.ok(["order", "withdraw", request]);
    assert_eq!(home.run(["book", "--kind", "request"]).lines.len(), 0, "taken off the Book");
    home.ok(["order", "post", "request.json"]);

    // The pool's owner finds three orders in the Book and makes a deal of them, which its worker serves.
    let (app, pool) = (posted(home, "app"), posted(home, "pool"));
    let deal = machine.home.ok(["deal", "match", &app, &pool, request]);
    let deal = text(&deal["deal"]);
    let task = home.ok(["task", "list"])["task"].clone();
    assert_eq!(home.ok(["task", "wait", text(&task), "--timeout", "60"])["state"], "settled");
    let shown = home.ok(["deal", "show", deal]);
    assert_eq!((&shown["closed"], &shown["tasks"][0]["state"]), (&1.into(), &"settled".into()), "{shown:#}");
    assert_eq!(shown["tasks"][0]["task"], task);
    assert_eq!(home.ok(["order", "show", request])["valid"], false, "used up");
    assert_eq!(home.run(["book", "--kind", "request"]).lines.len(), 0);
    assert_eq!(home.run(["book", "--kind", "request", "--all"]).lines.len(), 1);
    fails_with(&machine.home, &["deal", "match", &app, &pool, request], "OrderConsumed");
}

#[test]
fn canceled_orders_are_not_matched_any_more() {
    let (network, machine, _worker) = with_worker();
    let home = &network.home;
    let (app, pool) = (posted(home, "app"), posted(home, "pool"));
    sign_request(home, "request.json");
    let request = home.path("request.json");
    for command in ["cancel", "approve"] {
        fails_with(&machine.home, &["order", command, request.to_str().unwrap()], "nothing would change");
    }
    let canceled = home.ok(["order", "cancel", "request.json"]);
    assert!(canceled["transaction"].is_string(), "{canceled}");
    fails_with(home, &["deal", "match", &app, &pool, "request.json"], "OrderConsumed");
    assert_eq!(home.ok(["order", "show", "request.json"])["state"], "canceled");

    // An offer by its hash.
    let offer = home.ok(["order", "sign", "app", "nothing", "--price", "1", "--out", "app.json"]);
    sign_request(home, "second.json");
    home.ok(["order", "cancel", text(&offer["hash"])]);
    fails_with(home, &["deal", "match", "app.json", &pool, "second.json"], "OrderConsumed");

    // Everything at once, posted or not.
    home.ok(["order", "cancel", "--all"]);
    fails_with(home, &["deal", "match", &app, &pool, "second.json"], "OrderNonceTooLow");
    assert_eq!(home.ok(["order", "show", "second.json"])["state"], "nonce-too-low");
    assert_eq!(home.run(["book", "--kind", "app"]).lines.len(), 0);
    assert_eq!(home.ok(["account", "show"])["locked"], "0");
}

#[test]
fn an_allow_list_admits_whom_it_names() {
    let (network, _machine, _worker) = with_worker();
    let home = &network.home;
    let pool = posted(home, "pool");
    let me = home.ok(["wallet", "show"])["address"].clone();
    let others = [1, 2, 3].map(|digit| format!("0x{}", digit.to_string().repeat(40)));
    home.write("list.json", serde_json::json!([others[0], me, others[1], others[2]]).to_string());
    home.write("others.json", serde_json::json!(others).to_string());
    let sign = |list: &str, file: &str| {
        let root = home.ok(["order", "allow-list", list])["root"].clone();
        let terms = ["--price", "1", "--for-requester", text(&root), "--out", file];
        home.ok([&["order", "sign", "app", "nothing"][..], &terms].concat());
    };
    sign("list.json", "app.json");
    sign("others.json", "app-for-others.json");
    sign_request(home, "request.json");
    fails_with(home, &["deal", "match", "app.json", &pool, "request.json"], "Restricted");
    let with_list = |app: &'static str, list: &'static str| {
        ["deal", "match", app, pool.as_str(), "request.json", "--allow-list", list].map(str::to_owned)
    };
    let refused = home.run(with_list("app-for-others.json", "others.json"));
    assert!(text(&refused.last()["error"]).contains("Restricted"), "{refused:#?}");
    home.ok(with_list("app.json", "list.json"));
}

#[test]
fn an_order_can_be_approved_instead_of_signed() {
    let (network, _machine, _worker) = with_worker();
    let home = &network.home;
    let pool = posted(home, "pool");
    home.ok(["order", "sign", "app", "nothing", "--price", "1", "--unsigned", "--out", "app.json"]);
    sign_request(home, "request.json");
    assert_eq!(home.ok(["order", "show", "app.json"])["state"], "unsigned");
    fails_with(home, &["deal", "match", "app.json", &pool, "request.json"], "BadSignature");
    home.ok(["order", "approve", "app.json"]);
    assert_eq!(home.ok(["order", "show", "app.json"])["valid"], true);
    home.ok(["deal", "match", "app.json", &pool, "request.json"]);
}

#[test]
fn missing_money_is_deposited_in_the_transaction_that_needs_it() {
    let (network, _machine, _worker) = with_worker();
    let home = &network.home;
    let address = home.ok(["wallet", "show"])["address"].clone();
    let sent = || rpc::sent_and_waiting(chain(&network), text(&address)).0;
    let before = sent();
    assert_eq!(home.ok(["account", "show"])["available"], "0");
    let reply = home.run(["run", "nothing"]);
    assert_eq!(reply.last()["status"], "SUCCESS", "{reply:#?}");
    assert_eq!(sent() - before, 1, "one transaction deposits and matches");
    let cost = reply.lines.iter().find(|line| line["cost"].is_object()).unwrap();
    assert!(cost["cost"]["gas"].as_u64().unwrap() > 100_000, "{cost}");
    fails_with(home, &["run", "nothing", "--no-deposit"], "account deposit");
}

#[test]
fn a_dry_run_tells_the_cost_and_changes_nothing() {
    let (network, _machine, _worker) = with_worker();
    let home = &network.home;
    sign_request(home, "request.json");
    let (app, pool) = (posted(home, "app"), posted(home, "pool"));
    let state = || {
        let block = rpc::call(chain(&network), "eth_blockNumber", &serde_json::json!([]));
        (block, home.ok(["account", "show"]), home.run(["book", "--all"]).lines)
    };
    let before = state();
    let commands: &[&[&str]] = &[
        &["account", "deposit", "3"],
        &["order", "post", "request.json"],
        &["order", "approve", "request.json"],
        &["order", "cancel", "request.json"],
        &["order", "cancel", "--all"],
        &["deal", "match", &app, &pool, "request.json"],
        &["channel", "open", "nothing", "--tasks", "2"],
        &["app", "name", "commit", "a-good-name"],
        &["publish", "projects/nothing", "--price", "7"],
        &["app", "update", "nothing", "projects/nothing"],
        &["run", "nothing"],
    ];
    for command in commands {
        let answer = home.ok([*command, &["--dry-run"]].concat());
        assert_eq!(answer["dry_run"], true, "{command:?}: {answer}");
        assert!(answer["cost"]["gas"].as_u64().unwrap() > 21_000, "{command:?}: {answer}");
        assert_eq!(state(), before, "{command:?}");
    }
    // What would fail says why, and what cannot be tried out says so.
    fails_with(home, &["account", "withdraw", "1", "--dry-run"], "InsufficientFunds");
    fails_with(home, &["account", "faucet", "--dry-run"], "--dry-run");
    // Neither does it write anything.
    fails_with(home, &["order", "sign", "app", "nothing", "--out", "dry.json", "--dry-run"], "--dry-run");
    fails_with(home, &["channel", "pay", "0x00", "1", "--dry-run"], "--dry-run");
    assert!(!home.path("dry.json").exists());
    assert_eq!(state(), before);
}
