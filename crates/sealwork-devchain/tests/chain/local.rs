use crate::support::{CONTRACT, signer, topic, word};
use alloy_consensus::TxEnvelope;
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_network::{EthereumWallet, NetworkTransactionBuilder as _, TransactionBuilder as _};
use alloy_primitives::{Address, B256, hex};
use alloy_rpc_types_eth::TransactionRequest;
use sealwork_devchain::{Clock, Config, Devchain, DevchainError, LocalChain, Mining};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};

/// A chain whose time is what the counter says.
fn local(mining: Mining) -> (LocalChain, Arc<AtomicU64>) {
    let time = Arc::new(AtomicU64::new(1_000));
    let own = Arc::clone(&time);
    let clock = Clock::new(move || own.load(SeqCst));
    let config = Config { mining, clock, ..Config::default() };
    (Devchain::open(&config).unwrap().local().unwrap(), time)
}

async fn ask(chain: &LocalChain, method: &str, params: Value) -> Value {
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let answer: Value = serde_json::from_str(&chain.request(&request.to_string()).await).unwrap();
    answer.get("result").cloned().unwrap_or_else(|| panic!("{method}: {answer}"))
}

/// A signed transaction of the first account, as it is sent.
async fn signed(nonce: u64, to: Option<Address>, input: Vec<u8>) -> String {
    let request = TransactionRequest::default()
        .with_nonce(nonce)
        .with_chain_id(31_337)
        .with_gas_limit(2_000_000)
        .with_max_fee_per_gas(5_000_000_000)
        .with_max_priority_fee_per_gas(1_000_000_000);
    let request = match to {
        Some(to) => request.with_to(to).with_input(input),
        None => request.with_deploy_code(input),
    };
    let envelope: TxEnvelope = request.build(&EthereumWallet::from(signer(0))).await.unwrap();
    hex::encode_prefixed(envelope.encoded_2718())
}

async fn logged(chain: &LocalChain) -> usize {
    let filter = json!([{ "fromBlock": "0x0", "topics": [topic(0xaa)] }]);
    ask(chain, "eth_getLogs", filter).await.as_array().unwrap().len()
}

/// Deploys the contract, logs something, replaces that by something else, and asks for all of it.
async fn story() -> Vec<Value> {
    let (chain, time) = local(Mining::Manual);
    let contract = signer(0).address().create(0);
    ask(&chain, "eth_sendRawTransaction", json!([signed(0, None, CONTRACT.to_vec()).await])).await;
    ask(&chain, "evm_mine", json!([])).await;
    let log = [&[1u8][..], &word(7)].concat();
    time.store(1_012, SeqCst);
    ask(&chain, "eth_sendRawTransaction", json!([signed(1, Some(contract), log.clone()).await])).await;
    assert_eq!(logged(&chain).await, 0, "nothing is mined unasked");
    ask(&chain, "evm_mine", json!([])).await;
    assert_eq!(logged(&chain).await, 1);
    let before = ask(&chain, "eth_getBlockByNumber", json!(["latest", false])).await;
    assert_eq!(before["timestamp"], "0x3f4");
    ask(&chain, "anvil_reorg", json!([1, []])).await;
    assert_eq!(logged(&chain).await, 0);
    ask(&chain, "eth_sendRawTransaction", json!([signed(1, Some(contract), log).await])).await;
    ask(&chain, "evm_mine", json!([])).await;
    assert_eq!(logged(&chain).await, 1);
    let after = ask(&chain, "eth_getBlockByNumber", json!(["latest", true])).await;
    vec![before, after, ask(&chain, "anvil_metadata", json!([])).await]
}

/// One thread and no blocking pool: a method that wanted a thread would fail.
#[test]
fn a_local_chain_says_the_same_every_time_on_one_thread() {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(story())
    };
    assert_eq!(run(), run());
}

#[tokio::test]
async fn batches_are_answered_in_order_and_rubbish_with_an_error() {
    let (chain, _) = local(Mining::Instant);
    let batch = json!([
        { "jsonrpc": "2.0", "id": 5, "method": "eth_blockNumber", "params": [] },
        { "jsonrpc": "2.0", "id": 4, "method": "evm_mine", "params": [] },
        { "jsonrpc": "2.0", "id": 3, "method": "eth_blockNumber", "params": [] },
    ]);
    let answer: Value = serde_json::from_str(&chain.request(&batch.to_string()).await).unwrap();
    let found: Vec<_> = answer.as_array().unwrap().iter().map(|one| (&one["id"], &one["result"])).collect();
    assert_eq!(found, [(&json!(5), &json!("0x0")), (&json!(4), &json!("0x0")), (&json!(3), &json!("0x1"))]);
    for rubbish in ["", "[", "{}", "[1]"] {
        assert!(chain.request(rubbish).await.contains("-32700"), "{rubbish}");
    }
}

#[tokio::test]
async fn a_fork_goes_its_own_way() {
    let (chain, _) = local(Mining::Instant);
    for _ in 0..300 {
        ask(&chain, "evm_mine", json!([])).await;
    }
    let fork = chain.fork(Clock::new(|| 9_000)).unwrap();
    ask(&chain, "eth_sendRawTransaction", json!([signed(0, None, CONTRACT.to_vec()).await])).await;
    ask(&fork, "evm_mine", json!([])).await;
    let number = async |chain: &LocalChain, number: &str| {
        ask(chain, "eth_getBlockByNumber", json!([number, false])).await["hash"]
            .as_str()
            .unwrap()
            .parse::<B256>()
            .unwrap()
    };
    assert_eq!(number(&chain, "0x3").await, number(&fork, "0x3").await);
    assert_ne!(number(&chain, "latest").await, number(&fork, "latest").await);
    let code = json!([signer(0).address().create(0), "latest"]);
    assert_ne!(ask(&chain, "eth_getCode", code.clone()).await, "0x");
    assert_eq!(ask(&fork, "eth_getCode", code).await, "0x");
    ask(&fork, "anvil_rollback", json!([200])).await;
    assert_eq!(ask(&chain, "eth_blockNumber", json!([])).await, "0x12d");
    assert_eq!(ask(&fork, "eth_blockNumber", json!([])).await, "0x65");
}

#[tokio::test]
async fn a_chain_in_a_file_is_not_forked() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config { path: Some(directory.path().join("chain.redb")), ..Config::default() };
    let chain = Devchain::open(&config).unwrap().local().unwrap();
    ask(&chain, "evm_mine", json!([])).await;
    assert!(matches!(chain.fork(Clock::default()), Err(DevchainError::Storage { .. })));
    drop(chain);
    let chain = Devchain::open(&config).unwrap().local().unwrap();
    assert_eq!(ask(&chain, "eth_blockNumber", json!([])).await, "0x1");
}
