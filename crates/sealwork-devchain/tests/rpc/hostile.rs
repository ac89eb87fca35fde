//! Every method with parameters that make no sense: an answer or an error, never silence.

use crate::support::{ALICE, Chain};
use serde_json::{Value, json};

/// All methods, one in a line; the crate checks that the list is complete.
const METHODS: &str = include_str!("../../methods.txt");

/// Values that parsers stumble over.
fn junk() -> Vec<Value> {
    let deep = (0..64).fold(json!([]), |inner, _| json!([inner]));
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("0x"),
        json!("0xzz"),
        json!("latest"),
        json!("0xffffffffffffffff"),
        json!(format!("0x{}", "ff".repeat(33))),
        json!(ALICE),
        json!(alloy_primitives::B256::repeat_byte(7)),
        json!({}),
        json!({ "blockHash": null, "blockNumber": [], "to": 5, "tracer": {} }),
        json!({ "from": ALICE, "to": ALICE, "value": format!("0x{}", "f".repeat(64)) }),
        json!({ "fromBlock": "0xffffffffffffffff", "toBlock": "0x0", "topics": [[[]]] }),
        json!([[]]),
        json!([0, 50, 100]),
        deep,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_survives_parameters_that_make_no_sense() {
    let chain = Chain::start().await;
    let skipped = ["eth_subscribe", "eth_unsubscribe"];
    for method in METHODS.lines().filter(|method| !skipped.contains(method)) {
        let mut requests = vec![json!([]), json!({}), json!("text"), json!({ "a": 1 })];
        for value in junk() {
            requests.push(json!([value]));
            requests.push(json!([ALICE, value]));
            requests.push(json!([value, value, value, value]));
        }
        let batch: Vec<_> = (0u64..)
            .zip(requests)
            .map(|(id, params)| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
            .collect();
        let answers = chain.post(&json!(batch)).await;
        let answers = answers.as_array().unwrap_or_else(|| panic!("{method}: {answers}"));
        assert_eq!(answers.len(), batch.len(), "{method}");
        for answer in answers {
            let error = &answer["error"]["code"];
            assert!(answer.get("result").is_some() || error.is_i64(), "{method}: {answer}");
            assert_ne!(error, -32_601, "{method} exists");
        }
    }
    assert_eq!(chain.get("eth_chainId", json!([])).await, "0x7a69");
}
