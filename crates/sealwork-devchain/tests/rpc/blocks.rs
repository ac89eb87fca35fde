//! Blocks, transactions and receipts by every way in, and their raw bytes.

use crate::support::{ALICE, BOB, CONTRACT, Chain, input, parse, word};
use alloy_consensus::{Header, ReceiptEnvelope, TxEnvelope};
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{Bytes, keccak256};
use alloy_rlp::Decodable;
use serde_json::{Value, json};

/// A block with a call that logs; returns the block with its transactions and the receipt.
async fn mined(chain: &Chain) -> (Value, Value) {
    let contract = chain.deploy(&CONTRACT).await;
    let request = json!({ "from": ALICE, "to": contract, "input": input(1, word(3).as_slice()) });
    let receipt = chain.send(request).await;
    (chain.get("eth_getBlockByNumber", json!(["latest", true])).await, receipt)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_a_block_leads_to_the_same_block() {
    let chain = Chain::start().await;
    let (block, _) = mined(&chain).await;
    let (number, hash) = (&block["number"], &block["hash"]);
    for tag in ["latest", "safe", "finalized", "0x2"] {
        assert_eq!(chain.get("eth_getBlockByNumber", json!([tag, true])).await, block, "{tag}");
    }
    assert_eq!(chain.get("eth_getBlockByHash", json!([hash, true])).await, block);
    assert_eq!(chain.get("eth_getBlockByNumber", json!(["earliest", false])).await["number"], "0x0");
    let header = chain.get("eth_getHeaderByNumber", json!([number])).await;
    assert_eq!(chain.get("eth_getHeaderByHash", json!([hash])).await, header);
    for (field, value) in header.as_object().unwrap() {
        assert_eq!(&block[field], value, "{field}");
    }
    for (name, by) in [("Number", number), ("Hash", hash)] {
        let count = chain.get(&format!("eth_getBlockTransactionCountBy{name}"), json!([by])).await;
        assert_eq!(count, "0x1");
        assert_eq!(chain.get(&format!("eth_getUncleCountByBlock{name}"), json!([by])).await, "0x0");
        let uncle = chain.get(&format!("eth_getUncleByBlock{name}AndIndex"), json!([by, "0x0"])).await;
        assert!(uncle.is_null());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_a_transaction_leads_to_the_same_transaction() {
    let chain = Chain::start().await;
    let (block, receipt) = mined(&chain).await;
    let transaction = &block["transactions"][0];
    assert_eq!(&chain.get("eth_getTransactionByHash", json!([transaction["hash"]])).await, transaction);
    assert_eq!(chain.get("eth_getBlockReceipts", json!(["latest"])).await, json!([receipt]));
    let by_hash = json!([{ "blockHash": block["hash"], "requireCanonical": true }]);
    assert_eq!(chain.get("eth_getBlockReceipts", by_hash).await, json!([receipt]));
    let raw = chain.get("eth_getRawTransactionByHash", json!([transaction["hash"]])).await;
    assert_eq!(json!(keccak256(parse::<Bytes>(&raw))), transaction["hash"]);
    for (name, by) in [("Number", &block["number"]), ("Hash", &block["hash"])] {
        let method = format!("eth_getTransactionByBlock{name}AndIndex");
        assert_eq!(&chain.get(&method, json!([by, "0x0"])).await, transaction);
        assert_eq!(&chain.get(&method, json!([by, 0])).await, transaction);
        assert!(chain.get(&method, json!([by, "0x1"])).await.is_null());
        let method = format!("eth_getRawTransactionByBlock{name}AndIndex");
        assert_eq!(chain.get(&method, json!([by, "0x0"])).await, raw);
        assert!(chain.get(&method, json!([by, "0x7"])).await.is_null());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_bytes_decode_to_what_the_json_says() {
    let chain = Chain::start().await;
    let (block, receipt) = mined(&chain).await;
    let raw: Bytes = parse(&chain.get("debug_getRawHeader", json!(["latest"])).await);
    assert_eq!(json!(keccak256(&raw)), block["hash"]);
    let header = Header::decode(&mut raw.as_ref()).unwrap();
    let raw: Bytes = parse(&chain.get("debug_getRawBlock", json!(["latest"])).await);
    assert_eq!(json!(format!("{:#x}", raw.len())), block["size"]);
    let whole = alloy_consensus::Block::<TxEnvelope>::decode(&mut raw.as_ref()).unwrap();
    assert_eq!(whole.header, header);
    assert_eq!(json!(whole.body.transactions[0].tx_hash()), block["transactions"][0]["hash"]);
    let raw: Vec<Bytes> = parse(&chain.get("debug_getRawReceipts", json!(["latest"])).await);
    let decoded = ReceiptEnvelope::decode_2718(&mut raw[0].as_ref()).unwrap();
    assert_eq!(decoded.logs().len(), receipt["logs"].as_array().unwrap().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_null() {
    let chain = Chain::start().await;
    let nothing = word(1);
    for (method, params) in [
        ("eth_getTransactionByBlockNumberAndIndex", json!(["0x99", "0x0"])),
        ("eth_getTransactionByBlockHashAndIndex", json!([nothing, "0x0"])),
        ("eth_getRawTransactionByHash", json!([nothing])),
        ("eth_getBlockTransactionCountByNumber", json!(["0x99"])),
        ("eth_getBlockReceipts", json!([nothing])),
        ("eth_getHeaderByNumber", json!(["0x99"])),
        ("eth_getUncleCountByBlockHash", json!([nothing])),
        ("debug_getRawBlock", json!(["0x99"])),
    ] {
        assert!(chain.get(method, params).await.is_null(), "{method}");
    }
    let unknown = chain.fail("eth_getLogs", json!([{ "blockHash": nothing }])).await;
    assert_eq!(unknown, (-32_000, "unknown block".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_learns_what_it_asks_first() {
    let chain = Chain::start().await;
    let accounts = chain.get("eth_accounts", json!([])).await;
    assert_eq!((&accounts[0], &accounts[1]), (&json!(ALICE), &json!(BOB)));
    assert_eq!(chain.get("eth_requestAccounts", json!([])).await, accounts);
    for (method, answer) in [
        ("net_version", json!("31337")),
        ("net_listening", json!(true)),
        ("net_peerCount", json!("0x0")),
        ("eth_networkId", json!("31337")),
        ("eth_chainId", json!("0x7a69")),
        ("eth_syncing", json!(false)),
        ("eth_mining", json!(false)),
        ("eth_hashrate", json!("0x0")),
        ("eth_protocolVersion", json!(1)),
        ("eth_coinbase", json!("0x0000000000000000000000000000000000000000")),
        ("eth_maxPriorityFeePerGas", json!("0x3b9aca00")),
        ("eth_blobBaseFee", json!("0x1")),
    ] {
        assert_eq!(chain.get(method, json!([])).await, answer, "{method}");
    }
    let modules = chain.get("rpc_modules", json!([])).await;
    for space in ["eth", "net", "web3", "debug", "evm", "anvil", "rpc"] {
        assert_eq!(modules[space], "1.0", "{space}");
    }
}
