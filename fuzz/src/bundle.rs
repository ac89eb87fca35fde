//! Plaintexts of sealed files: bindings, input bundles, output bundles.

use crate::{
    memory::{bounded, linear},
    samples::{DOMAIN, word},
    seeds::{Seed, chosen},
};
use sealwork_seal::{
    binding::{InputBinding, OutputBinding},
    bundle::{InputHead, InputReader, OutputBundle, OutputFile, read_output, write_input, write_output},
    padding::padme,
};
use sealwork_types::{Address, AppId, TaskId};
use std::io::{self, Read};

/// Most bytes of files that a reader takes here.
const LIMIT: u64 = 4096;
/// A head of 256 KiB, a part of at most 1 MiB that is reserved at once, and buffers for copies.
const BASE: usize = 2 << 20;

pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind % 5 {
        0 => input(rest),
        1 => output(rest),
        2 => input(&completed(input_binding, rest)),
        3 => output(&completed(output_binding, rest)),
        _ => bindings(rest),
    }
}

/// Any accepted plaintext is what the writer makes of its parts, and short reads change nothing.
fn input(bytes: &[u8]) {
    let whole = bounded(linear(BASE, 6, bytes), || read_input(bytes));
    let Some((binding, head, files, stdin)) = whole else {
        assert!(read_input(Dribble::new(bytes)).is_none());
        return;
    };
    assert!(head.files_bytes() <= LIMIT);
    assert_eq!(head.body_len().ok(), Some(binding.body_len));
    let mut written = Vec::new();
    write_input(&mut written, &binding, &head, files.iter().map(Vec::as_slice), &stdin[..])
        .expect("what was read can be written");
    assert!(written == bytes, "an input bundle has two encodings");
    assert!(read_input(Dribble::new(bytes)).is_some_and(|again| again == (binding, head, files, stdin)));
}

type Input = (InputBinding, InputHead, Vec<Vec<u8>>, Vec<u8>);

fn read_input(reader: impl Read) -> Option<Input> {
    let (binding, bound) = InputReader::new(reader).read_binding().ok()?;
    let (head, files) = bound.read_head(LIMIT).ok()?;
    let (files, mut stdin) = files.read_files().ok()?;
    let mut bytes = Vec::new();
    let streamed = stdin.read_to_end(&mut bytes);
    // What the end of the file says counts, not the end of the stream.
    stdin.finish().ok()?;
    streamed.expect("a stream that ends well was read well");
    Some((binding, head, files, bytes))
}

fn output(bytes: &[u8]) {
    let whole = bounded(linear(BASE, 6, bytes), || read_output(bytes, LIMIT).ok());
    let Some((binding, bundle)) = whole else {
        assert!(read_output(Dribble::new(bytes), LIMIT).is_err());
        return;
    };
    assert_eq!(bundle.body_len().ok(), Some(binding.body_len));
    let mut written = Vec::new();
    write_output(&mut written, &binding, &bundle).expect("what was read can be written");
    assert!(written == bytes, "an output bundle has two encodings");
    assert!(read_output(Dribble::new(bytes), LIMIT).is_ok_and(|again| again == (binding, bundle)));
}

fn bindings(bytes: &[u8]) {
    if let Ok(binding) = InputBinding::from_bytes(bytes) {
        assert_eq!(binding.to_bytes(), bytes);
    }
    if let Ok(binding) = OutputBinding::from_bytes(bytes) {
        assert_eq!(binding.to_bytes(), bytes);
    }
}

/// A plaintext whose lengths are right: its binding, `body` behind a head's length, zeros.
fn completed(binding: fn(u64) -> Vec<u8>, body: &[u8]) -> Vec<u8> {
    let (&split, body) = body.split_first().unwrap_or((&0, &[]));
    let (head, rest) = body.split_at(usize::from(split).min(body.len()));
    let length = u32::try_from(head.len()).expect("at most 255").to_be_bytes();
    let body = [&length[..], head, rest].concat();
    let mut bytes = binding(body.len() as u64);
    bytes.extend(body);
    let padded = usize::try_from(padme(bytes.len() as u64)).expect("small");
    bytes.resize(padded, 0);
    bytes
}

fn input_binding(body_len: u64) -> Vec<u8> {
    let binding = InputBinding {
        domain: DOMAIN,
        requester: Address::repeat_byte(2),
        app: AppId::new(word(3)),
        output_recipient: word(4),
        nonce: [5; 16],
        expiry: 6,
        body_len,
    };
    binding.to_bytes()
}

fn output_binding(body_len: u64) -> Vec<u8> {
    let task = TaskId::new(word(2));
    OutputBinding { domain: DOMAIN, task, input_digest: word(3), status: 4, body_len }.to_bytes()
}

/// Gives one byte at a time, and is interrupted before every fifth.
struct Dribble<'a> {
    bytes: &'a [u8],
    interrupted: bool,
}

impl<'a> Dribble<'a> {
    const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, interrupted: false }
    }
}

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted && self.bytes.len() % 5 == 0;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let (Some((first, rest)), Some(room)) = (self.bytes.split_first(), buffer.first_mut()) else {
            return Ok(0);
        };
        *room = *first;
        self.bytes = rest;
        Ok(1)
    }
}

pub fn seeds() -> Vec<Seed> {
    let head = InputHead {
        args: vec!["--fast".into(), String::new()],
        files: vec![("a/b.csv".into(), 4), ("ü".into(), 0)],
        stdin_len: 5,
    };
    let files: [&[u8]; 2] = [b"1,2\n", b""];
    let mut input = Vec::new();
    let body = head.body_len().expect("a small head");
    let binding = InputBinding::from_bytes(&input_binding(body)).expect("a binding");
    write_input(&mut input, &binding, &head, files, &b"stdin"[..]).expect("a small bundle");

    let bundle = OutputBundle {
        exit_code: -1,
        stdout: b"out".into(),
        stderr: b"err".into(),
        files: vec![OutputFile { name: "x".into(), bytes: b"y".into() }],
    };
    let mut output = Vec::new();
    let body = bundle.body_len().expect("a small bundle");
    let binding = OutputBinding::from_bytes(&output_binding(body)).expect("a binding");
    write_output(&mut output, &binding, &bundle).expect("a small bundle");

    let inner = |bytes: &[u8], binding: usize, body: u64| {
        let end = binding + usize::try_from(body).expect("small");
        let body = &bytes[binding + 4..end];
        let head = u32::from_be_bytes(*bytes[binding..].first_chunk().expect("a length"));
        [&[u8::try_from(head).expect("a small head")], body].concat()
    };
    vec![
        chosen("input", 0, &input),
        chosen("output", 1, &output),
        chosen("input-body", 2, inner(&input, InputBinding::LEN, head.body_len().expect("a small head"))),
        chosen("output-body", 3, inner(&output, OutputBinding::LEN, body)),
        chosen("input-binding", 4, input_binding(7)),
        chosen("output-binding", 4, output_binding(7)),
    ]
}
