//! Calls with overrides and authorizations, their errors, access lists.

use crate::support::{ALICE, BOB, CONTRACT, Chain, input, parse, word};
use alloy_primitives::{Address, B256, U256, hex};
use alloy_sol_types::{Panic, Revert, SolError as _};
use serde_json::{Value, json};

/// Returns slot 0.
const READER: &str = "0x5f545f5260205ff3";

async fn called(chain: &Chain, params: Value) -> U256 {
    parse(&chain.get("eth_call", params).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn state_overrides_are_seen_by_the_call_alone() {
    let chain = Chain::start().await;
    let at = Address::repeat_byte(0x77).to_string();
    let zero = word(0);
    let read = json!({ "to": at });
    let overrides = json!({ &at: { "code": READER, "state": { zero.to_string(): word(5) } } });
    assert_eq!(called(&chain, json!([read, "latest", overrides])).await, U256::from(5));
    let overrides = json!({ &at: { "code": READER, "stateDiff": { zero.to_string(): word(6) } } });
    assert_eq!(called(&chain, json!([read, "latest", overrides])).await, U256::from(6));
    assert_eq!(chain.get("eth_getCode", json!([at, "latest"])).await, "0x");
    let both = json!({ &at: { "state": {}, "stateDiff": {} } });
    let (code, message) = chain.fail("eth_call", json!([read, "latest", both])).await;
    assert_eq!(code, -32_602);
    assert!(message.contains("both 'state' and 'stateDiff'"), "{message}");
    // SELFBALANCE
    let balance = json!({ &at: { "code": "0x475f5260205ff3", "balance": "0x1234" } });
    assert_eq!(called(&chain, json!([read, "latest", balance])).await, U256::from(0x1234));
    let poor = json!({ "from": at, "to": BOB, "value": "0x10" });
    assert!(chain.fail("eth_call", json!([poor])).await.1.starts_with("insufficient funds"));
    chain.get("eth_call", json!([poor, "latest", { &at: { "balance": "0x10" } }])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_override_changes_the_address_of_a_creation() {
    let chain = Chain::start().await;
    // The init code returns its own address as code.
    let create = json!({ "from": ALICE, "input": "0x305f5260205ff3" });
    let made = called(&chain, json!([create, "latest", { ALICE: { "nonce": "0x7" } }])).await;
    let expected = ALICE.parse::<Address>().unwrap().create(7);
    assert_eq!(made, U256::from_be_bytes(expected.into_word().0));
}

#[tokio::test(flavor = "multi_thread")]
async fn precompiles_can_be_moved() {
    let chain = Chain::start().await;
    let (identity, other) = (word(4), Address::repeat_byte(0x44).to_string());
    let identity = Address::from_word(identity).to_string();
    let moved = json!({ &identity: { "movePrecompileToAddress": other } });
    let at_new = json!([{ "to": other, "input": "0x1234" }, "latest", moved]);
    assert_eq!(chain.get("eth_call", at_new).await, "0x1234");
    let at_old = json!([{ "to": identity, "input": "0x1234" }, "latest", moved]);
    assert_eq!(chain.get("eth_call", at_old).await, "0x");
    let replaced = json!({ &identity: { "movePrecompileToAddress": other, "code": "0x60015f5260205ff3" } });
    assert_eq!(called(&chain, json!([{ "to": identity }, "latest", replaced])).await, U256::from(1));
    let wrong = json!({ ALICE: { "movePrecompileToAddress": other } });
    assert_eq!(chain.fail("eth_call", json!([{}, "latest", wrong])).await.0, -32_602);
}

#[tokio::test(flavor = "multi_thread")]
async fn block_overrides_are_seen_by_the_call() {
    let chain = Chain::start().await;
    let overrides = json!({
        "number": "0x64", "time": "0x65", "gasLimit": "0x1000000", "feeRecipient": BOB,
        "prevRandao": word(0x67), "baseFeePerGas": "0x68", "blobBaseFee": "0x69",
    });
    let bob = U256::from_be_bytes(BOB.parse::<Address>().unwrap().into_word().0);
    let cases = [
        ("43", U256::from(0x64)),
        ("42", U256::from(0x65)),
        ("45", U256::from(0x0100_0000)),
        ("41", bob),
        ("44", U256::from(0x67)),
        ("48", U256::from(0x68)),
        ("4a", U256::from(0x69)),
    ];
    for (opcode, expected) in cases {
        let request = json!({ "input": format!("0x{opcode}5f5260205ff3") });
        assert_eq!(called(&chain, json!([request, "latest", null, overrides])).await, expected, "{opcode}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reverts_and_halts_speak_like_go_ethereum() {
    let chain = Chain::start().await;
    let contract = chain.deploy(&CONTRACT).await;
    let revert = async |output: &[u8]| {
        let request = json!({ "to": contract, "input": input(3, output) });
        let called = chain.ask("eth_call", json!([request])).await.unwrap_err();
        assert_eq!(chain.ask("eth_estimateGas", json!([request])).await.unwrap_err(), called);
        assert_eq!(called["code"], 3);
        assert_eq!(called["data"], hex::encode_prefixed(output));
        called["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(revert(&[]).await, "execution reverted");
    assert_eq!(revert(b"custom").await, "execution reverted");
    let text = Revert { reason: "not yours".into() };
    assert_eq!(revert(&text.abi_encode()).await, "execution reverted: not yours");
    let panic = Panic { code: U256::from(0x12) };
    assert_eq!(revert(&panic.abi_encode()).await, "execution reverted: division or modulo by zero");
    for (code, message) in [
        ("0xfe", "invalid opcode: INVALID"),
        ("0x5b5f56", "out of gas"),
        ("0x600056", "invalid jump destination"),
        ("0x50", "stack underflow"),
    ] {
        assert_eq!(chain.fail("eth_call", json!([{ "input": code }])).await, (-32_000, message.to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contradictory_requests_are_refused() {
    let chain = Chain::start().await;
    for request in [
        json!({ "gasPrice": "0x1", "maxFeePerGas": "0x1" }),
        json!({ "input": "0x12", "data": "0x13" }),
        json!({ "to": "0x12" }),
    ] {
        assert_eq!(chain.fail("eth_call", json!([request])).await.0, -32_602, "{request}");
    }
    for request in [
        json!({ "from": ALICE, "maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2" }),
        json!({ "to": BOB, "chainId": "0x1" }),
    ] {
        assert_eq!(chain.fail("eth_call", json!([request])).await.0, -32_000, "{request}");
    }
    assert_eq!(chain.fail("eth_call", json!([{ "to": BOB }, "0x99"])).await.0, -32_602);
    let unknown = json!({ "blockHash": B256::ZERO, "requireCanonical": true });
    assert_eq!(chain.fail("eth_call", json!([{ "to": BOB }, unknown])).await.0, -32_001);
}

#[tokio::test(flavor = "multi_thread")]
async fn access_lists_name_what_is_touched_and_make_it_cheaper() {
    let chain = Chain::start().await;
    let contract = chain.deploy(&CONTRACT).await;
    let request = json!({ "from": ALICE, "to": contract, "input": input(2, &[]) });
    let answer = chain.get("eth_createAccessList", json!([request])).await;
    assert_eq!(answer["accessList"], json!([{ "address": contract, "storageKeys": [word(0)] }]));
    let with_list =
        json!({ "from": ALICE, "to": contract, "input": input(2, &[]), "accessList": answer["accessList"] });
    let again = chain.get("eth_createAccessList", json!([with_list])).await;
    assert_eq!(again, answer);
    let gas = chain.get("eth_estimateGas", json!([with_list])).await;
    assert_eq!(gas, answer["gasUsed"]);
    let failing = json!({ "from": ALICE, "to": contract, "input": input(3, b"no") });
    assert_eq!(chain.get("eth_createAccessList", json!([failing])).await["error"], "execution reverted");
}
