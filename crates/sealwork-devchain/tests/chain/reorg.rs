use crate::support::{call, client, deploy, provider, raw, send, signer, start, subscribe, word};
use alloy_consensus::TxEnvelope;
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_network::{EthereumWallet, NetworkTransactionBuilder as _, TransactionBuilder as _};
use alloy_primitives::{Address, B256, U256, hex};
use alloy_provider::Provider;
use alloy_rpc_types_eth::TransactionRequest;
use jsonrpsee::rpc_params;
use sealwork_devchain::Handle;
use serde_json::{Value, json};

async fn block(chain: &Handle, number: u64) -> Value {
    raw(chain, "eth_getBlockByNumber", json!([format!("{number:#x}"), false])).await.unwrap()
}

async fn hash(chain: &Handle, number: u64) -> Value {
    block(chain, number).await["hash"].clone()
}

/// A contract in block 1 that logged 1, 2 and 3 in the blocks after it.
async fn three_logs(chain: &Handle) -> Address {
    let alice = provider(chain, 0);
    let contract = deploy(&alice).await;
    for number in 1..=3 {
        send(&alice, call(contract, 1, &word(number))).await;
    }
    contract
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_blocks_are_replaced_by_empty_ones() {
    let chain = start().await;
    let contract = three_logs(&chain).await;
    let (kept, replaced) = (hash(&chain, 2).await, block(&chain, 4).await);
    raw(&chain, "anvil_reorg", json!([2, []])).await.unwrap();
    let alice = provider(&chain, 0);
    assert_eq!(alice.get_block_number().await.unwrap(), 4);
    assert_eq!(hash(&chain, 2).await, kept);
    let new = block(&chain, 4).await;
    assert_ne!(new["hash"], replaced["hash"]);
    assert_eq!((&new["timestamp"], &new["transactions"]), (&replaced["timestamp"], &json!([])));
    assert_eq!(alice.call(call(contract, 2, &[])).await.unwrap().as_ref(), word(1));
    assert_eq!(alice.get_transaction_count(signer(0).address()).await.unwrap(), 2);
    let gone = raw(&chain, "eth_getTransactionReceipt", json!([replaced["transactions"][0]])).await.unwrap();
    assert!(gone.is_null());
    let gone = raw(&chain, "eth_getBlockByHash", json!([replaced["hash"], false])).await.unwrap();
    assert!(gone.is_null());
    assert!(send(&alice, call(contract, 1, &word(9))).await.status());
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_blocks_are_replaced_by_others() {
    let chain = start().await;
    raw(&chain, "anvil_mine", json!([3])).await.unwrap();
    let old = hash(&chain, 3).await;
    raw(&chain, "anvil_reorg", json!([{ "depth": 1, "txBlockPairs": [] }])).await.unwrap();
    let new = hash(&chain, 3).await;
    assert_ne!(old, new);
    raw(&chain, "evm_reorg", json!(["0x1"])).await.unwrap();
    assert_ne!(hash(&chain, 3).await, new);
}

async fn signed(index: usize, nonce: u64, value: u64) -> String {
    let request = TransactionRequest::default()
        .with_to(Address::repeat_byte(7))
        .with_value(U256::from(value))
        .with_nonce(nonce)
        .with_chain_id(31_337)
        .with_gas_limit(21_000)
        .with_max_fee_per_gas(10_000_000_000)
        .with_max_priority_fee_per_gas(1);
    let envelope: TxEnvelope = request.build(&EthereumWallet::from(signer(index))).await.unwrap();
    hex::encode_prefixed(envelope.encoded_2718())
}

#[tokio::test(flavor = "multi_thread")]
async fn given_transactions_go_into_the_new_blocks() {
    let chain = start().await;
    three_logs(&chain).await;
    let pairs = json!([
        [signed(1, 0, 5).await, 0],
        [signed(1, 1, 6).await, 1],
        [{ "from": signer(2).address(), "to": Address::repeat_byte(7), "value": "0x7", "gas": "0x5208" }, 1],
    ]);
    raw(&chain, "anvil_reorg", json!([2, pairs])).await.unwrap();
    assert_eq!(block(&chain, 3).await["transactions"].as_array().unwrap().len(), 1);
    assert_eq!(block(&chain, 4).await["transactions"].as_array().unwrap().len(), 2);
    let balance = provider(&chain, 0).get_balance(Address::repeat_byte(7)).await.unwrap();
    assert_eq!(balance, U256::from(18));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reorganization_that_cannot_be_changes_nothing() {
    let chain = start().await;
    three_logs(&chain).await;
    let before = hash(&chain, 4).await;
    for params in [
        json!([5, []]),
        json!([2, [[signed(1, 4, 5).await, 0]]]),
        json!([2, [[signed(1, 0, 5).await, 2]]]),
        json!([2, [["0x02", 0]]]),
    ] {
        assert!(raw(&chain, "anvil_reorg", params.clone()).await.is_err(), "{params}");
        assert_eq!(hash(&chain, 4).await, before, "{params}");
    }
    assert_eq!(raw(&chain, "anvil_rollback", json!([5])).await.unwrap_err()["code"], -32_602);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_shortens_the_chain_and_ends_snapshots_of_what_is_gone() {
    let chain = start().await;
    let first = raw(&chain, "evm_snapshot", json!([])).await.unwrap();
    let contract = three_logs(&chain).await;
    let second = raw(&chain, "evm_snapshot", json!([])).await.unwrap();
    raw(&chain, "anvil_rollback", json!([2])).await.unwrap();
    let alice = provider(&chain, 0);
    assert_eq!(alice.get_block_number().await.unwrap(), 2);
    assert_eq!(alice.call(call(contract, 2, &[])).await.unwrap().as_ref(), word(1));
    raw(&chain, "anvil_mine", json!([5])).await.unwrap();
    assert_eq!(raw(&chain, "evm_revert", json!([second])).await.unwrap(), false);
    assert_eq!(raw(&chain, "evm_revert", json!([first])).await.unwrap(), true);
    assert_eq!(alice.get_block_number().await.unwrap(), 0);
}

fn told(log: &Value) -> (bool, u8) {
    let data: B256 = serde_json::from_value(log["data"].clone()).unwrap();
    (log["removed"].as_bool().unwrap(), data[31])
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_are_told_of_removed_logs_before_the_new_ones() {
    let chain = start().await;
    let client = client(&chain).await;
    let mut logs = subscribe(&client, rpc_params!["logs", json!({})]).await;
    let mut heads = subscribe(&client, rpc_params!["newHeads"]).await;
    let contract = three_logs(&chain).await;
    let snapshot = raw(&chain, "evm_snapshot", json!([])).await.unwrap();
    send(&provider(&chain, 0), call(contract, 1, &word(4))).await;
    assert_eq!(raw(&chain, "evm_revert", json!([snapshot])).await.unwrap(), true);
    raw(&chain, "anvil_reorg", json!([2, []])).await.unwrap();
    send(&provider(&chain, 0), call(contract, 1, &word(5))).await;
    let mut all = Vec::new();
    while all.len() < 8 {
        all.push(told(&logs.next().await.unwrap().unwrap()));
    }
    let (new, gone) = (|number| (false, number), |number| (true, number));
    assert_eq!(all, [new(1), new(2), new(3), new(4), gone(4), gone(3), gone(2), new(5)]);
    let mut numbers = Vec::new();
    while numbers.len() < 8 {
        let head = heads.next().await.unwrap().unwrap();
        numbers.push(u64::from_str_radix(&head["number"].as_str().unwrap()[2..], 16).unwrap());
    }
    assert_eq!(numbers, [1, 2, 3, 4, 5, 3, 4, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn polled_filters_are_told_only_of_what_they_knew() {
    let chain = start().await;
    let logs = raw(&chain, "eth_newFilter", json!([{}])).await.unwrap();
    let blocks = raw(&chain, "eth_newBlockFilter", json!([])).await.unwrap();
    let poll = async |id: &Value| raw(&chain, "eth_getFilterChanges", json!([id])).await.unwrap();
    let contract = three_logs(&chain).await;
    assert_eq!(poll(&logs).await.as_array().unwrap().iter().map(told).count(), 3);
    assert_eq!(poll(&blocks).await.as_array().unwrap().len(), 4);
    // This one comes and goes between two polls.
    send(&provider(&chain, 0), call(contract, 1, &word(4))).await;
    raw(&chain, "anvil_reorg", json!([3, []])).await.unwrap();
    send(&provider(&chain, 0), call(contract, 1, &word(5))).await;
    let changes = poll(&logs).await;
    let changes: Vec<_> = changes.as_array().unwrap().iter().map(told).collect();
    assert_eq!(changes, [(true, 3), (true, 2), (false, 5)]);
    let hashes = poll(&blocks).await;
    let expected =
        [hash(&chain, 3).await, hash(&chain, 4).await, hash(&chain, 5).await, hash(&chain, 6).await];
    assert_eq!(hashes, json!(expected));
    assert_eq!(poll(&logs).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_brings_back_the_first_block_and_the_settings() {
    let chain = start().await;
    let first = hash(&chain, 0).await;
    raw(&chain, "anvil_setCoinbase", json!([Address::repeat_byte(3)])).await.unwrap();
    raw(&chain, "evm_increaseTime", json!([100_000])).await.unwrap();
    let contract = three_logs(&chain).await;
    raw(&chain, "anvil_mine", json!([1_100])).await.unwrap();
    raw(&chain, "hardhat_reset", json!([])).await.unwrap();
    let alice = provider(&chain, 0);
    assert_eq!((alice.get_block_number().await.unwrap(), hash(&chain, 0).await), (0, first));
    assert!(alice.get_code_at(contract).await.unwrap().is_empty());
    three_logs(&chain).await;
    let newest = block(&chain, 4).await;
    assert_eq!(newest["miner"], json!(Address::ZERO));
    let time = u64::from_str_radix(&newest["timestamp"].as_str().unwrap()[2..], 16).unwrap();
    let start = block(&chain, 0).await["timestamp"].as_str().unwrap().to_owned();
    assert!(time - u64::from_str_radix(&start[2..], 16).unwrap() < 10_000);
    let fork = json!([{ "forking": { "jsonRpcUrl": "http://127.0.0.1:1" } }]);
    assert_eq!(raw(&chain, "anvil_reset", fork).await.unwrap_err()["code"], -32_602);
}
