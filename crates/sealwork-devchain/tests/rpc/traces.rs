//! Traces of mined transactions, whole blocks and calls.

use crate::support::{ALICE, BOB, CONTRACT, Chain, input, parse, word};
use alloy_primitives::{Address, B256, U256};
use serde_json::{Value, json};

/// Calls the contract in slot 0 with its input, and reverts if that reverts.
const FORWARDER: [u8; 36] = alloy_primitives::hex!(
    "601b80 6009 5f395ff3 365f5f37 5f5f365f5f5f545af1 3d5f5f3e 601757 3d5ffd 5b3d5ff3"
);

/// A contract, and one that forwards to it.
async fn contracts(chain: &Chain) -> (Address, Address) {
    let (contract, forwarder) = (chain.deploy(&CONTRACT).await, chain.deploy(&FORWARDER).await);
    let target = contract.into_word();
    chain.get("anvil_setStorageAt", json!([forwarder, "0x0", target])).await;
    (contract, forwarder)
}

async fn trace(chain: &Chain, hash: &Value, options: Value) -> Value {
    chain.get("debug_traceTransaction", json!([hash, options])).await
}

#[tokio::test(flavor = "multi_thread")]
async fn opcodes_are_listed_with_stack_and_storage() {
    let chain = Chain::start().await;
    let (contract, _) = contracts(&chain).await;
    let request = json!({ "from": ALICE, "to": contract, "input": input(1, word(7).as_slice()) });
    let receipt = chain.send(request).await;
    let found = trace(&chain, &receipt["transactionHash"], json!({})).await;
    assert_eq!(json!(format!("{:#x}", found["gas"].as_u64().unwrap())), receipt["gasUsed"]);
    let logs = found["structLogs"].as_array().unwrap();
    let store = logs.iter().find(|log| log["op"] == "SSTORE").unwrap();
    assert_eq!(store["stack"].as_array().unwrap().last().unwrap(), "0x0");
    assert_eq!(store["storage"], json!({ word(0).to_string(): word(7) }));
    assert!(store.get("memory").is_none());
    let options = json!({ "disableStack": true, "disableStorage": true, "enableMemory": true });
    let found = trace(&chain, &receipt["transactionHash"], options).await;
    let last = found["structLogs"].as_array().unwrap().last().unwrap();
    assert!(last.get("stack").is_none() && last.get("storage").is_none() && last["memory"].is_array());
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_nest_with_logs_and_errors() {
    let chain = Chain::start().await;
    let (contract, forwarder) = contracts(&chain).await;
    let request = json!({ "from": ALICE, "to": forwarder, "input": input(1, word(7).as_slice()) });
    let receipt = chain.send(request).await;
    let hash = &receipt["transactionHash"];
    let with_log = json!({ "tracer": "callTracer", "tracerConfig": { "withLog": true } });
    let found = trace(&chain, hash, with_log).await;
    assert_eq!((&found["type"], &found["gasUsed"]), (&json!("CALL"), &receipt["gasUsed"]));
    let inner = &found["calls"][0];
    assert_eq!((&inner["from"], &inner["to"]), (&json!(forwarder), &json!(contract)));
    assert_eq!(inner["logs"][0]["topics"][0], json!(word(0xaa)));
    let top = json!({ "tracer": "callTracer", "tracerConfig": { "onlyTopCall": true } });
    assert!(trace(&chain, hash, top).await.get("calls").is_none());
    let selectors = trace(&chain, hash, json!({ "tracer": "4byteTracer" })).await;
    assert_eq!(selectors.as_object().unwrap().len(), 1);
    let flat = chain.get("trace_transaction", json!([hash])).await;
    assert_eq!((flat.as_array().unwrap().len(), &flat[1]["traceAddress"]), (2, &json!([0])));
    let failing = json!({ "from": ALICE, "to": forwarder, "input": input(3, b"no"), "gas": "0x30000" });
    let receipt = chain.send(failing).await;
    assert_eq!(receipt["status"], "0x0");
    let found = trace(&chain, &receipt["transactionHash"], json!({ "tracer": "callTracer" })).await;
    assert_eq!((&found["error"], &found["output"]), (&json!("execution reverted"), &json!("0x6e6f")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_before_a_transaction_is_told_and_what_it_changed() {
    let chain = Chain::start().await;
    let (contract, _) = contracts(&chain).await;
    let send = async |value: u64| {
        let request = json!({ "from": ALICE, "to": contract, "input": input(1, word(value).as_slice()) });
        chain.send(request).await["transactionHash"].clone()
    };
    let (_, second) = (send(7).await, send(8).await);
    let (contract, slot) = (contract.to_string().to_lowercase(), word(0).to_string());
    let before = trace(&chain, &second, json!({ "tracer": "prestateTracer" })).await;
    assert_eq!(before[&contract]["storage"][&slot], json!(word(7)));
    let diff = json!({ "tracer": "prestateTracer", "tracerConfig": { "diffMode": true } });
    let changed = trace(&chain, &second, diff).await;
    assert_eq!(changed["pre"][&contract]["storage"][&slot], json!(word(7)));
    assert_eq!(changed["post"][&contract]["storage"][&slot], json!(word(8)));
    assert_eq!(changed["post"][ALICE]["nonce"], 4);
}

/// One block with three transactions that depend on each other.
async fn crowded(chain: &Chain) -> (Address, Value) {
    let contract = chain.deploy(&CONTRACT).await;
    chain.get("evm_setAutomine", json!([false])).await;
    for value in [7, 8, 9] {
        let request = json!({
            "from": ALICE, "to": contract, "input": input(1, word(value).as_slice()), "gas": "0x30000",
        });
        chain.get("eth_sendTransaction", json!([request])).await;
    }
    chain.get("evm_mine", json!([])).await;
    (contract, chain.get("eth_getBlockByNumber", json!(["latest", false])).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_of_one_block_see_those_before_them() {
    let chain = Chain::start().await;
    let (contract, block) = crowded(&chain).await;
    let (contract, slot) = (contract.to_string().to_lowercase(), word(0).to_string());
    let options = json!({ "tracer": "prestateTracer" });
    let by_number = chain.get("debug_traceBlockByNumber", json!([block["number"], options])).await;
    let by_hash = chain.get("debug_traceBlockByHash", json!([block["hash"], options])).await;
    assert_eq!(by_number, by_hash);
    let expected = [word(0), word(7), word(8)];
    for (index, hash) in block["transactions"].as_array().unwrap().iter().enumerate() {
        assert_eq!(&by_number[index]["txHash"], hash);
        let alone = trace(&chain, hash, options.clone()).await;
        assert_eq!(by_number[index]["result"], alone);
        assert_eq!(alone[&contract]["storage"][&slot], json!(expected[index]));
    }
    let flat = chain.get("trace_block", json!([block["number"]])).await;
    assert_eq!(flat.as_array().unwrap().len(), 3);
    assert_eq!(flat[2]["transactionPosition"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_traced_call_can_stand_inside_a_block_and_pretend() {
    let chain = Chain::start().await;
    let (contract, block) = crowded(&chain).await;
    let read = json!({ "from": BOB, "to": contract, "input": input(2, &[]) });
    let value = async |extra: Value| {
        let mut options = json!({ "tracer": "callTracer" });
        options.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let found = chain.get("debug_traceCall", json!([read, block["number"], options])).await;
        parse::<B256>(&found["output"])
    };
    assert_eq!(value(json!({})).await, word(9));
    assert_eq!(value(json!({ "txIndex": "0x0" })).await, word(0));
    assert_eq!(value(json!({ "txIndex": "0x2" })).await, word(8));
    let pretended = json!({ "stateOverrides": { contract.to_string(): { "stateDiff": { word(0).to_string(): word(5) } } } });
    assert_eq!(value(pretended).await, word(5));
    let out_of_range = json!([read, block["number"], { "txIndex": "0x9" }]);
    assert_eq!(chain.fail("debug_traceCall", out_of_range).await.0, -32_000);
    let time = json!({ "to": contract, "input": input(4, &[]) });
    let options = json!({ "tracer": "callTracer", "blockOverrides": { "time": "0x1234" } });
    let found = chain.get("debug_traceCall", json!([time, "latest", options])).await;
    assert_eq!(parse::<U256>(&found["output"]), U256::from(0x1234));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_traced_is_refused() {
    let chain = Chain::start().await;
    let nothing = word(1);
    for (method, params, code) in [
        ("debug_traceTransaction", json!([nothing]), -32_000),
        ("trace_transaction", json!([nothing]), -32_000),
        ("debug_traceBlockByHash", json!([nothing]), -32_001),
        ("debug_traceBlockByNumber", json!(["0x99"]), -32_001),
        ("debug_traceCall", json!([{}, "latest", { "tracer": "{step: function() {}}" }]), -32_602),
        ("debug_traceCall", json!([{}, "latest", { "tracer": "callTracer", "tracerConfig": 7 }]), -32_602),
    ] {
        assert_eq!(chain.fail(method, params).await.0, code, "{method}");
    }
    assert_eq!(chain.get("debug_traceBlockByNumber", json!(["0x0"])).await, json!([]));
    assert_eq!(chain.get("trace_block", json!(["0x99"])).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_loop_does_not_fill_the_memory() {
    let chain = Chain::start().await;
    // Grows its memory by a word and loops.
    let endless = json!({ "input": "0x5b5f595200" });
    chain.get("debug_traceCall", json!([endless, "latest", { "enableMemory": true }])).await;
    let endless = json!({ "input": "0x5b5f59525f56" });
    let (code, message) =
        chain.fail("debug_traceCall", json!([endless, "latest", { "enableMemory": true }])).await;
    assert_eq!((code, message), (-32_005, "the trace would take more than 160 MiB".into()));
    let first = json!([endless, "latest", { "enableMemory": true, "limit": 5 }]);
    assert_eq!(chain.get("debug_traceCall", first).await["structLogs"].as_array().unwrap().len(), 5);
    let verbose = json!([endless, "latest", { "tracer": "erc7562Tracer" }]);
    assert_eq!(chain.fail("debug_traceCall", verbose).await.0, -32_005);
    let called = chain.get("debug_traceCall", json!([endless, "latest", { "tracer": "callTracer" }])).await;
    assert!(called["error"].as_str().unwrap().starts_with("out of gas"));
}

#[tokio::test(flavor = "multi_thread")]
async fn flat_traces_are_found_by_address_and_replayed() {
    let chain = Chain::start().await;
    let (contract, block) = crowded(&chain).await;
    let all = chain.get("trace_filter", json!([{ "toAddress": [contract] }])).await;
    assert_eq!(all.as_array().unwrap().len(), 4, "the creation and three calls");
    let some = json!([{ "fromBlock": block["number"], "fromAddress": [ALICE], "after": 1, "count": 1 }]);
    let some = chain.get("trace_filter", some).await;
    assert_eq!((some.as_array().unwrap().len(), &some[0]), (1, &all[2]));
    assert_eq!(chain.get("trace_filter", json!([{ "toAddress": [BOB] }])).await, json!([]));
    let kinds = json!(["trace", "stateDiff", "vmTrace"]);
    let replayed = chain.get("trace_replayBlockTransactions", json!([block["number"], kinds])).await;
    assert_eq!(replayed.as_array().unwrap().len(), 3);
    let hash = &block["transactions"][2];
    let mut alone = chain.get("trace_replayTransaction", json!([hash, kinds])).await;
    alone["transactionHash"] = hash.clone();
    assert_eq!(replayed[2], alone);
    let contract = contract.to_string().to_lowercase();
    let changed = &alone["stateDiff"][&contract]["storage"][&word(0).to_string()]["*"];
    assert_eq!(changed, &json!({ "from": word(8), "to": word(9) }));
    assert!(!alone["vmTrace"]["ops"].as_array().unwrap().is_empty());
    chain.get("anvil_mine", json!(["0x500"])).await;
    let old = json!([{ "fromBlock": "0x0", "toBlock": "0x500" }]);
    assert_eq!(chain.fail("trace_filter", old).await.0, -32_005);
    assert_eq!(chain.fail("trace_transaction", json!([hash])).await.0, -32_001, "its state is gone");
}
