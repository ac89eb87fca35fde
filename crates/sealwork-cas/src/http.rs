//! The clients' side of a member: signed documents over HTTP.
//!
//! Everything here is public and signed, or evidence; the transport needs no secrecy.

use crate::{
    CasError, LogError, Member,
    denial::{Denial, with_causes},
    stream::BoundedListener,
};
use axum::{
    Json, Router,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use sealwork_types::{
    AppId, B256, PolicyHash,
    cas_wire::{DenialRule, LogEntry, MemberEvidence, MemberInfo, SignedLogHead, SignedRecipient},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{future::Future, sync::Arc};
use tokio::{net::TcpListener, sync::oneshot};

/// Most entries in one answer.
pub const MAX_LOG_ENTRIES: u64 = 1_000;

/// `GET /v1/log/proof?index=&size=`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InclusionProof {
    /// Entry.
    pub index: u64,
    /// Entries of the log that the proof is for.
    pub size: u64,
    /// Siblings, from the leaf upwards.
    pub path: Vec<B256>,
}

/// `GET /v1/log/consistency?from=&to=`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyProof {
    /// Entries of the older log.
    pub from: u64,
    /// Entries of the newer log.
    pub to: u64,
    /// Hashes that lead to both roots.
    pub path: Vec<B256>,
}

/// The body of every answer that is not 200.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// A word for programs.
    pub error: String,
    /// What was found and expected.
    pub detail: String,
    /// What the caller can do.
    pub hint: String,
}

/// Serves clients until `shutdown`, then lets running requests finish for the configured grace.
///
/// # Errors
/// Nothing that a peer does ends the server; [`CasError::State`] when the listener itself fails.
pub async fn serve_http(
    member: Arc<Member>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), CasError> {
    serve_http_with(member, listener, std::convert::identity, shutdown).await
}

/// The same with whatever `furnish` puts beside the pages or around them.
///
/// # Errors
/// As [`serve_http`].
pub async fn serve_http_with(
    member: Arc<Member>,
    listener: TcpListener,
    furnish: impl FnOnce(Router) -> Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), CasError> {
    let limits = member.serve;
    let listener = BoundedListener::new(listener, &limits, limits.http_lifetime);
    let (ended, at_end) = oneshot::channel();
    let signal = async move {
        shutdown.await;
        let _ = ended.send(());
    };
    let serve = axum::serve(listener, furnish(router(member))).with_graceful_shutdown(signal);
    let deadline = async {
        let _ = at_end.await;
        tokio::time::sleep(limits.grace).await;
    };
    tokio::select! {
        served = serve => {
            served.map_err(|source| CasError::State { action: "serve clients from", path: "http".into(), source })
        }
        () = deadline => Ok(()),
    }
}

fn router(member: Arc<Member>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/v1/info", get(info))
        .route("/v1/evidence", get(evidence))
        .route("/v1/apps/{id}/recipient", get(recipient))
        .route("/v1/log/head", get(log_head))
        .route("/v1/log/entries", get(log_entries))
        .route("/v1/log/proof", get(log_proof))
        .route("/v1/log/consistency", get(log_consistency))
        .fallback(|| async { Problem::not_found("no such path; GET /v1/info says who this member is") })
        .method_not_allowed_fallback(|| async { Problem::bad("only GET is served here", "use GET") })
        .with_state(member)
}

type Answer<T> = Result<Json<T>, Problem>;
type Asked<T> = Result<Query<T>, QueryRejection>;

#[derive(Deserialize)]
struct NonceQuery {
    nonce: B256,
}

#[derive(Deserialize)]
struct PolicyQuery {
    policy: PolicyHash,
}

#[derive(Deserialize)]
struct RangeQuery {
    from: u64,
    count: u64,
}

#[derive(Deserialize)]
struct ProofQuery {
    index: u64,
    size: u64,
}

#[derive(Deserialize)]
struct ConsistencyQuery {
    from: u64,
    to: u64,
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    log_size: u64,
}

async fn health(State(member): State<Arc<Member>>) -> Answer<Health> {
    let head = blocking(move || member.log_head()).await?;
    Ok(Json(Health { status: "ok", log_size: head.0.head.size }))
}

async fn info(State(member): State<Arc<Member>>) -> Json<MemberInfo> {
    Json(member.info())
}

async fn evidence(State(member): State<Arc<Member>>, query: Asked<NonceQuery>) -> Answer<MemberEvidence> {
    let NonceQuery { nonce } = asked(query)?;
    blocking(move || member.evidence(&nonce.0).map_err(CasError::Quote)).await
}

async fn recipient(
    State(member): State<Arc<Member>>,
    Path(app): Path<String>,
    query: Asked<PolicyQuery>,
) -> Answer<SignedRecipient> {
    let app: AppId = app
        .parse()
        .map_err(|_| Problem::bad("the app id is not 64 hex digits", "copy it from the registry"))?;
    let PolicyQuery { policy } = asked(query)?;
    Ok(Json(member.recipient(app, policy).await?))
}

async fn log_head(State(member): State<Arc<Member>>) -> Answer<SignedLogHead> {
    blocking(move || member.log_head()).await
}

async fn log_entries(State(member): State<Arc<Member>>, query: Asked<RangeQuery>) -> Answer<Vec<LogEntry>> {
    let RangeQuery { from, count } = asked(query)?;
    if count > MAX_LOG_ENTRIES {
        let detail = format!("count is {count}, at most {MAX_LOG_ENTRIES} entries are served at once");
        return Err(Problem::bad(detail, "ask for the rest with another request"));
    }
    blocking(move || member.log_entries(from, count)).await
}

async fn log_proof(State(member): State<Arc<Member>>, query: Asked<ProofQuery>) -> Answer<InclusionProof> {
    let ProofQuery { index, size } = asked(query)?;
    let proof = move || Ok(InclusionProof { index, size, path: member.log().prove_inclusion(index, size)? });
    blocking(proof).await
}

async fn log_consistency(
    State(member): State<Arc<Member>>,
    query: Asked<ConsistencyQuery>,
) -> Answer<ConsistencyProof> {
    let ConsistencyQuery { from, to } = asked(query)?;
    let proof = move || Ok(ConsistencyProof { from, to, path: member.log().prove_consistency(from, to)? });
    blocking(proof).await
}

/// Runs what blocks (disk, platform) beside the event loop.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CasError> + Send + 'static,
) -> Answer<T> {
    let done = tokio::task::spawn_blocking(work).await.expect("the work does not panic and is not aborted");
    Ok(Json(done?))
}

fn asked<T: DeserializeOwned>(query: Asked<T>) -> Result<T, Problem> {
    query.map(|Query(query)| query).map_err(|rejection| {
        Problem::bad(rejection.body_text(), "see the protocol document for the query's fields")
    })
}

/// An answer that is not 200.
struct Problem {
    status: StatusCode,
    body: ErrorBody,
}

impl Problem {
    fn new(status: StatusCode, error: &str, detail: impl Into<String>, hint: &str) -> Self {
        Self { status, body: ErrorBody { error: error.into(), detail: detail.into(), hint: hint.into() } }
    }

    fn bad(detail: impl Into<String>, hint: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail, hint)
    }

    fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail, "check the address")
    }
}

impl From<Denial> for Problem {
    fn from(denial: Denial) -> Self {
        let (status, error, hint) = match denial.rule {
            DenialRule::Protocol => {
                (StatusCode::BAD_REQUEST, "protocol", "send what the protocol document says")
            }
            DenialRule::Evidence => (StatusCode::FORBIDDEN, "evidence", "send valid evidence"),
            DenialRule::Appraisal => {
                (StatusCode::FORBIDDEN, "appraisal", "run an enclave that the policy accepts")
            }
            DenialRule::Registration => (
                StatusCode::NOT_FOUND,
                "registration",
                "register the app with this policy, or ask for the registered one",
            ),
            DenialRule::ChainUnavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "chain_unavailable", "try again later")
            }
            DenialRule::KeyEpoch => (StatusCode::NOT_FOUND, "key_epoch", "ask for the current key epoch"),
            DenialRule::RateLimit => (StatusCode::TOO_MANY_REQUESTS, "rate_limit", "try again later"),
        };
        Self::new(status, error, denial.detail, hint)
    }
}

impl From<CasError> for Problem {
    fn from(error: CasError) -> Self {
        if let CasError::Log(error @ LogError::Range { .. }) = &error {
            return Self::bad(error.to_string(), "GET /v1/log/head says how many entries there are");
        }
        tracing::error!(error = %with_causes(&error), "cannot answer a client");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "this member is broken", "tell its operator")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}
