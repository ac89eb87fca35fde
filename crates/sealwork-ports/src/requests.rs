//! Requests that go straight to a pool.

use crate::PortError;
use async_trait::async_trait;
use sealwork_types::{order::SignedRequest, progress::AcceptedRequest};

/// Hands requests to pools that run them and settle each in one transaction.
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
}
