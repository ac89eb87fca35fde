use crate::support::{call, deploy, provider, raw, send, signer, start, start_with, word};
use alloy_primitives::{Address, B256, U256};
use alloy_provider::Provider;
use alloy_rpc_types_eth::BlockId;
use sealwork_devchain::{Config, Handle};
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn an_impersonated_account_sends_without_its_key() {
    let chain = start().await;
    let alice = provider(&chain, 0);
    // A contract: accounts with code cannot send otherwise.
    let contract = deploy(&alice).await;
    raw(&chain, "anvil_setBalance", json!([contract, "0xde0b6b3a7640000"])).await.unwrap();
    let request = json!([{ "from": contract, "to": Address::repeat_byte(5), "value": "0x7" }]);
    raw(&chain, "eth_sendTransaction", request.clone()).await.unwrap_err();
    raw(&chain, "hardhat_impersonateAccount", json!([contract])).await.unwrap();
    let hash = raw(&chain, "eth_sendTransaction", request.clone()).await.unwrap();
    let receipt = raw(&chain, "eth_getTransactionReceipt", json!([hash])).await.unwrap();
    assert_eq!((&receipt["status"], &receipt["from"]), (&json!("0x1"), &json!(contract)));
    assert_eq!(alice.get_balance(Address::repeat_byte(5)).await.unwrap(), U256::from(7));
    let trace = raw(&chain, "debug_traceTransaction", json!([hash, { "tracer": "callTracer" }])).await;
    assert_eq!(trace.unwrap()["from"], json!(contract));
    raw(&chain, "anvil_stopImpersonatingAccount", json!([contract])).await.unwrap();
    raw(&chain, "eth_sendTransaction", request.clone()).await.unwrap_err();
    raw(&chain, "anvil_autoImpersonateAccount", json!([true])).await.unwrap();
    raw(&chain, "eth_sendTransaction", request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_block_obeys_coinbase_base_fee_gas_limit_and_prevrandao() {
    let chain = start().await;
    let alice = provider(&chain, 0);
    let (miner, random) = (Address::repeat_byte(9), B256::repeat_byte(3));
    raw(&chain, "hardhat_setCoinbase", json!([miner])).await.unwrap();
    raw(&chain, "anvil_setNextBlockBaseFeePerGas", json!(["0x77359400"])).await.unwrap();
    raw(&chain, "hardhat_setPrevRandao", json!([random])).await.unwrap();
    assert_eq!(raw(&chain, "evm_setBlockGasLimit", json!(["0x1c9c380"])).await.unwrap(), true);
    raw(&chain, "evm_mine", json!([])).await.unwrap();
    let block = alice.get_block(BlockId::latest()).await.unwrap().unwrap();
    assert_eq!((block.header.beneficiary, block.header.mix_hash), (miner, random));
    assert_eq!((block.header.base_fee_per_gas, block.header.gas_limit), (Some(2_000_000_000), 30_000_000));
    send(&alice, call(signer(1).address(), 1, &[])).await;
    let next = alice.get_block(BlockId::latest()).await.unwrap().unwrap();
    assert_eq!(next.header.beneficiary, miner, "lasts");
    assert_ne!(next.header.mix_hash, random, "holds for one block");
    assert_eq!(next.header.base_fee_per_gas, Some(1_750_000_000), "goes on from what was set");
    assert!(alice.get_balance(miner).await.unwrap() > U256::ZERO);
}

#[tokio::test(flavor = "multi_thread")]
async fn gas_limit_and_first_base_fee_are_those_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = Some(folder.path().join("chain.redb"));
    let header = async |chain: &Handle, number: u64| {
        let block = provider(chain, 0).get_block(BlockId::number(number)).await.unwrap().unwrap();
        (block.header.gas_limit, block.header.base_fee_per_gas)
    };
    let chain =
        start_with(Config { path: path.clone(), gas_limit: 42_000, base_fee: 7, ..Config::default() }).await;
    raw(&chain, "evm_mine", json!([])).await.unwrap();
    assert_eq!(header(&chain, 0).await, (42_000, Some(7)));
    assert_eq!(header(&chain, 1).await, (42_000, Some(7)));
    let large = json!([{ "from": signer(0).address(), "to": Address::repeat_byte(5), "gas": "0xa411" }]);
    let refused = raw(&chain, "eth_sendTransaction", large.clone()).await.unwrap_err();
    assert!(refused["message"].as_str().unwrap().starts_with("exceeds block gas limit"), "{refused}");

    // What a tool has set is forgotten, what the chain was started with is not.
    raw(&chain, "evm_setBlockGasLimit", json!([30_000_000])).await.unwrap();
    raw(&chain, "anvil_reset", json!([])).await.unwrap();
    raw(&chain, "evm_mine", json!([])).await.unwrap();
    assert_eq!(header(&chain, 1).await, (42_000, Some(7)));
    chain.stop().await;

    let chain = start_with(Config { path, gas_limit: 84_000, base_fee: 9, ..Config::default() }).await;
    raw(&chain, "eth_sendTransaction", large).await.unwrap();
    assert_eq!(header(&chain, 1).await, (42_000, Some(7)), "stored blocks stay as they are");
    assert_eq!(header(&chain, 2).await.0, 84_000);
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_come_in_intervals_until_automine_is_back() {
    let chain = start().await;
    let alice = provider(&chain, 0);
    assert!(raw(&chain, "anvil_getIntervalMining", json!([])).await.unwrap().is_null());
    raw(&chain, "evm_setIntervalMining", json!([1])).await.unwrap();
    assert_eq!(raw(&chain, "anvil_getIntervalMining", json!([])).await.unwrap(), 1);
    assert_eq!(raw(&chain, "anvil_getAutomine", json!([])).await.unwrap(), false);
    let request = json!([{ "from": signer(0).address(), "to": Address::repeat_byte(5), "value": "0x7" }]);
    let hash = raw(&chain, "eth_sendTransaction", request).await.unwrap();
    let mined = async {
        while raw(&chain, "eth_getTransactionReceipt", json!([hash])).await.unwrap().is_null() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), mined).await.unwrap();
    raw(&chain, "evm_setAutomine", json!([true])).await.unwrap();
    assert!(raw(&chain, "anvil_getIntervalMining", json!([])).await.unwrap().is_null());
    let number = alice.get_block_number().await.unwrap();
    send(&alice, call(signer(1).address(), 1, &[])).await;
    assert_eq!(alice.get_block_number().await.unwrap(), number + 1);
    assert_eq!(raw(&chain, "evm_setIntervalMining", json!([100_000])).await.unwrap_err()["code"], -32_005);
}

#[tokio::test(flavor = "multi_thread")]
async fn block_times_can_be_regular_or_set() {
    let chain = start().await;
    let alice = provider(&chain, 0);
    let time = async || alice.get_block(BlockId::latest()).await.unwrap().unwrap().header.timestamp;
    raw(&chain, "anvil_setBlockTimestampInterval", json!([12])).await.unwrap();
    raw(&chain, "evm_mine", json!([])).await.unwrap();
    let first = time().await;
    raw(&chain, "anvil_mine", json!([3])).await.unwrap();
    assert_eq!(time().await, first + 36);
    assert_eq!(raw(&chain, "anvil_removeBlockTimestampInterval", json!([])).await.unwrap(), true);
    assert_eq!(raw(&chain, "anvil_removeBlockTimestampInterval", json!([])).await.unwrap(), false);
    let later = first + 100_000;
    raw(&chain, "evm_setTime", json!([later])).await.unwrap();
    raw(&chain, "evm_mine", json!([])).await.unwrap();
    assert!((later..later + 100).contains(&time().await));
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_answer_to_all_their_names() {
    let chain = start().await;
    let alice = provider(&chain, 0);
    let lucky = Address::repeat_byte(8);
    raw(&chain, "evm_setAccountNonce", json!([lucky, "0x9"])).await.unwrap();
    raw(&chain, "evm_setAccountBalance", json!([lucky, 100])).await.unwrap();
    raw(&chain, "anvil_addBalance", json!([lucky, "0x1"])).await.unwrap();
    raw(&chain, "evm_setAccountCode", json!([lucky, "0x425f5260205ff3"])).await.unwrap();
    let word = format!("0x{:064x}", 3);
    raw(&chain, "evm_setAccountStorageAt", json!([lucky, "0x1", word])).await.unwrap();
    assert_eq!(alice.get_balance(lucky).await.unwrap(), U256::from(101));
    assert_eq!(alice.get_transaction_count(lucky).await.unwrap(), 9);
    assert_eq!(alice.get_storage_at(lucky, U256::from(1)).await.unwrap(), U256::from(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_about_itself() {
    let chain = start().await;
    raw(&chain, "evm_snapshot", json!([])).await.unwrap();
    raw(&chain, "evm_mine", json!([])).await.unwrap();
    let latest = raw(&chain, "eth_getBlockByNumber", json!(["latest", false])).await.unwrap();
    let info = raw(&chain, "anvil_nodeInfo", json!([])).await.unwrap();
    assert_eq!((&info["currentBlockNumber"], &info["hardFork"]), (&json!("0x1"), &json!("Osaka")));
    assert_eq!(info["currentBlockHash"], latest["hash"]);
    assert_eq!(info["environment"]["chainId"], 31_337);
    let metadata = raw(&chain, "hardhat_metadata", json!([])).await.unwrap();
    assert_eq!((&metadata["latestBlockNumber"], &metadata["chainId"]), (&json!(1), &json!(31_337)));
    assert_eq!(metadata["snapshots"]["0x1"][0], 0);
    let other = raw(&start().await, "anvil_metadata", json!([])).await.unwrap();
    assert_ne!(metadata["instanceId"], other["instanceId"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_and_its_receipt_come_in_one_answer() {
    let chain = start().await;
    let request = json!([{ "from": signer(0).address(), "to": Address::repeat_byte(5), "value": "0x7" }]);
    let receipt = raw(&chain, "eth_sendTransactionSync", request).await.unwrap();
    assert_eq!(receipt["status"], "0x1");
    let contract = deploy(&provider(&chain, 0)).await;
    assert_eq!(provider(&chain, 0).call(call(contract, 2, &[])).await.unwrap().as_ref(), word(0));
}
