//! What people look at before they spend: the posted orders and the price of gas.

use crate::PortError;
use async_trait::async_trait;
use sealwork_types::{Address, B256, signed_order::SignedOrder};

/// An order in the Book, alive or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostedOrder {
    /// The order and its signature, as posted.
    pub signed: SignedOrder,
    /// Whose order it was when it was posted.
    pub signer: Address,
    /// Whether its signer took it off the Book.
    pub withdrawn: bool,
    /// Transaction that posted it first.
    pub transaction: B256,
    /// Its block.
    pub block: u64,
}

/// The Book of a deployment, as its events tell it, and what gas costs.
#[async_trait]
pub trait OrderBook: Send + Sync + 'static {
    /// Every order that was ever posted, oldest first. Whether one can be matched is for the Market to say.
    async fn posted(&self) -> Result<Vec<PostedOrder>, PortError>;

    /// What one unit of gas would cost now, tip included, in wei.
    async fn gas_price(&self) -> Result<u128, PortError>;
}
