//! Requests that go straight to a pool, which matches and settles in one transaction.

use crate::support::{
    eventually,
    network::{Network, WorkerMachine},
    process::{Daemon, Home},
    rpc,
};
use serde_json::{Value, json};

/// One token in smallest units.
const TOKEN: u128 = 1_000_000_000_000_000_000;

/// Says `done`; with an argument it spins for a few seconds first.
const PROGRAM: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "done\n")
  (func (export "_start") (local $left i64)
    (drop (call $args (i32.const 32) (i32.const 36)))
    (local.set $left (i64.const 1))
    (if (i32.gt_u (i32.load (i32.const 32)) (i32.const 1)) (then (local.set $left (i64.const 6000000000))))
    (loop $spin
      (local.set $left (i64.sub (local.get $left) (i64.const 1)))
      (br_if $spin (i64.ne (local.get $left) (i64.const 0))))
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 5))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

/// A developer with the network, a pool and a requester, each with a wallet of its own.
struct World {
    network: Network,
    pool: WorkerMachine,
    requester: WorkerMachine,
    app: String,
}

impl World {
    fn new() -> Self {
        let network = Network::start(&["--no-worker"]);
        let app = network.publish_text("spin", PROGRAM, "");
        let machine = || WorkerMachine::new(&network, &network.document());
        let (pool, requester) = (machine(), machine());
        Self { network, pool, requester, app }
    }

    fn start_pool(&self, options: &[&str]) -> Daemon {
        let sim_root = self.pool.sim_root.to_str().unwrap();
        let arguments = ["worker", "start", "--sim-root", sim_root, "--price", "1"];
        let worker = self.pool.home.start(arguments.iter().chain(options));
        assert_eq!(worker.ready()["ready"], true);
        worker
    }

    /// Transactions that somebody has sent.
    fn sent(&self, home: &Home) -> u64 {
        let address = home.ok(["wallet", "show"])["address"].as_str().unwrap().to_owned();
        rpc::sent_and_waiting(self.network.ready["chain"].as_str().unwrap(), &address).0
    }

    fn run_fails(&self, code: i32, options: &[&str]) -> Value {
        let arguments = [&["run", self.app.as_str(), "--one-transaction"], options].concat();
        let reply = self.requester.home.run(arguments);
        assert_eq!(reply.code, code, "{reply:#?}");
        reply.last()
    }
}

/// What somebody has in the wallet and in the account, and what of it is in the account.
fn money(home: &Home) -> (u128, u128) {
    let shown = home.ok(["account", "show"]);
    assert_eq!(shown["locked"], "0", "{shown}");
    let amount = |field: &str| shown[field].as_str().unwrap().parse::<u128>().unwrap();
    (amount("tokens") + amount("available"), amount("available"))
}

fn says(answer: &Value, field: &str, part: &str) {
    assert!(answer[field].as_str().unwrap_or_default().contains(part), "{part:?} is not in {answer:#}");
}

#[test]
fn one_transaction_by_the_pool_matches_pays_and_settles() {
    let world = World::new();
    let _worker = world.start_pool(&["--take-requests"]);
    let (requester, pool, developer) = (&world.requester.home, &world.pool.home, &world.network.home);
    assert_eq!(world.pool.status()["takes_requests"], true);
    requester.ok(["account", "deposit", "7"]);
    // The first task of a worker registers its enclave's key in another transaction. This one is matched first.
    let matched = requester.ok(["run", &world.app]);
    assert!(matched["gas"]["match"].as_u64() > Some(0), "{matched}");

    let before = [requester, pool, developer].map(money);
    let (by_requester, by_pool) = (world.sent(requester), world.sent(pool));
    let reply = requester.run(["run", &world.app, "--one-transaction", "--receipt", "receipt.json"]);
    assert_eq!(reply.code, 0, "{reply:#?}");
    let answer = reply.last();
    assert_eq!((&answer["status"], &answer["stdout"]), (&"SUCCESS".into(), &"done\n".into()));
    assert_eq!((world.sent(requester) - by_requester, world.sent(pool) - by_pool), (0, 1));
    let steps = reply.steps();
    assert!(steps.contains(&"accepted") && !steps.contains(&"matched"), "{steps:?}");
    let cost = &reply.lines.iter().find(|line| line["cost"].is_object()).unwrap()["cost"];
    assert_eq!((&cost["gas"], &cost["steps"]), (&0.into(), &json!([])), "{cost}");

    // 2 for the app, 1 for the pool; both arrive in the accounts.
    let after = [requester, pool, developer].map(money);
    let (paid, earned) = (before[0].1 - after[0].1, [1, 2].map(|party| after[party].1 - before[party].1));
    assert_eq!((paid, earned), (3 * TOKEN, [TOKEN, 2 * TOKEN]));
    assert_eq!(before[0].0 - after[0].0, 3 * TOKEN);

    holds_and_shows(&world, &answer);
    agrees_on_the_same(&world, &matched, &answer);
}

/// The receipt holds, and everybody can find the task by the chain alone.
fn holds_and_shows(world: &World, answer: &Value) {
    let (requester, developer) = (&world.requester.home, &world.network.home);
    let verified = requester.ok(["verify", "receipt.json"]);
    assert_eq!((&verified["valid"], &verified["task"]), (&true.into(), &answer["task"]));
    let receipt: Value =
        serde_json::from_slice(&std::fs::read(requester.path("receipt.json")).unwrap()).unwrap();
    let settlement = &receipt["settlement"];
    assert_eq!(settlement["gas_used"], answer["gas"]["settle"]);
    assert_eq!(answer["gas"]["match"], Value::Null);
    assert_eq!(settlement["sender"], world.pool.home.ok(["wallet", "show"])["address"]);

    let task = answer["task"].as_str().unwrap();
    let shown = developer.ok(["task", "show", &task[..12]]);
    assert_eq!((&shown["task"], &shown["state"]), (&answer["task"], &"settled".into()), "{shown:#}");
    assert_eq!(
        (&shown["matched_in"], &shown["transaction"]),
        (&settlement["transaction"], &settlement["transaction"])
    );
    assert_eq!(shown["terms"], receipt["deal"]["terms"]);
    let address = |home: &Home| home.ok(["wallet", "show"])["address"].as_str().unwrap().to_lowercase();
    let parties = [("payer", requester), ("appOwner", developer), ("poolOwner", &world.pool.home)];
    for (party, home) in parties {
        assert_eq!(shown["terms"][party].as_str().unwrap().to_lowercase(), address(home), "{party}");
    }
    let listed = requester.run(["task", "list"]).lines;
    assert_eq!((listed.len(), &listed[1]), (2, &shown));
    assert!(
        developer.run(["task", "list"]).lines.iter().all(|line| line["task"].is_null()),
        "only the requester's"
    );
    let deal = developer.ok(["deal", "show", shown["deal"].as_str().unwrap()]);
    assert_eq!((&deal["volume"], &deal["closed"]), (&1.into(), &1.into()), "{deal:#}");

    let fetched = requester.ok(["task", "fetch", task, "--receipt", "fetched.json"]);
    for field in ["stdout", "status", "gas", "price", "fuel"] {
        assert_eq!(fetched[field], answer[field], "{field}");
    }
    let read = |name: &str| std::fs::read(requester.path(name)).unwrap();
    assert_eq!(read("fetched.json"), read("receipt.json"));
}

/// What was read from the transaction's input is what the contract says of a deal between the same parties, but for time and
/// request.
fn agrees_on_the_same(world: &World, matched: &Value, executed: &Value) {
    let show = |run: &Value| world.requester.home.ok(["task", "show", run["task"].as_str().unwrap()]);
    let (matched, executed) = (show(matched), show(executed));
    assert_eq!((&executed["pool"], &executed["volume"]), (&matched["pool"], &matched["volume"]));
    let (mut expected, terms) = (matched["terms"].clone(), &executed["terms"]);
    for field in ["requestHash", "workHash", "startedAt"] {
        assert_ne!(expected[field], Value::Null);
        expected[field] = terms[field].clone();
    }
    assert_eq!(*terms, expected);
    let block = json!([format!("{:#x}", executed["block"].as_u64().unwrap()), false]);
    let block = rpc::call(world.network.ready["chain"].as_str().unwrap(), "eth_getBlockByNumber", &block);
    let time =
        u64::from_str_radix(block["timestamp"].as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
    assert_eq!(number(&terms["startedAt"]), time);
}

/// A number, or its digits.
fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

#[test]
fn missing_money_is_deposited_first_and_a_dry_run_tells() {
    let network = Network::start(&[]);
    network.publish_text("spin", PROGRAM, "");
    let home = &network.home;
    let address = home.ok(["wallet", "show"])["address"].as_str().unwrap().to_owned();
    let sent = || rpc::sent_and_waiting(network.ready["chain"].as_str().unwrap(), &address).0;
    let tried = |options: &[&str]| {
        let before = (sent(), home.ok(["account", "show"]));
        let answer = home.ok([&["run", "spin", "--one-transaction", "--dry-run"], options].concat());
        assert_eq!((sent(), home.ok(["account", "show"])), before);
        answer["cost"].clone()
    };
    let cost = tried(&[]);
    assert_eq!(cost["steps"].as_array().unwrap().len(), 1, "{cost}");
    says(&cost["steps"][0], "what", "deposit 3 tokens");
    assert!(cost["gas"].as_u64().unwrap() > 40_000, "{cost}");
    let refused = home.run(["run", "spin", "--one-transaction", "--no-deposit"]);
    says(&refused.last(), "error", "account deposit 3");

    let before = sent();
    let answer = home.ok(["run", "spin", "--one-transaction"]);
    assert_eq!((&answer["status"], sent() - before), (&"SUCCESS".into(), 1), "one deposit: {answer}");
    // The requester owns the app, so that its 2 tokens are back.
    assert_eq!(money(home).1, 2 * TOKEN);
    home.ok(["account", "deposit", "1"]);
    let cost = tried(&[]);
    assert_eq!((&cost["gas"], &cost["steps"]), (&0.into(), &json!([])), "{cost}");
    says(&cost["tokens"][0], "for", "not locked");
}

#[test]
fn pools_that_take_no_requests_are_not_chosen_and_refusals_say_why() {
    let world = World::new();
    let worker = world.start_pool(&[]);
    let answer = world.run_fails(1, &[]);
    says(&answer, "error", "takes no requests");
    says(&answer, "hint", "without --one-transaction");
    assert_eq!(money(&world.requester.home).1, 0, "nothing was deposited");
    drop(worker);

    let _worker = world.start_pool(&["--take-requests"]);
    // One task is enough for the account, and it still runs when the requester stops waiting.
    let late = world.run_fails(3, &["--timeout", "1", "--", "long"]);
    says(&late, "error", "can still settle it until");
    let refused = world.run_fails(1, &["--no-deposit"]);
    says(&refused, "error", "(not-covered)");
    says(&refused, "hint", "without --one-transaction");

    let listed =
        || world.requester.home.run(["task", "list"]).lines.into_iter().find(|line| line["task"].is_string());
    let task = eventually("the first task is settled all the same", listed);
    assert_eq!(task["state"], "settled");
    says(&late, "error", &task["task"].as_str().unwrap()[2..10]);
    let fetched = world.requester.home.ok(["task", "fetch", task["task"].as_str().unwrap()]);
    assert_eq!(fetched["stdout"], "done\n");
    assert_eq!(money(&world.requester.home).1, 0);
}
