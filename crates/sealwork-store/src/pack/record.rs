//! The 40-byte header of a record.

use sealwork_types::{B256, Codec, Sha256Digest};

/// Length of the header.
pub(super) const HEADER_BYTES: u64 = 40;

/// What a record says. The numbers are part of the file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A block and how it is read.
    Block(Codec),
    /// The block with this digest is gone.
    Tombstone,
    /// Payload is the binary CID of a root that is pinned from here on.
    Pin,
    /// Payload is the binary CID of a root that is no longer pinned.
    Unpin,
    /// All pins before are void; those that hold follow.
    ResetPins,
    /// Everything before is durable as a unit.
    Commit,
}

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Self::Block(Codec::Raw) => 1,
            Self::Block(Codec::DagPb) => 2,
            Self::Tombstone => 3,
            Self::Pin => 4,
            Self::Unpin => 5,
            Self::ResetPins => 6,
            Self::Commit => 7,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Block(Codec::Raw)),
            2 => Some(Self::Block(Codec::DagPb)),
            3 => Some(Self::Tombstone),
            4 => Some(Self::Pin),
            5 => Some(Self::Unpin),
            6 => Some(Self::ResetPins),
            7 => Some(Self::Commit),
            _ => None,
        }
    }

    /// Whether the digest is that of the payload.
    pub(super) const fn has_payload(self) -> bool {
        matches!(self, Self::Block(_) | Self::Pin | Self::Unpin)
    }
}

/// A record without its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Where its header starts.
    pub(super) offset: u64,
    pub(super) kind: Kind,
    /// Bytes of payload.
    pub(super) len: u32,
    /// SHA-256 of the payload; the block that is gone; or, in a commit, eight bytes that tell how far the file was
    /// known to be durable before, then zeros.
    pub(super) digest: B256,
}

impl Record {
    /// A commit that says "durable up to".
    pub(super) fn commit(offset: u64, durable_to: u64) -> Self {
        let mut digest = B256::ZERO;
        for (to, from) in digest.iter_mut().zip(durable_to.to_le_bytes()) {
            *to = from;
        }
        Self { offset, kind: Kind::Commit, len: 0, digest }
    }

    /// Up to where the file was durable before this commit; `None` for other records.
    pub(super) fn durable_to(&self) -> Option<u64> {
        let bytes = self.digest.first_chunk::<8>().filter(|_| self.kind == Kind::Commit)?;
        Some(u64::from_le_bytes(*bytes))
    }

    /// Offset of the payload.
    pub(super) const fn payload_offset(&self) -> u64 {
        self.offset.saturating_add(HEADER_BYTES)
    }

    /// Offset of the next record.
    pub(super) fn end(&self) -> u64 {
        self.payload_offset().saturating_add(u64::from(self.len))
    }

    /// Header bytes; the check ties them to the segment and to the place in it.
    pub(super) fn encode(&self, salt: &[u8; 16]) -> [u8; 40] {
        let [a, b, c, _] = self.len.to_le_bytes();
        let front = [a, b, c, self.kind.code()];
        let check = check(salt, self.offset, front, &self.digest);
        let mut header = [0; 40];
        let bytes = front.iter().chain(&check).chain(self.digest.iter());
        header.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        header
    }

    /// Reads a header; `None` when it was never written as a header at this place.
    pub(super) fn decode(header: &[u8; 40], salt: &[u8; 16], offset: u64) -> Option<Self> {
        let (front, rest) = header.split_first_chunk::<4>()?;
        let (given, digest) = rest.split_first_chunk::<4>()?;
        let digest = B256::try_from(digest).ok()?;
        if check(salt, offset, *front, &digest) != *given {
            return None;
        }
        let [a, b, c, code] = *front;
        Some(Self { offset, kind: Kind::from_code(code)?, len: u32::from_le_bytes([a, b, c, 0]), digest })
    }
}

fn check(salt: &[u8; 16], offset: u64, front: [u8; 4], digest: &B256) -> [u8; 4] {
    let hash = Sha256Digest::of_parts(&[salt, &offset.to_le_bytes(), &front, digest.as_slice()]);
    let [a, b, c, d, ..] = hash.0;
    [a, b, c, d]
}
