//! What is read of a block, and several of them at one time.

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{B256, Bloom, U64, keccak256};
use alloy_provider::{DynProvider, Provider};
use alloy_rpc_client::BatchRequest;
use alloy_rpc_types_eth::{Filter, Log};
use alloy_transport::{TransportError, TransportErrorKind};
use serde::Deserialize;
use std::collections::BTreeSet;

/// The parts of a header that tie blocks and logs to each other.
///
/// Only these are read, because chains other than Ethereum leave fields out or add some. Hashes are the endpoint's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) number: u64,
    pub(crate) hash: B256,
    pub(crate) parent: B256,
    pub(crate) bloom: Bloom,
    pub(crate) timestamp: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    number: U64,
    hash: B256,
    parent_hash: B256,
    logs_bloom: Bloom,
    timestamp: U64,
}

impl From<Shown> for Header {
    fn from(shown: Shown) -> Self {
        let Shown { number, hash, parent_hash, logs_bloom, timestamp } = shown;
        Self { number: number.to(), hash, parent: parent_hash, bloom: logs_bloom, timestamp: timestamp.to() }
    }
}

const HEADER: &str = "eth_getBlockByNumber";
const LOGS: &str = "eth_getLogs";

impl Header {
    pub(crate) async fn read(
        provider: &DynProvider,
        block: BlockNumberOrTag,
    ) -> Result<Option<Self>, TransportError> {
        let shown: Option<Shown> = provider.client().request(HEADER, (block, false)).await?;
        Ok(shown.map(Into::into))
    }

    pub(crate) async fn latest(provider: &DynProvider) -> Result<Self, TransportError> {
        Self::read(provider, BlockNumberOrTag::Latest).await?.ok_or(TransportError::NullResp)
    }
}

/// What an endpoint shows of a range at one time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Look {
    /// The headers that were asked for, as far as the endpoint has them.
    pub(crate) headers: Vec<Header>,
    /// In chain order.
    pub(crate) logs: Vec<Log>,
    /// The last of the headers again, read after the logs.
    again: Option<Header>,
}

impl Look {
    /// Reads headers and logs in one batch, so that the endpoint answers all of it from one state, if it can.
    pub(crate) async fn together(
        provider: &DynProvider,
        blocks: &[u64],
        filter: Option<&Filter>,
    ) -> Result<Self, NoBatch> {
        let mut batch = BatchRequest::new(provider.client());
        let mut waiting = Vec::with_capacity(blocks.len());
        for block in blocks {
            let number = BlockNumberOrTag::Number(*block);
            waiting.push(batch.add_call::<_, Option<Shown>>(HEADER, &(number, false))?);
        }
        let logs = filter.map(|filter| batch.add_call::<_, Vec<Log>>(LOGS, &(filter,))).transpose()?;
        let last = blocks.last().map(|block| (BlockNumberOrTag::Number(*block), false));
        let again = last.map(|last| batch.add_call::<_, Option<Shown>>(HEADER, &last)).transpose()?;
        match batch.send().await {
            Err(TransportError::ErrorResp(_) | TransportError::DeserError { .. }) => {
                return Err(NoBatch::Refused);
            }
            sent => sent?,
        }
        let mut look = Self::default();
        for header in waiting {
            look.headers.extend(header.await?.map(Header::from));
        }
        if let Some(logs) = logs {
            look.logs = logs.await?;
        }
        if let Some(again) = again {
            look.again = again.await?.map(Header::from);
        }
        Ok(look.sorted())
    }

    /// The same in one request after the other.
    pub(crate) async fn singly(
        provider: &DynProvider,
        blocks: &[u64],
        filter: Option<&Filter>,
    ) -> Result<Self, TransportError> {
        let mut look = Self::default();
        for block in blocks {
            look.headers.extend(Header::read(provider, (*block).into()).await?);
        }
        if let Some(filter) = filter {
            look.logs = provider.get_logs(filter).await?;
        }
        if let Some(last) = blocks.last() {
            look.again = Header::read(provider, (*last).into()).await?;
        }
        Ok(look.sorted())
    }

    /// Whether the last block was the same before and after the logs were read, and they are of it, where they say so.
    pub(crate) fn is_steady(&self) -> bool {
        let last = self.headers.last();
        let fits = |log: &Log| {
            let header = log.block_number.and_then(|number| self.header(number));
            !log.removed && header.is_none_or(|header| log.block_hash == Some(header.hash))
        };
        last.map(|header| header.hash) == self.again.as_ref().map(|header| header.hash)
            && self.logs.iter().all(fits)
    }

    /// What two endpoints must agree on; they may differ in what they add to it.
    pub(crate) fn digest(&self) -> B256 {
        let mut bytes = Vec::new();
        for header in &self.headers {
            bytes.extend_from_slice(header.hash.as_slice());
        }
        for log in &self.logs {
            bytes.extend_from_slice(log_id(log).as_slice());
        }
        keccak256(bytes)
    }

    /// Whether it shows all logs of another look, and more.
    pub(crate) fn shows_more_than(&self, other: &Self) -> bool {
        let own: BTreeSet<_> = self.logs.iter().map(log_id).collect();
        own.len() > other.logs.len() && other.logs.iter().all(|log| own.contains(&log_id(log)))
    }

    fn sorted(mut self) -> Self {
        self.logs.sort_by_key(|log| (log.block_number, log.log_index));
        self
    }

    /// Header of a block that was asked for.
    pub(crate) fn header(&self, number: u64) -> Option<&Header> {
        self.headers.iter().find(|header| header.number == number)
    }
}

/// Why a batch was not answered.
#[derive(Debug)]
pub(crate) enum NoBatch {
    /// The endpoint takes no batches.
    Refused,
    /// One of the requests failed, or all of them.
    Failed(TransportError),
}

impl From<TransportError> for NoBatch {
    fn from(error: TransportError) -> Self {
        // One answer for the whole batch answers none of its requests.
        if matches!(error, TransportError::Transport(TransportErrorKind::MissingBatchResponse(_))) {
            return Self::Refused;
        }
        Self::Failed(error)
    }
}

/// A log with its place, as one hash.
fn log_id(log: &Log) -> B256 {
    let mut bytes = log.block_hash.unwrap_or_default().to_vec();
    bytes.extend_from_slice(&log.log_index.unwrap_or_default().to_be_bytes());
    bytes.extend_from_slice(log.address().as_slice());
    for topic in log.topics() {
        bytes.extend_from_slice(topic.as_slice());
    }
    bytes.extend_from_slice(&log.inner.data.data);
    keccak256(bytes)
}
