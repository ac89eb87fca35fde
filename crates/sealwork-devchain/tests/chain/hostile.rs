use crate::support::{post, provider, raw, start};
use alloy_provider::Provider;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_get_json_rpc_errors() {
    let chain = start().await;
    let cases = [
        ("{", -32_700),
        ("", -32_700),
        ("[]", -32_600),
        ("{\"jsonrpc\":\"2.0\",\"id\":1}", -32_600),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_unknown\"}", -32_601),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getBalance\"}", -32_602),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getBalance\",\"params\":{\"a\":1}}", -32_602),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_call\",\"params\":[{\"to\":\"0x12\"}]}", -32_602),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getLogs\",\"params\":[{\"topics\":[1,2,3,4,5]}]}",
            -32_602,
        ),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"evm_increaseTime\",\"params\":[-1]}", -32_602),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"evm_revert\",\"params\":[\"0xfffffffffffffffffff\"]}",
            -32_602,
        ),
    ];
    for (body, code) in cases {
        let answer = post(&chain, body.into()).await;
        assert_eq!(answer["error"]["code"], code, "{body}: {answer}");
    }
    assert_eq!(provider(&chain, 0).get_block_number().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_transactions_are_refused() {
    let chain = start().await;
    for (bytes, code) in
        [("0x", -32_602), ("0x02c0", -32_602), ("0xff", -32_602), ("0x03", -32_000), ("0x04f8", -32_602)]
    {
        let error = raw(&chain, "eth_sendRawTransaction", json!([bytes])).await.unwrap_err();
        assert_eq!(error["code"], code, "{bytes}: {error}");
    }
    let bad = format!("0x{}", "f8".repeat(200_000));
    assert_eq!(raw(&chain, "eth_sendRawTransaction", json!([bad])).await.unwrap_err()["code"], -32_602);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_batches_are_bounded() {
    let chain = start().await;
    let one = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": [] });
    let batch = |length| serde_json::Value::Array(vec![one.clone(); length]).to_string();
    assert_eq!(post(&chain, batch(1_000)).await.as_array().unwrap().len(), 1_000);
    assert_eq!(post(&chain, batch(1_001)).await["error"]["code"], -32_010);
    let request = reqwest::Client::new().post(chain.http_url()).header("content-type", "application/json");
    let answer = request.body(vec![b' '; 9 << 20]).send().await;
    assert!(answer.is_err() || answer.unwrap().status().is_client_error());
    let error = raw(&chain, "evm_mine", json!([{ "blocks": 10_001 }])).await.unwrap_err();
    assert_eq!(error["code"], -32_005);
    let error = raw(&chain, "eth_getLogs", json!([{ "fromBlock": "0x0", "toBlock": "0xffffffff" }])).await;
    assert_eq!(error.unwrap(), json!([]), "a range ends at the newest block");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_loop_ends_with_the_gas_and_others_are_served_meanwhile() {
    let chain = start().await;
    let spin = json!([{ "input": "0x5b5f56" }]);
    let (slow, quick) =
        tokio::join!(raw(&chain, "eth_call", spin), raw(&chain, "eth_blockNumber", json!([])));
    assert_eq!(quick.unwrap(), "0x0");
    let error = slow.unwrap_err();
    assert_eq!(error["code"], -32_000);
    assert!(error["message"].as_str().unwrap().contains("out of gas"), "{error}");
}
