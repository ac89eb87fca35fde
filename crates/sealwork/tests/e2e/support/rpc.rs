//! Development calls to a chain.

use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpStream,
};

/// One JSON-RPC call; panics when the chain says no.
pub(crate) fn call(url: &str, method: &str, params: &Value) -> Value {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST / HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, json) = answer.split_once("\r\n\r\n").unwrap();
    let answer: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert!(answer["error"].is_null(), "{method}: {answer}");
    answer["result"].clone()
}

/// Lets the chain's clock jump ahead.
pub(crate) fn travel(url: &str, seconds: u64) {
    call(url, "evm_increaseTime", &json!([seconds]));
    call(url, "evm_mine", &json!([]));
}

/// Time of the newest block, in seconds since 1970.
pub(crate) fn now(url: &str) -> u64 {
    number(&call(url, "eth_getBlockByNumber", &json!(["latest", false]))["timestamp"])
}

/// A number as chains write it.
pub(crate) fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

/// How many transactions an account has sent, and how many of them wait for a block.
pub(crate) fn sent_and_waiting(url: &str, account: &str) -> (u64, u64) {
    let count = |block: &str| number(&call(url, "eth_getTransactionCount", &json!([account, block])));
    let (mined, all) = (count("latest"), count("pending"));
    (all, all - mined)
}
