//! Deals: what the chain tells about matched orders, and how receipts, outcomes and batches belong to them.

use crate::{
    B256, Bytes, Cid, Codec, DealId, OrderHash, PolicyHash, Status, TaskId, U256,
    abi::{DealTerms, Effects, Outcome, Receipt, RequestOrder, Tally, Work},
    domains,
    order::{TaskParams, deal_id, task_id},
    status::Fault,
};
use alloy_primitives::{FixedBytes, keccak256};
use alloy_sol_types::{SolStruct, SolValue};
use serde::{Deserialize, Serialize};

/// A deal as the event `Matched` tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deal {
    /// Registry id of the pool.
    pub pool: B256,
    /// Tasks in the deal.
    pub volume: u32,
    /// What money and receipts depend on.
    pub terms: DealTerms,
    /// The requester's order.
    pub request: RequestOrder,
    /// Requester's signature over `request`.
    pub request_signature: Bytes,
}

impl Deal {
    /// keccak256(request order hash, volume consumed before).
    pub fn id(&self) -> DealId {
        deal_id(OrderHash::new(self.terms.requestHash), self.terms.firstTask)
    }

    /// One execution inside the deal.
    pub fn task(&self, index: u32) -> TaskId {
        task_id(self.id(), index)
    }

    /// What shall run on what.
    pub fn work(&self) -> Work {
        work(&self.request)
    }

    /// The receipt that an outcome and effects belong to. Whether its work is the deal's is for the caller to check
    /// ([`Deal::names_its_work`]).
    pub fn receipt(&self, outcome: &Outcome, effects: Option<&Effects>) -> Receipt {
        Receipt {
            work: self.work(),
            dealId: self.id().get(),
            index: outcome.index,
            status: outcome.status,
            fuel: outcome.fuel,
            keyEpoch: outcome.keyEpoch,
            output: outcome.output,
            callbackHash: effects.map_or(B256::ZERO, |effects| effects.callbackHash),
            stateBefore: effects.map_or(B256::ZERO, |effects| effects.stateBefore),
            stateAfter: effects.map_or(B256::ZERO, |effects| effects.stateAfter),
            deltaIndex: effects.map_or(0, |effects| effects.deltaIndex),
        }
    }

    /// Whether the terms speak of this request's work.
    pub fn names_its_work(&self) -> bool {
        self.work().eip712_hash_struct() == self.terms.workHash
    }

    /// Price of one task, in the smallest unit of the token.
    pub fn price(&self) -> U256 {
        let datasets = self.terms.datasets.iter().map(|share| U256::from(share.price));
        datasets
            .fold(U256::from(self.terms.appPrice), |sum, price| sum.saturating_add(price))
            .saturating_add(U256::from(self.terms.poolPrice))
    }

    /// When anybody may claim the refund of open tasks, in seconds since 1970.
    pub fn deadline(&self, started: bool) -> u64 {
        let window = if started {
            crate::generated::params::TASK_DEADLINE_S
        } else {
            crate::generated::params::START_WINDOW_S
        };
        self.terms.startedAt.saturating_add(window)
    }
}

/// What a request wants to run on what. The input is zero when the params do not name one.
pub fn work(request: &RequestOrder) -> Work {
    let input = TaskParams::from_bytes(&request.params).map_or(B256::ZERO, |params| params.input_digest);
    Work { app: request.app, codeHash: request.codeHash, policyHash: request.policyHash, input }
}

/// What the Market keeps of terms: the first 24 bytes of their EIP-712 structure hash.
pub fn terms_hash(terms: &DealTerms) -> FixedBytes<24> {
    let [head @ .., _, _, _, _, _, _, _, _] = terms.eip712_hash_struct().0;
    FixedBytes(head)
}

/// Tasks that a tally counts.
pub fn tasks_in(tally: &Tally) -> u32 {
    [tally.paid, tally.poolOnly, tally.refunded, tally.slashed].into_iter().fold(0, u32::saturating_add)
}

/// The outcome that settles a task by a receipt.
pub fn outcome(receipt: &Receipt, output_cid: Option<Cid>) -> Outcome {
    Outcome {
        index: receipt.index,
        status: receipt.status,
        fuel: receipt.fuel,
        keyEpoch: receipt.keyEpoch,
        output: receipt.output,
        outputCid: output_cid.map_or(B256::ZERO, |cid| cid.digest()),
        outputCodec: output_cid.map_or(0, |cid| codec_byte(cid.codec())),
    }
}

/// Where the output lies; `None` without an output or with a codec that nothing writes.
pub fn output_cid(outcome: &Outcome) -> Option<Cid> {
    cid_of(outcome.outputCid, outcome.outputCodec)
}

/// A CID as events carry it; `None` for a codec that nothing writes.
pub fn cid_of(digest: B256, codec: u8) -> Option<Cid> {
    let codec = [Codec::Raw, Codec::DagPb].into_iter().find(|known| codec_byte(*known) == codec)?;
    Some(Cid::new(codec, digest))
}

/// The byte that stands for a codec on chain.
pub const fn codec_byte(codec: Codec) -> u8 {
    match codec {
        Codec::Raw => 0x55,
        Codec::DagPb => 0x70,
    }
}

/// The effects that settle a task by a receipt: none, or one.
pub fn effects(receipt: &Receipt, callback_data: Bytes) -> Vec<Effects> {
    let stateless = receipt.stateBefore.is_zero() && receipt.stateAfter.is_zero() && receipt.deltaIndex == 0;
    if receipt.callbackHash.is_zero() && stateless {
        return Vec::new();
    }
    vec![Effects {
        callbackHash: receipt.callbackHash,
        stateBefore: receipt.stateBefore,
        stateAfter: receipt.stateAfter,
        deltaIndex: receipt.deltaIndex,
        callbackData: callback_data,
    }]
}

/// How tasks that ended with these statuses count.
pub fn tally(statuses: impl IntoIterator<Item = Status>) -> Tally {
    let mut tally = Tally::default();
    for status in statuses {
        let class = match status.fault() {
            Fault::None | Fault::Requester => &mut tally.paid,
            Fault::Developer => &mut tally.poolOnly,
            Fault::Worker => &mut tally.slashed,
            Fault::Unproven => &mut tally.refunded,
        };
        *class = class.saturating_add(1);
    }
    tally
}

/// A 65-byte signature as the contracts take it (EIP-2098): `r`, and `s` with the parity in its highest bit.
/// `None` for another length, parity or a high `s`.
pub fn compact_signature(signature: &[u8]) -> Option<(B256, B256)> {
    let (r, rest) = signature.split_first_chunk::<32>()?;
    let (s, v) = rest.split_first_chunk::<32>()?;
    let odd = match v {
        [0 | 27] => 0,
        [1 | 28] => 0x80,
        _ => return None,
    };
    let mut vs = *s;
    let highest = vs.first_mut()?;
    if *highest & 0x80 != 0 {
        return None;
    }
    *highest |= odd;
    Some((B256::new(*r), B256::new(vs)))
}

/// The 65 bytes behind an EIP-2098 signature.
pub fn full_signature(r: B256, vs: B256) -> Bytes {
    let [highest, rest @ ..] = vs.0;
    let v = 27 + (highest >> 7);
    [r.as_slice(), &[highest & 0x7f], &rest, &[v]].concat().into()
}

/// A request's signature in the 65-byte form: the contracts also take the 64 bytes of EIP-2098. Others stay as they are.
pub fn long_signature(signature: &Bytes) -> Bytes {
    match signature.split_first_chunk::<32>() {
        Some((r, rest)) if rest.len() == 32 => full_signature(B256::new(*r), B256::from_slice(rest)),
        _ => signature.clone(),
    }
}

/// Leaf of an allow-list: an app, dataset or pool id, or a requester's address in the low 20 bytes.
pub fn membership_leaf(member: B256) -> B256 {
    keccak256(keccak256(member))
}

/// A policy as it stands in a restriction of apps: pins the code as well, which an app's owner could replace.
pub fn policy_restriction(policy: PolicyHash) -> B256 {
    keccak256((keccak256(domains::POLICY_RESTRICTION), policy.get()).abi_encode())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_round_trip_in_both_parities() {
        for v in [27, 28] {
            let full: Vec<u8> = [[1; 32].as_slice(), &[0x7f; 32], &[v]].concat();
            let (r, vs) = compact_signature(&full).unwrap();
            let short = Bytes::from([r, vs].concat());
            assert_eq!(full_signature(r, vs), Bytes::from(full.clone()));
            assert_eq!(long_signature(&short), Bytes::from(full.clone()));
            assert_eq!(long_signature(&full.clone().into()), Bytes::from(full));
        }
    }

    #[test]
    fn malformed_signatures_are_refused() {
        let high_s: Vec<u8> = [[1; 32].as_slice(), &[0xff; 32], &[27]].concat();
        assert_eq!(compact_signature(&high_s), None);
        assert_eq!(compact_signature(&[1; 64]), None);
        assert_eq!(compact_signature(&[2; 65]), None);
    }

    #[test]
    fn statuses_count_by_who_pays() {
        let tally = tally([0, 108, 3, 1, 2, 9_999].map(Status::new));
        assert_eq!(tally, Tally { paid: 2, poolOnly: 1, refunded: 2, slashed: 1 });
    }
}
