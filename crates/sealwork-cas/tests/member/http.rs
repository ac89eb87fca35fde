//! The HTTP side: documents, limits, and errors that say what to do.

use crate::network::{APP, Network, no_policy};
use sealwork_cas::{ErrorBody, HttpKeyService, MAX_LOG_ENTRIES};
use sealwork_ports::{ErrorKind, KeyService};
use sealwork_types::{AppId, PolicyHash};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

/// Status and body of a raw request.
fn ask(at: SocketAddr, method: &str, path: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(at).unwrap();
    write!(socket, "{method} {path} HTTP/1.1\r\nHost: member\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

#[test]
fn bad_requests_get_an_error_a_detail_and_a_hint() {
    let network = Network::start();
    let app = format!("/v1/apps/{APP}/recipient");
    let cases = [
        (404, "GET", "/v2/info".to_owned()),
        (400, "POST", "/v1/info".to_owned()),
        (400, "GET", "/v1/evidence".to_owned()),
        (400, "GET", "/v1/evidence?nonce=12".to_owned()),
        (400, "GET", app.clone()),
        (400, "GET", format!("{app}?policy=zz")),
        (400, "GET", "/v1/apps/7/recipient?policy=00".to_owned()),
        (404, "GET", format!("{app}?policy={}", no_policy())),
        (400, "GET", format!("/v1/log/entries?from=0&count={}", MAX_LOG_ENTRIES + 1)),
        (400, "GET", "/v1/log/entries?from=-1&count=1".to_owned()),
        (400, "GET", "/v1/log/proof?index=0&size=1".to_owned()),
        (400, "GET", format!("/v1/log/consistency?from=1&to={}", u64::MAX)),
    ];
    for (status, method, path) in cases {
        let (found, body) = ask(network.http, method, &path);
        assert_eq!(found, status, "{path}: {body}");
        let body: ErrorBody =
            serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"));
        assert!(!body.error.is_empty() && !body.detail.is_empty() && !body.hint.is_empty(), "{path}");
    }
    assert_eq!(ask(network.http, "GET", "/health"), (200, r#"{"status":"ok","log_size":0}"#.to_owned()));
    network.stop();
}

#[test]
fn the_client_tells_refusals_from_outages() {
    let network = Network::start();
    let refused =
        network.wait(network.client.recipient(AppId::default(), PolicyHash::default())).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::NotFound);
    assert!(refused.to_string().contains("registration"), "{refused}");
    assert_eq!(network.wait(network.client.log_proof(1, 1)).unwrap_err().kind, ErrorKind::Rejected);
    assert_eq!(network.wait(network.client.log_entries(0, u64::MAX)).unwrap(), []);
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = HttpKeyService::new(&format!("http://{unused}")).unwrap();
    assert_eq!(network.wait(nobody.info()).unwrap_err().kind, ErrorKind::Unavailable);
    network.stop();
}

#[test]
fn the_client_refuses_answers_that_are_too_large_or_not_json() {
    let network = Network::start();
    let cases = [
        (
            ErrorKind::Limit,
            format!("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{}", "x".repeat(100_000)),
        ),
        (ErrorKind::Corrupt, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_owned()),
        (ErrorKind::Corrupt, "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n".to_owned()),
        (ErrorKind::Unavailable, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n".to_owned()),
        (ErrorKind::Unavailable, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}".to_owned()),
    ];
    for (kind, answer) in cases {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = HttpKeyService::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let server = thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let _ = socket.read(&mut [0; 4096]).unwrap();
            let _ = socket.write_all(answer.as_bytes());
        });
        assert_eq!(network.wait(client.info()).unwrap_err().kind, kind);
        server.join().unwrap();
    }
    network.stop();
}

#[test]
fn addresses_that_are_not_http_are_refused() {
    for address in ["", "127.0.0.1:8900", "ftp://127.0.0.1", "http://127.0.0.1/?x=1"] {
        assert_eq!(HttpKeyService::new(address).unwrap_err().kind, ErrorKind::Rejected, "{address}");
    }
}
