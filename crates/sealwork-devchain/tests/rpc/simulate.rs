//! `eth_simulateV1`.

use crate::support::{ALICE, BOB, CONTRACT, Chain, input, parse, word};
use alloy_primitives::{Address, B256, Bytes, U256};
use serde_json::{Value, json};

async fn simulated(chain: &Chain, blocks: Value) -> Value {
    chain.get("eth_simulateV1", json!([{ "blockStateCalls": blocks }, "latest"])).await
}

#[tokio::test(flavor = "multi_thread")]
async fn later_calls_and_blocks_see_what_earlier_ones_did() {
    let chain = Chain::start().await;
    let contract = chain.deploy(&CONTRACT).await;
    let write =
        |value: u64| json!({ "from": ALICE, "to": contract, "input": input(1, word(value).as_slice()) });
    let read = json!({ "to": contract, "input": input(2, &[]) });
    let blocks = json!([{ "calls": [write(7), read] }, { "calls": [read, write(8), read] }]);
    let answer = simulated(&chain, blocks).await;
    let value = |block: usize, call: usize| parse::<B256>(&answer[block]["calls"][call]["returnData"]);
    assert_eq!([value(0, 1), value(1, 0), value(1, 2)], [word(7), word(7), word(8)]);
    assert_eq!((&answer[0]["number"], &answer[1]["number"]), (&json!("0x2"), &json!("0x3")));
    assert_eq!(answer[1]["parentHash"], answer[0]["hash"]);
    let time = |block: usize| parse::<U256>(&answer[block]["timestamp"]);
    assert_eq!(time(1) - time(0), U256::from(12));
    let log = &answer[1]["calls"][1]["logs"][0];
    assert_eq!(
        (&log["blockHash"], &log["transactionHash"]),
        (&answer[1]["hash"], &answer[1]["transactions"][1])
    );
    assert_eq!(chain.get("eth_blockNumber", json!([])).await, "0x1");
    assert_eq!(parse::<B256>(&chain.get("eth_call", json!([read])).await), word(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn overrides_hold_from_their_block_on_and_gaps_are_filled() {
    let chain = Chain::start().await;
    let rich = Address::repeat_byte(0x55);
    let pay = json!({ "from": rich, "to": BOB, "value": "0x10" });
    let number = json!({ "input": "0x435f5260205ff3" });
    let first = json!({
        "stateOverrides": { rich.to_string(): { "balance": "0x20" } },
        "blockOverrides": { "number": "0x5", "feeRecipient": BOB },
        "calls": [pay, number],
    });
    let answer = simulated(&chain, json!([first, { "calls": [pay] }])).await;
    let numbers: Vec<_> = answer.as_array().unwrap().iter().map(|block| block["number"].clone()).collect();
    assert_eq!(numbers, ["0x1", "0x2", "0x3", "0x4", "0x5", "0x6"]);
    assert_eq!(
        (&answer[4]["calls"][0]["status"], &answer[5]["calls"][0]["status"]),
        (&json!("0x1"), &json!("0x1"))
    );
    assert_eq!(parse::<B256>(&answer[4]["calls"][1]["returnData"]), word(5));
    assert_eq!(answer[4]["miner"], BOB);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_calls_say_why_and_the_others_go_on() {
    let chain = Chain::start().await;
    let contract = chain.deploy(&CONTRACT).await;
    let failing = json!({ "from": ALICE, "to": contract, "input": input(3, b"no") });
    let blocks = json!([{ "calls": [failing, { "input": "0xfe", "gas": "0x30000" }, { "to": BOB }] }]);
    let calls = simulated(&chain, blocks).await[0]["calls"].clone();
    let error = &calls[0]["error"];
    assert_eq!((&error["code"], &error["data"]), (&json!(3), &json!("0x6e6f")));
    assert_eq!((&calls[0]["returnData"], &calls[0]["status"]), (&json!("0x6e6f"), &json!("0x0")));
    assert_eq!(calls[1]["error"]["code"], -32_015);
    assert_eq!((&calls[1]["gasUsed"], &calls[2]["status"]), (&json!("0x30000"), &json!("0x1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_appear_as_logs_and_transactions_in_full() {
    let chain = Chain::start().await;
    let payload = json!({
        "blockStateCalls": [{ "calls": [{ "from": ALICE, "to": BOB, "value": "0x10" }] }],
        "traceTransfers": true,
        "returnFullTransactions": true,
    });
    let answer = chain.get("eth_simulateV1", json!([payload])).await;
    let log = &answer[0]["calls"][0]["logs"][0];
    assert_eq!(log["address"], json!(Address::repeat_byte(0xee)));
    assert_eq!(parse::<U256>(&json!(parse::<Bytes>(&log["data"]))), U256::from(16));
    let transaction = &answer[0]["transactions"][0];
    assert_eq!((&transaction["from"], &transaction["value"]), (&json!(ALICE), &json!("0x10")));
    assert_eq!(transaction["hash"], log["transactionHash"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn validation_applies_the_rules_of_signed_transactions() {
    let chain = Chain::start().await;
    let fail = async |call: Value| {
        let payload = json!({ "blockStateCalls": [{ "calls": [call] }], "validation": true });
        chain.fail("eth_simulateV1", json!([payload])).await.0
    };
    let fee = "0x77359400";
    assert_eq!(fail(json!({ "from": ALICE, "to": BOB, "nonce": "0x5", "maxFeePerGas": fee })).await, -38_011);
    assert_eq!(fail(json!({ "from": ALICE, "to": BOB, "gas": "0x5208" })).await, -38_012);
    assert_eq!(
        fail(json!({ "from": ALICE, "to": BOB, "gas": "0x5000", "maxFeePerGas": fee })).await,
        -38_013
    );
    let broke = Address::repeat_byte(0x66);
    assert_eq!(
        fail(json!({ "from": broke, "to": BOB, "maxFeePerGas": fee, "gas": "0x5208" })).await,
        -38_014
    );
    assert_eq!(fail(json!({ "from": ALICE, "to": BOB, "gas": "0xfffffffff" })).await, -38_015);
    let call = json!({ "from": ALICE, "to": BOB, "maxFeePerGas": fee, "gas": "0x5208" });
    let payload = json!({ "blockStateCalls": [{ "calls": [call] }], "validation": true });
    let answer = chain.get("eth_simulateV1", json!([payload])).await;
    assert_eq!(answer[0]["baseFeePerGas"], "0x3b9aca00");
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_must_be_in_order_and_few() {
    let chain = Chain::start().await;
    let fail =
        async |blocks: Value| chain.fail("eth_simulateV1", json!([{ "blockStateCalls": blocks }])).await.0;
    let block = |overrides: Value| json!({ "blockOverrides": overrides });
    assert_eq!(
        fail(json!([block(json!({ "number": "0x2" })), block(json!({ "number": "0x2" }))])).await,
        -38_020
    );
    assert_eq!(fail(json!([block(json!({ "time": "0x1" }))])).await, -38_021);
    assert_eq!(fail(json!([block(json!({ "number": "0xffff" }))])).await, -38_026);
    assert_eq!(fail(json!(vec![json!({}); 257])).await, -38_026);
    assert_eq!(fail(json!([{ "calls": vec![json!({}); 1_025] }])).await, -38_026);
}
