//! Tasks in a prepaid channel: what requester and worker tell each other, off chain.
//!
//! A channel is a deal of mode 5. Each of its tasks has a request of its own, signed like any other but free of charge and
//! of mode 5, so that nobody can match it for money; what pays is the voucher beside it.

use crate::{
    B256, Bytes, Cid, DealId,
    abi::{Grant, Receipt, RequestOrder},
    deal::{self, Deal},
    order::SignedRequest,
};
use alloy_sol_types::SolStruct;
use serde::{Deserialize, Serialize};

/// Body of `POST /v1/channels/{id}/tasks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelTask {
    /// For one task, without price.
    pub request: SignedRequest,
    /// Tasks of the channel that the payer acknowledges, this one included.
    pub count: u32,
    /// 65-byte signature by the channel's payer over [`Voucher`](crate::abi::Voucher).
    pub voucher: Bytes,
}

/// Answer to `GET /v1/channels/{id}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelState {
    /// Channel.
    pub deal: DealId,
    /// Tasks paid in advance.
    pub volume: u32,
    /// Tasks that count: accepted and neither given up nor ended by a fault of the worker.
    pub used: u32,
    /// Tasks that the chain shows paid or given back.
    pub closed: u32,
    /// Whether the payer asked for the rest: then no more tasks are taken.
    pub closing: bool,
}

/// Answer to `GET /v1/tasks/{id}/receipt`: what the enclave said, for whoever has the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskReceipt {
    /// The request of the task.
    pub request: SignedRequest,
    /// The enclave's statement.
    pub receipt: Receipt,
    /// Its signature.
    pub signature: Bytes,
    /// CAS statement about the enclave key.
    pub grant: Grant,
    /// Signatures over the grant, ordered by member address.
    pub grant_signatures: Vec<Bytes>,
    /// Where the sealed output lies; none when the status comes without output.
    pub output: Option<Cid>,
}

/// What a task in a channel is agreed on: the channel's terms, for the request of the task.
pub fn task_deal(channel: &Deal, request: &SignedRequest, request_hash: B256) -> Deal {
    let mut terms = channel.terms.clone();
    terms.requestHash = request_hash;
    terms.firstTask = 0;
    terms.workHash = deal::work(&request.order).eip712_hash_struct();
    Deal {
        pool: channel.pool,
        volume: 1,
        terms,
        request: request.order.clone(),
        request_signature: request.signature.clone(),
    }
}

/// The first field of a task's request that does not fit its channel, and what would be right.
pub fn misfit(channel: &Deal, task: &RequestOrder) -> Option<(&'static str, String)> {
    let pool = channel.pool;
    let channel = &channel.request;
    let zero = |name, is_zero: bool| (!is_zero).then(|| (name, "must be zero, the voucher pays".to_owned()));
    let same = |name, found: B256, wanted: B256| {
        (found != wanted).then(|| (name, format!("is {found}, the channel is for {wanted}")))
    };
    same("app", task.app, channel.app)
        .or_else(|| same("codeHash", task.codeHash, channel.codeHash))
        .or_else(|| same("policyHash", task.policyHash, channel.policyHash))
        .or_else(|| same("requester", task.requester.into_word(), channel.requester.into_word()))
        .or_else(|| same("poolRestrict", task.poolRestrict, pool))
        .or_else(|| zero("appMaxPrice", task.appMaxPrice.is_zero()))
        .or_else(|| zero("poolMaxPrice", task.poolMaxPrice.is_zero()))
        .or_else(|| zero("datasetMaxPrice", task.datasetMaxPrice.is_zero()))
        .or_else(|| {
            let (found, wanted) = (task.mode, channel.mode);
            (found != wanted).then(|| ("mode", format!("is {found}, a channel's tasks have mode {wanted}")))
        })
        .or_else(|| {
            (task.volume != 1).then(|| ("volume", format!("is {}, a voucher pays one task", task.volume)))
        })
}
