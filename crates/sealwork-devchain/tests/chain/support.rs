//! A chain to test, a provider for it, and a small contract.

use alloy_network::{EthereumWallet, TransactionBuilder as _};
use alloy_primitives::{Address, B256, Bytes, U256, hex};
use alloy_provider::{Provider, ProviderBuilder};
use alloy_rpc_types_eth::{TransactionReceipt, TransactionRequest};
use alloy_signer_local::PrivateKeySigner;
use jsonrpsee::{
    client_transport::ws::WsTransportClientBuilder,
    core::client::{Client, ClientBuilder, Subscription, SubscriptionClientT as _},
};
use sealwork_devchain::{Config, DEV_PRIVATE_KEYS, Devchain, Handle};

/// Init code of a contract written by hand. The first byte of the input chooses:
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

pub(crate) async fn start() -> Handle {
    start_with(Config::default()).await
}

pub(crate) async fn start_with(config: Config) -> Handle {
    Devchain::open(&config).unwrap().start().await.unwrap()
}

pub(crate) fn signer(index: usize) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&DEV_PRIVATE_KEYS[index]).unwrap()
}

/// A provider that signs for development account `index` and fills in nonce, gas and fees by asking the chain.
pub(crate) fn provider(chain: &Handle, index: usize) -> impl Provider + Clone + 'static {
    ProviderBuilder::new()
        .wallet(EthereumWallet::from(signer(index)))
        .connect_http(chain.http_url().parse().unwrap())
}

pub(crate) async fn send(provider: &impl Provider, request: TransactionRequest) -> TransactionReceipt {
    let pending = provider.send_transaction(request).await.unwrap();
    // Mined before the chain answered, so there is nothing to wait for.
    provider.get_transaction_receipt(*pending.tx_hash()).await.unwrap().unwrap()
}

pub(crate) async fn deploy(provider: &impl Provider) -> Address {
    let receipt = send(provider, TransactionRequest::default().with_deploy_code(CONTRACT.to_vec())).await;
    assert!(receipt.status());
    receipt.contract_address.unwrap()
}

/// A call of the contract.
pub(crate) fn call(contract: Address, operation: u8, rest: &[u8]) -> TransactionRequest {
    let input = Bytes::from([&[operation], rest].concat());
    TransactionRequest::default().with_to(contract).with_input(input)
}

pub(crate) fn word(number: u64) -> [u8; 32] {
    U256::from(number).to_be_bytes()
}

/// Any method, any parameters.
pub(crate) async fn raw(
    chain: &Handle,
    method: &str,
    params: serde_json::Value,
) -> Result<serde_json::Value, serde_json::Value> {
    let request = serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let mut answer = post(chain, request.to_string()).await;
    match answer.get_mut("error") {
        Some(error) => Err(error.take()),
        None => Ok(answer["result"].take()),
    }
}

/// Posts any text and reads the answer as JSON.
pub(crate) async fn post(chain: &Handle, body: String) -> serde_json::Value {
    let request = reqwest::Client::new().post(chain.http_url()).header("content-type", "application/json");
    request.body(body).send().await.unwrap().json().await.unwrap()
}

pub(crate) fn topic(number: u64) -> B256 {
    B256::from(word(number))
}

/// A client over WebSocket.
pub(crate) async fn client(chain: &Handle) -> Client {
    let transport = WsTransportClientBuilder::default().build(chain.ws_url().parse().unwrap()).await.unwrap();
    ClientBuilder::default().build_with_tokio(transport.0, transport.1)
}

pub(crate) async fn subscribe(
    client: &Client,
    params: jsonrpsee::core::params::ArrayParams,
) -> Subscription<serde_json::Value> {
    client.subscribe("eth_subscribe", params, "eth_unsubscribe").await.unwrap()
}
