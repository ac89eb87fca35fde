//! What enclaves and members say to each other, and what a member's HTTP side answers.

use crate::{
    enclave_wire::body,
    json::{Samples, check_plain, document},
    samples::{self, DOMAIN, word},
    seeds::{Seed, chosen},
};
use sealwork_cas::{ConsistencyProof, InclusionProof, LogAuditor, verify_log};
use sealwork_types::{
    Address, B256, Bytes,
    abi::{LogHead, RecipientCertificate},
    cas_wire::{
        DenialRule, FromMember, LogEntry, LogKind, MemberEvidence, MemberInfo, SignedLogHead,
        SignedRecipient, ToMember,
    },
    enclave_wire::EvidenceFrame,
    evidence::{Evidence, TeeKind},
};
use serde_json::{Value, json};
use std::sync::LazyLock;

const KINDS: u8 = 9;

static SAMPLES: Samples<7> =
    Samples::new(|| std::array::from_fn(|kind| sample(u8::try_from(kind + 2).expect("few"))));
static HEADS: LazyLock<[SignedLogHead; 2]> = LazyLock::new(|| [head_of(1), head_of(2)]);
static MEMBER: LazyLock<Address> = LazyLock::new(|| samples::member().address());

pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let kind = kind % KINDS;
    if kind < 2 {
        return if kind == 0 { body::<ToMember>(rest) } else { body::<FromMember>(rest) };
    }
    let bytes = &document(rest, || SAMPLES.get(kind - 2))[..];
    match kind {
        2 => drop(check_plain::<MemberInfo>(bytes)),
        3 => drop(check_plain::<SignedRecipient>(bytes)),
        4 => drop(check_plain::<MemberEvidence>(bytes)),
        5 => drop(check_plain::<SignedLogHead>(bytes)),
        6 => log(bytes),
        7 => drop(check_plain::<InclusionProof>(bytes)),
        _ => consistency(bytes),
    }
}

/// A log passes only with the entries that the member signed.
fn log(bytes: &[u8]) {
    let Some(entries) = check_plain::<Vec<LogEntry>>(bytes) else { return };
    let passes = verify_log(DOMAIN, *MEMBER, &entries, &HEADS[1]).is_ok();
    assert_eq!(passes, entries == self::entries());
}

/// The log of two entries begins with the log of one by one proof only.
fn consistency(bytes: &[u8]) {
    let Some(proof) = check_plain::<ConsistencyProof>(bytes) else { return };
    let auditor = LogAuditor::new(DOMAIN, *MEMBER);
    let passes = auditor.check_consistency(&HEADS[0], &HEADS[1], &proof).is_ok();
    assert_eq!(passes, proof == genuine_consistency());
}

fn entries() -> Vec<LogEntry> {
    let entry = |index, kind| LogEntry {
        index,
        time: 1_700_000_000,
        kind,
        app: word(1),
        policy_hash: word(2),
        key_epoch: 0,
        enclave: Address::repeat_byte(3),
        measurement: word(4),
        evidence: word(5),
    };
    vec![entry(0, LogKind::Grant), entry(1, LogKind::Release)]
}

fn leaf(entry: &LogEntry) -> B256 {
    sealwork_protocol::merkle::leaf_hash(&serde_json::to_vec(entry).expect("an entry can be written"))
}

fn head_of(size: usize) -> SignedLogHead {
    let mut tree = sealwork_protocol::merkle::MemoryTree::new();
    entries().iter().take(size).for_each(|entry| tree.push(leaf(entry)));
    let head = LogHead { size: tree.len(), root: tree.root(), timestamp: 1_700_000_000 };
    SignedLogHead { signature: samples::member().sign(&DOMAIN, &head), head }
}

fn genuine_consistency() -> ConsistencyProof {
    ConsistencyProof { from: 1, to: 2, path: vec![leaf(&entries()[1])] }
}

fn sample(kind: u8) -> Value {
    match kind {
        2 => json!(MemberInfo {
            address: samples::member().address(),
            anchors: word(1),
            key_epoch: 0,
            software: "0.1.0".to_owned(),
        }),
        3 => {
            let certificate =
                RecipientCertificate { app: word(1), policyHash: word(2), keyEpoch: 0, recipient: word(3) };
            let signature = samples::member().sign(&DOMAIN, &certificate);
            json!(SignedRecipient { certificate, recipient: Bytes::from_static(&[4; 40]), signature })
        }
        4 => {
            let evidence = Evidence { tee: TeeKind::Sim, bytes: Bytes::from_static(&[9; 30]) };
            json!(MemberEvidence { evidence })
        }
        5 => json!(head_of(2)),
        6 => json!(entries()),
        7 => json!(InclusionProof { index: 0, size: 2, path: vec![leaf(&entries()[1])] }),
        _ => json!(genuine_consistency()),
    }
}

pub fn seeds() -> Vec<Seed> {
    let evidence = || EvidenceFrame { tee: TeeKind::Sim, bytes: vec![1; 20] };
    let to_member = [
        ToMember::Hello { nonce: [1; 32] },
        ToMember::Prove { evidence: evidence(), enclave: Address::repeat_byte(2) },
        ToMember::Release { app: [1; 32], policy_hash: [2; 32], key_epoch: 0, policy: vec![3; 9] },
    ];
    let from_member = [
        FromMember::Challenge { evidence: evidence(), nonce: [1; 32] },
        FromMember::Granted { grant: vec![1; 9] },
        FromMember::Released { share: [7; 32], log_size: 300 },
        FromMember::Denied { rule: DenialRule::RateLimit, detail: "later".to_owned() },
    ];
    let mut seeds = Vec::new();
    for (index, message) in to_member.iter().enumerate() {
        let bytes = postcard::to_stdvec(message).expect("a small message");
        seeds.push(chosen(&format!("to-member-{index}"), 0, bytes));
    }
    for (index, message) in from_member.iter().enumerate() {
        let bytes = postcard::to_stdvec(message).expect("a small message");
        seeds.push(chosen(&format!("from-member-{index}"), 1, bytes));
    }
    for kind in 2..KINDS {
        let plain = [&[0][..], sample(kind).to_string().as_bytes()].concat();
        seeds.push(chosen(&format!("valid-{kind}"), kind, plain));
        seeds.push(chosen(&format!("changed-{kind}"), kind, [1, 9, 9]));
    }
    seeds
}
