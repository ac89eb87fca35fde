//! Answers to our clients from servers that lie: an Ethereum endpoint, a CAS member, a storage node.

use crate::{
    http::{Answer, Hostile, runtime},
    json::changed,
    memory::{bounded, linear},
    samples::{self, DOMAIN, word},
    seeds::{Seed, chosen},
};
use alloy_primitives::{Address, U256, hex};
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::{SolEvent, SolValue};
use futures::StreamExt;
use sealwork_cas::HttpKeyService;
use sealwork_chain::EvmChain;
use sealwork_ports::{Chain, EventCursor, KeyService, Store};
use sealwork_store::{KuboOptions, KuboStore};
use sealwork_types::{
    AppId, B256, Cid, Codec, DealId, PolicyHash,
    abi::{
        IMarket::{Matched, TaskSettled},
        Outcome,
    },
    network::NetworkDocument,
};
use serde_json::{Value, json};
use std::{
    future::Future,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Runtime, time::timeout};

/// Whatever a server says, a client is through with it within this time here; answers come at once.
const PATIENCE: Duration = Duration::from_secs(10);
/// Answers after which the server only refuses, so that a scan over many blocks ends.
const ANSWERS: usize = 40;
/// Answers grow out of small inputs here, and are counted on both sides: 40 of some hundred KiB, as text and as values.
const MEMORY: usize = 192 << 20;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(runtime);
static SERVER: LazyLock<Hostile> = LazyLock::new(Hostile::start);
static MEMBER: LazyLock<HttpKeyService> =
    LazyLock::new(|| HttpKeyService::new(&format!("http://{}", SERVER.at)).expect("an address"));
static KUBO: LazyLock<KuboStore> = LazyLock::new(|| {
    KuboStore::new(&format!("http://{}", SERVER.at), KuboOptions::default()).expect("an address")
});

pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let rest = rest.to_vec();
    bounded(linear(MEMORY, 256, data), || match kind % 4 {
        0 => chain(*kind, rest),
        1 => member(rest),
        2 => store(rest),
        _ => content(&rest),
    });
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.block_on(async { timeout(PATIENCE, work).await.expect("a client that lets itself be held up") })
}

fn network() -> NetworkDocument {
    NetworkDocument { rpc: format!("http://{}", SERVER.at), ..samples::network() }
}

/// An endpoint that knows its chain id, and tells something near the truth or nonsense about everything else.
fn chain(kind: u8, rest: Vec<u8>) {
    let asked = AtomicUsize::new(0);
    SERVER.say(Box::new(move |body| {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        let method = request["method"].as_str().unwrap_or_default();
        if asked.fetch_add(1, Ordering::Relaxed) > ANSWERS {
            return (404, Vec::new());
        }
        if method == "eth_chainId" {
            return result(&request, json!("0x7a69"));
        }
        if kind & 4 == 0 { result(&request, changed(truth(method), &rest)) } else { (200, rest.clone()) }
    }));
    wait(async {
        let Ok(chain) =
            EvmChain::connect(&network(), PrivateKeySigner::from_slice(&[1; 32]).expect("a key")).await
        else {
            return;
        };
        let id = DealId::new(word(1));
        let _ =
            (chain.head().await, chain.app(AppId::new(word(1))).await, chain.account(Address::ZERO).await);
        let _ = (chain.deal(id).await, chain.is_open(id, 3).await, chain.transaction(word(9)).await);
        let _ = (chain.events(EventCursor::default(), 10).await, chain.app_orders(AppId::new(word(1))).await);
    });
}

fn result(request: &Value, result: Value) -> Answer {
    let answer = json!({ "jsonrpc": "2.0", "id": request["id"], "result": result });
    (200, answer.to_string().into_bytes())
}

fn truth(method: &str) -> Value {
    match method {
        "eth_blockNumber" => json!("0x10"),
        "eth_getLogs" => json!(logs()),
        "eth_call" => {
            json!(hex::encode_prefixed((word(1), word(2), word(3), word(4), U256::from(1)).abi_encode()))
        }
        "eth_getBlockByNumber" | "eth_getBlockByHash" => block(),
        "eth_getTransactionByHash" => transaction(),
        "eth_getTransactionReceipt" => receipt(),
        _ => json!("0x5"),
    }
}

fn logs() -> Vec<Value> {
    let deal = samples::deal();
    let matched = Matched {
        dealId: deal.id().get(),
        app: deal.request.app,
        pool: deal.pool,
        volume: deal.volume,
        terms: deal.terms,
        request: deal.request,
        requestSignature: deal.request_signature,
    };
    let outcome = Outcome {
        index: 0,
        status: 0,
        fuel: 5,
        keyEpoch: 0,
        output: B256::ZERO,
        outputCid: B256::ZERO,
        outputCodec: 0x55,
    };
    let settled = TaskSettled {
        dealId: matched.dealId,
        enclave: Address::repeat_byte(1),
        outcome,
        r: word(5),
        vs: word(6),
    };
    let data = [matched.encode_log_data(), settled.encode_log_data()];
    let log = |(index, data): (usize, &alloy_primitives::LogData)| {
        json!({
            "address": DOMAIN.market, "topics": data.topics(), "data": data.data,
            "blockHash": word(1), "blockNumber": "0x5", "blockTimestamp": "0x6553f100",
            "transactionHash": word(2), "transactionIndex": "0x0", "logIndex": format!("{index:#x}"), "removed": false,
        })
    };
    data.iter().enumerate().map(log).collect()
}

fn block() -> Value {
    json!({
        "hash": word(1), "parentHash": word(2), "sha3Uncles": word(3), "miner": Address::ZERO, "stateRoot": word(4),
        "transactionsRoot": word(5), "receiptsRoot": word(6), "logsBloom": format!("0x{}", "00".repeat(256)),
        "difficulty": "0x0", "number": "0x10", "gasLimit": "0x1c9c380", "gasUsed": "0x0", "timestamp": "0x6553f100",
        "extraData": "0x", "mixHash": word(7), "nonce": "0x0000000000000000", "baseFeePerGas": "0x1", "size": "0x220",
        "uncles": [], "transactions": [word(9)], "withdrawals": [],
    })
}

fn transaction() -> Value {
    json!({
        "hash": word(9), "nonce": "0x0", "blockHash": word(1), "blockNumber": "0x5", "transactionIndex": "0x0",
        "from": Address::repeat_byte(1), "to": DOMAIN.market, "value": "0x0", "gasPrice": "0x1", "gas": "0x5208",
        "input": "0x12345678", "type": "0x2", "chainId": "0x7a69", "maxFeePerGas": "0x2", "maxPriorityFeePerGas": "0x1",
        "accessList": [], "v": "0x1", "r": "0x1", "s": "0x1", "yParity": "0x1",
    })
}

fn receipt() -> Value {
    json!({
        "transactionHash": word(9), "transactionIndex": "0x0", "blockHash": word(1), "blockNumber": "0x5",
        "from": Address::repeat_byte(1), "to": DOMAIN.market, "cumulativeGasUsed": "0x5208", "gasUsed": "0x5208",
        "contractAddress": null, "logs": logs(), "logsBloom": format!("0x{}", "00".repeat(256)), "type": "0x2",
        "effectiveGasPrice": "0x1", "status": "0x1",
    })
}

/// A member's HTTP side: a status, then the same body to every question.
fn member(rest: Vec<u8>) {
    SERVER.say(said(rest));
    let service = &*MEMBER;
    wait(async {
        let _ = (service.info().await, service.recipient(AppId::default(), PolicyHash::default()).await);
        let _ = (service.evidence(&[1; 32]).await, service.log_head().await);
        let _ = (service.log_entries(0, u64::MAX).await, service.log_proof(0, 1).await);
        let _ = service.log_consistency(0, 1).await;
    });
}

fn said(rest: Vec<u8>) -> crate::http::Script {
    let (first, body) = rest.split_first().map_or((0, Vec::new()), |(first, body)| (*first, body.to_vec()));
    let status = [200, 200, 200, 404, 500, 400, 429, 301][usize::from(first) % 8];
    Box::new(move |_| (status, body.clone()))
}

/// A node that answers every command alike: content that does not hash to its name never comes out.
fn store(rest: Vec<u8>) {
    SERVER.say(said(rest));
    let store = &*KUBO;
    wait(async {
        for codec in [Codec::Raw, Codec::DagPb] {
            let cid = Cid::new(codec, word(1));
            assert!(store.get_small(&cid, 1_000).await.is_err(), "content under a hash that nobody has");
            let _ = (store.stat(&cid).await, store.unpin(&cid).await, store.version().await);
        }
        let piece = futures::stream::iter([Ok(bytes::Bytes::from_static(b"hello"))]).boxed();
        let _ = store.put(piece).await;
    });
}

/// A node that serves one block: it comes out exactly if it has the name that was asked for.
fn content(rest: &[u8]) {
    let (first, body) = rest.split_first().unwrap_or((&0, &[]));
    let given = body.to_vec();
    SERVER.say(Box::new(move |_| (200, given.clone())));
    let digest = sealwork_types::Sha256Digest::of(body);
    let cid = Cid::new(Codec::Raw, if first & 1 == 0 { digest } else { word(3) });
    let read = wait(async { KUBO.get_small(&cid, 1 << 20).await });
    match read {
        Ok(found) => assert!(first & 1 == 0 && found == body),
        Err(_) => assert!(first & 1 == 1),
    }
}

pub fn seeds() -> Vec<Seed> {
    let head = json!({ "address": samples::member().address(), "anchors": word(1), "key_epoch": 0, "software": "0" });
    let failure = json!({ "Message": "block was not found locally (offline): ipld: could not find x", "Code": 0, "Type": "error" });
    let stat = json!({ "Key": "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", "Size": 5, "Version": "0.1" });
    let with_status = |status: u8, body: &Value| [&[status], body.to_string().as_bytes()].concat();
    vec![
        chosen("truth", 0, b""),
        chosen("near-truth", 0, (0..90).collect::<Vec<u8>>()),
        chosen("nonsense", 4, b"{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":\"0x\"}"),
        chosen("refusal", 4, b"{\"jsonrpc\":\"2.0\",\"id\":0,\"error\":{\"code\":3,\"message\":\"execution reverted\",\"data\":\"0x08c379a0\"}}"),
        chosen("member", 1, with_status(0, &head)),
        chosen("member-refuses", 1, with_status(3, &json!({ "error": "protocol", "detail": "x", "hint": "y" }))),
        chosen("store-failure", 2, with_status(4, &failure)),
        chosen("store-stat", 2, with_status(0, &stat)),
        chosen("block", 3, b"\x00hello"),
        chosen("wrong-block", 3, b"\x01hello"),
    ]
}
