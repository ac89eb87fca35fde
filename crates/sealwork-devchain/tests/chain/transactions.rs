use crate::support::{call, deploy, provider, raw, send, signer, start, word};
use alloy_consensus::{SignableTransaction as _, TxEnvelope, TxLegacy};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_network::TransactionBuilder as _;
use alloy_primitives::{Address, Bytes, U256, hex};
use alloy_provider::Provider;
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer::SignerSync as _;
use alloy_sol_types::{Revert, SolError as _};
use serde_json::json;

const ETHER: u64 = 1_000_000_000_000_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn transfers_ether_in_a_block_of_its_own() {
    let chain = start().await;
    let provider = provider(&chain, 0);
    let to = Address::repeat_byte(0x77);
    let receipt =
        send(&provider, TransactionRequest::default().with_to(to).with_value(U256::from(ETHER))).await;
    assert!(receipt.status());
    assert_eq!((receipt.gas_used, receipt.block_number), (21_000, Some(1)));
    assert_eq!(provider.get_balance(to).await.unwrap(), U256::from(ETHER));
    let spent =
        U256::from(10_000) * U256::from(ETHER) - provider.get_balance(signer(0).address()).await.unwrap();
    assert_eq!(spent, U256::from(ETHER) + U256::from(21_000) * U256::from(receipt.effective_gas_price));
    assert_eq!(provider.get_transaction_count(signer(0).address()).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn deploys_calls_and_logs() {
    let chain = start().await;
    let provider = provider(&chain, 0);
    let contract = deploy(&provider).await;
    assert_eq!(provider.get_code_at(contract).await.unwrap().len(), 80);
    let receipt = send(&provider, call(contract, 1, &word(42))).await;
    assert_eq!(receipt.logs().len(), 1);
    let log = &receipt.logs()[0];
    assert_eq!(log.topics()[1], signer(0).address().into_word());
    assert_eq!((log.data().data.as_ref(), log.log_index), (word(42).as_slice(), Some(0)));
    assert_eq!(provider.call(call(contract, 2, &[])).await.unwrap().as_ref(), word(42));
    assert_eq!(provider.get_storage_at(contract, U256::ZERO).await.unwrap(), U256::from(42));
}

#[tokio::test(flavor = "multi_thread")]
async fn hands_out_revert_data() {
    let chain = start().await;
    let provider = provider(&chain, 0);
    let contract = deploy(&provider).await;
    let reason = Revert::from("too late").abi_encode();
    for error in [
        provider.call(call(contract, 3, &reason)).await.unwrap_err(),
        provider.estimate_gas(call(contract, 3, &reason)).await.map(|_| ()).unwrap_err(),
    ] {
        let payload = error.as_error_resp().unwrap();
        assert_eq!((payload.code, payload.message.as_ref()), (3, "execution reverted: too late"));
        assert_eq!(payload.as_revert_data().unwrap(), Bytes::from(reason.clone()));
    }
    let custom = hex!("deadbeef");
    let error = provider.call(call(contract, 3, &custom)).await.unwrap_err();
    assert_eq!(error.as_error_resp().unwrap().as_revert_data().unwrap().as_ref(), custom);
    // A transaction that reverts is mined, with status 0.
    let receipt = send(&provider, call(contract, 3, &custom).with_gas_limit(100_000)).await;
    assert!(!receipt.status());
    assert!(receipt.gas_used < 100_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn estimates_suffice_and_are_tight() {
    let chain = start().await;
    let provider = provider(&chain, 0);
    let contract = deploy(&provider).await;
    let request = call(contract, 1, &word(7)).with_from(signer(0).address());
    let estimate = provider.estimate_gas(request.clone()).await.unwrap();
    let receipt = send(&provider, request.with_gas_limit(estimate)).await;
    assert!(receipt.status());
    assert!(estimate - receipt.gas_used <= estimate / 50, "{estimate} for {}", receipt.gas_used);
    let transfer = TransactionRequest::default().with_to(Address::repeat_byte(9)).with_value(U256::from(1));
    assert_eq!(provider.estimate_gas(transfer.with_from(signer(0).address())).await.unwrap(), 21_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_wrong_nonces_poor_senders_and_low_fees_with_geths_words() {
    let chain = start().await;
    let provider = provider(&chain, 0);
    let to = Address::repeat_byte(1);
    let plain = || TransactionRequest::default().with_to(to).with_gas_limit(21_000);
    send(&provider, plain()).await;
    let cases = [
        (plain().with_nonce(0).with_value(U256::from(1)), "nonce too low: next nonce 1, tx nonce 0"),
        (plain().with_nonce(20_000), "nonce too high: next nonce 1, tx nonce 20000"),
        (
            plain().with_value(U256::from(ETHER) * U256::from(20_000)),
            "insufficient funds for gas * price + value",
        ),
        (
            plain().with_max_fee_per_gas(1).with_max_priority_fee_per_gas(2),
            "max priority fee per gas higher than max fee per gas",
        ),
        (plain().with_gas_limit(20_999), "intrinsic gas too low: have 20999, want 21000"),
        (plain().with_gas_limit(1 << 25), "transaction gas limit too high"),
    ];
    for (request, expected) in cases {
        let error = provider.send_transaction(request).await.unwrap_err();
        let payload = error.as_error_resp().unwrap();
        assert!(payload.message.starts_with(expected), "{} instead of {expected}", payload.message);
        assert_eq!(payload.code, -32_000);
    }
    assert_eq!(provider.get_block_number().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_ahead_of_its_turn_waits_for_the_missing_one() {
    let chain = start().await;
    let provider = provider(&chain, 0);
    let request = |nonce| {
        TransactionRequest::default()
            .with_to(Address::repeat_byte(1))
            .with_nonce(nonce)
            .with_gas_limit(21_000)
    };
    let later = *provider.send_transaction(request(1)).await.unwrap().tx_hash();
    assert!(provider.get_transaction_receipt(later).await.unwrap().is_none());
    assert!(provider.get_transaction_by_hash(later).await.unwrap().unwrap().block_number.is_none());
    send(&provider, request(0)).await;
    assert_eq!(provider.get_transaction_receipt(later).await.unwrap().unwrap().block_number, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn signs_for_development_accounts() {
    let chain = start().await;
    let accounts = raw(&chain, "eth_accounts", json!([])).await.unwrap();
    assert_eq!(accounts.as_array().unwrap().len(), 10);
    let from = signer(3).address();
    let to = Address::repeat_byte(5);
    for fields in [
        json!({}),
        json!({ "gasPrice": "0x77359400" }),
        json!({ "gasPrice": "0x77359400", "accessList": [] }),
    ] {
        let mut request = json!({ "from": from, "to": to, "value": "0x1" });
        request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let hash = raw(&chain, "eth_sendTransaction", json!([request])).await.unwrap();
        let receipt = raw(&chain, "eth_getTransactionReceipt", json!([hash])).await.unwrap();
        assert_eq!(receipt["status"], "0x1");
    }
    assert_eq!(raw(&chain, "eth_getBalance", json!([to, "latest"])).await.unwrap(), "0x3");
    let stranger = raw(&chain, "eth_sendTransaction", json!([{ "from": to, "to": to }])).await.unwrap_err();
    assert_eq!(stranger["code"], -32_602);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_senders_at_once_lose_nothing() {
    let chain = start().await;
    let mut senders = tokio::task::JoinSet::new();
    let plain = provider(&chain, 0);
    for number in 0..50u64 {
        let (provider, from) = (plain.clone(), signer(usize::try_from(number % 10).unwrap()));
        let url = chain.http_url();
        senders.spawn(async move {
            // Five senders share each account; explicit nonces arrive in any order.
            let wallet = alloy_network::EthereumWallet::from(from);
            let own =
                alloy_provider::ProviderBuilder::new().wallet(wallet).connect_http(url.parse().unwrap());
            let request = TransactionRequest::default()
                .with_to(Address::repeat_byte(0x50))
                .with_value(U256::from(1))
                .with_gas_limit(21_000)
                .with_nonce(number / 10);
            let hash = *own.send_transaction(request).await.unwrap().tx_hash();
            drop(provider);
            hash
        });
    }
    let hashes = senders.join_all().await;
    for hash in hashes {
        assert!(plain.get_transaction_receipt(hash).await.unwrap().unwrap().status());
    }
    assert_eq!(plain.get_balance(Address::repeat_byte(0x50)).await.unwrap(), U256::from(50));
    assert_eq!(plain.get_block_number().await.unwrap(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_need_no_chain_id_but_a_wrong_one_is_refused() {
    let chain = start().await;
    let request =
        json!({ "from": signer(0).address(), "to": signer(1).address(), "maxFeePerGas": "0x77359400" });
    assert_eq!(raw(&chain, "eth_estimateGas", json!([request])).await.unwrap(), "0x5208");
    let mut other = request;
    other["chainId"] = json!("0x1");
    assert_eq!(raw(&chain, "eth_call", json!([other])).await.unwrap_err()["code"], -32_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn state_overrides_do_not_touch_the_chain() {
    let chain = start().await;
    let provider = provider(&chain, 0);
    let contract = deploy(&provider).await;
    let overrides = json!({ contract.to_string(): { "stateDiff": { format!("0x{:064x}", 0): format!("0x{:064x}", 99) } } });
    let request = json!([{ "to": contract, "input": "0x02" }, "latest", overrides]);
    let answer = raw(&chain, "eth_call", request).await.unwrap();
    assert_eq!(answer, format!("0x{:064x}", 99));
    assert_eq!(provider.call(call(contract, 2, &[])).await.unwrap().as_ref(), word(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn takes_transactions_from_before_chain_ids() {
    let chain = start().await;
    let tx = TxLegacy {
        chain_id: None,
        gas_price: 2_000_000_000,
        gas_limit: 21_000,
        to: Address::repeat_byte(6).into(),
        value: U256::from(3),
        ..TxLegacy::default()
    };
    let signature = signer(0).sign_hash_sync(&tx.signature_hash()).unwrap();
    let bytes = hex::encode_prefixed(TxEnvelope::from(tx.into_signed(signature)).encoded_2718());
    let hash = raw(&chain, "eth_sendRawTransaction", json!([bytes])).await.unwrap();
    let found = raw(&chain, "eth_getTransactionByHash", json!([hash])).await.unwrap();
    assert!(["0x1b", "0x1c"].contains(&found["v"].as_str().unwrap()), "{found}");
    assert_eq!(provider(&chain, 0).get_balance(Address::repeat_byte(6)).await.unwrap(), U256::from(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_are_refused_by_name() {
    let chain = start().await;
    let error = raw(&chain, "eth_sendRawTransaction", json!(["0x03c0"])).await.unwrap_err();
    assert_eq!(error["message"], "transaction type not supported: 3; types 0, 1, 2 and 4 are");
}
