use crate::support::{call, deploy, provider, raw, send, start_with, word};
use alloy_primitives::{Address, B256};
use alloy_provider::Provider;
use alloy_rpc_types_eth::{BlockId, Filter};
use sealwork_devchain::{Config, Devchain, DevchainError, Durability, StorageError};
use serde_json::json;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

/// Names the database to the process that is going to be killed.
const VICTIM: &str = "SEALWORK_DEVCHAIN_VICTIM";
const LOADED_VICTIM: &str = "SEALWORK_DEVCHAIN_LOADED_VICTIM";

fn at(path: &Path) -> Config {
    Config { path: Some(path.to_owned()), ..Config::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("chain.redb");
    let chain = start_with(at(&path)).await;
    let alice = provider(&chain, 0);
    let contract = deploy(&alice).await;
    let receipt = send(&alice, call(contract, 1, &word(5))).await;
    raw(&chain, "evm_increaseTime", json!([10_000])).await.unwrap();
    raw(&chain, "evm_mine", json!([])).await.unwrap();
    let newest = alice.get_block(BlockId::latest()).await.unwrap().unwrap();
    chain.stop().await;

    let chain = start_with(at(&path)).await;
    let alice = provider(&chain, 0);
    assert_eq!(alice.get_block(BlockId::latest()).await.unwrap().unwrap(), newest);
    assert_eq!(alice.call(call(contract, 2, &[])).await.unwrap().as_ref(), word(5));
    let again = alice.get_transaction_receipt(receipt.transaction_hash).await.unwrap().unwrap();
    assert_eq!(again, receipt);
    assert_eq!(alice.get_logs(&Filter::new().from_block(0)).await.unwrap(), receipt.logs());
    assert!(
        alice.get_balance(contract).block_id(1.into()).await.is_err(),
        "older states end with the process"
    );
    assert!(send(&alice, call(contract, 1, &word(6))).await.status());
    let block = alice.get_block(BlockId::latest()).await.unwrap().unwrap();
    assert_eq!((block.header.number, block.header.parent_hash), (4, newest.header.hash));
    assert!(block.header.timestamp >= newest.header.timestamp, "time travel lasts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revert_lasts_and_a_dropped_chain_reopens() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("chain.redb");
    let chain = start_with(at(&path)).await;
    let alice = provider(&chain, 0);
    let contract = deploy(&alice).await;
    send(&alice, call(contract, 1, &word(5))).await;
    let snapshot = raw(&chain, "evm_snapshot", json!([])).await.unwrap();
    send(&alice, call(contract, 1, &word(6))).await;
    deploy(&alice).await;
    raw(&chain, "anvil_setBalance", json!([Address::repeat_byte(3), "0x1"])).await.unwrap();
    raw(&chain, "evm_revert", json!([snapshot])).await.unwrap();
    let newest = alice.get_block(BlockId::latest()).await.unwrap().unwrap();
    drop(alice);
    chain.stop().await;
    // Opening compares the root of the stored accounts with the header.
    let chain = start_with(at(&path)).await;
    let alice = provider(&chain, 0);
    assert_eq!(alice.get_block(BlockId::latest()).await.unwrap().unwrap(), newest);
    assert_eq!(alice.call(call(contract, 2, &[])).await.unwrap().as_ref(), word(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_chain_id_and_an_open_file_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("chain.redb");
    let open = Devchain::open(&at(&path)).unwrap();
    assert!(matches!(
        Devchain::open(&at(&path)),
        Err(DevchainError::Storage { source: StorageError::Engine(_), .. })
    ));
    drop(open);
    let other = Config { chain_id: 1_337, ..at(&path) };
    assert!(matches!(
        Devchain::open(&other),
        Err(DevchainError::OtherChain { stored: 31_337, configured: 1_337 })
    ));
}

/// Not a check by itself: `a_killed_chain_reopens_at_its_last_block` runs it in a process of its own and kills that.
#[tokio::test(flavor = "multi_thread")]
async fn victim_mines_until_it_is_killed() {
    let Some(path) = std::env::var_os(VICTIM) else { return };
    let chain = start_with(at(Path::new(&path))).await;
    let alice = provider(&chain, 0);
    let contract = deploy(&alice).await;
    for number in 1u64.. {
        let receipt = send(&alice, call(contract, 1, &word(number))).await;
        let line = format!("\nmined {} {contract} {number}\n", receipt.block_number.unwrap());
        std::io::stdout().write_all(line.as_bytes()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_chain_reopens_at_its_last_block() {
    for wanted in [1, 7, 23] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("chain.redb");
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["persistence::victim_mines_until_it_is_killed", "--exact", "--nocapture"])
            .env(VICTIM, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(victim.stdout.take().unwrap()).lines().map(Result::unwrap);
        let seen = lines.filter(|line| line.starts_with("mined ")).nth(wanted).unwrap();
        victim.kill().unwrap();
        victim.wait().unwrap();

        let [_, block, contract, number] = *seen.split(' ').collect::<Vec<_>>() else { panic!("{seen}") };
        let chain = start_with(at(&path)).await;
        assert!(chain.block_number() >= block.parse().unwrap(), "a block that was answered for is lost");
        let stored = provider(&chain, 0).call(call(contract.parse().unwrap(), 2, &[])).await.unwrap();
        let number: u64 = number.parse().unwrap();
        assert!(stored.as_ref() >= word(number).as_slice());
        assert!(send(&provider(&chain, 0), call(contract.parse().unwrap(), 1, &word(0))).await.status());
    }
}

/// Not a check by itself: `a_chain_killed_under_load_keeps_what_it_answered_for` kills its process.
#[tokio::test(flavor = "multi_thread")]
async fn victim_works_for_many_until_it_is_killed() {
    let Some(path) = std::env::var_os(LOADED_VICTIM) else { return };
    let durability = match std::env::var("SEALWORK_DEVCHAIN_BACKGROUND") {
        Ok(_) => Durability::Background,
        Err(_) => Durability::BeforeAnswer,
    };
    let chain = start_with(Config { durability, ..at(Path::new(&path)) }).await;
    let contract = deploy(&provider(&chain, 0)).await;
    let mut senders = tokio::task::JoinSet::new();
    for index in 0..8 {
        let provider = provider(&chain, index);
        senders.spawn(async move {
            for number in 0u64.. {
                let receipt = send(&provider, call(contract, 1, &word(number))).await;
                let line =
                    format!("\nmined {} {}\n", receipt.block_number.unwrap(), receipt.transaction_hash);
                std::io::stdout().write_all(line.as_bytes()).unwrap();
            }
        });
    }
    senders.join_all().await;
}

/// Kills a loaded process after `wanted` answers; returns the answers that came out before.
fn kill_under_load(path: &Path, wanted: usize, background: bool) -> Vec<(u64, B256)> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["persistence::victim_works_for_many_until_it_is_killed", "--exact", "--nocapture"]);
    if background {
        command.env("SEALWORK_DEVCHAIN_BACKGROUND", "1");
    }
    let mut victim = command.env(LOADED_VICTIM, path).stdout(Stdio::piped()).spawn().unwrap();
    let mut seen = Vec::new();
    for line in BufReader::new(victim.stdout.take().unwrap()).lines().map(Result::unwrap) {
        if let [_, block, hash] = *line.split(' ').collect::<Vec<_>>()
            && line.starts_with("mined ")
        {
            seen.push((block.parse().unwrap(), hash.parse().unwrap()));
        }
        if seen.len() == wanted {
            victim.kill().unwrap();
            break;
        }
    }
    victim.wait().unwrap();
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_killed_under_load_keeps_what_it_answered_for() {
    for wanted in [3, 40, 150] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("chain.redb");
        let seen = kill_under_load(&path, wanted, false);
        // Opening compares the root of the stored state with the newest header.
        let chain = start_with(at(&path)).await;
        let alice = provider(&chain, 9);
        for (number, hash) in seen {
            let receipt = alice.get_transaction_receipt(hash).await.unwrap();
            assert_eq!(receipt.unwrap().block_number, Some(number));
        }
        assert_chained(&alice, chain.block_number()).await;
        assert!(send(&alice, call(Address::repeat_byte(1), 0, &[])).await.status());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_answers_early_loses_only_its_newest_blocks() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("chain.redb");
    let seen = kill_under_load(&path, 100, true);
    let chain = start_with(at(&path)).await;
    let alice = provider(&chain, 9);
    for (number, hash) in seen {
        let receipt = alice.get_transaction_receipt(hash).await.unwrap();
        let expected = (number <= chain.block_number()).then_some(number);
        assert_eq!(receipt.and_then(|receipt| receipt.block_number), expected);
    }
    assert_chained(&alice, chain.block_number()).await;
}

/// Every block names the one before it.
async fn assert_chained(provider: &impl Provider, newest: u64) {
    let mut parent = None;
    for number in 0..=newest {
        let block = provider.get_block_by_number(number.into()).await.unwrap().unwrap();
        assert_eq!(block.header.inner.hash_slow(), block.header.hash);
        assert!(parent.is_none_or(|parent| parent == block.header.parent_hash), "block {number}");
        parent = Some(block.header.hash);
    }
}
