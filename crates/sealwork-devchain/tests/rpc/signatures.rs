//! Signatures by the development accounts, equal to anvil's.

use crate::support::{ALICE, BOB, Chain, parse};
use alloy_consensus::{Transaction as _, TxEnvelope, transaction::SignerRecoverable};
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{Address, Bytes};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_signed_as_anvil_signs_them() {
    let chain = Chain::start().await;
    let expected = "0x87b638f4675a39ef49eb0379a7f5d248affd109cc6cb5b69457d7e8394d7d85274c8b407ca2b2b37ba4cc9c3bcfde488f7f59748175764b928324bd31c0f93851c";
    assert_eq!(chain.get("eth_sign", json!([ALICE, "0x1234"])).await, expected);
    assert_eq!(chain.get("personal_sign", json!(["0x1234", ALICE])).await, expected);
    let stranger = Address::repeat_byte(0x11);
    let (code, message) = chain.fail("eth_sign", json!([stranger, "0x1234"])).await;
    assert!(code == -32_602 && message.starts_with("No Signer available"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn typed_data_is_signed_as_anvil_signs_it() {
    let chain = Chain::start().await;
    let field = |name, kind| json!({ "name": name, "type": kind });
    let data = json!({
        "types": {
            "EIP712Domain": [field("name", "string"), field("chainId", "uint256")],
            "Mail": [field("to", "address"), field("text", "string"), field("n", "uint256[]")],
        },
        "primaryType": "Mail",
        "domain": { "name": "T", "chainId": 31_337 },
        "message": { "to": ALICE, "text": "hi", "n": ["1", 2] },
    });
    let expected = "0xb45f85de53771ed873872916ea6d504b64036cb135a2f21564e524c4bf638b441077fe09c3abdc18c53d4087093a6f4388d83119ec8f2756796592339b1cffcf1b";
    assert_eq!(chain.get("eth_signTypedData_v4", json!([ALICE, data])).await, expected);
    assert_eq!(chain.get("eth_signTypedData_v4", json!([ALICE, data.to_string()])).await, expected);
    assert_eq!(chain.fail("eth_signTypedData_v4", json!([ALICE, {}])).await.0, -32_602);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_transaction_is_complete_and_not_sent() {
    let chain = Chain::start().await;
    let request = json!({ "from": ALICE, "to": BOB, "value": "0x1" });
    let raw: Bytes = parse(&chain.get("eth_signTransaction", json!([request])).await);
    let transaction = TxEnvelope::decode_2718_exact(&raw).unwrap();
    assert_eq!(transaction.recover_signer().unwrap(), ALICE.parse::<Address>().unwrap());
    assert_eq!((transaction.gas_limit(), transaction.nonce()), (21_000, 0));
    assert_eq!(chain.get("eth_blockNumber", json!([])).await, "0x0");
    let hash = chain.get("eth_sendRawTransaction", json!([raw])).await;
    assert_eq!(hash, json!(transaction.tx_hash()));
    assert_eq!(chain.get("eth_blockNumber", json!([])).await, "0x1");
}
