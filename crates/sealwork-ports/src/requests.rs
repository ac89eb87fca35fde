//! Requests that go straight to a pool.

use crate::PortError;
use async_trait::async_trait;
use sealwork_types::{
    DealId, TaskId,
    channel::{ChannelState, ChannelTask, TaskReceipt},
    order::SignedRequest,
    progress::AcceptedRequest,
};

/// Hands requests to pools, which settle each in one transaction, or are paid by the vouchers of a channel.
#[async_trait]
pub trait RequestTaker: Send + Sync + 'static {
    /// Whether the pool with this URL answers and takes requests.
    async fn takes(&self, url: &str) -> bool;

    /// Asks the pool with this URL to run a request. The sealed input must be in storage. Asking again is safe: a request
    /// is accepted once.
    ///
    /// `Rejected` with the pool's reason when it does not take the request; `Unavailable` when it cannot be asked or is
    /// too busy, and then it may have accepted all the same.
    async fn submit(&self, url: &str, request: &SignedRequest) -> Result<AcceptedRequest, PortError>;

    /// Where a channel stands at the pool with this URL; `NotFound` when the pool does not know it.
    async fn channel(&self, url: &str, channel: DealId) -> Result<ChannelState, PortError>;

    /// Sends a task with its voucher. Sending it again is safe: a task is accepted once.
    ///
    /// `Rejected` with the pool's reason when it does not take the task, `Unavailable` when it cannot be asked.
    async fn submit_in_channel(
        &self,
        url: &str,
        channel: DealId,
        task: &ChannelTask,
    ) -> Result<AcceptedRequest, PortError>;

    /// What the enclave said about a task of a channel; `Unavailable` while it is not done, `Rejected` when it was given
    /// up, `NotFound` when the pool does not know it.
    async fn receipt(&self, url: &str, task: TaskId) -> Result<TaskReceipt, PortError>;
}
