//! The pipe between an enclave and its host, both directions: frames, messages and the JSON inside them.

use crate::{
    json::{Samples, check_plain, document},
    memory::{bounded, linear},
    samples::{self, DOMAIN, word},
    seeds::{Seed, chosen},
};
use sealwork_protocol::batch::ReceiptBatch;
use sealwork_types::{
    Address, Bytes,
    enclave_wire::{
        BatchDone, DoneFrame, EvidenceFrame, FromEnclave, GrantFrame, SandboxReport, Step, TaskFrame,
        ToEnclave, decode_anchors, decode_body, decode_request, encode_frame, frame_length, read_message,
    },
    evidence::TeeKind,
    params::MAX_FRAME_BYTES,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

static SAMPLES: Samples<5> = Samples::new(|| {
    [sample(0), sample(1), sample(2), json!(samples::signed_request()), json!(samples::anchors())]
});

pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind % 6 {
        0 => body::<ToEnclave>(rest),
        1 => body::<FromEnclave>(rest),
        2 => stream::<ToEnclave>(rest),
        3 => stream::<FromEnclave>(rest),
        4 => anchors_and_request(rest),
        _ => inside(rest),
    }
}

/// A message that is accepted is written in at most its own length, and read as itself.
pub(crate) fn body<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    let Ok(message) = bounded(linear(16 * 1024, 4, bytes), || decode_body::<T>(bytes)) else { return };
    let written = postcard::to_stdvec(&message).expect("what was read can be written");
    assert!(written.len() <= bytes.len());
    let again = decode_body::<T>(&written).ok().and_then(|message| postcard::to_stdvec(&message).ok());
    assert_eq!(again.as_deref(), Some(&written[..]));
    let longer = [&written[..], &[0]].concat();
    assert!(decode_body::<T>(&longer).is_err(), "a byte behind a message was ignored");
    if let Some((_, shorter)) = written.split_last() {
        assert!(decode_body::<T>(&written[..shorter.len()]).is_err(), "a message that is cut short was read");
    }
}

/// Frames out of a pipe are the frames that are in it, and memory is taken for one of them.
fn stream<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    let mut rest = bytes;
    while let Some((header, behind)) = rest.split_first_chunk::<4>() {
        let mut pipe = rest;
        let read =
            bounded(linear(MAX_FRAME_BYTES + 16 * 1024, 4, bytes), || read_message::<T>(&mut pipe).ok());
        let framed = frame_length(*header).ok().and_then(|length| behind.split_at_checked(length));
        let expected = framed.and_then(|(body, _)| decode_body::<T>(body).ok());
        let text = |message: &Option<T>| message.as_ref().and_then(|message| encode_frame(message).ok());
        assert_eq!(text(&read), text(&expected));
        let Some((_, behind)) = framed else { return };
        if read.is_none() {
            return;
        }
        assert_eq!(pipe, behind, "the pipe does not stand behind the frame");
        rest = behind;
    }
}

fn anchors_and_request(rest: &[u8]) {
    let bytes = document(rest, || SAMPLES.get(3));
    if let Ok(request) = decode_request(&bytes) {
        assert_eq!(Some(request), check_plain(&bytes));
    }
    let bytes = document(rest, || SAMPLES.get(4));
    if let Ok(anchors) = decode_anchors(&bytes) {
        assert_eq!(
            Some(anchors.digest()),
            check_plain(&bytes).map(|same: sealwork_types::network::TrustAnchors| same.digest())
        );
    }
}

fn inside(rest: &[u8]) {
    let (kind, rest) = rest.split_first().unwrap_or((&0, &[]));
    let bytes = document(rest, || SAMPLES.get(kind % 3));
    match kind % 3 {
        0 => drop(check_plain::<GrantFrame>(&bytes)),
        1 => drop(check_plain::<DoneFrame>(&bytes)),
        _ => drop(check_plain::<BatchDone>(&bytes)),
    }
}

fn sample(kind: u8) -> Value {
    let document = samples::batch_document();
    match kind % 3 {
        0 => json!(GrantFrame { grant: samples::grant(), signatures: document.grant_signatures }),
        1 => {
            let receipt = samples::receipts_of(&samples::deal()).remove(0);
            json!(DoneFrame { signature: samples::enclave().sign(&DOMAIN, &receipt), receipt })
        }
        _ => {
            let receipts = samples::receipts_of(&samples::deal());
            let batch = ReceiptBatch::new(&receipts).expect("receipts that follow each other");
            let statement = batch.statement().clone();
            json!(BatchDone { statement, signature: document.signature, tasks: document.tasks })
        }
    }
}

fn to_enclave() -> Vec<ToEnclave> {
    let evidence = EvidenceFrame { tee: TeeKind::Sim, bytes: vec![1; 20] };
    let task = TaskFrame {
        now: 1_700_000_000,
        deal: [1; 32],
        index: 0,
        count: 1,
        budget_ms: 1_000,
        request: json!(samples::signed_request()).to_string().into_bytes(),
        manifest: samples::manifest().to_bytes(),
        policy: samples::policy().to_bytes(),
        output_recipient: vec![4; 32],
    };
    vec![
        ToEnclave::Init { anchors: json!(samples::anchors()).to_string().into_bytes(), tee: TeeKind::Sim },
        ToEnclave::Attest { now: 1_700_000_000 },
        ToEnclave::QuoteReply(Ok(evidence)),
        ToEnclave::QuoteReply(Err("no quote".to_owned())),
        ToEnclave::TlsIn(Bytes::from_static(b"tls")),
        ToEnclave::Task(Box::new(task)),
        ToEnclave::Chunk(Bytes::from_static(b"chunk")),
        ToEnclave::Stop,
    ]
}

fn from_enclave() -> Vec<FromEnclave> {
    vec![
        FromEnclave::Ready { enclave: Address::repeat_byte(1), sandbox: SandboxReport::default() },
        FromEnclave::Quote { report_data: vec![2; 64] },
        FromEnclave::TlsOpen { member: 1 },
        FromEnclave::TlsOut { member: 1, bytes: Bytes::from_static(b"tls") },
        FromEnclave::TlsNeed { member: 300 },
        FromEnclave::Attested { grant: word(1).to_vec() },
        FromEnclave::NeedModule,
        FromEnclave::NeedInput,
        FromEnclave::Progress(Step::Sealing),
        FromEnclave::Output(Bytes::from_static(b"out")),
        FromEnclave::Done { done: vec![1; 9] },
        FromEnclave::Refused { retryable: true, reason: "no".to_owned() },
    ]
}

pub fn seeds() -> Vec<Seed> {
    let frame = |message: &ToEnclave| encode_frame(message).expect("a small message");
    let answer = |message: &FromEnclave| encode_frame(message).expect("a small message");
    let mut seeds = Vec::new();
    for (index, message) in to_enclave().iter().enumerate() {
        seeds.push(chosen(&format!("to-enclave-{index}"), 0, &frame(message)[4..]));
    }
    for (index, message) in from_enclave().iter().enumerate() {
        seeds.push(chosen(&format!("from-enclave-{index}"), 1, &answer(message)[4..]));
    }
    seeds.push(chosen("to-enclave-stream", 2, to_enclave().iter().flat_map(frame).collect::<Vec<_>>()));
    seeds.push(chosen("from-enclave-stream", 3, from_enclave().iter().flat_map(answer).collect::<Vec<_>>()));
    seeds.push(chosen("anchors", 4, [&[0][..], json!(samples::anchors()).to_string().as_bytes()].concat()));
    seeds.push(chosen("request", 4, [1, 8, 8]));
    for kind in 0..3 {
        seeds.push(chosen(
            &format!("inside-{kind}"),
            5,
            [&[kind, 0][..], sample(kind).to_string().as_bytes()].concat(),
        ));
        seeds.push(chosen(&format!("inside-changed-{kind}"), 5, [kind, 1, 3, 3]));
    }
    seeds
}
