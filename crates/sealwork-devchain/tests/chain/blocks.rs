use crate::support::{call, deploy, provider, raw, send, start, word};
use alloy_consensus::{ReceiptEnvelope, proofs::calculate_receipt_root, proofs::calculate_transaction_root};
use alloy_eips::{
    BlockId, BlockNumberOrTag,
    eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE},
    eip4788::{BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CODE},
};
use alloy_primitives::{B256, KECCAK256_EMPTY, U256, address, keccak256};
use alloy_provider::Provider;
use alloy_trie::{TrieAccount, root::state_root_unhashed};
use sealwork_devchain::{Config, dev_accounts};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn hashes_and_roots_can_be_recomputed_from_what_is_handed_out() {
    let chain = start().await;
    let provider = provider(&chain, 0);
    let contract = deploy(&provider).await;
    send(&provider, call(contract, 1, &word(5))).await;
    let block = provider.get_block_by_number(BlockNumberOrTag::Latest).full().await.unwrap().unwrap();
    assert_eq!(block.header.inner.hash_slow(), block.header.hash);
    let parent = provider.get_block_by_hash(block.header.parent_hash).await.unwrap().unwrap();
    assert_eq!(parent.header.number, 1);
    let transactions: Vec<_> = block.transactions.txns().map(|tx| tx.inner.inner().clone()).collect();
    assert_eq!(calculate_transaction_root(&transactions), block.header.transactions_root);
    let receipts = provider.get_block_receipts(BlockId::latest()).await.unwrap().unwrap();
    let receipts: Vec<ReceiptEnvelope> =
        receipts.into_iter().map(|receipt| receipt.inner.map_logs(|log| log.inner)).collect();
    assert_eq!(calculate_receipt_root(&receipts), block.header.receipts_root);
    assert_eq!(*receipts[0].logs_bloom(), block.header.logs_bloom);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_state_root_is_ethereums() {
    let chain = start().await;
    let provider = provider(&chain, 0);
    let code_hash = b256_of_deployer(&provider).await;
    let empty = alloy_trie::EMPTY_ROOT_HASH;
    let account = |nonce, balance, code_hash| TrieAccount::new(nonce, balance, empty, code_hash);
    let mut accounts: Vec<_> = dev_accounts()
        .iter()
        .map(|funded| (funded.signer.address(), account(0, funded.balance, KECCAK256_EMPTY)))
        .collect();
    let deployer = address!("0x4e59b44847b379578588920cA78FbF26c0B4956C");
    accounts.push((deployer, account(1, U256::ZERO, code_hash)));
    for (contract, code) in
        [(HISTORY_STORAGE_ADDRESS, &HISTORY_STORAGE_CODE), (BEACON_ROOTS_ADDRESS, &BEACON_ROOTS_CODE)]
    {
        assert_eq!(provider.get_code_at(contract).await.unwrap(), *code);
        accounts.push((contract, account(1, U256::ZERO, keccak256(&**code))));
    }
    let first = provider.get_block_by_number(BlockNumberOrTag::Earliest).await.unwrap().unwrap();
    assert_eq!(first.header.state_root, state_root_unhashed(accounts));
}

/// The deployer's code hash is the well-known one.
async fn b256_of_deployer(provider: &impl Provider) -> B256 {
    let deployer = address!("0x4e59b44847b379578588920cA78FbF26c0B4956C");
    let hash = keccak256(provider.get_code_at(deployer).await.unwrap());
    assert_eq!(hash.to_string(), "0x2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989");
    hash
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_null_for_what_does_not_exist() {
    let chain = start().await;
    let nothing = B256::repeat_byte(7);
    for (method, params) in [
        ("eth_getBlockByNumber", json!(["0x99", false])),
        ("eth_getBlockByHash", json!([nothing, true])),
        ("eth_getTransactionByHash", json!([nothing])),
        ("eth_getTransactionReceipt", json!([nothing])),
        ("eth_getBlockReceipts", json!(["0x99"])),
    ] {
        assert!(raw(&chain, method, params).await.unwrap().is_null(), "{method}");
    }
    let zero = "0x0000000000000000000000000000000000000000";
    let error = raw(&chain, "eth_getBalance", json!([zero, "0x99"])).await.unwrap_err();
    assert_eq!(error["code"], -32_602);
}

#[tokio::test(flavor = "multi_thread")]
async fn recent_blocks_keep_their_state_and_old_ones_say_so() {
    let chain = start().await;
    let provider = provider(&chain, 0);
    let contract = deploy(&provider).await;
    send(&provider, call(contract, 1, &word(5))).await;
    send(&provider, call(contract, 1, &word(6))).await;
    let at = async |number: u64| provider.call(call(contract, 2, &[])).block(number.into()).await;
    assert_eq!(at(2).await.unwrap().as_ref(), word(5));
    assert_eq!(at(3).await.unwrap().as_ref(), word(6));
    assert_eq!(provider.get_balance(contract).block_id(0.into()).await.unwrap(), U256::ZERO);
    raw(&chain, "anvil_mine", json!(["0x410"])).await.unwrap();
    let error = at(2).await.unwrap_err();
    assert_eq!(error.as_error_resp().unwrap().code, -32_001);
    assert!(error.as_error_resp().unwrap().message.starts_with("state of block 2 is not kept"));
    assert_eq!(provider.call(call(contract, 2, &[])).await.unwrap().as_ref(), word(6));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_base_fee_falls_by_an_eighth_in_empty_blocks() {
    let chain = start().await;
    let fees = raw(&chain, "anvil_mine", json!([3]))
        .await
        .and(raw(&chain, "eth_feeHistory", json!(["0x4", "latest", [50.0]])).await);
    let fees = fees.unwrap();
    let expected = [1_000_000_000u64, 1_000_000_000, 875_000_000, 765_625_000, 669_921_875];
    assert_eq!(fees["baseFeePerGas"], json!(expected.map(|fee| format!("{fee:#x}"))));
    assert_eq!(fees["oldestBlock"], "0x0");
    assert_eq!(fees["reward"].as_array().unwrap().len(), 4);
    assert_eq!(
        raw(&chain, "eth_feeHistory", json!(["0x4", "latest", [50.0, 20.0]])).await.unwrap_err()["code"],
        -32_602
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_itself() {
    let chain = crate::support::start_with(Config { chain_id: 1_337, ..Config::default() }).await;
    assert_eq!(raw(&chain, "eth_chainId", json!([])).await.unwrap(), "0x539");
    assert_eq!(raw(&chain, "net_version", json!([])).await.unwrap(), "1337");
    let version = raw(&chain, "web3_clientVersion", json!([])).await.unwrap();
    assert!(version.as_str().unwrap().starts_with("sealwork-devchain/"));
    assert_eq!(raw(&chain, "web3_sha3", json!(["0x"])).await.unwrap(), json!(KECCAK256_EMPTY));
}
