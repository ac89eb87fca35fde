//! Requests to the Kubo RPC that a local store serves.

use crate::{
    http::{Answer, Client, runtime},
    memory::bounded,
    seeds::{Seed, chosen},
};
use arbitrary::{Result, Unstructured};
use sealwork_store::{LocalOptions, LocalStore, serve};
use serde_json::Value;
use std::{
    path::Path,
    sync::{LazyLock, Mutex},
};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime};

const COMMANDS: [&str; 12] = [
    "version",
    "id",
    "add",
    "cat",
    "block/put",
    "block/get",
    "block/stat",
    "pin/add",
    "pin/rm",
    "pin/ls",
    "repo/gc",
    "repo/stat",
];
const OPTIONS: [&str; 16] = [
    "arg",
    "pin",
    "chunker",
    "cid-version",
    "raw-leaves",
    "max-file-links",
    "only-hash",
    "wrap-with-directory",
    "offset",
    "length",
    "format",
    "cid-codec",
    "mhtype",
    "type",
    "stream",
    "recursive",
];
const VALUES: [&str; 19] = [
    "",
    "true",
    "false",
    "0",
    "1",
    "2",
    "18446744073709551615",
    "-1",
    "size-1",
    "size-3",
    "size-1048577",
    "raw",
    "dag-pb",
    "v0",
    "sha2-256",
    "recursive",
    "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
    "/ipfs/QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG",
    "bafybeibzj4b4zt4h6h2f65i6z4ajgnxkzqzqxqj6oxwxyxk6e6f7z5q3xy",
];
/// A request may take this much memory beside the store's own indexes.
const MEMORY: usize = 48 << 20;

struct World {
    _runtime: Runtime,
    _folder: TempDir,
    client: Client,
}

static WORLD: LazyLock<Mutex<World>> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    let folder = folder.expect("a temporary folder can be made");
    let runtime = runtime();
    let store = LocalStore::open(folder.path(), LocalOptions::default()).expect("an empty folder");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let client = Client::new(listener.local_addr().expect("a bound socket"));
    runtime.spawn(serve(listener, store, std::future::pending()));
    Mutex::new(World { _runtime: runtime, _folder: folder, client })
});

pub fn run(data: &[u8]) {
    let Ok(mut world) = WORLD.lock() else { return };
    let client = &mut world.client;
    let Some((kind, rest)) = data.split_first() else { return };
    bounded(MEMORY, || match kind % 3 {
        0 => drop(command(client, &mut Unstructured::new(rest))),
        1 => round_trip(client, rest),
        _ => raw(client, rest),
    });
}

/// A command with options, and a form. Kubo's clients read failures out of JSON.
fn command(client: &mut Client, script: &mut Unstructured<'_>) -> Result<()> {
    let command = script.choose(&COMMANDS)?;
    let mut query = String::new();
    for _ in 0..script.int_in_range(0..=4)? {
        let name = script.choose(&OPTIONS)?;
        let value = if script.ratio(1, 5)? {
            escaped(&script.arbitrary::<Vec<u8>>()?)
        } else {
            (*script.choose(&VALUES)?).to_owned()
        };
        query.push_str(&format!("{}{name}={value}", if query.is_empty() { "?" } else { "&" }));
    }
    let body =
        if script.ratio(1, 6)? { script.take_rest_in_part()? } else { form(&script.take_rest_in_part()?) };
    check(client.ask("POST", &format!("/api/v0/{command}{query}"), FORM, &body));
    Ok(())
}

trait TakeRest {
    fn take_rest_in_part(&mut self) -> Result<Vec<u8>>;
}

impl TakeRest for Unstructured<'_> {
    fn take_rest_in_part(&mut self) -> Result<Vec<u8>> {
        self.bytes(self.len()).map(<[u8]>::to_vec)
    }
}

const FORM: &str = "Content-Type: multipart/form-data; boundary=edge\r\n";

fn form(content: &[u8]) -> Vec<u8> {
    let head = b"--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n";
    [&head[..], content, b"\r\n--edge--\r\n"].concat()
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().take(200).map(|byte| format!("%{byte:02x}")).collect()
}

fn check(answer: Option<Answer>) {
    let Some((status, body)) = answer else { return };
    match status {
        200 => {}
        // axum's own answers to a wrong method, path or content type have no JSON.
        404 | 405 | 415 => {}
        400 | 403 | 406 | 500 => {
            let failure: Value = serde_json::from_slice(&body).unwrap_or_default();
            let is_text = failure["Message"].is_string();
            assert!(
                is_text || status == 400,
                "a failure without a message: {}",
                String::from_utf8_lossy(&body)
            );
        }
        other => panic!("status {other}: {}", String::from_utf8_lossy(&body)),
    }
}

/// What was added or put comes out again under the name that was given.
fn round_trip(client: &mut Client, content: &[u8]) {
    if content.windows(6).any(|window| window == b"--edge") {
        return;
    }
    for (put, name, get) in
        [("block/put", "Key", "block/get"), ("add?pin=false&chunker=size-3", "Hash", "cat")]
    {
        let (status, answer) =
            client.ask("POST", &format!("/api/v0/{put}"), FORM, &form(content)).expect("an answer");
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
        let answer: Value = serde_json::from_slice(&answer).expect("JSON");
        let cid = answer[name].as_str().expect("a name");
        let (status, back) =
            client.ask("POST", &format!("/api/v0/{get}?arg={cid}"), "", b"").expect("an answer");
        assert!(status == 200 && back == content, "{status} {}", String::from_utf8_lossy(&back));
    }
}

/// A path and headers of any bytes that a request line can carry.
fn raw(client: &mut Client, bytes: &[u8]) {
    let visible: String =
        bytes.iter().filter(|byte| byte.is_ascii_graphic()).map(|byte| char::from(*byte)).collect();
    let path = if visible.starts_with('/') { visible } else { format!("/ipfs/{visible}") };
    check(client.ask("GET", &path, "Accept: application/vnd.ipld.raw\r\n", b""));
    check(client.ask("POST", &path, FORM, bytes));
}

pub fn seeds() -> Vec<Seed> {
    vec![
        chosen("command", 0, (0..90).collect::<Vec<u8>>()),
        chosen("add", 0, [&[2, 3, 1, 9, 2, 7, 4, 9][..], &[7; 60]].concat()),
        chosen("round-trip", 1, b"hello world"),
        chosen("gateway", 2, b"/ipfs/bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku?format=raw"),
        chosen("path", 2, b"/api/v0/cat?arg=bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
    ]
}
