//! Amounts on the command line.

use crate::failure::{self, Failure};
use alloy_primitives::aliases::U96;
use anyhow::Result;
use sealwork_types::{U256, tokens};

pub(crate) use tokens::show;

/// Reads `12` or `0.5` as smallest units.
pub(crate) fn parse(text: &str) -> Result<U256> {
    tokens::parse(text).map_err(|error| Failure::new(failure::FAILED, error.to_string()).into())
}

/// Reads a price: an amount that fits an order.
pub(crate) fn parse_price(text: &str) -> Result<U96> {
    let amount = parse(text)?;
    let too_large =
        || Failure::new(failure::FAILED, format!("a price of {text} tokens does not fit an order"));
    Ok(u128::try_from(amount).ok().and_then(|amount| U96::try_from(amount).ok()).ok_or_else(too_large)?)
}
