//! A whole network does what the README promises, on the embedded chain and on a foreign one.

use crate::support::{
    anvil::Anvil,
    example,
    network::Network,
    process::{Home, Reply},
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{fmt::Write, fs};

/// One token in smallest units.
const TOKEN: u128 = 1_000_000_000_000_000_000;
/// Bytes of standard input for the streaming examples.
const STREAM_BYTES: usize = 5 * (1 << 20) + 4_321;

#[test]
fn a_sealed_task_runs_end_to_end_on_the_embedded_chain() {
    tells_the_whole_story(&Network::start(&[]));
}

#[test]
fn a_sealed_task_runs_end_to_end_on_anvil() {
    let Some(anvil) = Anvil::start() else { return };
    let network = Network::start(&["--rpc", &anvil.url]);
    assert_eq!(network.ready["chain_id"], 31_337);
    tells_the_whole_story(&network);
}

fn tells_the_whole_story(network: &Network) {
    let home = &network.home;
    let before = home.ok(["account", "show"]);
    assert_eq!((&before["locked"], &before["available"]), (&"0".into(), &"0".into()));
    let app = network.publish(&example("cohort"), "2");
    let worker_before = worker_earnings(home);

    let first = run_cohort(home, "first.json");
    pays_exactly_the_price(home, &first.last(), &before, worker_before);
    shows_and_fetches(home, &first.last());
    receipts_hold_and_altered_ones_do_not(home, "first.json");
    shows_what_stands_behind(home, &app, &first.last());

    let second = run_cohort(home, "second.json");
    let enclave = |name: &str| read_receipt(home, name)["grant"]["enclave"].clone();
    assert_eq!(enclave("first.json"), enclave("second.json"), "the enclave is reused");
    assert_eq!(second.last()["price"], first.last()["price"]);
    let status = home.ok(["worker", "status"]);
    assert_eq!((&status["settled"], &status["abandoned"]), (&2.into(), &0.into()), "{status}");

    searches_privately(network);
    hashes_a_long_stream(network);
}

/// Runs the example on its data and compares the output with the independent reference.
fn run_cohort(home: &Home, receipt: &str) -> Reply {
    let csv = example("cohort").join("data/breast-cancer.csv");
    let reply =
        home.run(["run", "cohort", "--stdin", csv.to_str().unwrap(), "--receipt", receipt, "--out", "out"]);
    assert_eq!(reply.code, 0, "{reply:#?}");
    let answer = reply.last();
    assert_eq!(answer["status"], "SUCCESS");
    let expected = fs::read_to_string(example("cohort").join("reference/expected.txt")).unwrap();
    assert_eq!(answer["stdout"].as_str().unwrap(), expected);
    assert!(fs::read_to_string(home.path("out/model.csv")).unwrap().contains("intercept"));
    let steps = reply.steps();
    for step in ["sealed", "uploaded", "matched", "settled", "verified", "opened"] {
        assert!(steps.contains(&step), "{step} is missing in {steps:?}");
    }
    reply
}

/// The requester publishes the app too, so two of the three tokens come back as the app's price.
fn pays_exactly_the_price(home: &Home, run: &Value, before: &Value, worker_before: u128) {
    assert_eq!(u128_of(&run["price"]), 3 * TOKEN);
    let after = home.ok(["account", "show"]);
    assert_eq!(after["locked"], "0");
    assert_eq!(amount(&before["tokens"]) - amount(&after["tokens"]), 3 * TOKEN);
    assert_eq!(amount(&after["available"]), 2 * TOKEN);
    assert_eq!(worker_earnings(home) - worker_before, TOKEN);
}

fn shows_and_fetches(home: &Home, run: &Value) {
    let task = run["task"].as_str().unwrap();
    let listed = home.ok(["task", "list"]);
    assert_eq!((&listed["task"], &listed["state"]), (&task.into(), &"settled".into()));
    let shown = home.ok(["task", "show", &task[..12]]);
    assert_eq!(shown, listed);
    let fetched = home.ok(["task", "fetch", task, "--out", "fetched", "--receipt", "fetched.json"]);
    for field in ["stdout", "stderr", "status", "exit_code", "fuel", "gas", "price"] {
        assert_eq!(fetched[field], run[field], "{field}");
    }
    let read = |name: &str| fs::read(home.path(name)).unwrap();
    assert_eq!(read("fetched/model.csv"), read("out/model.csv"));
    assert_eq!(read("fetched.json"), read("first.json"));
}

fn receipts_hold_and_altered_ones_do_not(home: &Home, receipt: &str) {
    let valid = home.ok(["verify", receipt]);
    assert_eq!((&valid["valid"], &valid["status"]), (&true.into(), &"SUCCESS".into()));
    let genuine = read_receipt(home, receipt);
    for field in ["/output", "/dealId", "/work/input", "/work/codeHash"] {
        let mut forged = genuine.clone();
        let stated = forged["receipt"].pointer_mut(field).unwrap();
        let digest = stated.as_str().unwrap().to_owned();
        let flipped = if digest.ends_with('0') { '1' } else { '0' };
        *stated = format!("{}{flipped}", &digest[..digest.len() - 1]).into();
        home.write("forged.json", forged.to_string());
        let reply = home.run(["verify", "forged.json"]);
        assert_eq!(reply.code, 4, "{field}: {reply:#?}");
    }
    let sealed = home.write("sealed-output", "other bytes");
    assert_eq!(home.run(["verify", receipt, "--output", sealed.to_str().unwrap()]).code, 4);
}

fn shows_what_stands_behind(home: &Home, app: &str, run: &Value) {
    let inspected = home.ok(["inspect", "app", "cohort"]);
    assert_eq!(inspected["app"], app);
    let program = home.ok(["inspect", "enclave"]);
    assert_eq!(inspected["policy"]["enclaves"][0]["measurement"], program["measurement"]);
    let receipt = read_receipt(home, run["receipt"].as_str().unwrap());
    let enclave = home.ok(["inspect", "enclave", receipt["grant"]["enclave"].as_str().unwrap()]);
    assert_eq!((&enclave["valid"], &enclave["measurement"]), (&true.into(), &program["measurement"]));
    let log = home.ok(["cas", "log", "--verify"]);
    assert!(log["valid"] == true && log["entries"].as_u64().unwrap() >= 2, "{log}");
    let entries = home.run(["cas", "log"]).lines;
    assert!(entries.iter().any(|line| line["entry"]["app"] == app), "the release of the app's key is logged");
    let doctor = home.run(["doctor"]);
    assert_eq!(doctor.code, 0, "{doctor:#?}");
}

fn searches_privately(network: &Network) {
    network.publish(&example("private-grep"), "0");
    let mut text = String::new();
    let mut lines = Vec::new();
    for number in 1.. {
        let word = if number % 977 == 0 { "needle" } else { "hay" };
        let line = format!("{word} of line {number}");
        if number % 977 == 0 {
            lines.push(format!("{number}:{line}"));
        }
        writeln!(text, "{line}").unwrap();
        if text.len() >= STREAM_BYTES {
            break;
        }
    }
    let stdin = network.home.write("text", &text);
    let answer = network.home.ok(["run", "private-grep", "--stdin", stdin.to_str().unwrap(), "--", "needle"]);
    let stdout = answer["stdout"].as_str().unwrap();
    let found: Vec<_> = stdout.lines().take(lines.len()).collect();
    assert_eq!(found, lines);
    let summary = format!("{} of {} lines match", lines.len(), text.lines().count());
    assert_eq!(stdout.lines().last().unwrap(), summary);
}

fn hashes_a_long_stream(network: &Network) {
    network.publish(&example("hash-tree"), "0");
    let bytes: Vec<u8> = (0..STREAM_BYTES).map(|index| u8::try_from(index * 7 % 253).unwrap()).collect();
    let stdin = network.home.write("stream", &bytes);
    let answer = network.home.ok(["run", "hash-tree", "--stdin", stdin.to_str().unwrap()]);
    let stdout = answer["stdout"].as_str().unwrap();
    let leaves: Vec<_> = bytes.chunks(1 << 20).map(|leaf| sha256(&[&[0], leaf])).collect();
    for expected in [hex::encode(sha256(&[&bytes])), hex::encode(root(&leaves)), bytes.len().to_string()] {
        assert!(stdout.contains(&expected), "{expected} is missing in {stdout}");
    }
}

/// RFC 6962, section 2.1.
fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            sha256(&[&[1], &root(left), &root(right)])
        }
    }
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize().into()
}

/// What the network's worker, development account 2, has in its wallet and in its account.
fn worker_earnings(home: &Home) -> u128 {
    if !home.path("wallets/earner.json").exists() {
        let mut import = home.command();
        import.env("SEALWORK_PASSPHRASE", "correct horse battery");
        import.env("SEALWORK_PRIVATE_KEY", hex::encode(sealwork_devchain::DEV_PRIVATE_KEYS[2]));
        assert!(import.args(["wallet", "import", "earner"]).output().unwrap().status.success());
    }
    let mut show = home.command();
    show.env("SEALWORK_PASSPHRASE", "correct horse battery").args(["--wallet", "earner", "account", "show"]);
    let account: Value = serde_json::from_slice(&show.output().unwrap().stdout).unwrap();
    amount(&account["tokens"]) + amount(&account["available"])
}

fn amount(value: &Value) -> u128 {
    value.as_str().unwrap_or_else(|| panic!("{value} is no amount")).parse().unwrap()
}

fn u128_of(value: &Value) -> u128 {
    u128::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

fn read_receipt(home: &Home, name: &str) -> Value {
    serde_json::from_slice(&fs::read(home.path(name)).unwrap()).unwrap()
}
