use crate::support::{provider, raw, send, signer, start};
use alloy_eips::{eip2935::HISTORY_STORAGE_ADDRESS, eip4788::BEACON_ROOTS_ADDRESS};
use alloy_network::TransactionBuilder as _;
use alloy_primitives::{Address, B256, U256};
use alloy_provider::Provider;
use alloy_rpc_types_eth::{BlockId, TransactionRequest};
use serde_json::json;

async fn ask(provider: &impl Provider, contract: Address, question: U256) -> Option<B256> {
    let request =
        TransactionRequest::default().with_to(contract).with_input(question.to_be_bytes::<32>().to_vec());
    provider.call(request).block(BlockId::latest()).await.ok().map(|answer| B256::from_slice(&answer))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_contract_knows_older_block_hashes() {
    let chain = start().await;
    raw(&chain, "anvil_mine", json!([300])).await.unwrap();
    let provider = provider(&chain, 0);
    for number in [0u64, 1, 40, 299] {
        let block = provider.get_block_by_number(number.into()).await.unwrap().unwrap();
        let known = ask(&provider, HISTORY_STORAGE_ADDRESS, U256::from(number)).await;
        assert_eq!(known, Some(block.header.hash), "block {number}");
    }
    assert_eq!(ask(&provider, HISTORY_STORAGE_ADDRESS, U256::from(300)).await, None, "not its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_beacon_roots_contract_knows_the_newest_timestamp() {
    let chain = start().await;
    raw(&chain, "anvil_mine", json!([2])).await.unwrap();
    let provider = provider(&chain, 0);
    let block = provider.get_block(BlockId::latest()).await.unwrap().unwrap();
    assert_eq!(block.header.parent_beacon_block_root, Some(B256::ZERO));
    let timestamp = U256::from(block.header.timestamp);
    assert_eq!(ask(&provider, BEACON_ROOTS_ADDRESS, timestamp).await, Some(B256::ZERO));
    assert_eq!(ask(&provider, BEACON_ROOTS_ADDRESS, timestamp + U256::from(9)).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_base_fee_follows_the_gas_that_blocks_use() {
    let chain = start().await;
    let provider = provider(&chain, 0);
    raw(&chain, "evm_setBlockGasLimit", json!([84_000])).await.unwrap();
    raw(&chain, "evm_mine", json!([])).await.unwrap();
    let before = provider.get_block(BlockId::latest()).await.unwrap().unwrap();
    raw(&chain, "evm_setAutomine", json!([false])).await.unwrap();
    for nonce in 0..4 {
        let request = json!([{ "from": signer(0).address(), "to": Address::repeat_byte(1), "gas": "0x5208", "nonce": format!("{nonce:#x}") }]);
        raw(&chain, "eth_sendTransaction", request).await.unwrap();
    }
    raw(&chain, "evm_mine", json!([])).await.unwrap();
    let full = provider.get_block(BlockId::latest()).await.unwrap().unwrap();
    assert_eq!((full.header.gas_used, full.header.gas_limit), (84_000, 84_000));
    raw(&chain, "evm_mine", json!([])).await.unwrap();
    let after = provider.get_block(BlockId::latest()).await.unwrap().unwrap();
    let fee = |block: &alloy_rpc_types_eth::Block| block.header.base_fee_per_gas.unwrap();
    assert!(fee(&before) > fee(&full));
    assert_eq!(fee(&after), fee(&full) + fee(&full) / 8, "a full block raises it by an eighth");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_transaction_gets_more_gas_than_osaka_allows() {
    let chain = start().await;
    let provider = provider(&chain, 0);
    let request = |gas| {
        TransactionRequest::default().with_to(Address::repeat_byte(1)).with_nonce(0).with_gas_limit(gas)
    };
    let refused = provider.send_transaction(request((1 << 24) + 1)).await.unwrap_err();
    let message = refused.as_error_resp().unwrap().message.to_string();
    assert!(message.starts_with("transaction gas limit too high (cap: 16777216, tx: 16777217)"), "{message}");
    assert!(send(&provider, request(1 << 24)).await.status());
}
