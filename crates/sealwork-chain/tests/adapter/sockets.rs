//! The adapter over real sockets, against the embedded chain.

use crate::support::{MARKET, deployment, signer};
use sealwork_chain::{ChainError, Endpoint, EvmChain};
use sealwork_devchain::{Config, Devchain, Handle, Mining};
use sealwork_ports::{Chain, EventCursor};
use std::time::{Duration, Instant};

async fn chain() -> Handle {
    Devchain::open(&Config { mining: Mining::Instant, ..Config::default() }).unwrap().start().await.unwrap()
}

async fn adapter(urls: &str) -> EvmChain {
    EvmChain::over(deployment(), Endpoint::connect(urls, signer(0)).await.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_are_announced_over_a_websocket() {
    let chain = chain().await;
    let sending = adapter(&chain.http_url()).await;
    // One that is asked over HTTP announces them too when it is on this machine.
    for url in [chain.ws_url(), chain.http_url()] {
        told_of_heads(adapter(&url).await, &sending).await;
    }
}

async fn told_of_heads(waiting: EvmChain, sending: &EvmChain) {
    sending.send(MARKET, Vec::new()).await.unwrap();
    for _ in 0..5 {
        waiting.events(EventCursor::default(), 10).await.unwrap();
        let block = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let sent = sending.send(MARKET, Vec::new()).await.unwrap();
            (sent.block, Instant::now())
        };
        let waited = async {
            waiting.wait().await;
            Instant::now()
        };
        let ((block, mined), told) = tokio::join!(block, waited);
        assert_eq!(waiting.head().await.unwrap().0, block);
        let late = told.saturating_duration_since(mined);
        assert!(
            late < Duration::from_millis(500),
            "told {late:?} after the block, not when waiting ends by itself"
        );
    }
    // Without news it ends by itself.
    waiting.events(EventCursor::default(), 10).await.unwrap();
    let started = Instant::now();
    waiting.wait().await;
    assert!(started.elapsed() >= Duration::from_millis(900));
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_and_refusals_pass_through_a_websocket() {
    let chain = chain().await;
    let adapter = adapter(&chain.ws_url()).await;
    assert_eq!(adapter.send(MARKET, Vec::new()).await.unwrap().block, 1);
    // Init code that reverts.
    let error = adapter.endpoint().send(None, vec![0x5f, 0x5f, 0xfd]).await.unwrap_err();
    assert!(matches!(error, ChainError::Reverted { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_ends_is_made_again() {
    let first = chain().await;
    let address = first.address();
    let adapter = adapter(&first.ws_url()).await;
    adapter.head().await.unwrap();
    first.stop().await;
    let error = adapter.head().await.unwrap_err();
    assert!(error.to_string().contains(&format!("ws://{address}")), "{error}");
    adapter.wait().await;
    let config = Config { listen: address, ..Config::default() };
    let second = Devchain::open(&config).unwrap().start().await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while adapter.head().await.is_err() {
        assert!(Instant::now() < deadline, "the connection is not made again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn urls_of_one_chain_are_separated_by_commas() {
    let chain = chain().await;
    let nobody = "http://127.0.0.1:1/secret";
    let urls = format!("{nobody}, {}, {}", chain.ws_url(), chain.http_url());
    let adapter = adapter(&urls).await;
    assert_eq!(adapter.send(MARKET, Vec::new()).await.unwrap().block, 1);
    for urls in ["", "ftp://127.0.0.1", "http://127.0.0.1,", "ws://me:secret@127.0.0.1"] {
        let error = Endpoint::connect(urls, signer(0)).await.unwrap_err();
        assert!(matches!(error, ChainError::Url { .. }), "{urls}: {error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let error = Endpoint::connect(nobody, signer(0)).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.starts_with("http://127.0.0.1:1/…: ") && !source.contains("secret"), "{source}");
}

/// Answers a request with JSON-RPC over HTTP and nothing else, as nodes do whose WebSocket is elsewhere.
async fn plain(listener: tokio::net::TcpListener) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut request = vec![0; 8_192];
            while let Ok(length @ 1..) = stream.read(&mut request).await {
                let text = String::from_utf8_lossy(&request[..length]).into_owned();
                let result = if text.contains("eth_chainId") { "0x7a69" } else { "0x5" };
                let id = text
                    .split("\"id\":")
                    .nth(1)
                    .and_then(|rest| rest.split([',', '}']).next())
                    .unwrap_or("0");
                let body = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":\"{result}\"}}");
                let (status, body) = if text.starts_with("POST") {
                    ("200 OK", body)
                } else {
                    ("426 Upgrade Required", String::new())
                };
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
                    return;
                }
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_announces_nothing_is_asked_now_and_then() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(plain(listener));
    let adapter = adapter(&url).await;
    // Nothing was looked at yet, so that block 5 is news at once.
    for _ in 0..3 {
        let started = Instant::now();
        adapter.wait().await;
        assert!(started.elapsed() < Duration::from_millis(900), "{:?}", started.elapsed());
    }
    server.abort();
}
