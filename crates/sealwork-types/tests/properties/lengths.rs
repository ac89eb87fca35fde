//! Lengths that nobody can mean are refused before memory is taken for them.

use sealwork_types::{
    Bytes, Cid,
    cas_wire::{FromMember, ToMember},
    enclave_wire::{FrameError, FromEnclave, ToEnclave, decode_body, frame_length, read_message},
    order::TaskParams,
    params::MAX_FRAME_BYTES,
    receipt::{MAX_RECEIPT_DOCUMENT_BYTES, ReceiptDocument},
};
use serde::de::DeserializeOwned;
use std::fs;

/// Address space that this process ever had, in KiB. Memory that was reserved but never touched counts as well.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Runs `work` and checks that the process did not grow by more than a thread's heap.
pub(crate) fn without_memory<T>(work: impl FnOnce() -> T) -> T {
    let before = peak_kib();
    let result = work();
    let grown = peak_kib() - before;
    assert!(grown < 160 * 1024, "the process grew by {grown} KiB");
    result
}

/// Every number that a length could be, as `postcard` writes numbers.
fn huge() -> [Vec<u8>; 4] {
    [u64::from(u32::MAX), 1 << 40, 1 << 63, u64::MAX].map(|number| postcard::to_stdvec(&number).unwrap())
}

fn refuses_huge_lengths<T: DeserializeOwned>(prefixes: &[&[u8]]) {
    for prefix in prefixes {
        for length in huge() {
            let body = [prefix, &length[..], &[0; 40]].concat();
            let read = without_memory(|| decode_body::<T>(&body));
            assert!(read.is_err(), "{prefix:?}");
        }
    }
}

#[test]
fn messages_with_huge_lengths_are_refused() {
    // The variants that begin with bytes or text.
    refuses_huge_lengths::<ToEnclave>(&[&[0], &[2, 0, 0], &[2, 1], &[3], &[5]]);
    refuses_huge_lengths::<FromEnclave>(&[&[1], &[3, 0], &[5], &[9], &[10], &[11, 1]]);
    refuses_huge_lengths::<ToMember>(&[&[1, 0]]);
    refuses_huge_lengths::<FromMember>(&[&[0, 0], &[1], &[3, 0]]);
    refuses_huge_lengths::<Bytes>(&[&[]]);
}

#[test]
fn frames_above_the_limit_are_refused_by_their_header() {
    let over = u32::try_from(MAX_FRAME_BYTES + 1).unwrap();
    for length in [over, 1 << 31, u32::MAX] {
        let header = length.to_le_bytes();
        assert!(matches!(frame_length(header), Err(FrameError::TooLarge { .. })));
        let read = without_memory(|| read_message::<ToEnclave>(&header[..]));
        assert!(matches!(read, Err(FrameError::TooLarge { .. })));
    }
}

#[test]
fn documents_above_their_limit_are_refused_unread() {
    let long = vec![b'['; MAX_RECEIPT_DOCUMENT_BYTES + 1];
    let error = without_memory(|| ReceiptDocument::parse(&long)).unwrap_err();
    assert!(error.to_string().contains("the limit is"), "{error}");
    let deep = vec![b'['; MAX_RECEIPT_DOCUMENT_BYTES];
    assert!(without_memory(|| ReceiptDocument::parse(&deep)).is_err());
}

#[test]
fn names_with_huge_lengths_are_refused() {
    // A multihash whose digest is said to have 2^63 bytes.
    let digest = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
    let bytes = [&[1, 0x55, 0x12][..], &digest, &[0; 23]].concat();
    assert!(without_memory(|| Cid::from_bytes(&bytes)).is_err());
    let params = [&[1][..], &bytes, &[0; 32]].concat();
    assert!(without_memory(|| TaskParams::from_bytes(&params)).is_err());
}
