//! A member's HTTP side as a [`KeyService`].

use crate::http::{ConsistencyProof, ErrorBody, InclusionProof, MAX_LOG_ENTRIES};
use async_trait::async_trait;
use reqwest::{Client, Response, StatusCode, Url, redirect};
use sealwork_ports::{ErrorKind, KeyService, PortError};
use sealwork_types::{
    AppId, B256, PolicyHash,
    cas_wire::{LogEntry, MemberEvidence, MemberInfo, Nonce, SignedLogHead, SignedRecipient},
    evidence::MAX_EVIDENCE_BYTES,
};
use serde::de::DeserializeOwned;
use std::{net::IpAddr, time::Duration};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// Largest answer that carries one small document, bytes.
const SMALL: usize = 16 * 1024;
/// Largest answer that carries evidence: hex, and some room.
const EVIDENCE: usize = 2 * MAX_EVIDENCE_BYTES + SMALL;
/// Largest answer that carries log entries; one has about 600 bytes.
const ENTRIES: usize = 2 * 1024 * 1024;

/// One CAS member behind its HTTP address.
///
/// Answers are bounded and well formed, nothing more: signatures are for the caller to check.
#[derive(Clone, Debug)]
pub struct HttpKeyService {
    client: Client,
    base: Url,
}

impl HttpKeyService {
    /// The member at `base`, such as `http://127.0.0.1:8900`. Does not connect.
    ///
    /// # Errors
    /// [`PortError`] of kind `Rejected` when the address is not an `http` or `https` URL.
    pub fn new(base: &str) -> Result<Self, PortError> {
        let invalid =
            || format!("CAS address {base:?} is not usable, expected one like http://127.0.0.1:8900");
        let mut url =
            Url::parse(base).map_err(|error| PortError::because(ErrorKind::Rejected, invalid(), error))?;
        if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() || url.query().is_some() {
            return Err(PortError::new(ErrorKind::Rejected, invalid()));
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .redirect(redirect::Policy::none());
        if is_local(&url) {
            builder = builder.no_proxy();
        }
        let client = builder
            .build()
            .map_err(|error| PortError::because(ErrorKind::Local, "prepare an HTTP client", error))?;
        Ok(Self { client, base: url })
    }

    /// Proof that entry `index` is in the log of `size` entries.
    ///
    /// # Errors
    /// [`PortError`].
    pub async fn log_proof(&self, index: u64, size: u64) -> Result<InclusionProof, PortError> {
        self.get(&format!("v1/log/proof?index={index}&size={size}"), SMALL).await
    }

    /// Proof that the log of `to` entries begins with the log of `from` entries.
    ///
    /// # Errors
    /// [`PortError`].
    pub async fn log_consistency(&self, from: u64, to: u64) -> Result<ConsistencyProof, PortError> {
        self.get(&format!("v1/log/consistency?from={from}&to={to}"), SMALL).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, limit: usize) -> Result<T, PortError> {
        let asked = || format!("ask CAS member {} for {path}", self.base);
        let url =
            self.base.join(path).map_err(|error| PortError::because(ErrorKind::Local, asked(), error))?;
        let unreachable = |error| PortError::because(ErrorKind::Unavailable, asked(), error);
        let response = self.client.get(url).send().await.map_err(unreachable)?;
        let status = response.status();
        let limit = if status.is_success() { limit } else { SMALL };
        let body = read_bounded(response, limit).await.map_err(|problem| match problem {
            ReadProblem::TooLarge => {
                PortError::new(ErrorKind::Limit, format!("{}: answer exceeds {limit} bytes", asked()))
            }
            ReadProblem::Broken(error) => unreachable(error),
        })?;
        if status != StatusCode::OK {
            return Err(refusal(&asked(), status, &body));
        }
        serde_json::from_slice(&body).map_err(|error| PortError::because(ErrorKind::Corrupt, asked(), error))
    }
}

#[async_trait]
impl KeyService for HttpKeyService {
    async fn info(&self) -> Result<MemberInfo, PortError> {
        self.get("v1/info", SMALL).await
    }

    async fn recipient(&self, app: AppId, policy: PolicyHash) -> Result<SignedRecipient, PortError> {
        self.get(&format!("v1/apps/{app}/recipient?policy={policy}"), SMALL).await
    }

    async fn evidence(&self, nonce: &Nonce) -> Result<MemberEvidence, PortError> {
        self.get(&format!("v1/evidence?nonce={:#x}", B256::from(*nonce)), EVIDENCE).await
    }

    async fn log_head(&self) -> Result<SignedLogHead, PortError> {
        self.get("v1/log/head", SMALL).await
    }

    async fn log_entries(&self, from: u64, count: u64) -> Result<Vec<LogEntry>, PortError> {
        let count = count.min(MAX_LOG_ENTRIES);
        self.get(&format!("v1/log/entries?from={from}&count={count}"), ENTRIES).await
    }
}

enum ReadProblem {
    TooLarge,
    Broken(reqwest::Error),
}

/// Reads a body, stopping at the first byte over the limit.
async fn read_bounded(mut response: Response, limit: usize) -> Result<Vec<u8>, ReadProblem> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(ReadProblem::Broken)? {
        if chunk.len() > limit.saturating_sub(body.len()) {
            return Err(ReadProblem::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn refusal(asked: &str, status: StatusCode, body: &[u8]) -> PortError {
    let kind = match status {
        StatusCode::NOT_FOUND => ErrorKind::NotFound,
        StatusCode::TOO_MANY_REQUESTS => ErrorKind::Unavailable,
        _ if status.is_server_error() => ErrorKind::Unavailable,
        _ if status.is_client_error() => ErrorKind::Rejected,
        _ => ErrorKind::Corrupt,
    };
    let said = match serde_json::from_slice::<ErrorBody>(body) {
        Ok(body) => format!("{} ({}); {}", body.detail, body.error, body.hint),
        Err(_) => format!("HTTP status {status}"),
    };
    PortError::new(kind, format!("{asked}: {said}"))
}

/// Whether an address names this machine; proxies are never asked for those.
fn is_local(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}
