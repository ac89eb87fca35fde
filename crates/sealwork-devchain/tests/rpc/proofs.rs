//! Merkle proofs, checked by an independent verifier.

use crate::support::{ALICE, BOB, CONTRACT, Chain, input, parse, word};
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_rpc_types_eth::EIP1186AccountProofResponse;
use alloy_trie::{Nibbles, TrieAccount, proof::verify_proof};
use serde_json::{Value, json};

/// Checks all proofs of an answer against the state root of a block.
async fn verified(chain: &Chain, address: &str, slots: Value, block: Value) -> EIP1186AccountProofResponse {
    let (method, id) = match block.get("blockHash") {
        Some(hash) => ("eth_getBlockByHash", hash),
        None => ("eth_getBlockByNumber", &block),
    };
    let header = chain.get(method, json!([id, false])).await;
    let answer = chain.get("eth_getProof", json!([address, slots, block])).await;
    let proof: EIP1186AccountProofResponse = parse(&answer);
    let account = TrieAccount::new(proof.nonce, proof.balance, proof.storage_hash, proof.code_hash);
    let account = (account != TrieAccount::default()).then(|| alloy_rlp::encode(account));
    let key = Nibbles::unpack(keccak256(proof.address));
    verify_proof(parse(&header["stateRoot"]), key, account, &proof.account_proof).unwrap();
    for slot in &proof.storage_proof {
        let value = (!slot.value.is_zero()).then(|| alloy_rlp::encode(slot.value));
        let key = Nibbles::unpack(keccak256(slot.key.as_b256()));
        verify_proof(proof.storage_hash, key, value, &slot.proof).unwrap();
    }
    proof
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_slots_and_absences_are_proven() {
    let chain = Chain::start().await;
    let contract = chain.deploy(&CONTRACT).await.to_string();
    chain.send(json!({ "from": ALICE, "to": contract, "input": input(1, word(7).as_slice()) })).await;
    let proof = verified(&chain, &contract, json!([word(0), "0x1", word(99)]), json!("latest")).await;
    assert_eq!(proof.storage_proof[0].value, U256::from(7));
    assert!(proof.storage_proof[1].value.is_zero());
    assert_eq!(verified(&chain, ALICE, json!([]), json!("latest")).await.nonce, 2);
    let nobody =
        verified(&chain, &Address::repeat_byte(0x99).to_string(), json!(["0x0"]), json!("latest")).await;
    assert!(nobody.is_empty() && nobody.storage_proof[0].proof.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_of_older_blocks_show_the_state_of_then() {
    let chain = Chain::start().await;
    let contract = chain.deploy(&CONTRACT).await.to_string();
    for value in 1..=20 {
        chain.send(json!({ "from": BOB, "to": contract, "input": input(1, word(value).as_slice()) })).await;
    }
    for value in [1, 7, 20] {
        let block = json!(format!("{:#x}", value + 1));
        let proof = verified(&chain, &contract, json!([word(0)]), block.clone()).await;
        assert_eq!(proof.storage_proof[0].value, U256::from(value));
        let hash = chain.get("eth_getBlockByNumber", json!([block, false])).await["hash"].clone();
        let by_hash = json!({ "blockHash": hash, "requireCanonical": true });
        assert_eq!(verified(&chain, &contract, json!([word(0)]), by_hash).await, proof);
    }
    verified(&chain, &contract, json!([word(0)]), json!("earliest")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_slots_are_refused() {
    let chain = Chain::start().await;
    let slots = vec![B256::ZERO; 1_025];
    assert_eq!(chain.fail("eth_getProof", json!([ALICE, slots, "latest"])).await.0, -32_602);
    let account = chain.get("eth_getAccount", json!([ALICE, "latest"])).await;
    assert_eq!(account["storageRoot"], json!(alloy_trie::EMPTY_ROOT_HASH));
    assert_eq!(account["codeHash"], json!(alloy_trie::KECCAK_EMPTY));
    assert_eq!(chain.get("eth_getAccountInfo", json!([ALICE, "latest"])).await["code"], "0x");
}
