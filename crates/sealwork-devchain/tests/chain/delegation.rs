use crate::support::{call, deploy, provider, raw, send, signer, start, word};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_network::{TransactionBuilder as _, TransactionBuilder7702 as _};
use alloy_primitives::{Address, U256};
use alloy_provider::Provider;
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer::SignerSync as _;
use serde_json::json;

fn authorization(index: usize, to: Address, nonce: u64) -> SignedAuthorization {
    let authorization = Authorization { chain_id: U256::from(31_337), address: to, nonce };
    let signature = signer(index).sign_hash_sync(&authorization.signature_hash()).unwrap();
    authorization.into_signed(signature)
}

fn delegating(authorizations: Vec<SignedAuthorization>, to: Address) -> TransactionRequest {
    TransactionRequest::default().with_to(to).with_authorization_list(authorizations).with_gas_limit(200_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_delegates_to_code_and_back() {
    let chain = start().await;
    let (alice, bob) = (provider(&chain, 0), provider(&chain, 1));
    let contract = deploy(&alice).await;
    let account = signer(2).address();
    let receipt = send(&bob, delegating(vec![authorization(2, contract, 0)], account)).await;
    assert!(receipt.status());
    assert_eq!(u8::from(receipt.transaction_type()), 4);
    let code = alice.get_code_at(account).await.unwrap();
    assert_eq!(code.as_ref(), [&[0xef, 0x01, 0x00], contract.as_slice()].concat());
    assert_eq!(alice.get_transaction_count(account).await.unwrap(), 1);
    // The contract's code runs with the account's storage, and the account still sends transactions.
    assert!(send(&alice, call(account, 1, &word(42))).await.status());
    assert_eq!(alice.get_storage_at(account, U256::ZERO).await.unwrap(), U256::from(42));
    assert_eq!(alice.get_storage_at(contract, U256::ZERO).await.unwrap(), U256::ZERO);
    let own = TransactionRequest::default().with_to(Address::repeat_byte(1)).with_value(U256::from(1));
    assert!(send(&provider(&chain, 2), own).await.status());
    send(&bob, delegating(vec![authorization(2, Address::ZERO, 2)], account)).await;
    assert!(alice.get_code_at(account).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_that_does_not_fit_is_skipped_and_an_empty_list_refused() {
    let chain = start().await;
    let (alice, bob) = (provider(&chain, 0), provider(&chain, 1));
    let contract = deploy(&alice).await;
    let account = signer(2).address();
    let receipt = send(&bob, delegating(vec![authorization(2, contract, 7)], account)).await;
    assert!(receipt.status(), "a wrong nonce spoils the authorization, not the transaction");
    assert!(alice.get_code_at(account).await.unwrap().is_empty());
    let refused = bob.send_transaction(delegating(Vec::new(), account)).await.unwrap_err();
    let message = refused.as_error_resp().unwrap().message.to_lowercase();
    assert!(message.contains("authorization list"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_development_account_sends_a_delegation_without_signing_it_elsewhere() {
    let chain = start().await;
    let contract = deploy(&provider(&chain, 0)).await;
    let (from, account) = (signer(1).address(), signer(2).address());
    let request = json!([{
        "from": from, "to": account, "gas": "0x30d40",
        "authorizationList": [authorization(2, contract, 0)],
    }]);
    let hash = raw(&chain, "eth_sendTransaction", request).await.unwrap();
    let receipt = raw(&chain, "eth_getTransactionReceipt", json!([hash])).await.unwrap();
    assert_eq!((&receipt["status"], &receipt["type"]), (&json!("0x1"), &json!("0x4")));
    let found = raw(&chain, "eth_getTransactionByHash", json!([hash])).await.unwrap();
    assert_eq!(found["authorizationList"][0]["address"], json!(contract));
}
