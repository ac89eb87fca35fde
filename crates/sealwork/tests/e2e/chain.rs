//! The embedded chain alone: what is asked for on the command line is what a client finds.

use crate::support::{process::Home, rpc};
use serde_json::{Value, json};

fn block(url: &str, number: &str) -> Value {
    rpc::call(url, "eth_getBlockByNumber", &json!([number, false]))
}

#[test]
fn every_option_shows_in_the_chain() {
    let home = Home::new();
    let options = ["--chain-id", "1337", "--accounts", "2", "--balance", "5", "--no-mining"];
    let fees = ["--gas-limit", "30000000", "--base-fee", "7", "--state", "chain.redb"];
    let start =
        |options: &[&[&str]]| home.start([&["chain", "--port", "0"], options.concat().as_slice()].concat());
    let chain = start(&[&options, &fees]);
    let ready = chain.ready();
    let url = ready["http"].as_str().unwrap();
    assert_eq!((&ready["chain_id"], &ready["block"]), (&1337.into(), &0.into()), "{ready}");
    assert_eq!(rpc::call(url, "eth_chainId", &json!([])), "0x539");
    let accounts = rpc::call(url, "eth_accounts", &json!([]));
    assert_eq!((accounts.as_array().unwrap().len(), &accounts), (2, &ready["accounts"]));
    let balance = rpc::call(url, "eth_getBalance", &json!([accounts[0], "latest"]));
    assert_eq!(balance, "0x4563918244f40000", "5 coins");

    let transaction = json!([{ "from": accounts[0], "to": accounts[1], "value": "0x1" }]);
    rpc::call(url, "eth_sendTransaction", &transaction);
    assert_eq!(rpc::call(url, "eth_blockNumber", &json!([])), "0x0", "nobody asked for a block");
    rpc::call(url, "evm_mine", &json!([]));
    for number in ["0x0", "0x1"] {
        let block = block(url, number);
        assert_eq!(
            (&block["gasLimit"], &block["baseFeePerGas"]),
            (&"0x1c9c380".into(), &"0x7".into()),
            "{block}"
        );
    }
    assert_eq!(block(url, "0x1")["transactions"].as_array().unwrap().len(), 1);
    chain.kill_9();

    // The chain is kept; the gas of a block is a matter of each start, and is the default now.
    let chain = start(&[&options, &["--path", "chain.redb"]]);
    let ready = chain.ready();
    let url = ready["http"].as_str().unwrap();
    assert_eq!(ready["block"], 1, "{ready}");
    rpc::call(url, "evm_mine", &json!([]));
    assert_eq!(block(url, "0x1")["gasLimit"], "0x1c9c380");
    assert_eq!(block(url, "0x2")["gasLimit"], "0x3938700");
}

#[test]
fn options_that_make_no_chain_are_refused() {
    let home = Home::new();
    for (option, value) in [("--gas-limit", "20999"), ("--base-fee", "-1"), ("--accounts", "11")] {
        let reply = home.run(["chain", "--port", "0", &format!("{option}={value}")]);
        assert_eq!(reply.code, 2, "{option}: {reply:#?}");
    }
    assert_eq!(home.run(["chain", "--port", "0", "--block-time", "never"]).code, 1);
    assert_eq!(home.run(["chain", "--port", "0", "--block-time", "1", "--no-mining"]).code, 2);
}
