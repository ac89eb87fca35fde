//! Several endpoints of one chain as one: the healthiest is asked, another when it fails, and what they say is compared.

mod compare;
mod pace;

use crate::{
    ChainError,
    member::{Address as At, Member, is_unreachable},
};
use alloy_json_rpc::{RequestPacket, ResponsePacket};
use alloy_primitives::{Address, B256};
use alloy_transport::{TransportError, TransportErrorKind, TransportFut};
use std::{
    sync::{Arc, Mutex, OnceLock},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;
use tower::Service;

/// Longest wait for an answer: an endpoint that is silent is not reachable;
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// the same when there is another one to ask.
const FAIL_OVER_WITHIN: Duration = Duration::from_secs(5);
/// Blocks that an endpoint may be behind the best one and still be asked.
const LAG: u64 = 3;

/// Endpoints of one chain, in the order in which the user trusts them.
#[derive(Debug)]
pub(crate) struct Pool {
    members: Vec<Member>,
    /// Chain id and first block of the first endpoint that answered.
    identity: OnceLock<(u64, B256, String)>,
    /// A contract whose code all must show, and the code's hash.
    contract: OnceLock<Address>,
    code: OnceLock<(B256, String)>,
    compared: Mutex<Option<Instant>>,
    /// Time between blocks, and when that was found out.
    pace: Mutex<Option<(Instant, Duration)>>,
}

impl Pool {
    pub(crate) fn new(endpoints: Vec<At>) -> Self {
        let within = if endpoints.len() > 1 { FAIL_OVER_WITHIN } else { ANSWER_WITHIN };
        Self {
            members: endpoints.into_iter().map(|at| Member::new(at, within)).collect(),
            identity: OnceLock::new(),
            contract: OnceLock::new(),
            code: OnceLock::new(),
            compared: Mutex::default(),
            pace: Mutex::default(),
        }
    }

    /// Makes endpoints that show other code there not believable.
    pub(crate) fn pin(&self, contract: Address) {
        // Whoever shares the endpoints looks at the same deployment.
        let _ = self.contract.set(contract);
    }

    /// Those that are believed, do not rest and are not far behind, the most trusted first.
    pub(crate) fn healthy(&self) -> Vec<Member> {
        let believed = self.members.iter().filter(|member| member.out().is_none() && member.is_rested());
        let best = believed.clone().filter_map(|member| member.height()).max().unwrap_or_default();
        let current = |member: &&Member| member.height().is_none_or(|own| own.saturating_add(LAG) >= best);
        believed.filter(current).cloned().collect()
    }

    /// All that may be asked, in the order in which they should: those that rest or are behind come last.
    pub(crate) fn order(&self) -> Vec<Member> {
        let mut order = self.healthy();
        let mut others: Vec<_> =
            self.members.iter().filter(|member| member.out().is_none()).cloned().collect();
        others.retain(|member| !order.iter().any(|healthy| healthy.is(member)));
        others.sort_by_key(|member| member.rests_until());
        order.append(&mut others);
        order
    }

    /// Asks one after the other until one has an answer; for questions that no endpoint may refuse.
    pub(crate) async fn first<R>(
        &self,
        mut question: impl AsyncFnMut(&Member) -> Result<R, ChainError>,
    ) -> Result<(Member, R), ChainError> {
        let mut last = None;
        for member in self.order() {
            if !self.is_known(&member).await {
                continue;
            }
            match question(&member).await {
                Ok(answer) => return Ok((member, answer)),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| self.nobody()))
    }

    /// Broadcasts a signed transaction through the first endpoint that answers.
    pub(crate) async fn broadcast(&self, raw: &[u8]) -> Broadcast {
        let mut asked_before = false;
        for member in self.order() {
            if !self.is_known(&member).await {
                continue;
            }
            match member.broadcast(raw).await {
                Ok(()) => return Broadcast::Taken,
                Err(error) if is_unreachable(&error) => asked_before = true,
                Err(error) => return Broadcast::Refused { error, asked_before },
            }
        }
        Broadcast::Unanswered
    }

    /// Broadcasts a signed transaction again, through all others that are well: it is not mined where the first one is
    /// cut off.
    pub(crate) async fn spread(&self, raw: &[u8]) {
        for member in self.healthy().iter().skip(1) {
            // What they say to it does not matter: the first one was asked for its answer.
            let _ = member.broadcast(raw).await;
        }
    }

    async fn call(&self, request: RequestPacket) -> Result<ResponsePacket, TransportError> {
        let mut last = None;
        for member in self.order() {
            if !self.is_known(&member).await {
                continue;
            }
            match member.ask(request.clone()).await {
                Err(error) if is_unreachable(&error) => last = Some(error),
                answer => return answer,
            }
        }
        Err(last.unwrap_or_else(|| TransportErrorKind::custom(self.nobody())))
    }

    /// Whether an endpoint serves the same chain as the others; asked once, before it is believed.
    async fn is_known(&self, member: &Member) -> bool {
        if self.members.len() == 1 || member.is_checked() {
            return true;
        }
        let Ok((id, first)) = member.identity().await else { return false };
        let (chain, block, other) = self.identity.get_or_init(|| (id, first, member.name().to_owned()));
        if (*chain, *block) != (id, first) {
            let reason =
                format!("it serves chain {id} with first block {first}, {other} chain {chain} with {block}");
            self.put_out(member, other, reason);
            return false;
        }
        member.set_checked();
        true
    }

    fn put_out(&self, member: &Member, other: &str, reason: String) {
        tracing::error!(endpoint = member.name(), other, reason, "a chain endpoint is not believed any more");
        member.put_out(reason);
    }

    /// Why there is none to ask.
    pub(crate) fn nobody(&self) -> ChainError {
        let out =
            self.members.iter().filter_map(|member| Some(format!("{}: {}", member.name(), member.out()?)));
        let reasons: Vec<_> = out.collect();
        let reasons = if reasons.is_empty() { "none answers".to_owned() } else { reasons.join("; ") };
        ChainError::NoEndpoint { reasons }
    }

    /// Puts out an endpoint whose events are proven wrong.
    pub(crate) fn disbelieve(&self, member: &Member, other: &Member, reason: String) {
        self.put_out(member, other.name(), reason);
    }
}

/// What became of a broadcast.
pub(crate) enum Broadcast {
    Taken,
    /// Nobody answered; somebody may have taken it all the same.
    Unanswered,
    Refused {
        error: TransportError,
        /// Somebody else was asked before, who may have taken it.
        asked_before: bool,
    },
}

/// The endpoints as one transport.
#[derive(Clone, Debug)]
pub(crate) struct Failover(pub(crate) Arc<Pool>);

impl Service<RequestPacket> for Failover {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RequestPacket) -> TransportFut<'static> {
        let pool = Arc::clone(&self.0);
        Box::pin(async move { pool.call(request).await })
    }
}
