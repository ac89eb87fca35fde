//! A local store behind HTTP, used by our client, by plain HTTP, and replaced by servers that lie.

use crate::support::{drain, kind, local, pieces, random, walk};
use axum::{Router, extract::Query, routing::post};
use reqwest::{Client, StatusCode};
use sealwork_ports::{ErrorKind, Store, conformance::store_suite};
use sealwork_store::{KuboOptions, KuboStore, LocalStore, Profile, general_cid, serve};
use serde_json::Value;
use std::collections::HashMap;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

struct Served {
    url: String,
    store: LocalStore,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
    dir: tempfile::TempDir,
}

async fn served() -> Served {
    let dir = tempfile::tempdir().unwrap();
    let store = local(&dir);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(serve(listener, store.clone(), async { drop(stopped.await) }));
    Served { url, store, stop, task, dir }
}

fn kubo(url: &str) -> KuboStore {
    KuboStore::new(url, KuboOptions::default()).unwrap()
}

async fn call(url: &str) -> (StatusCode, Value) {
    let response = Client::new().post(url).send().await.unwrap();
    (response.status(), serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, data) in parts {
        let head =
            format!("--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
        body.extend([head.as_bytes(), data, b"\r\n"].concat());
    }
    body.extend(b"--B--\r\n");
    body
}

async fn upload(url: &str, parts: &[(&str, &[u8])]) -> (StatusCode, Vec<Value>) {
    let request =
        Client::new().post(url).header("content-type", "multipart/form-data; boundary=B").body(form(parts));
    let response = request.send().await.unwrap();
    let status = response.status();
    let body = response.text().await.unwrap();
    (status, body.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[tokio::test]
async fn kubo_store_passes_the_store_suite_against_our_server() {
    let served = served().await;
    store_suite(&kubo(&served.url)).await;
}

#[tokio::test]
async fn both_stores_agree_on_names_sizes_and_pins() {
    let served = served().await;
    let content = random(7_000_000, 1);
    let remote = kubo(&served.url);
    let cid = remote.put(pieces(&content)).await.unwrap();
    assert!(served.store.pins().contains(&general_cid(&cid)));
    assert_eq!(remote.stat(&cid).await.unwrap(), served.store.stat(&cid).await.unwrap());
    assert!(drain(remote.get(&cid).await.unwrap()).await.unwrap() == content);
    assert_eq!(served.store.put(pieces(&content)).await.unwrap(), cid);
    remote.unpin(&cid).await.unwrap();
    assert!(served.store.pins().is_empty());
}

#[tokio::test]
async fn what_is_pinned_over_rpc_survives_a_crash_of_the_server() {
    let served = served().await;
    let content = random(3_000_000, 2);
    let cid = kubo(&served.url).put(pieces(&content)).await.unwrap();
    // What the files hold at this moment is what a crash would leave.
    let crashed = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(served.dir.path()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), crashed.path().join(entry.file_name())).unwrap();
    }
    let store = local(&crashed);
    assert!(drain(store.get(&cid).await.unwrap()).await.unwrap() == content);
    assert!(store.pins().contains(&general_cid(&cid)));
}

#[tokio::test]
async fn a_repetitive_file_comes_back_whole() {
    let served = served().await;
    let content = vec![7; 20 << 20];
    let remote = kubo(&served.url);
    let cid = remote.put(pieces(&content)).await.unwrap();
    assert_eq!(remote.stat(&cid).await.unwrap().blocks, 2);
    assert!(drain(remote.get(&cid).await.unwrap()).await.unwrap() == content);
}

#[tokio::test]
async fn add_and_cat_speak_kubo() {
    let served = served().await;
    let add = format!(
        "{}/api/v0/add?cid-version=0&raw-leaves=false&chunker=size-262144&max-file-links=174",
        served.url
    );
    let (status, added) = upload(&add, &[("hello.txt", b"hello world\n"), ("", b"second")]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(added[0]["Name"], "hello.txt");
    assert_eq!(added[0]["Hash"], "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o");
    assert_eq!(added[0]["Size"], "20");
    assert_eq!(added[1]["Name"], added[1]["Hash"]);
    let cat = |query: &str| {
        let url = format!(
            "{}/api/v0/cat?arg=/ipfs/QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o{query}",
            served.url
        );
        async move { Client::new().post(url).send().await.unwrap().text().await.unwrap() }
    };
    assert_eq!(cat("").await, "hello world\n");
    assert_eq!(cat("&offset=6&length=5").await, "world");
    assert_eq!(cat("&offset=100").await, "");
    let (_, listed) = call(&format!("{}/api/v0/pin/ls", served.url)).await;
    assert_eq!(listed["Keys"].as_object().unwrap().len(), 2);
    let (_, hashed) =
        upload(&format!("{}/api/v0/add?only-hash=true", served.url), &[("x", b"never stored")]).await;
    let (status, _) =
        call(&format!("{}/api/v0/cat?arg={}", served.url, hashed[0]["Hash"].as_str().unwrap())).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn blocks_pins_and_gc_speak_kubo() {
    let served = served().await;
    let api = format!("{}/api/v0", served.url);
    let (_, put) = upload(&format!("{api}/block/put?cid-codec=raw"), &[("block", b"a block")]).await;
    let key = put[0]["Key"].as_str().unwrap().to_owned();
    assert_eq!(put[0]["Size"], 7);
    assert_eq!(call(&format!("{api}/block/stat?arg={key}")).await.1["Size"], 7);
    assert_eq!(call(&format!("{api}/pin/add?arg={key}")).await.1["Pins"][0], key.as_str());
    assert_eq!(
        call(&format!("{api}/pin/ls?arg={key}&type=recursive")).await.1["Keys"][&key]["Type"],
        "recursive"
    );
    assert_eq!(call(&format!("{api}/repo/stat")).await.1["NumObjects"], 1);
    assert_eq!(call(&format!("{api}/pin/rm?arg={key}")).await.0, StatusCode::OK);
    let (status, failure) = call(&format!("{api}/pin/rm?arg={key}")).await;
    assert_eq!(
        (status, failure["Message"].as_str().unwrap()),
        (StatusCode::INTERNAL_SERVER_ERROR, "not pinned or pinned indirectly")
    );
    assert_eq!(call(&format!("{api}/repo/gc")).await.1["Key"]["/"], key.as_str());
    let (status, failure) = call(&format!("{api}/block/get?arg={key}")).await;
    assert_eq!(
        (status, &failure["Code"], &failure["Type"]),
        (StatusCode::INTERNAL_SERVER_ERROR, &0.into(), &"error".into())
    );
    assert!(failure["Message"].as_str().unwrap().contains("could not find"));
    assert!(!call(&format!("{api}/version")).await.1["Version"].as_str().unwrap().is_empty());
    assert!(call(&format!("{api}/id")).await.1["Addresses"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn bad_requests_are_told() {
    let served = served().await;
    let api = format!("{}/api/v0", served.url);
    for query in [
        "cat",
        "cat?arg=nonsense",
        "block/get?arg=a&arg=b",
        "pin/ls?type=strange",
        "pin/add?arg=x&recursive=maybe",
    ] {
        let (status, failure) = call(&format!("{api}/{query}")).await;
        assert_eq!((status, &failure["Code"]), (StatusCode::BAD_REQUEST, &1.into()), "{query}");
    }
    for query in [
        "add?chunker=rabin",
        "add?cid-version=7",
        "add?cid-version=0&raw-leaves=true",
        "block/put?cid-codec=git-raw",
    ] {
        let (status, _) = upload(&format!("{api}/{query}"), &[("x", b"x")]).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
    }
    let (status, _) = upload(&format!("{api}/block/put"), &[("big", &vec![0; (2 << 20) + 1])]).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(served.store.usage().blocks, 0);
    let get = Client::new().get(format!("{api}/version")).send().await.unwrap();
    assert_eq!(get.status(), StatusCode::METHOD_NOT_ALLOWED);
    let page = Client::new()
        .post(format!("{api}/repo/gc"))
        .header("origin", "https://example.com")
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_gateway_serves_raw_blocks_only() {
    let served = served().await;
    let cid = served.store.put(pieces(b"public bytes")).await.unwrap();
    let get = |path: String| {
        let url = format!("{}/ipfs/{path}", served.url);
        async move { Client::new().get(url).send().await.unwrap() }
    };
    let found = get(format!("{cid}?format=raw")).await;
    assert_eq!(found.headers()["content-type"], "application/vnd.ipld.raw");
    assert_eq!(found.headers()["etag"], format!("\"{cid}.raw\""));
    assert_eq!(found.bytes().await.unwrap(), "public bytes");
    assert_eq!(get(format!("{cid}")).await.status(), StatusCode::NOT_ACCEPTABLE);
    let absent = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
    assert_eq!(get(format!("{absent}?format=raw")).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(get("nonsense?format=raw".into()).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn shutdown_ends_the_server_and_keeps_the_blocks() {
    let Served { url, store, stop, task, dir } = served().await;
    upload(&format!("{url}/api/v0/block/put"), &[("block", b"unpinned")]).await;
    stop.send(()).unwrap();
    task.await.unwrap().unwrap();
    drop(store);
    assert_eq!(local(&dir).usage().blocks, 1);
}

/// A server that answers `block/get` with what `lie` makes of the name.
async fn liar(lie: impl Fn(String) -> Vec<u8> + Clone + Send + Sync + 'static) -> String {
    let block = move |Query(query): Query<HashMap<String, String>>| {
        let answer = lie(query["arg"].clone());
        async move { answer }
    };
    let put =
        || async { r#"{"Key":"bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e","Size":1}"# };
    let router = Router::new().route("/api/v0/block/get", post(block)).route("/api/v0/block/put", post(put));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn wrong_bytes_from_a_lying_server_never_come_out() {
    let served = served().await;
    let content = random(3_500_000, 9);
    let cid = served.store.put(pieces(&content)).await.unwrap();
    let reach = served.store.reach(general_cid(&cid)).await.unwrap();
    let mut honest = HashMap::new();
    for part in &reach.blocks {
        honest.insert(part.to_string(), served.store.block(*part).await.unwrap().data().to_vec());
    }
    for victim in reach.blocks {
        for lie in [flipped, shortened, lengthened, emptied] {
            let (honest, name) = (honest.clone(), victim.to_string());
            let url =
                liar(move |arg| if arg == name { lie(honest[&arg].clone()) } else { honest[&arg].clone() })
                    .await;
            let mut stream = kubo(&url).get(&cid).await.unwrap();
            let mut read = Vec::new();
            let error = loop {
                match futures::StreamExt::next(&mut stream).await.unwrap() {
                    Ok(piece) => read.extend_from_slice(&piece),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind, ErrorKind::Corrupt);
            assert!(content.starts_with(&read));
        }
    }
}

fn flipped(mut data: Vec<u8>) -> Vec<u8> {
    let middle = data.len() / 2;
    data[middle] ^= 1;
    data
}

fn shortened(mut data: Vec<u8>) -> Vec<u8> {
    data.pop();
    data
}

fn lengthened(mut data: Vec<u8>) -> Vec<u8> {
    data.push(0);
    data
}

fn emptied(_data: Vec<u8>) -> Vec<u8> {
    Vec::new()
}

#[tokio::test]
async fn an_endless_block_is_cut_off_and_a_wrong_receipt_is_refused() {
    let url = liar(|_| vec![0; 5 << 20]).await;
    let remote = kubo(&url);
    let cid = sealwork_types::manifest::document_cid(sealwork_types::B256::ZERO);
    assert_eq!(kind(remote.get_small(&cid, 100).await), Some(ErrorKind::Corrupt));
    assert_eq!(kind(remote.put(pieces(b"something")).await), Some(ErrorKind::Corrupt));
}

#[tokio::test]
async fn an_absent_server_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = kubo(&url).put(pieces(b"something")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.is_retryable());
    assert_eq!(kind(KuboStore::new("ftp://example.com", KuboOptions::default())), Some(ErrorKind::Rejected));
}

#[tokio::test]
async fn legacy_content_of_other_nodes_can_be_read() {
    let served = served().await;
    let content = random(1_000_000, 4);
    let keep = sealwork_store::Keep::Pinned;
    let root = served.store.add(pieces(&content), Profile::KUBO_LEGACY, keep).await.unwrap();
    assert!(root.cid.to_string().starts_with("Qm"));
    assert!(drain(kubo(&served.url).cat(walk(root.cid))).await.unwrap() == content);
}
