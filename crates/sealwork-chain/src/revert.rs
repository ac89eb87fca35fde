//! Turns revert data into the name and values of the contract error.

use alloy_primitives::hex;
use alloy_sol_types::{Revert, SolError, SolInterface};
use sealwork_types::abi::{IAttestations, IBatches, IBook, IChannels, IMarket, IRegistry};

/// Describes revert data: one of our errors with its values, a reason string, or the raw bytes.
pub(crate) fn describe(data: &[u8]) -> String {
    fn decoded<E: SolInterface + std::fmt::Debug>(data: &[u8]) -> Option<String> {
        E::abi_decode(data).ok().map(|error| plain(&format!("{error:?}")))
    }
    decoded::<IMarket::IMarketErrors>(data)
        .or_else(|| decoded::<IBook::IBookErrors>(data))
        .or_else(|| decoded::<IBatches::IBatchesErrors>(data))
        .or_else(|| decoded::<IChannels::IChannelsErrors>(data))
        .or_else(|| decoded::<IAttestations::IAttestationsErrors>(data))
        .or_else(|| decoded::<IRegistry::IRegistryErrors>(data))
        .or_else(|| Revert::abi_decode(data).ok().map(|revert| revert.reason))
        .unwrap_or_else(|| match data {
            [] => "no reason given".to_owned(),
            _ => format!(
                "unknown error {}",
                hex::encode_prefixed(data.get(..data.len().min(68)).unwrap_or(data))
            ),
        })
}

/// `OrderExpired(OrderExpired { … })` reads better as `OrderExpired { … }`.
fn plain(debug: &str) -> String {
    match debug.split_once('(') {
        Some((name, rest)) if rest.starts_with(name) => rest.strip_suffix(')').unwrap_or(rest).to_owned(),
        _ => debug.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;

    #[test]
    fn our_errors_read_as_name_and_values() {
        let error = IMarket::OrderExpired { orderHash: B256::ZERO, expiry: 5 };
        let text = describe(&error.abi_encode());
        assert!(text.starts_with("OrderExpired {") && text.contains("expiry: 5"), "{text}");
    }

    #[test]
    fn foreign_and_empty_data_are_shown_as_they_are() {
        assert_eq!(describe(&[]), "no reason given");
        assert_eq!(describe(&[1, 2, 3, 4]), "unknown error 0x01020304");
    }
}
