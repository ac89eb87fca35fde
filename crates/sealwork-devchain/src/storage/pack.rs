//! A stored form for what is mostly zeros: blooms, padded words, empty fields. A zero byte stands for a run of zeros
//! and is followed by the run's length, everything else stands for itself.

/// Bytes that one record may unpack to; a block of the largest gas is far below.
const UNPACKED_LIMIT: usize = 64 << 20;

/// Shortens runs of zeros.
pub(super) fn pack(bytes: &[u8]) -> Box<[u8]> {
    let mut packed = Vec::with_capacity(bytes.len() / 2 + 16);
    let mut rest = bytes;
    while let Some(zero) = rest.iter().position(|byte| *byte == 0) {
        let (literal, tail) = rest.split_at(zero);
        packed.extend_from_slice(literal);
        let run = tail.iter().take(usize::from(u8::MAX)).take_while(|byte| **byte == 0).count();
        packed.extend([0, u8::try_from(run).unwrap_or(u8::MAX)]);
        rest = tail.get(run..).unwrap_or_default();
    }
    packed.extend_from_slice(rest);
    packed.into_boxed_slice()
}

/// Reads what [`pack`] wrote; `None` when it did not, or when the result would be larger than any record.
pub(super) fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(packed.len().saturating_mul(2).min(UNPACKED_LIMIT));
    let mut rest = packed;
    while let Some(zero) = rest.iter().position(|byte| *byte == 0) {
        let (literal, tail) = rest.split_at(zero);
        let run = usize::from(*tail.get(1).filter(|run| **run > 0)?);
        bytes.extend_from_slice(literal);
        bytes.resize(bytes.len() + run, 0);
        if bytes.len() > UNPACKED_LIMIT {
            return None;
        }
        rest = tail.get(2..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest);
    (bytes.len() <= UNPACKED_LIMIT).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacks_what_it_packed() {
        let mut cases =
            vec![vec![], vec![0], vec![1], vec![0; 255], vec![0; 256], vec![0; 700], vec![7; 300]];
        cases.push((0..2_000u32).map(|n| u8::try_from(n % 5).unwrap_or_default()).collect());
        cases.push([vec![1, 0, 2], vec![0; 300], vec![0xff, 0]].concat());
        for bytes in cases {
            assert_eq!(unpack(&pack(&bytes)).as_ref(), Some(&bytes));
        }
        assert!(pack(&[0; 256]).len() < 5);
    }

    #[test]
    fn refuses_what_nobody_packed() {
        assert_eq!(unpack(&[1, 0]), None, "a run without a length");
        assert_eq!(unpack(&[0, 0]), None, "a run of nothing");
        assert_eq!(unpack(&[0, 255].repeat(300_000)), None, "a record larger than any");
    }
}
