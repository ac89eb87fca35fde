//! Content identifiers: CIDv1 with SHA-256, the only kind that orders and documents may name.

use alloy_primitives::B256;
use multihash::Multihash;
use serde::{Deserialize, Serialize, de};
use std::{fmt, str::FromStr};

const SHA2_256: u64 = 0x12;
const RAW: u64 = 0x55;
const DAG_PB: u64 = 0x70;

/// How the bytes behind a CID are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Codec {
    /// The block is the content.
    Raw,
    /// The block is a UnixFS node (dag-pb).
    DagPb,
}

impl Codec {
    /// Multicodec number.
    pub const fn code(self) -> u64 {
        match self {
            Self::Raw => RAW,
            Self::DagPb => DAG_PB,
        }
    }
}

/// A CIDv1 with SHA-256. Text is lower-case base32 (`b…`); binary is always [`Cid::LEN`] bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cid {
    codec: Codec,
    digest: B256,
}

/// Why bytes or text are not a CID that Sealwork uses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CidError {
    /// Not a CID at all.
    #[error("{given:?} is not a content identifier; expected CIDv1 text such as bafy… or bafkrei…")]
    Malformed {
        /// What was given.
        given: String,
    },
    /// A CID of a kind that orders may not name.
    #[error(
        "content identifier {given} has version, codec or hash {found}; expected CIDv1, raw or dag-pb, sha2-256"
    )]
    Unsupported {
        /// What was given.
        given: String,
        /// The part that differs.
        found: String,
    },
}

impl Cid {
    /// Length of the binary form.
    pub const LEN: usize = 36;

    /// Names a block by codec and digest.
    pub const fn new(codec: Codec, digest: B256) -> Self {
        Self { codec, digest }
    }

    /// How the block is read.
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// SHA-256 of the block.
    pub const fn digest(&self) -> B256 {
        self.digest
    }

    /// Binary form.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..4].copy_from_slice(&[1, self.codec.code().to_le_bytes()[0], 0x12, 32]);
        bytes[4..].copy_from_slice(self.digest.as_slice());
        bytes
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// [`CidError`] unless the bytes are exactly one supported CIDv1.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CidError> {
        let malformed = || CidError::Malformed { given: alloy_primitives::hex::encode_prefixed(bytes) };
        let cid = cid::Cid::try_from(bytes).map_err(|_| malformed())?;
        if cid.encoded_len() != bytes.len() {
            return Err(malformed());
        }
        Self::from_general(&cid)
    }

    fn from_general(cid: &cid::Cid) -> Result<Self, CidError> {
        let unsupported = |found: String| CidError::Unsupported { given: cid.to_string(), found };
        if cid.version() != cid::Version::V1 {
            return Err(unsupported("version 0".into()));
        }
        let codec = match cid.codec() {
            RAW => Codec::Raw,
            DAG_PB => Codec::DagPb,
            other => return Err(unsupported(format!("codec {other:#x}"))),
        };
        if cid.hash().code() != SHA2_256 || cid.hash().digest().len() != 32 {
            return Err(unsupported(format!("hash {:#x}", cid.hash().code())));
        }
        Ok(Self { codec, digest: B256::from_slice(cid.hash().digest()) })
    }

    fn to_general(self) -> cid::Cid {
        let hash =
            Multihash::wrap(SHA2_256, self.digest.as_slice()).expect("32 bytes fit a 64-byte multihash");
        cid::Cid::new_v1(self.codec.code(), hash)
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_general(), f)
    }
}

impl fmt::Debug for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Cid {
    type Err = CidError;
    fn from_str(text: &str) -> Result<Self, CidError> {
        let malformed = || CidError::Malformed { given: text.chars().take(100).collect() };
        let cid = Self::from_general(&cid::Cid::try_from(text).map_err(|_| malformed())?)?;
        // Other bases, upper case and loose bits name the same block, but a name has one text.
        if cid.to_string() == text { Ok(cid) } else { Err(malformed()) }
    }
}

impl Serialize for Cid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cid {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sha256Digest;

    #[test]
    fn text_and_bytes_round_trip() {
        let cid = Cid::new(Codec::Raw, Sha256Digest::of(b"hello world"));
        assert_eq!(cid.to_string(), "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e");
        assert_eq!(cid.to_string().parse::<Cid>().unwrap(), cid);
        assert_eq!(Cid::from_bytes(&cid.to_bytes()).unwrap(), cid);
    }

    #[test]
    fn rejects_other_versions_hashes_and_trailing_bytes() {
        let v0 = "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG";
        assert!(matches!(v0.parse::<Cid>(), Err(CidError::Unsupported { .. })));
        assert!(matches!("nonsense".parse::<Cid>(), Err(CidError::Malformed { .. })));
        let mut bytes = Cid::new(Codec::DagPb, B256::ZERO).to_bytes().to_vec();
        bytes.push(0);
        assert!(Cid::from_bytes(&bytes).is_err());
    }

    #[test]
    fn rejects_other_texts_of_the_same_name() {
        let text = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
        let others = [text.to_uppercase(), text.replace("fkr", "fKr"), format!("/ipfs/{text}")];
        for other in others {
            assert!(matches!(other.parse::<Cid>(), Err(CidError::Malformed { .. })), "{other}");
        }
    }
}
