//! Several endpoints of one chain as one: the healthiest is asked, another when it fails, and what they say is compared.

use crate::{
    ChainError,
    member::{Address as At, Member, is_unreachable},
    trail::REORG_DEPTH,
};
use alloy_json_rpc::{RequestPacket, ResponsePacket};
use alloy_primitives::{Address, B256, keccak256};
use alloy_transport::{TransportError, TransportErrorKind, TransportFut};
use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
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
/// Endpoints are compared so often at most.
const COMPARE_EVERY: Duration = Duration::from_secs(10);

/// Blocks over which the time between them is taken,
const PACE_OVER: u64 = 16;
/// how long it is good for,
const PACE_FOR: Duration = Duration::from_secs(60);
/// and the longest that counts: an idle chain that makes blocks only when asked is not slow.
const LONGEST_PACE: Duration = Duration::from_secs(15);

/// Blocks that come more often are looked for without much of a pause.
const FAST_BLOCKS: Duration = Duration::from_secs(2);
const SHORTEST_LOOK: Duration = Duration::from_millis(20);
const LONGEST_LOOK: Duration = Duration::from_secs(1);

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

    /// Asks one after the other until one answers.
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
                Err(error) if error.is_unreachable() => last = Some(error),
                answer => return answer.map(|answer| (member, answer)),
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

    fn nobody(&self) -> ChainError {
        let out =
            self.members.iter().filter_map(|member| Some(format!("{}: {}", member.name(), member.out()?)));
        let reasons: Vec<_> = out.collect();
        let reasons = if reasons.is_empty() { "none answers".to_owned() } else { reasons.join("; ") };
        ChainError::NoEndpoint { reasons }
    }

    /// Time between blocks lately; what is asked now and then is remembered.
    pub(crate) async fn block_time(&self) -> Duration {
        let known = *self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((asked, pace)) = known
            && asked.elapsed() < PACE_FOR
        {
            return pace;
        }
        let pace = self.pace_now().await.unwrap_or(LONGEST_PACE).min(LONGEST_PACE);
        *self.pace.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), pace));
        pace
    }

    /// Pause between looks for a new block: short where asking costs nothing and where blocks are fast, else a part of
    /// the time between blocks.
    pub(crate) async fn look_every(&self) -> Duration {
        if self.order().first().is_some_and(Member::is_local) {
            return SHORTEST_LOOK;
        }
        match self.block_time().await {
            fast if fast < FAST_BLOCKS => SHORTEST_LOOK,
            slow => (slow / 4).min(LONGEST_LOOK),
        }
    }

    /// Returns when the endpoint that is asked first announces a head, or has announced one after `seen`; `None` when it
    /// does not announce them.
    pub(crate) async fn announced(&self, seen: u64) -> Option<()> {
        let member = self.order().into_iter().next()?;
        let mut heads = member.heads().await?;
        let newest = *heads.borrow_and_update();
        // Nobody announces what came before the connection.
        if newest > seen || newest == 0 && member.latest().await.is_ok_and(|head| head.number > seen) {
            return Some(());
        }
        heads.changed().await.ok()
    }

    async fn pace_now(&self) -> Option<Duration> {
        let (member, head) = self.first(async |member| member.latest().await).await.ok()?;
        let blocks = head.number.min(PACE_OVER);
        let earlier = member.header(head.number - blocks).await.ok()??;
        let seconds = head.timestamp.saturating_sub(earlier.timestamp);
        Some(Duration::from_secs(seconds) / u32::try_from(blocks.max(1)).ok()?)
    }

    /// Compares what the endpoints say, unless that was done a moment ago.
    pub(crate) async fn compare(&self) {
        if self.members.len() < 2 || !self.is_due() {
            return;
        }
        let mut seen = Vec::new();
        for member in self.members.iter().filter(|member| member.out().is_none() && member.is_rested()) {
            if self.is_known(member).await
                && let Ok(Ok(latest)) = tokio::time::timeout(FAIL_OVER_WITHIN, member.latest()).await
            {
                member.set_height(latest.number);
                seen.push((member.clone(), latest.number));
            }
        }
        self.compare_code(&seen).await;
        let Some(best) = seen.iter().map(|(_, height)| *height).max() else { return };
        seen.retain(|(member, height)| height.saturating_add(LAG) >= best && member.out().is_none());
        let lowest = seen.iter().map(|(_, height)| *height).min().unwrap_or_default();
        if let Some(depth) = lowest.checked_sub(REORG_DEPTH + 1) {
            self.compare_hashes(&seen, depth).await;
        }
    }

    fn is_due(&self) -> bool {
        let (mut compared, now) =
            (self.compared.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        let due = compared.is_none_or(|last| now.duration_since(last) >= COMPARE_EVERY);
        if due {
            *compared = Some(now);
        }
        due
    }

    async fn compare_code(&self, seen: &[(Member, u64)]) {
        let Some(contract) = self.contract.get() else { return };
        for (member, _) in seen {
            let Ok(code) = member.code(*contract).await else { continue };
            let hash = keccak256(&code);
            let (expected, other) = self.code.get_or_init(|| (hash, member.name().to_owned()));
            if *expected != hash {
                self.put_out(member, other, format!("it shows other code at {contract} than {other}"));
            }
        }
    }

    /// So deep nothing changes: whoever shows another block there is on another chain. Most are right, and among as many
    /// the most trusted.
    async fn compare_hashes(&self, seen: &[(Member, u64)], block: u64) {
        let mut shown: Vec<(Member, B256)> = Vec::new();
        for (member, _) in seen {
            if let Ok(Some(header)) = member.header(block).await {
                shown.push((member.clone(), header.hash));
            }
        }
        let votes = |hash: B256| shown.iter().filter(|(_, other)| *other == hash).count();
        // Of several maxima the first counts, so from the end.
        let Some((other, right)) = shown.iter().rev().max_by_key(|(_, hash)| votes(*hash)) else { return };
        for (member, hash) in shown.iter().filter(|(_, hash)| hash != right) {
            let reason = format!("block {block} is {hash} there and {right} at {}", other.name());
            self.put_out(member, other.name(), reason);
        }
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
