//! Whether the endpoints are of one chain and one past.

use super::{FAIL_OVER_WITHIN, LAG, Pool};
use crate::{member::Member, trail::REORG_DEPTH};
use alloy_primitives::{B256, keccak256};
use std::{sync::PoisonError, time::Duration};
use tokio::time::Instant;

/// Endpoints are compared so often at most.
const COMPARE_EVERY: Duration = Duration::from_secs(10);

impl Pool {
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
}
