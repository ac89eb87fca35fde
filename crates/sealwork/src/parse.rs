//! Ids, addresses, modes and other words of the command line.

use crate::failure::{self, Failure};
use anyhow::{Context as _, Result};
use sealwork_protocol::batch::AllowList;
use sealwork_types::{Address, B256, order::TrustMode};
use std::path::Path;

/// 32 bytes of `what`.
pub(crate) fn hash(what: &str, text: &str) -> Result<B256> {
    text.parse().map_err(|_| wrong(format!("{text:?} is no {what}; write 0x and 64 hex digits")))
}

/// An address of `what`.
pub(crate) fn address(what: &str, text: &str) -> Result<Address> {
    text.parse().map_err(|_| wrong(format!("{text:?} is no address of a {what}; write 0x and 40 hex digits")))
}

/// A restriction in an order: an id or root, or an address of a requester or group contract.
pub(crate) fn restriction(text: Option<&str>) -> Result<B256> {
    let Some(text) = text else { return Ok(B256::ZERO) };
    if let Ok(address) = text.parse::<Address>() {
        return Ok(address.into_word());
    }
    text.parse().map_err(|_| {
        wrong(format!(
            "{text:?} restricts nothing; write an id or allow-list root (64 hex digits) or an address (40)"
        ))
    })
}

/// An allow-list in a file: a JSON array of ids and addresses.
pub(crate) fn allow_list(path: &Path) -> Result<AllowList> {
    let unusable = || format!("{} is no allow-list; write a JSON array of ids and addresses", path.display());
    let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let names: Vec<String> = serde_json::from_slice(&bytes).with_context(unusable)?;
    let members: Vec<B256> = names.iter().map(|name| restriction(Some(name))).collect::<Result<_>>()?;
    AllowList::new(members).ok_or_else(|| wrong(unusable()))
}

/// A trust mode by name.
pub(crate) fn mode(text: &str) -> Result<TrustMode> {
    let names = || TrustMode::ALL.map(TrustMode::name).join(", ");
    TrustMode::ALL
        .into_iter()
        .find(|mode| mode.name() == text)
        .ok_or_else(|| wrong(format!("{text:?} is no trust mode; the modes are {}", names())))
}

/// Bits of several trust modes.
pub(crate) fn modes(texts: &[String]) -> Result<u8> {
    texts.iter().try_fold(0, |bits, text| Ok(bits | mode(text)?.bit()))
}

fn wrong(text: String) -> anyhow::Error {
    Failure::new(failure::FAILED, text).into()
}
