use crate::support::{call, client, deploy, provider, raw, send, signer, start, subscribe, topic, word};
use alloy_primitives::{Address, B256};
use alloy_provider::Provider;
use alloy_rpc_types_eth::Filter;
use jsonrpsee::{core::client::SubscriptionClientT as _, rpc_params};
use sealwork_devchain::Handle;
use serde_json::{Value, json};

/// Two contracts; the first logs 1 and 2 in blocks 3 and 4, the second logs 3 for another caller in block 5.
async fn three_logs(chain: &Handle) -> (Address, Address, B256) {
    let (alice, bob) = (provider(chain, 0), provider(chain, 1));
    let (first, second) = (deploy(&alice).await, deploy(&alice).await);
    send(&alice, call(first, 1, &word(1))).await;
    let receipt = send(&alice, call(first, 1, &word(2))).await;
    send(&bob, call(second, 1, &word(3))).await;
    (first, second, receipt.block_hash.unwrap())
}

async fn numbers(chain: &Handle, filter: Filter) -> Vec<u8> {
    let logs = provider(chain, 0).get_logs(&filter).await.unwrap();
    logs.iter().map(|log| log.data().data[31]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn selects_by_range_hash_address_and_alternative_topics() {
    let chain = start().await;
    let (first, second, hash) = three_logs(&chain).await;
    let all = || Filter::new().from_block(0);
    let caller = |index| signer(index).address().into_word();
    assert_eq!(numbers(&chain, all()).await, [1, 2, 3]);
    assert_eq!(numbers(&chain, all().to_block(3)).await, [1]);
    assert_eq!(numbers(&chain, Filter::new().from_block(4).to_block(4)).await, [2]);
    assert_eq!(numbers(&chain, Filter::new()).await, [3], "without a range: the newest block");
    assert_eq!(numbers(&chain, Filter::new().at_block_hash(hash)).await, [2]);
    assert_eq!(numbers(&chain, all().address(first)).await, [1, 2]);
    assert_eq!(numbers(&chain, all().address(vec![first, second])).await, [1, 2, 3]);
    assert_eq!(numbers(&chain, all().event_signature(topic(0xaa))).await, [1, 2, 3]);
    assert_eq!(numbers(&chain, all().event_signature(topic(0xab))).await, [0u8; 0]);
    assert_eq!(numbers(&chain, all().topic1(caller(1))).await, [3]);
    assert_eq!(numbers(&chain, all().topic1(vec![caller(0), caller(1)]).address(first)).await, [1, 2]);
    assert_eq!(numbers(&chain, Filter::new().from_block(5).to_block(2)).await, [0u8; 0]);
    assert_eq!(numbers(&chain, all().to_block(9_999)).await, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn polled_filters_tell_each_change_once() {
    let chain = start().await;
    let blocks = raw(&chain, "eth_newBlockFilter", json!([])).await.unwrap();
    let logs = raw(&chain, "eth_newFilter", json!([{}])).await.unwrap();
    three_logs(&chain).await;
    let poll = async |id: &Value| raw(&chain, "eth_getFilterChanges", json!([id])).await;
    assert_eq!(poll(&blocks).await.unwrap().as_array().unwrap().len(), 5);
    assert_eq!(poll(&logs).await.unwrap().as_array().unwrap().len(), 3);
    assert_eq!(poll(&blocks).await.unwrap(), json!([]));
    assert_eq!(poll(&logs).await.unwrap(), json!([]));
    assert_eq!(raw(&chain, "eth_uninstallFilter", json!([logs])).await.unwrap(), true);
    assert_eq!(raw(&chain, "eth_uninstallFilter", json!([logs])).await.unwrap(), false);
    assert_eq!(poll(&logs).await.unwrap_err()["code"], -32_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_bounded() {
    let chain = start().await;
    for _ in 0..256 {
        raw(&chain, "eth_newBlockFilter", json!([])).await.unwrap();
    }
    assert_eq!(raw(&chain, "eth_newBlockFilter", json!([])).await.unwrap_err()["code"], -32_005);
    let addresses: Vec<_> =
        (0..2_000u64).map(|number| Address::left_padding_from(&number.to_be_bytes())).collect();
    let error = raw(&chain, "eth_getLogs", json!([{ "address": addresses }])).await.unwrap_err();
    assert_eq!(error["code"], -32_602);
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_see_heads_and_matching_logs() {
    let chain = start().await;
    let client = client(&chain).await;
    let mut heads = subscribe(&client, rpc_params!["newHeads"]).await;
    let caller = signer(1).address().into_word();
    let filter = json!({ "topics": [null, [caller]] });
    let mut logs = subscribe(&client, rpc_params!["logs", filter]).await;
    let (_, second, _) = three_logs(&chain).await;
    for number in 1..=5 {
        let head = heads.next().await.unwrap().unwrap();
        assert_eq!(head["number"], format!("{number:#x}"));
        assert!(head["hash"].is_string());
    }
    let log = logs.next().await.unwrap().unwrap();
    assert_eq!(log["address"], json!(second));
    let refused =
        client.subscribe::<Value, _>("eth_subscribe", rpc_params!["syncing"], "eth_unsubscribe").await;
    assert!(refused.is_err());
}
