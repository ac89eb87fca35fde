use crate::support::{call, deploy, provider, raw, send, start, start_with, word};
use alloy_network::TransactionBuilder as _;
use alloy_primitives::{Address, U256};
use alloy_provider::Provider;
use alloy_rpc_types_eth::{BlockId, TransactionRequest};
use sealwork_devchain::{Config, Devchain, DevchainError, Handle, Mining};
use serde_json::json;
use std::time::Duration;

async fn timestamp(chain: &Handle) -> u64 {
    let block = provider(chain, 0).get_block(BlockId::latest()).await.unwrap().unwrap();
    block.header.timestamp
}

#[tokio::test(flavor = "multi_thread")]
async fn time_travels_forward_only() {
    let chain = start().await;
    let first = timestamp(&chain).await;
    assert_eq!(raw(&chain, "evm_increaseTime", json!([3_600])).await.unwrap(), 3_600);
    assert_eq!(raw(&chain, "evm_increaseTime", json!(["0x10"])).await.unwrap(), 3_616);
    raw(&chain, "evm_mine", json!([])).await.unwrap();
    let moved = timestamp(&chain).await;
    assert!((3_616..3_700).contains(&(moved - first)));
    raw(&chain, "evm_setNextBlockTimestamp", json!([moved + 1_000])).await.unwrap();
    raw(&chain, "evm_mine", json!([])).await.unwrap();
    assert_eq!(timestamp(&chain).await, moved + 1_000);
    raw(&chain, "evm_mine", json!([moved + 2_000])).await.unwrap();
    assert_eq!(timestamp(&chain).await, moved + 2_000);
    let error = raw(&chain, "evm_setNextBlockTimestamp", json!([first])).await.unwrap_err();
    assert_eq!(error["code"], -32_602);
    raw(&chain, "anvil_mine", json!(["0x3", "0x64"])).await.unwrap();
    assert!(timestamp(&chain).await >= moved + 2_200);
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_calls_see_the_time_that_the_next_block_would_have() {
    let chain = start().await;
    let provider = provider(&chain, 0);
    let contract = deploy(&provider).await;
    let mined = timestamp(&chain).await;
    raw(&chain, "evm_increaseTime", json!([500])).await.unwrap();
    let latest = provider.call(call(contract, 4, &[])).block(BlockId::latest()).await.unwrap();
    assert_eq!(latest.as_ref(), word(mined));
    let pending = provider.call(call(contract, 4, &[])).block(BlockId::pending()).await.unwrap();
    assert!(U256::from_be_slice(&pending) >= U256::from(mined + 500));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_brings_back_state_blocks_and_time() {
    let chain = start().await;
    let provider = provider(&chain, 0);
    let contract = deploy(&provider).await;
    send(&provider, call(contract, 1, &word(5))).await;
    let before = provider.get_block(BlockId::latest()).await.unwrap().unwrap();
    let first = raw(&chain, "evm_snapshot", json!([])).await.unwrap();
    let receipt = send(&provider, call(contract, 1, &word(6))).await;
    let second = raw(&chain, "evm_snapshot", json!([])).await.unwrap();
    raw(&chain, "evm_increaseTime", json!([5_000])).await.unwrap();
    raw(&chain, "evm_mine", json!([])).await.unwrap();
    assert_eq!(raw(&chain, "evm_revert", json!([first])).await.unwrap(), true);
    assert_eq!(provider.get_block(BlockId::latest()).await.unwrap().unwrap(), before);
    assert_eq!(provider.call(call(contract, 2, &[])).await.unwrap().as_ref(), word(5));
    assert!(provider.get_transaction_receipt(receipt.transaction_hash).await.unwrap().is_none());
    assert!(provider.get_block_by_hash(receipt.block_hash.unwrap()).await.unwrap().is_none());
    for used in [first, second] {
        assert_eq!(raw(&chain, "evm_revert", json!([used])).await.unwrap(), false);
    }
    raw(&chain, "evm_mine", json!([])).await.unwrap();
    assert!(timestamp(&chain).await < before.header.timestamp + 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_are_mined_so_that_they_last() {
    let chain = start().await;
    let provider = provider(&chain, 0);
    let lucky = Address::repeat_byte(8);
    raw(&chain, "anvil_setBalance", json!([lucky, "0x64"])).await.unwrap();
    raw(&chain, "hardhat_setNonce", json!([lucky, "0x7"])).await.unwrap();
    raw(&chain, "anvil_setCode", json!([lucky, "0x425f5260205ff3"])).await.unwrap();
    raw(&chain, "hardhat_setStorageAt", json!([lucky, "0x1", format!("0x{:064x}", 3)])).await.unwrap();
    assert_eq!(provider.get_balance(lucky).await.unwrap(), U256::from(100));
    assert_eq!(provider.get_transaction_count(lucky).await.unwrap(), 7);
    assert_eq!(provider.get_storage_at(lucky, U256::from(1)).await.unwrap(), U256::from(3));
    assert_eq!(provider.get_block_number().await.unwrap(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_come_every_interval_with_all_that_waits() {
    let chain =
        start_with(Config { mining: Mining::Interval(Duration::from_millis(200)), ..Config::default() })
            .await;
    let provider = provider(&chain, 0);
    let request = |nonce| {
        TransactionRequest::default()
            .with_to(Address::repeat_byte(1))
            .with_nonce(nonce)
            .with_gas_limit(21_000)
    };
    provider.client().set_poll_interval(Duration::from_millis(20));
    let second = provider.send_transaction(request(1)).await.unwrap();
    let first = provider.send_transaction(request(0)).await.unwrap();
    let (first, second) = (first.get_receipt().await.unwrap(), second.get_receipt().await.unwrap());
    assert!(first.block_number <= second.block_number);
    assert!(first.status() && second.status());
    chain.stop().await;
    let zero = Config { mining: Mining::Interval(Duration::ZERO), ..Config::default() };
    assert!(matches!(Devchain::open(&zero), Err(DevchainError::ZeroInterval)));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_automine_transactions_wait_for_evm_mine() {
    let chain = start().await;
    let provider = provider(&chain, 0);
    raw(&chain, "evm_setAutomine", json!([false])).await.unwrap();
    let request =
        TransactionRequest::default().with_to(Address::repeat_byte(1)).with_nonce(0).with_gas_limit(21_000);
    let hash = *provider.send_transaction(request).await.unwrap().tx_hash();
    assert!(provider.get_transaction_receipt(hash).await.unwrap().is_none());
    let pending =
        raw(&chain, "eth_getTransactionCount", json!([crate::support::signer(0).address(), "pending"])).await;
    assert_eq!(pending.unwrap(), "0x1");
    raw(&chain, "evm_mine", json!([])).await.unwrap();
    assert_eq!(provider.get_transaction_receipt(hash).await.unwrap().unwrap().block_number, Some(1));
}
