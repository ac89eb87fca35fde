use crate::support::{call, deploy, provider, raw, send, start, word};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_blocks_transactions_and_calls() {
    let chain = start().await;
    let alice = provider(&chain, 0);
    let contract = deploy(&alice).await;
    send(&alice, call(contract, 1, &word(1))).await;
    raw(&chain, "eth_getBalance", json!([1])).await.unwrap_err();
    let answer = reqwest::get(format!("{}/metrics", chain.http_url())).await.unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let text = answer.text().await.unwrap();
    for line in [
        "sealwork_devchain_height 2",
        "sealwork_devchain_transactions_total 2",
        "sealwork_devchain_blocks_total 2",
        "sealwork_devchain_pool_pending 0",
        "sealwork_devchain_block_seconds_count 2",
        "sealwork_devchain_block_seconds_bucket{le=\"+Inf\"} 2",
        "sealwork_devchain_rpc_calls_total{method=\"eth_sendRawTransaction\",result=\"ok\"} 2",
        "sealwork_devchain_rpc_calls_total{method=\"eth_getBalance\",result=\"error\"} 1",
        "# TYPE sealwork_devchain_gas_total counter",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_any_origin_may_call() {
    let chain = start().await;
    let client = reqwest::Client::new();
    let preflight = client
        .request(reqwest::Method::OPTIONS, chain.http_url())
        .header("origin", "http://example.org")
        .header("access-control-request-method", "POST")
        .send()
        .await
        .unwrap();
    assert!(preflight.status().is_success());
    assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
    assert_eq!(preflight.headers()["access-control-allow-headers"], "content-type");
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": [] }).to_string();
    let answer = client
        .post(chain.http_url())
        .header("origin", "http://example.org")
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
}
