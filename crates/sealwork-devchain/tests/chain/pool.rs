use crate::support::{call, deploy, provider, raw, send, signer, start, word};
use alloy_network::TransactionBuilder as _;
use alloy_primitives::{Address, B256, U256};
use alloy_provider::Provider;
use alloy_rpc_types_eth::TransactionRequest;
use sealwork_devchain::Handle;
use serde_json::{Value, json};

const GWEI: u128 = 1_000_000_000;

fn paying(nonce: u64, fee: u128, tip: u128) -> TransactionRequest {
    TransactionRequest::default()
        .with_to(Address::repeat_byte(1))
        .with_nonce(nonce)
        .with_gas_limit(21_000)
        .with_max_fee_per_gas(fee)
        .with_max_priority_fee_per_gas(tip)
}

/// Sends as development account `index` without waiting for a block.
async fn post(chain: &Handle, index: usize, request: TransactionRequest) -> Result<B256, String> {
    match provider(chain, index).send_transaction(request).await {
        Ok(pending) => Ok(*pending.tx_hash()),
        Err(error) => Err(error.as_error_resp().unwrap().message.to_string()),
    }
}

async fn status(chain: &Handle) -> Value {
    raw(chain, "txpool_status", json!([])).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_below_the_base_fee_is_mined_when_it_falls() {
    let chain = start().await;
    let hash = post(&chain, 0, paying(0, GWEI / 2, 1)).await.unwrap();
    assert_eq!(status(&chain).await, json!({ "pending": "0x0", "queued": "0x1" }));
    let found = raw(&chain, "eth_getTransactionByHash", json!([hash])).await.unwrap();
    assert!(found["blockNumber"].is_null());
    // Each empty block lowers the base fee by an eighth: below a half after six.
    raw(&chain, "anvil_mine", json!([7])).await.unwrap();
    let receipt = raw(&chain, "eth_getTransactionReceipt", json!([hash])).await.unwrap();
    assert_eq!(receipt["status"], "0x1", "{receipt}");
    assert_eq!(status(&chain).await, json!({ "pending": "0x0", "queued": "0x0" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_needs_a_tenth_more_of_both_fees() {
    let chain = start().await;
    raw(&chain, "evm_setAutomine", json!([false])).await.unwrap();
    let old = post(&chain, 0, paying(0, 2 * GWEI, 100)).await.unwrap();
    for (fee, tip) in [(2 * GWEI, 200), (22 * GWEI / 10, 109), (21 * GWEI / 10, 200)] {
        let refused = post(&chain, 0, paying(0, fee, tip)).await.unwrap_err();
        assert!(refused.starts_with("replacement transaction underpriced"), "{refused}");
    }
    let new = post(&chain, 0, paying(0, 22 * GWEI / 10, 110)).await.unwrap();
    assert!(raw(&chain, "eth_getTransactionByHash", json!([old])).await.unwrap().is_null());
    raw(&chain, "evm_mine", json!([])).await.unwrap();
    let block = raw(&chain, "eth_getBlockByNumber", json!(["latest", false])).await.unwrap();
    assert_eq!(block["transactions"], json!([new]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_takes_the_best_paid_first_and_each_sender_in_order() {
    let chain = start().await;
    raw(&chain, "evm_setAutomine", json!([false])).await.unwrap();
    let mut expected = Vec::new();
    for (place, index, nonce, tip) in
        [(2, 0, 0, 5), (3, 0, 1, 90), (1, 1, 0, 20), (0, 2, 0, 30), (4, 3, 0, 1)]
    {
        let hash = post(&chain, index, paying(nonce, 3 * GWEI, tip)).await.unwrap();
        expected.push((place, hash));
    }
    expected.sort_unstable();
    raw(&chain, "evm_mine", json!([])).await.unwrap();
    let block = raw(&chain, "eth_getBlockByNumber", json!(["latest", false])).await.unwrap();
    assert_eq!(block["transactions"], json!(expected.iter().map(|(_, hash)| hash).collect::<Vec<_>>()));
}

#[tokio::test(flavor = "multi_thread")]
async fn txpool_shows_what_waits_and_why() {
    let chain = start().await;
    raw(&chain, "evm_setAutomine", json!([false])).await.unwrap();
    for (nonce, fee) in [(0, 3 * GWEI), (1, 3 * GWEI), (3, 3 * GWEI)] {
        post(&chain, 0, paying(nonce, fee, 1)).await.unwrap();
    }
    post(&chain, 1, paying(0, 1, 1)).await.unwrap();
    assert_eq!(status(&chain).await, json!({ "pending": "0x2", "queued": "0x2" }));
    let (alice, bob) = (signer(0).address(), signer(1).address());
    let content = raw(&chain, "txpool_content", json!([])).await.unwrap();
    let key = |address: Address| json!(address).as_str().unwrap().to_owned();
    assert_eq!(content["pending"][key(alice)].as_object().unwrap().len(), 2);
    assert_eq!(content["pending"][key(alice)]["1"]["nonce"], "0x1");
    assert!(content["queued"][key(alice)]["3"]["hash"].is_string());
    assert!(content["queued"][key(bob)]["0"]["blockHash"].is_null());
    let from = raw(&chain, "txpool_contentFrom", json!([bob])).await.unwrap();
    assert_eq!(from["queued"]["0"]["nonce"], "0x0");
    let inspect = raw(&chain, "txpool_inspect", json!([])).await.unwrap();
    let to = Address::repeat_byte(1);
    assert_eq!(inspect["pending"][key(alice)]["0"], format!("{to}: 0 wei + 21000 gas × {} wei", 3 * GWEI));
    raw(&chain, "anvil_removePoolTransactions", json!([alice])).await.unwrap();
    assert_eq!(status(&chain).await, json!({ "pending": "0x0", "queued": "0x1" }));
    raw(&chain, "anvil_dropAllTransactions", json!([])).await.unwrap();
    assert_eq!(status(&chain).await, json!({ "pending": "0x0", "queued": "0x0" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_transaction_is_gone() {
    let chain = start().await;
    raw(&chain, "evm_setAutomine", json!([false])).await.unwrap();
    let hash = post(&chain, 0, paying(0, 3 * GWEI, 1)).await.unwrap();
    assert_eq!(raw(&chain, "anvil_dropTransaction", json!([hash])).await.unwrap(), json!(hash));
    assert!(raw(&chain, "anvil_dropTransaction", json!([hash])).await.unwrap().is_null());
    raw(&chain, "evm_mine", json!([])).await.unwrap();
    assert!(raw(&chain, "eth_getTransactionReceipt", json!([hash])).await.unwrap().is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_and_overpriced_transactions_are_refused_before_they_wait() {
    let chain = start().await;
    raw(&chain, "evm_setAutomine", json!([false])).await.unwrap();
    let large = paying(0, 3 * GWEI, 1).with_gas_limit(10_000_000).with_input(vec![0; 140_000]);
    let refused = post(&chain, 0, large).await.unwrap_err();
    assert!(refused.starts_with("oversized data: transaction size"), "{refused}");
    let floor = paying(0, 3 * GWEI, 1).with_gas_limit(30_000).with_input(vec![1; 1_000]);
    let refused = post(&chain, 0, floor).await.unwrap_err();
    assert!(refused.starts_with("intrinsic gas too low"), "EIP-7623: {refused}");
    let poor = paying(5, u128::MAX / 100_000, 1);
    let refused = post(&chain, 0, poor).await.unwrap_err();
    assert!(refused.starts_with("insufficient funds"), "{refused}");
    assert_eq!(status(&chain).await["queued"], "0x0");
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_transactions_are_announced() {
    let chain = start().await;
    let filter = raw(&chain, "eth_newPendingTransactionFilter", json!([])).await.unwrap();
    let alice = provider(&chain, 0);
    let contract = deploy(&alice).await;
    let receipt = send(&alice, call(contract, 1, &word(5)).with_value(U256::ZERO)).await;
    let hashes = raw(&chain, "eth_getFilterChanges", json!([filter])).await.unwrap();
    assert_eq!(hashes.as_array().unwrap().len(), 2);
    assert_eq!(hashes[1], json!(receipt.transaction_hash));
    assert_eq!(raw(&chain, "eth_getFilterChanges", json!([filter])).await.unwrap(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_transactions_fit_one_block() {
    let chain = start().await;
    raw(&chain, "evm_setAutomine", json!([false])).await.unwrap();
    let from = signer(0).address();
    let batch: Vec<_> = (0..1_000)
        .map(|id| {
            let request =
                json!({ "from": from, "to": Address::repeat_byte(2), "value": "0x1", "gas": "0x5208" });
            json!({ "jsonrpc": "2.0", "id": id, "method": "eth_sendTransaction", "params": [request] })
        })
        .collect();
    let answers = crate::support::post(&chain, Value::Array(batch).to_string()).await;
    assert!(answers.as_array().unwrap().iter().all(|answer| answer["result"].is_string()), "{answers}");
    raw(&chain, "evm_mine", json!([])).await.unwrap();
    let block = raw(&chain, "eth_getBlockByNumber", json!(["latest", false])).await.unwrap();
    assert_eq!(block["transactions"].as_array().unwrap().len(), 1_000);
    assert_eq!(provider(&chain, 0).get_balance(Address::repeat_byte(2)).await.unwrap(), U256::from(1_000));
}
