//! Sealing and opening against each other.

use super::*;
use crate::Secret;
use proptest::prelude::*;
use std::io::{self, Read, Write};

pub(super) fn identity(seed: u8) -> Identity {
    Identity::from_seed(Secret::new([seed; 32]))
}

fn seal(recipients: &[Recipient], plaintext: &[u8]) -> Vec<u8> {
    let mut writer = SealWriter::new(recipients, Vec::new()).unwrap();
    writer.write_all(plaintext).unwrap();
    writer.finish().unwrap()
}

/// What was released, and how it ended.
fn open(identities: &[Identity], sealed: &[u8]) -> (Vec<u8>, Result<(), OpenError>) {
    let mut released = Vec::new();
    let end = OpenReader::new(identities, sealed)
        .and_then(|mut reader| reader.read_to_end(&mut released).map_err(OpenError::from));
    (released, end.map(drop))
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| u8::try_from(i * 31 % 251).unwrap()).collect()
}

#[test]
fn round_trips_at_chunk_boundaries_with_the_stated_length() {
    for len in [0, 1, 15, 65_535, 65_536, 65_537, 131_072, 131_073, 1_000_003] {
        let plaintext = pattern(len);
        let sealed = seal(&[identity(1).recipient()], &plaintext);
        assert_eq!(sealed.len() as u64, sealed_len(1, len as u64), "{len}");
        let (opened, end) = open(&[identity(1)], &sealed);
        assert!(end.is_ok() && opened == plaintext, "{len}: {end:?}");
    }
}

#[test]
fn every_recipient_opens_and_nobody_else() {
    let recipients: Vec<_> = (0..5).map(|seed| identity(seed).recipient()).collect();
    let sealed = seal(&recipients, b"for five");
    assert_eq!(sealed.len() as u64, sealed_len(5, 8));
    for seed in 0..5 {
        assert_eq!(open(&[identity(9), identity(seed)], &sealed).0, b"for five");
    }
    assert!(matches!(open(&[identity(9)], &sealed).1, Err(OpenError::NoMatch)));
    assert!(matches!(open(&[], &sealed).1, Err(OpenError::NoMatch)));
}

#[test]
fn the_longest_header_that_is_written_can_be_read() {
    let recipients = vec![identity(1).recipient(); MAX_RECIPIENTS];
    let (opened, end) = open(&[identity(1)], &seal(&recipients, b"x"));
    assert!(end.is_ok() && opened == b"x");
    let too_many = vec![identity(1).recipient(); MAX_RECIPIENTS + 1];
    assert!(matches!(
        SealWriter::new(&too_many, io::sink()),
        Err(SealError::Recipients { found: 33, limit: 32 })
    ));
    assert!(matches!(SealWriter::new(&[], io::sink()), Err(SealError::Recipients { found: 0, .. })));
}

#[test]
fn any_flipped_bit_of_the_header_or_nonce_is_refused_before_any_plaintext() {
    let sealed = seal(&[identity(1).recipient()], b"plaintext");
    let header = sealed.len() - 9 - 16 - 16;
    for index in 0..header + 16 {
        for bit in [0, 2, 5, 7] {
            let mut bad = sealed.clone();
            bad[index] ^= 1 << bit;
            let (released, end) = open(&[identity(1)], &bad);
            assert!(released.is_empty(), "byte {index} bit {bit} released plaintext");
            let error = end.expect_err("an altered header must not open");
            let typed = if index < header {
                matches!(error, OpenError::Header(_) | OpenError::NoMatch | OpenError::HeaderMac)
            } else {
                matches!(error, OpenError::Payload(PayloadError::Altered { chunk: 0 }))
            };
            assert!(typed, "byte {index} bit {bit}: {error:?}");
        }
    }
}

#[test]
fn any_flipped_byte_of_the_payload_releases_only_whole_chunks_before_it() {
    let plaintext = pattern(131_072 + 100);
    let sealed = seal(&[identity(1).recipient()], &plaintext);
    let payload = sealed.len() - plaintext.len() - 3 * 16;
    for index in (payload..sealed.len()).step_by(4_999).chain([sealed.len() - 1]) {
        let mut bad = sealed.clone();
        bad[index] ^= 0x80;
        let chunk = (index - payload) / 65_552;
        let (released, end) = open(&[identity(1)], &bad);
        assert_eq!(released, plaintext[..chunk * 65_536]);
        let expected = u64::try_from(chunk).unwrap();
        assert!(matches!(end, Err(OpenError::Payload(PayloadError::Altered { chunk })) if chunk == expected));
    }
}

#[test]
fn every_truncation_is_refused_and_releases_a_prefix_only() {
    let plaintext = pattern(131_072);
    let sealed = seal(&[identity(1).recipient()], &plaintext);
    let payload = sealed.len() - plaintext.len() - 2 * 16;
    let ends = (0..payload + 40).step_by(7).chain((payload..sealed.len()).step_by(997));
    let boundary = payload + 65_552;
    for end in ends.chain([
        payload,
        payload - 16,
        boundary - 1,
        boundary,
        boundary + 1,
        boundary + 16,
        sealed.len() - 1,
    ]) {
        let (released, result) = open(&[identity(1)], &sealed[..end]);
        assert!(result.is_err(), "{end} bytes opened as complete");
        assert!(plaintext.starts_with(&released), "{end}");
        let error = result.unwrap_err();
        let expected = match end {
            end if end < payload - 16 => {
                matches!(error, OpenError::Header(HeaderError::Truncated { at }) if at == end)
            }
            end if end < payload => matches!(error, OpenError::Payload(PayloadError::Nonce { .. })),
            _ => matches!(
                error,
                OpenError::Payload(PayloadError::Truncated { .. } | PayloadError::Altered { .. })
            ),
        };
        assert!(expected, "{end}: {error:?}");
    }
    let (released, result) = open(&[identity(1)], &sealed[..boundary]);
    assert_eq!(released, plaintext[..65_536]);
    assert!(matches!(result, Err(OpenError::Payload(PayloadError::Truncated { chunks: 1 }))));
}

#[test]
fn bytes_behind_the_last_chunk_are_refused() {
    for len in [5, 65_536] {
        let sealed = [seal(&[identity(1).recipient()], &pattern(len)), vec![0]].concat();
        assert!(matches!(open(&[identity(1)], &sealed).1, Err(OpenError::Payload(_))), "{len}");
    }
    let full = [seal(&[identity(1).recipient()], &pattern(65_536)), vec![0]].concat();
    let trailing = open(&[identity(1)], &full).1;
    assert!(matches!(trailing, Err(OpenError::Payload(PayloadError::Trailing { chunk: 0 }))));
}

#[test]
fn a_failure_stays_and_travels_inside_io_errors() {
    let mut sealed = seal(&[identity(1).recipient()], b"x");
    *sealed.last_mut().unwrap() ^= 1;
    let mut reader = OpenReader::new(&[identity(1)], &sealed[..]).unwrap();
    for _ in 0..3 {
        let error = reader.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.get_ref().is_some_and(|inner| inner.is::<OpenError>()));
        assert!(matches!(OpenError::from(error), OpenError::Payload(PayloadError::Altered { chunk: 0 })));
    }
}

#[test]
fn a_writer_that_failed_or_was_dropped_leaves_no_complete_file() {
    struct Full(Vec<u8>, usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = self.1.saturating_sub(self.0.len()).min(bytes.len());
            self.0.extend_from_slice(&bytes[..room]);
            if room == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(room) }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut disk = Full(Vec::new(), 100_000);
    let mut writer = SealWriter::new(&[identity(1).recipient()], &mut disk).unwrap();
    assert!(writer.write_all(&pattern(300_000)).is_err());
    assert!(writer.write_all(b"again").is_err());
    assert!(writer.finish().is_err());
    assert!(open(&[identity(1)], &disk.0).1.is_err());

    let mut dropped = Vec::new();
    SealWriter::new(&[identity(1).recipient()], &mut dropped).unwrap().write_all(&pattern(65_537)).unwrap();
    assert!(open(&[identity(1)], &dropped).1.is_err());
}

#[test]
fn not_an_age_file_is_named_as_such_at_once() {
    for bytes in [&b""[..], b"{\"json\": true}", &[0; 200_000], b"age-encryption.org/v2\n"] {
        let error = open(&[identity(1)], bytes).1.unwrap_err();
        let header =
            matches!(error, OpenError::Header(HeaderError::Version | HeaderError::Truncated { at: 0 }));
        assert!(header, "{error:?}");
    }
}

#[test]
fn endless_headers_are_cut_off() {
    let endless = [b"age-encryption.org/v1\n-> x ".to_vec(), vec![b'a'; 300_000]].concat();
    let error = open(&[identity(1)], &endless).1.unwrap_err();
    assert!(matches!(error, OpenError::Header(HeaderError::TooLarge { limit: MAX_HEADER_BYTES })));
}

#[test]
fn a_source_that_failed_once_is_not_trusted_again() {
    struct Flaky(Vec<u8>, usize);
    impl Read for Flaky {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                self.0.push(0);
                return Err(io::ErrorKind::TimedOut.into());
            }
            let taken = (&self.0[self.1..]).read(bytes)?;
            self.1 += taken;
            if self.1 == self.0.len() {
                (self.0, self.1) = (Vec::new(), 0);
            }
            Ok(taken)
        }
    }
    let mut sealed = seal(&[identity(1).recipient()], &pattern(100_000));
    sealed.truncate(70_000);
    let mut reader = OpenReader::new(&[identity(1)], Flaky(sealed, 0)).unwrap();
    let mut released = Vec::new();
    let error = reader.read_to_end(&mut released).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(matches!(OpenError::from(error), OpenError::Io(_)));
    assert!(reader.read_to_end(&mut released).is_err());
    assert_eq!(released, pattern(65_536));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_splice_of_the_header_is_refused(
        start in 0_usize..1627,
        removed in 0_usize..70,
        inserted in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..5),
            "(\\n|-> |---| |[A-Z]){1,3}".prop_map(String::into_bytes),
        ],
    ) {
        let sealed = seal(&[identity(1).recipient()], b"plaintext");
        let end = (start + removed).min(1627);
        let spliced = [&sealed[..start], &inserted[..], &sealed[end..]].concat();
        prop_assume!(spliced != sealed);
        let (released, result) = open(&[identity(1)], &spliced);
        prop_assert!(result.is_err() && released.is_empty());
    }

    #[test]
    fn any_bytes_behind_the_version_line_never_panic(tail in proptest::collection::vec(any::<u8>(), 0..300)) {
        let file = [b"age-encryption.org/v1\n", &tail[..]].concat();
        prop_assert!(open(&[], &file).1.is_err());
    }
}
