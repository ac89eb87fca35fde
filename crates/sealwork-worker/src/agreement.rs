//! Why a worker runs a task: a deal on chain, a request that it executes and settles in one transaction, or a voucher.

use sealwork_types::{
    Address, B256, Bytes, DealId, OrderHash, PoolId, U256,
    abi::{RequestOrder, Work},
    deal::{self, Deal},
    order::{SignedRequest, deal_id},
    params::TASK_DEADLINE_S,
};
use serde::{Deserialize, Serialize};

/// What a worker has accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Agreement {
    /// A deal of the worker's pool, matched on chain.
    Matched(Box<Deal>),
    /// A request that came over HTTP; the deal comes into being when it is settled.
    Direct(Box<DirectRequest>),
    /// A task in a channel, paid by a voucher; it is never on chain.
    Channel(Box<PaidRequest>),
}

/// A request for one task that is matched and settled in one transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectRequest {
    /// The request.
    pub request: SignedRequest,
    /// Hash that the requester signed.
    pub request_hash: B256,
    /// Pool that serves it.
    pub pool: PoolId,
    /// Seconds since 1970.
    pub accepted_at: u64,
    /// What it may cost, in the smallest unit of the token.
    pub price: U256,
}

/// A request for one task that a channel's voucher pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidRequest {
    /// The request.
    pub request: SignedRequest,
    /// Hash that the requester signed.
    pub request_hash: B256,
    /// The channel.
    pub channel: DealId,
    /// Seconds since 1970.
    pub accepted_at: u64,
}

impl DirectRequest {
    /// Whose account pays.
    pub fn payer(&self) -> Address {
        payer(&self.request.order)
    }
}

/// Whose account pays for a request.
pub(crate) fn payer(request: &RequestOrder) -> Address {
    if request.sponsor.is_zero() { request.requester } else { request.sponsor }
}

impl Agreement {
    /// The deal that is, or will be.
    pub fn id(&self) -> DealId {
        match self {
            Self::Matched(deal) => deal.id(),
            Self::Direct(direct) => deal_id(OrderHash::new(direct.request_hash), 0),
            Self::Channel(paid) => deal_id(OrderHash::new(paid.request_hash), 0),
        }
    }

    /// Tasks.
    pub fn volume(&self) -> u32 {
        match self {
            Self::Matched(deal) => deal.volume,
            Self::Direct(_) | Self::Channel(_) => 1,
        }
    }

    /// The requester's order.
    pub fn request(&self) -> &RequestOrder {
        match self {
            Self::Matched(deal) => &deal.request,
            Self::Direct(direct) => &direct.request.order,
            Self::Channel(paid) => &paid.request.order,
        }
    }

    /// The requester's signature.
    pub fn request_signature(&self) -> &Bytes {
        match self {
            Self::Matched(deal) => &deal.request_signature,
            Self::Direct(direct) => &direct.request.signature,
            Self::Channel(paid) => &paid.request.signature,
        }
    }

    /// What shall run on what.
    pub fn work(&self) -> Work {
        deal::work(self.request())
    }

    /// When it was made, in seconds since 1970. Older agreements are served first.
    pub fn since(&self) -> u64 {
        match self {
            Self::Matched(deal) => deal.terms.startedAt,
            Self::Direct(direct) => direct.accepted_at,
            Self::Channel(paid) => paid.accepted_at,
        }
    }

    /// Until when receipts are taken, in seconds since 1970.
    pub fn deadline(&self) -> u64 {
        match self {
            Self::Matched(deal) => deal.deadline(true),
            Self::Direct(direct) => deadline(&direct.request, direct.accepted_at),
            Self::Channel(paid) => deadline(&paid.request, paid.accepted_at),
        }
    }
}

fn deadline(request: &SignedRequest, accepted_at: u64) -> u64 {
    request.order.expiry.min(accepted_at.saturating_add(TASK_DEADLINE_S))
}
