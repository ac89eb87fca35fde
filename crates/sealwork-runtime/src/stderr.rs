//! Standard error: its beginning and its end are kept, because a cause stands at either.

use crate::{STDERR_MAX_BYTES, convert::to_u64};
use std::collections::VecDeque;

const MARKER: &[u8] = b"\n[... standard error was longer than 64 KiB, a part is left out here ...]\n";
const HEAD_BYTES: usize = 16 << 10;
const TAIL_BYTES: usize = STDERR_MAX_BYTES - HEAD_BYTES - MARKER.len();

/// At most [`STDERR_MAX_BYTES`], the marker included.
#[derive(Debug, Default)]
pub(crate) struct Stderr {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    dropped: u64,
}

impl Stderr {
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let room = HEAD_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        let (first, rest) = bytes.split_at(room);
        self.head.extend_from_slice(first);
        let (skipped, kept) = rest.split_at(rest.len().saturating_sub(TAIL_BYTES));
        let excess = self.tail.len().saturating_add(kept.len()).saturating_sub(TAIL_BYTES);
        self.tail.drain(..excess);
        self.tail.extend(kept);
        self.dropped = self.dropped.saturating_add(to_u64(excess)).saturating_add(to_u64(skipped.len()));
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.head;
        if self.dropped > 0 {
            bytes.extend_from_slice(MARKER);
        }
        bytes.extend(self.tail);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::{HEAD_BYTES, MARKER, STDERR_MAX_BYTES, Stderr, TAIL_BYTES};

    fn written(len: usize, piece: usize) -> (Vec<u8>, Vec<u8>) {
        let all: Vec<u8> = (0..=250).cycle().take(len).collect();
        let mut stderr = Stderr::default();
        all.chunks(piece).for_each(|bytes| stderr.write(bytes));
        (all, stderr.into_bytes())
    }

    #[test]
    fn keeps_everything_that_fits() {
        let (all, kept) = written(HEAD_BYTES + TAIL_BYTES, 1_000);
        assert_eq!(all, kept);
    }

    #[test]
    fn keeps_beginning_and_end_of_more() {
        for piece in [1, 999, 500_000] {
            let (all, kept) = written(300_000, piece);
            assert_eq!(kept.len(), STDERR_MAX_BYTES);
            assert!(kept.starts_with(&all[..HEAD_BYTES]) && kept[HEAD_BYTES..].starts_with(MARKER));
            assert!(kept.ends_with(&all[all.len() - TAIL_BYTES..]));
        }
    }
}
