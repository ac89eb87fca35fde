//! The calls of the Kubo RPC that a store needs. All are POST; failures are JSON with a message.

use crate::{
    block::{Block, GeneralCid, MAX_BLOCK_BYTES, parts_of},
    error::IntoPort,
};
use bytes::{Bytes, BytesMut};
use reqwest::{Client, RequestBuilder, Response, Url};
use sealwork_ports::{ErrorKind, PortError};
use sealwork_types::Codec;
use serde::{Deserialize, de::DeserializeOwned};
use std::time::Duration;

/// Longest answer that is not a block, in bytes.
const MAX_ANSWER_BYTES: usize = 256 << 10;

#[derive(Clone, Debug)]
pub(super) struct RpcClient {
    client: Client,
    base: Url,
    search_timeout: String,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(rename = "Message")]
    message: String,
}

#[derive(Deserialize)]
struct BlockStat {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "Size")]
    size: u64,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "Version")]
    version: String,
}

impl RpcClient {
    pub(super) fn new(url: &str, search_timeout: Duration) -> Result<Self, PortError> {
        let refused =
            |why: &str| PortError::new(ErrorKind::Rejected, format!("use {url:?} as Kubo RPC: {why}"));
        let base = Url::parse(url).map_err(|_| refused("expected a URL such as http://127.0.0.1:5001"))?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(refused("expected http or https"));
        }
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(search_timeout + Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| PortError::because(ErrorKind::Local, "set up an HTTP client", error))?;
        let search_timeout = format!("{}s", search_timeout.as_secs().max(1));
        Ok(Self { client, base, search_timeout })
    }

    pub(super) async fn version(&self) -> Result<String, PortError> {
        let version: Version = self.json(self.post("version", &[]), "ask the store for its version").await?;
        Ok(version.version)
    }

    /// Fetches a block and hashes it.
    pub(super) async fn block(&self, cid: GeneralCid) -> Result<Block, PortError> {
        let action = format!("fetch block {cid}");
        let text = cid.to_string();
        let request = self.post("block/get", &[("arg", &text), ("timeout", &self.search_timeout)]);
        let data = read(self.send(request, &action).await?, MAX_BLOCK_BYTES, &action).await?;
        let hashed = if data.len() > 64 << 10 {
            let job = tokio::task::spawn_blocking(move || Block::verify(&cid, data));
            job.await.map_err(|error| PortError::because(ErrorKind::Local, action.clone(), error))?
        } else {
            Block::verify(&cid, data)
        };
        hashed.map_err(|error| error.into_port(action))
    }

    /// Size of a block that the node has or finds.
    pub(super) async fn block_len(&self, cid: &GeneralCid) -> Result<u64, PortError> {
        let text = cid.to_string();
        let request = self.post("block/stat", &[("arg", &text), ("timeout", &self.search_timeout)]);
        let stat: BlockStat = self.json(request, &format!("find block {cid}")).await?;
        Ok(stat.size)
    }

    pub(super) async fn put_block(&self, block: &Block) -> Result<(), PortError> {
        let action = format!("store block {}", block.cid());
        let codec = match block.codec() {
            Codec::Raw => "raw",
            Codec::DagPb => "dag-pb",
        };
        let query = [("cid-codec", codec), ("mhtype", "sha2-256"), ("pin", "false")];
        // Data cannot contain its own hash, so the hash is a boundary that fits every block.
        let boundary = format!("{:x}", block.digest());
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let form = form(&boundary, block.data());
        let request = self.post("block/put", &query).header("content-type", content_type).body(form);
        let stat: BlockStat = self.json(request, &action).await?;
        let stored = GeneralCid::try_from(stat.key.as_str()).ok().and_then(|key| parts_of(&key).ok());
        match stored {
            Some((_, digest)) if digest == *block.digest() => Ok(()),
            _ => Err(PortError::new(
                ErrorKind::Corrupt,
                format!("{action}: the node stored {:.100}", stat.key),
            )),
        }
    }

    pub(super) async fn pin(&self, cid: &GeneralCid) -> Result<(), PortError> {
        let text = cid.to_string();
        let query = [("arg", text.as_str()), ("recursive", "true"), ("timeout", &self.search_timeout)];
        let action = format!("pin {cid}");
        read(self.send(self.post("pin/add", &query), &action).await?, MAX_ANSWER_BYTES, &action)
            .await
            .map(drop)
    }

    /// Removes a pin; fine when there is none.
    pub(super) async fn unpin(&self, cid: &GeneralCid) -> Result<(), PortError> {
        let text = cid.to_string();
        let action = format!("unpin {cid}");
        let response = self.post("pin/rm", &[("arg", &text), ("recursive", "true")]).send().await;
        let response = response.map_err(|error| unreachable(&action, error))?;
        if response.status().is_success() {
            return Ok(());
        }
        let (kind, message) = failure(response, &action).await?;
        if message.contains("not pinned") {
            Ok(())
        } else {
            Err(PortError::new(kind, format!("{action}: {message}")))
        }
    }

    fn post(&self, call: &str, query: &[(&str, &str)]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "v0"]).extend(call.split('/'));
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.client.post(url)
    }

    async fn send(&self, request: RequestBuilder, action: &str) -> Result<Response, PortError> {
        let response = request.send().await.map_err(|error| unreachable(action, error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (kind, message) = failure(response, action).await?;
        Err(PortError::new(kind, format!("{action}: {message}")))
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder, action: &str) -> Result<T, PortError> {
        let body = read(self.send(request, action).await?, MAX_ANSWER_BYTES, action).await?;
        serde_json::from_slice(&body).map_err(|error| PortError::because(ErrorKind::Corrupt, action, error))
    }
}

/// What kind of failure an answer is, and its message.
async fn failure(response: Response, action: &str) -> Result<(ErrorKind, String), PortError> {
    let status = response.status();
    let body = read(response, MAX_ANSWER_BYTES, action).await?;
    let message = serde_json::from_slice::<Failure>(&body)
        .map_or_else(|_| format!("HTTP status {status}"), |f| f.message);
    let kind = if message.contains("not find") || message.contains("not found") {
        ErrorKind::NotFound
    } else if status.is_client_error() {
        ErrorKind::Rejected
    } else {
        ErrorKind::Unavailable
    };
    Ok((kind, message.chars().take(500).collect()))
}

/// Reads a body of at most `limit` bytes.
async fn read(mut response: Response, limit: usize, action: &str) -> Result<Bytes, PortError> {
    let mut body = BytesMut::new();
    while let Some(piece) = response.chunk().await.map_err(|error| unreachable(action, error))? {
        if piece.len() > limit - body.len() {
            let action = format!("{action}: the answer has more than {limit} bytes");
            return Err(PortError::new(ErrorKind::Corrupt, action));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

fn unreachable(action: &str, error: reqwest::Error) -> PortError {
    PortError::because(ErrorKind::Unavailable, action, error)
}

/// A form with one file.
fn form(boundary: &str, data: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"data\"; filename=\"block\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    let tail = format!("\r\n--{boundary}--\r\n");
    [head.as_bytes(), data, tail.as_bytes()].concat()
}
