//! A chain to test, requests as raw JSON, and small contracts written by hand.

use alloy_primitives::{Address, B256, U256, hex};
use sealwork_devchain::{Config, Devchain, Handle};
use serde_json::{Value, json};

/// The first and second development account.
pub(crate) const ALICE: &str = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
pub(crate) const BOB: &str = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";

/// Init code of a contract. The first byte of the input chooses:
/// 1: store the next word in slot 0 and log it with topics (0xaa, caller); 2: return slot 0;
/// 3: revert with the rest of the input; 4: return the block's timestamp; anything else: stop.
pub(crate) const CONTRACT: [u8; 89] = hex!(
    "6050806009 5f395ff3"
    "5f3560f81c 80600114602257 80600214603357 80600314603c57 80600414604857 00"
    "5b600135 805f55 5f52 33 60aa 60205fa2 00"
    "5b5f545f5260205ff3"
    "5b60013603 8060015f37 5ffd"
    "5b425f5260205ff3"
);

pub(crate) struct Chain(pub(crate) Handle);

impl Chain {
    pub(crate) async fn start() -> Self {
        Self(Devchain::open(&Config::default()).unwrap().start().await.unwrap())
    }

    /// Any method, any parameters.
    pub(crate) async fn ask(&self, method: &str, params: Value) -> Result<Value, Value> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut answer = self.post(&request).await;
        match answer.get_mut("error") {
            Some(error) => Err(error.take()),
            None => Ok(answer["result"].take()),
        }
    }

    /// Posts any JSON.
    pub(crate) async fn post(&self, body: &Value) -> Value {
        let post = reqwest::Client::new().post(self.0.http_url()).header("content-type", "application/json");
        post.body(body.to_string()).send().await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn get(&self, method: &str, params: Value) -> Value {
        self.ask(method, params).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Code and message of the error.
    pub(crate) async fn fail(&self, method: &str, params: Value) -> (i64, String) {
        let error = self.ask(method, params).await.unwrap_err();
        (error["code"].as_i64().unwrap(), error["message"].as_str().unwrap().to_owned())
    }

    /// Sends from a development account and returns the receipt.
    pub(crate) async fn send(&self, request: Value) -> Value {
        let hash = self.get("eth_sendTransaction", json!([request])).await;
        self.get("eth_getTransactionReceipt", json!([hash])).await
    }

    pub(crate) async fn deploy(&self, init_code: &[u8]) -> Address {
        let receipt = self.send(json!({ "from": ALICE, "input": hex::encode_prefixed(init_code) })).await;
        assert_eq!(receipt["status"], "0x1");
        parse(&receipt["contractAddress"])
    }
}

/// Input for [`CONTRACT`].
pub(crate) fn input(operation: u8, rest: &[u8]) -> String {
    hex::encode_prefixed([&[operation], rest].concat())
}

pub(crate) fn word(number: u64) -> B256 {
    U256::from(number).into()
}

pub(crate) fn parse<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}
