//! The block that would be made now.

use crate::support::{ALICE, BOB, CONTRACT, Chain, input, parse, word};
use alloy_primitives::{B256, U256};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_pending_block_holds_what_waits_and_calls_see_its_state() {
    let chain = Chain::start().await;
    let contract = chain.deploy(&CONTRACT).await;
    chain.get("evm_setAutomine", json!([false])).await;
    for value in [7, 8] {
        let write = input(1, word(value).as_slice());
        let request = json!({ "from": ALICE, "to": contract, "input": write, "gas": "0x30000" });
        chain.get("eth_sendTransaction", json!([request])).await;
    }
    // A nonce after a gap is not pending.
    let gap = json!({ "from": BOB, "to": ALICE, "nonce": "0x5", "gas": "0x5208" });
    chain.get("eth_sendTransaction", json!([gap])).await;
    let pending = chain.get("eth_getBlockByNumber", json!(["pending", true])).await;
    assert_eq!((&pending["number"], pending["transactions"].as_array().unwrap().len()), (&json!("0x2"), 2));
    assert_eq!(chain.get("eth_getBlockTransactionCountByNumber", json!(["pending"])).await, "0x2");
    assert_eq!(chain.get("eth_getTransactionCount", json!([ALICE, "pending"])).await, "0x3");
    assert_eq!(chain.get("eth_getTransactionCount", json!([BOB, "pending"])).await, "0x0");
    let read = json!({ "to": contract, "input": input(2, &[]) });
    let value = async |tag: &str| parse::<B256>(&chain.get("eth_call", json!([read, tag])).await);
    assert_eq!((value("latest").await, value("pending").await), (word(0), word(8)));
    let slot = chain.get("eth_getStorageAt", json!([contract, "0x0", "pending"])).await;
    assert_eq!(parse::<B256>(&slot), word(8));
    assert_eq!(chain.get("eth_blockNumber", json!([])).await, "0x1");
    chain.get("evm_mine", json!([])).await;
    let mined = chain.get("eth_getBlockByNumber", json!(["latest", true])).await;
    for field in
        ["number", "parentHash", "gasUsed", "transactionsRoot", "receiptsRoot", "baseFeePerGas", "mixHash"]
    {
        assert_eq!(mined[field], pending[field], "{field}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_pending_block_follows_the_newest() {
    let chain = Chain::start().await;
    let newest = chain.get("eth_getBlockByNumber", json!(["latest", false])).await;
    let pending = chain.get("eth_getBlockByNumber", json!(["pending", false])).await;
    assert_eq!((&pending["number"], &pending["parentHash"]), (&json!("0x1"), &newest["hash"]));
    assert_eq!(pending["transactions"], json!([]));
    let number = chain.get("eth_call", json!([{ "input": "0x435f5260205ff3" }, "pending"])).await;
    assert_eq!(parse::<U256>(&number), U256::from(1));
    assert_eq!(chain.get("eth_getBlockReceipts", json!(["pending"])).await, json!([]));
}
