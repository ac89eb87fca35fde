//! Numbers as tools send them.

use super::{Reply, error::invalid};
use alloy_primitives::U256;
use jsonrpsee::types::ErrorObjectOwned;
use serde::Deserialize;

/// A number as tools send it: a JSON number, or a string in decimal or 0x hexadecimal.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Number {
    Plain(u64),
    Text(U256),
}

impl TryFrom<Number> for u64 {
    type Error = ErrorObjectOwned;

    fn try_from(number: Number) -> Reply<Self> {
        match number {
            Number::Plain(number) => Ok(number),
            Number::Text(number) => number.try_into().map_err(|_| invalid("the number exceeds 64 bits")),
        }
    }
}

impl From<Number> for U256 {
    fn from(number: Number) -> Self {
        match number {
            Number::Plain(number) => Self::from(number),
            Number::Text(number) => number,
        }
    }
}
