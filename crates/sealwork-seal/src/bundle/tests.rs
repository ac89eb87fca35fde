//! Bundles against themselves, sealed and unsealed, and against hostile writers.

use super::*;
use crate::{
    Secret,
    age::{Identity, OpenError, OpenReader, SealWriter},
    binding::{BindingError, InputBinding, OutputBinding},
    padding::padme,
};
use proptest::prelude::*;
use sealwork_types::{Address, AppId, B256, TaskId, order::SigningDomain};
use std::io::{self, Read};

const DOMAIN: SigningDomain = SigningDomain { chain_id: 31_337, market: Address::repeat_byte(1) };

fn input_binding(body_len: u64) -> InputBinding {
    InputBinding {
        domain: DOMAIN,
        requester: Address::repeat_byte(2),
        app: AppId::new(B256::repeat_byte(3)),
        output_recipient: B256::repeat_byte(4),
        nonce: [5; 16],
        expiry: 6,
        body_len,
    }
}

fn output_binding(body_len: u64) -> OutputBinding {
    OutputBinding {
        domain: DOMAIN,
        task: TaskId::new(B256::repeat_byte(2)),
        input_digest: B256::repeat_byte(3),
        status: 1,
        body_len,
    }
}

fn sample() -> (InputHead, Vec<Vec<u8>>, Vec<u8>) {
    let head = InputHead {
        args: vec!["--term".to_owned(), String::new(), "größer".to_owned()],
        files: vec![("data/a.csv".to_owned(), 3), ("empty".to_owned(), 0)],
        stdin_len: 5,
    };
    (head, vec![b"1,2".to_vec(), Vec::new()], b"stdin".to_vec())
}

fn plaintext(head: &InputHead, files: &[Vec<u8>], stdin: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let binding = input_binding(head.body_len().unwrap());
    write_input(&mut out, &binding, head, files.iter().map(Vec::as_slice), stdin).unwrap();
    out
}

type Input = (InputBinding, InputHead, Vec<Vec<u8>>, Vec<u8>);

fn read(reader: impl Read, max_files_bytes: u64) -> Result<Input, BundleError> {
    let (binding, bound) = InputReader::new(reader).read_binding()?;
    let (head, files) = bound.read_head(max_files_bytes)?;
    let (files, mut stdin) = files.read_files()?;
    let mut bytes = Vec::new();
    let read = stdin.read_to_end(&mut bytes);
    stdin.finish()?;
    assert!(read.is_ok(), "finish accepts a stream that failed: {read:?}");
    Ok((binding, head, files, bytes))
}

/// A plaintext with any body behind a valid binding.
fn forged(body: &[u8]) -> Vec<u8> {
    let mut bytes = input_binding(body.len() as u64).to_bytes();
    bytes.extend_from_slice(body);
    bytes.resize(usize::try_from(padme(bytes.len() as u64)).unwrap(), 0);
    bytes
}

/// A body whose head has a right length and these bytes.
fn forged_head(head: &[u8]) -> Vec<u8> {
    forged(&[&u32::try_from(head.len()).unwrap().to_be_bytes(), head].concat())
}

#[test]
fn inputs_round_trip_through_a_sealed_file_and_fill_a_bucket() {
    let (head, files, stdin) = sample();
    let plaintext = plaintext(&head, &files, &stdin);
    assert_eq!(plaintext.len() as u64, padme(plaintext.len() as u64));
    let identity = Identity::from_seed(Secret::new([1; 32]));
    let mut writer = SealWriter::new(&[identity.recipient()], Vec::new()).unwrap();
    let binding = input_binding(head.body_len().unwrap());
    write_input(&mut writer, &binding, &head, files.iter().map(Vec::as_slice), &stdin[..]).unwrap();
    let sealed = writer.finish().unwrap();
    let opened = read(OpenReader::new(&[identity], &sealed[..]).unwrap(), 100).unwrap();
    assert_eq!(opened, (binding, head, files, stdin));
}

#[test]
fn a_sealed_file_cut_behind_standard_input_fails_at_finish() {
    let head = InputHead { stdin_len: 70_000, ..InputHead::default() };
    let identity = Identity::from_seed(Secret::new([1; 32]));
    let mut writer = SealWriter::new(&[identity.recipient()], Vec::new()).unwrap();
    let binding = input_binding(head.body_len().unwrap());
    write_input(&mut writer, &binding, &head, std::iter::empty::<&[u8]>(), &vec![7; 70_000][..]).unwrap();
    let mut sealed = writer.finish().unwrap();
    sealed.pop();
    let error = read(OpenReader::new(&[identity], &sealed[..]).unwrap(), 0).unwrap_err();
    assert!(matches!(error, BundleError::Read(OpenError::Payload(_))), "{error:?}");
}

#[test]
fn finish_drains_standard_input_that_nobody_read() {
    let (head, files, stdin) = sample();
    let bytes = plaintext(&head, &files, &stdin);
    let (_, bound) = InputReader::new(&bytes[..]).read_binding().unwrap();
    let (_, rest) = bound.read_head(3).unwrap().1.read_files().unwrap();
    assert!(rest.finish().unwrap().is_empty());
}

#[test]
fn writers_refuse_wrong_lengths_counts_and_bindings() {
    let (head, files, stdin) = sample();
    let body_len = head.body_len().unwrap();
    let write = |body_len: u64, files: &[Vec<u8>], stdin: &[u8]| {
        write_input(io::sink(), &input_binding(body_len), &head, files.iter().map(Vec::as_slice), stdin)
            .unwrap_err()
    };
    let what = |error: BundleError| {
        let BundleError::Length { what, .. } = error else { panic!("{error:?}") };
        what
    };
    assert_eq!(what(write(body_len + 1, &files, &stdin)), Part::Body);
    assert_eq!(what(write(body_len, &files[..1], &stdin)), Part::Files);
    assert_eq!(what(write(body_len, &[&files[..], &files[..1]].concat(), &stdin)), Part::Files);
    assert_eq!(what(write(body_len, &[b"1,2,".to_vec(), vec![]], &stdin)), Part::File(0));
    assert_eq!(what(write(body_len, &[b"1,".to_vec(), vec![]], &stdin)), Part::File(0));
    assert_eq!(what(write(body_len, &files, b"stdi")), Part::Stdin);
    assert_eq!(what(write(body_len, &files, b"stdin!")), Part::Stdin);
}

#[test]
fn writers_refuse_heads_that_readers_would_refuse() {
    let (head, ..) = sample();
    let many = vec![String::new(); 257];
    let long = vec!["x".repeat(65_537)];
    let zero = vec!["a\0b".to_owned()];
    for args in [many, long, zero, vec!["x".repeat(60_000); 5]] {
        assert!(InputHead { args, ..head.clone() }.body_len().is_err());
    }
    let files = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), 1)).collect::<Vec<_>>();
    let many: Vec<_> = (0..257).map(|i| (format!("{i}"), 0)).collect();
    for files in [files(&["../x"]), files(&["a", "a"]), many] {
        assert!(InputHead { files, ..head.clone() }.body_len().is_err());
    }
    let huge = vec![("a".to_owned(), u64::MAX), ("b".to_owned(), 1)];
    assert!(matches!(InputHead { files: huge, ..head }.body_len(), Err(BundleError::Limit { .. })));
}

#[test]
fn files_above_the_limit_are_refused_before_they_are_read() {
    let (head, files, stdin) = sample();
    let bytes = plaintext(&head, &files, &stdin);
    assert!(read(&bytes[..], 3).is_ok());
    assert!(matches!(read(&bytes[..], 2), Err(BundleError::Limit { found: 3, limit: 2, .. })));
}

#[test]
fn padding_must_be_zero_and_exactly_as_long_as_the_bucket() {
    let (head, files, stdin) = sample();
    let bytes = plaintext(&head, &files, &stdin);
    let mut dirty = bytes.clone();
    *dirty.last_mut().unwrap() = 1;
    assert!(matches!(read(&dirty[..], 9), Err(BundleError::Malformed { what: Part::Padding, .. })));
    let short = &bytes[..bytes.len() - 1];
    assert!(matches!(read(short, 9), Err(BundleError::Length { what: Part::Padding, .. })));
    let long = [&bytes[..], &[0]].concat();
    assert!(matches!(read(&long[..], 9), Err(BundleError::Length { what: Part::Padding, .. })));
}

#[test]
fn every_cut_of_a_plaintext_is_refused() {
    let (head, files, stdin) = sample();
    let bytes = plaintext(&head, &files, &stdin);
    for end in 0..bytes.len() {
        let error = read(&bytes[..end], 9).unwrap_err();
        if end < InputBinding::LEN {
            assert!(matches!(error, BundleError::Binding(BindingError::Length { .. })), "{end}: {error:?}");
        } else {
            assert!(
                matches!(error, BundleError::Malformed { .. } | BundleError::Length { .. }),
                "{end}: {error:?}"
            );
        }
    }
}

#[test]
fn hostile_heads_are_refused_with_their_reason() {
    let head_length = |length: u32| forged(&length.to_be_bytes());
    assert!(matches!(read(&head_length(u32::MAX)[..], 9), Err(BundleError::Limit { .. })));
    assert!(matches!(read(&head_length(1)[..], 9), Err(BundleError::Length { what: Part::Head, .. })));
    assert!(matches!(read(&forged(&[])[..], 9), Err(BundleError::Length { what: Part::Head, .. })));

    let stdin_len = [0_u8; 8];
    let many_args = forged_head(&[0xff; 4]);
    assert!(matches!(read(&many_args[..], 9), Err(BundleError::Limit { what: "arguments", .. })));
    let long_arg = forged_head(&[0, 1, 0xff, 0xff, 0xff, 0xff]);
    assert!(matches!(read(&long_arg[..], 9), Err(BundleError::Limit { what: "bytes of an argument", .. })));
    let missing_arg = forged_head(&[0, 1, 0, 0, 0, 9, b'x']);
    assert!(matches!(read(&missing_arg[..], 9), Err(BundleError::Malformed { what: Part::Head, .. })));
    let not_utf8 = forged_head(&[0, 1, 0, 0, 0, 1, 0xff]);
    assert!(matches!(read(&not_utf8[..], 9), Err(BundleError::Malformed { what: Part::Argument(0), .. })));
    let many_files = forged_head(&[0, 0, 0xff, 0xff]);
    assert!(matches!(read(&many_files[..], 9), Err(BundleError::Limit { what: "files", .. })));

    let file = |name: &[u8], size: u64| {
        let length = u16::try_from(name.len()).unwrap().to_be_bytes();
        [&[0, 0, 0, 1][..], &length, name, &size.to_be_bytes(), &stdin_len].concat()
    };
    let escape = forged_head(&file(b"../../etc/passwd", 0));
    assert!(matches!(read(&escape[..], 9), Err(BundleError::Malformed { what: Part::File(0), .. })));
    let huge = forged_head(&file(b"a", u64::MAX));
    assert!(matches!(read(&huge[..], u64::MAX), Err(BundleError::Length { what: Part::Body, .. })));
    let absent = forged_head(&file(b"a", 1 << 40));
    assert!(matches!(read(&absent[..], 1 << 30), Err(BundleError::Limit { .. })));
    assert!(matches!(read(&absent[..], 1 << 50), Err(BundleError::Length { what: Part::Body, .. })));
    let trailing = forged_head(&[&file(b"a", 0)[..], &[0]].concat());
    assert!(matches!(read(&trailing[..], 9), Err(BundleError::Malformed { what: Part::Head, .. })));
}

#[test]
fn bindings_that_state_huge_bodies_take_no_memory() {
    for body_len in [u64::MAX, u64::MAX - 1, 1 << 62] {
        let bytes = [&input_binding(body_len).to_bytes()[..], &[0, 0, 0, 12], &[0; 4], &[0xff; 8]].concat();
        let error = read(&bytes[..], u64::MAX).unwrap_err();
        assert!(matches!(error, BundleError::Limit { .. } | BundleError::Length { .. }), "{error:?}");
    }
}

#[test]
fn outputs_round_trip_and_hold_their_limits() {
    let bundle = OutputBundle {
        exit_code: -3,
        stdout: b"answer".to_vec(),
        stderr: b"warning".to_vec(),
        files: vec![OutputFile { name: "model/weights".to_owned(), bytes: vec![9; 1000] }],
    };
    let binding = output_binding(bundle.body_len().unwrap());
    let mut bytes = Vec::new();
    write_output(&mut bytes, &binding, &bundle).unwrap();
    assert_eq!(bytes.len() as u64, padme(bytes.len() as u64));
    assert_eq!(read_output(&bytes[..], 1013).unwrap(), (binding, bundle.clone()));
    assert!(matches!(read_output(&bytes[..], 1012), Err(BundleError::Limit { found: 1013, .. })));
    for end in 0..bytes.len() {
        assert!(read_output(&bytes[..end], 2000).is_err(), "{end}");
    }
    let input = write_output(io::sink(), &output_binding(1), &bundle);
    assert!(matches!(input, Err(BundleError::Length { what: Part::Body, .. })));
    let loud = OutputBundle { stderr: vec![0; 65_537], ..bundle };
    assert!(matches!(loud.body_len(), Err(BundleError::Limit { limit: MAX_STDERR_BYTES, .. })));
}

#[test]
fn an_input_is_not_an_output() {
    let (head, files, stdin) = sample();
    let bytes = plaintext(&head, &files, &stdin);
    let error = read_output(&bytes[..], 1000).unwrap_err();
    assert!(matches!(error, BundleError::Binding(BindingError::Magic { kind: "output" })));
}

#[test]
fn debug_shows_no_contents() {
    let (head, ..) = sample();
    let output = OutputBundle { stdout: b"canary".to_vec(), ..OutputBundle::default() };
    let printed = format!("{head:?}{output:?}");
    assert!(
        !printed.contains("term") && !printed.contains("canary") && !printed.contains("99, 97"),
        "{printed}"
    );
}

proptest! {
    #[test]
    fn any_input_round_trips(
        args in proptest::collection::vec("[^\0]{0,20}", 0..5),
        files in proptest::collection::btree_map("[a-z]{1,8}\\.x", proptest::collection::vec(any::<u8>(), 0..300), 0..6),
        stdin in proptest::collection::vec(any::<u8>(), 0..2000),
    ) {
        let head = InputHead {
            args,
            files: files.iter().map(|(name, bytes)| (name.clone(), bytes.len() as u64)).collect(),
            stdin_len: stdin.len() as u64,
        };
        let files: Vec<_> = files.into_values().collect();
        let bytes = plaintext(&head, &files, &stdin);
        let (_, read_head, read_files, read_stdin) = read(&bytes[..], u64::MAX).unwrap();
        prop_assert_eq!((read_head, read_files, read_stdin), (head, files, stdin));
    }

    #[test]
    fn any_body_is_read_or_refused_but_never_panics(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&forged(&body)[..], 1000);
        let _ = read(&forged_head(&body)[..], 1000);
    }

    #[test]
    fn an_accepted_input_has_one_encoding(flips in proptest::collection::vec((0_usize..400, any::<u8>()), 0..3)) {
        let (head, files, stdin) = sample();
        let mut bytes = plaintext(&head, &files, &stdin);
        for (index, value) in flips {
            if let Some(byte) = bytes.get_mut(index) {
                *byte = value;
            }
        }
        if let Ok((binding, head, files, stdin)) = read(&bytes[..], 1000) {
            let mut again = Vec::new();
            write_input(&mut again, &binding, &head, files.iter().map(Vec::as_slice), &stdin[..]).unwrap();
            prop_assert_eq!(again, bytes);
        }
    }
}
