//! The random numbers that a program sees: a stream that only its seed decides.

use sealwork_types::domains::RANDOM_STREAM;
use sha2::{Digest, Sha256};
use std::fmt;

/// SHA-256 in counter mode over a seed. Equal seeds give equal streams, whatever the sizes of the reads.
pub(crate) struct RandomStream {
    keyed: Sha256,
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl RandomStream {
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        let keyed = Sha256::new_with_prefix(RANDOM_STREAM).chain_update(seed);
        Self { keyed, counter: 0, block: [0; 32], used: 32 }
    }

    /// Fills `out` with the next bytes of the stream.
    pub(crate) fn fill(&mut self, mut out: &mut [u8]) {
        while !out.is_empty() {
            if self.used == self.block.len() {
                self.block = self.keyed.clone().chain_update(self.counter.to_be_bytes()).finalize().into();
                self.counter = self.counter.wrapping_add(1);
                self.used = 0;
            }
            let fresh = self.block.get(self.used..).unwrap_or_default();
            let count = fresh.len().min(out.len());
            let (now, later) = out.split_at_mut(count);
            now.copy_from_slice(fresh.get(..count).unwrap_or_default());
            self.used = self.used.saturating_add(count);
            out = later;
        }
    }
}

/// Shows nothing: the state predicts every later number.
impl fmt::Debug for RandomStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RandomStream").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::RandomStream;

    #[test]
    fn stream_does_not_depend_on_read_sizes() {
        let mut whole = [0; 200];
        RandomStream::new(&[7; 32]).fill(&mut whole);
        let mut pieces = [0; 200];
        let mut stream = RandomStream::new(&[7; 32]);
        let (first, rest) = pieces.split_at_mut(1);
        let (second, third) = rest.split_at_mut(63);
        for piece in [first, second, third] {
            stream.fill(piece);
        }
        assert_eq!(whole, pieces);
    }

    #[test]
    fn other_seed_gives_another_stream() {
        let [mut left, mut right] = [[0; 32]; 2];
        RandomStream::new(&[1; 32]).fill(&mut left);
        RandomStream::new(&[2; 32]).fill(&mut right);
        assert_ne!(left, right);
    }
}
