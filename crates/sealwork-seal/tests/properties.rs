//! What holds for every bundle and every sealed file, and lengths that are refused before memory is taken.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is a failed test")]

use proptest::{collection::vec, prelude::*};
use sealwork_seal::{
    Secret,
    age::{Identity, OpenReader, SealWriter},
    binding::{InputBinding, OutputBinding},
    bundle::{InputHead, InputReader, OutputBundle, OutputFile, read_output, write_input, write_output},
};
use sealwork_types::{Address, AppId, B256, TaskId, order::SigningDomain};
use std::{
    fs,
    io::{Read, Write},
};

const DOMAIN: SigningDomain = SigningDomain { chain_id: 31_337, market: Address::repeat_byte(7) };
const LIMIT: u64 = 1 << 20;

fn input_binding(body_len: u64) -> InputBinding {
    InputBinding {
        domain: DOMAIN,
        requester: Address::repeat_byte(1),
        app: AppId::new(B256::repeat_byte(2)),
        output_recipient: B256::repeat_byte(3),
        nonce: [4; 16],
        expiry: 5,
        body_len,
    }
}

fn output_binding(body_len: u64) -> OutputBinding {
    let (task, input_digest) = (TaskId::new(B256::repeat_byte(1)), B256::repeat_byte(2));
    OutputBinding { domain: DOMAIN, task, input_digest, status: 0, body_len }
}

type Input = (InputHead, Vec<Vec<u8>>, Vec<u8>);

fn input() -> impl Strategy<Value = Input> {
    let names = proptest::collection::btree_set("[a-z]{1,8}", 0..5);
    (vec("[^\0]{0,12}", 0..4), names, vec(vec(any::<u8>(), 0..50), 5), vec(any::<u8>(), 0..200)).prop_map(
        |(args, names, mut contents, stdin)| {
            contents.truncate(names.len());
            let sizes = contents.iter().map(|content| content.len() as u64);
            let files = names.into_iter().zip(sizes).collect();
            (InputHead { args, files, stdin_len: stdin.len() as u64 }, contents, stdin)
        },
    )
}

fn write((head, files, stdin): &Input) -> Vec<u8> {
    let mut bytes = Vec::new();
    let binding = input_binding(head.body_len().unwrap());
    write_input(&mut bytes, &binding, head, files.iter().map(Vec::as_slice), &stdin[..]).unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Option<Input> {
    let (_, bound) = InputReader::new(bytes).read_binding().ok()?;
    let (head, files) = bound.read_head(LIMIT).ok()?;
    let (files, mut stdin) = files.read_files().ok()?;
    let mut content = Vec::new();
    stdin.read_to_end(&mut content).ok()?;
    stdin.finish().ok()?;
    Some((head, files, content))
}

proptest! {
    #[test]
    fn input_bundles_come_back_whole_or_not_at_all(input in input(), cut in any::<prop::sample::Index>(), more in any::<u8>()) {
        let bytes = write(&input);
        prop_assert_eq!(read(&bytes), Some(input));
        prop_assert_eq!(read(&bytes[..cut.index(bytes.len())]), None);
        prop_assert_eq!(read(&[&bytes[..], &[more]].concat()), None);
    }

    #[test]
    fn a_changed_bit_of_an_input_is_refused_or_seen(input in input(), place in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let bytes = write(&input);
        let mut changed = bytes.clone();
        let at = place.index(bytes.len());
        changed[at] ^= 1 << bit;
        let same_binding = changed[..InputBinding::LEN] == bytes[..InputBinding::LEN];
        prop_assert!(!same_binding || read(&changed) != Some(input));
    }

    #[test]
    fn output_bundles_come_back_whole_or_not_at_all(
        exit_code in any::<i32>(), stdout in vec(any::<u8>(), 0..200), stderr in vec(any::<u8>(), 0..50),
        names in proptest::collection::btree_set("[a-z]{1,8}", 0..4), cut in any::<prop::sample::Index>(),
    ) {
        let files = names.into_iter().map(|name| OutputFile { bytes: name.as_bytes().to_vec(), name }).collect();
        let bundle = OutputBundle { exit_code, stdout, stderr, files };
        let binding = output_binding(bundle.body_len().unwrap());
        let mut bytes = Vec::new();
        write_output(&mut bytes, &binding, &bundle).unwrap();
        prop_assert_eq!(read_output(&bytes[..], LIMIT).unwrap(), (binding, bundle));
        prop_assert!(read_output(&bytes[..cut.index(bytes.len())], LIMIT).is_err());
        prop_assert!(read_output(&[&bytes[..], &[0]].concat()[..], LIMIT).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn sealed_files_refuse_every_change(content in vec(any::<u8>(), 0..300), place in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let identity = [Identity::from_seed(Secret::new([9; 32]))];
        let mut writer = SealWriter::new(&[identity[0].recipient()], Vec::new()).unwrap();
        writer.write_all(&content).unwrap();
        let sealed = writer.finish().unwrap();
        let open = |sealed: &[u8]| -> Option<Vec<u8>> {
            let mut opened = Vec::new();
            OpenReader::new(&identity, sealed).ok()?.read_to_end(&mut opened).ok()?;
            Some(opened)
        };
        prop_assert_eq!(open(&sealed), Some(content));
        let at = place.index(sealed.len());
        prop_assert_eq!(open(&sealed[..at]), None);
        let mut changed = sealed.clone();
        changed[at] ^= 1 << bit;
        prop_assert_eq!(open(&changed), None);
        prop_assert_eq!(open(&[&sealed[..], &[0]].concat()), None);
    }
}

/// Address space that this process ever had, in KiB; memory that was reserved but never touched counts as well.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn refused_without_memory(read: impl FnOnce() -> bool) {
    let before = peak_kib();
    assert!(!read(), "a length that nobody can mean was believed");
    let grown = peak_kib() - before;
    assert!(grown < 160 * 1024, "the process grew by {grown} KiB");
}

#[test]
fn heads_with_huge_lengths_are_refused() {
    for body_len in [u64::from(u32::MAX), 1 << 63, u64::MAX] {
        let bytes = [&input_binding(body_len).to_bytes()[..], &[0xff; 4], &[0; 60]].concat();
        refused_without_memory(|| read(&bytes).is_some());
        let bytes = [&output_binding(body_len).to_bytes()[..], &[0xff; 4], &[0; 60]].concat();
        refused_without_memory(|| read_output(&bytes[..], u64::MAX).is_ok());
    }
}

#[test]
fn files_and_streams_with_huge_lengths_are_refused() {
    for length in [u64::from(u32::MAX), 1 << 40, 1 << 63, u64::MAX] {
        // One file called x, and no standard input.
        let head = [&[0, 0, 0, 1, 0, 1, b'x'][..], &length.to_be_bytes(), &[0; 8]].concat();
        let body = length.saturating_add(head.len() as u64 + 4);
        let prefix = u32::try_from(head.len()).unwrap().to_be_bytes();
        let bytes = [&input_binding(body).to_bytes()[..], &prefix, &head, &[0; 60]].concat();
        refused_without_memory(|| {
            let Ok((_, bound)) = InputReader::new(&bytes[..]).read_binding() else { return false };
            bound.read_head(u64::MAX).is_ok_and(|(_, files)| files.read_files().is_ok())
        });
        // Standard output of that length.
        let head = [&[0; 4][..], &length.to_be_bytes(), &[0; 8], &[0; 2]].concat();
        let prefix = u32::try_from(head.len()).unwrap().to_be_bytes();
        let bytes = [&output_binding(body).to_bytes()[..], &prefix, &head, &[0; 60]].concat();
        refused_without_memory(|| read_output(&bytes[..], u64::MAX).is_ok());
    }
}
