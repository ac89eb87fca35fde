//! 32-byte names, one type per kind so that they cannot be mixed up.

use alloy_primitives::{B256, hex};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(B256);

        impl $name {
            /// Names the given 32 bytes.
            pub const fn new(bytes: B256) -> Self {
                Self(bytes)
            }
            /// The 32 bytes.
            pub const fn get(&self) -> B256 {
                self.0
            }
            /// The 32 bytes as a slice.
            pub fn as_slice(&self) -> &[u8] {
                self.0.as_slice()
            }
            /// The first four bytes, for progress lines.
            pub fn short(&self) -> String {
                let [a, b, c, d, ..] = self.0.0;
                hex::encode([a, b, c, d])
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:#x}", self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.short())
            }
        }
        impl FromStr for $name {
            type Err = hex::FromHexError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

ids! {
    /// A registered app. Equal to the ERC-721 token id.
    AppId;
    /// A registered dataset.
    DatasetId;
    /// A registered pool.
    PoolId;
    /// Matched orders: keccak256(request order hash, volume consumed before).
    DealId;
    /// One execution inside a deal: keccak256(deal id, index as uint256).
    TaskId;
    /// EIP-712 signing hash of an order.
    OrderHash;
    /// SHA-256 of a WebAssembly module.
    CodeHash;
    /// SHA-256 of an app manifest's bytes.
    ManifestHash;
    /// SHA-256 of a policy document's bytes.
    PolicyHash;
    /// What a TEE measured: SHA-256 over the format's own measurement registers.
    Measurement;
}
