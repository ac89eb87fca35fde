//! Documents that people and services publish: manifests, policies, networks, offers, pools, batches, progress.
//!
//! First byte: kind of document. Second byte: the bytes themselves, or changes to a valid document.

use crate::{
    json::{Samples, check, check_plain, document},
    samples,
    seeds::{Seed, chosen},
};
use sealwork_types::{
    B256, DealId, TaskId,
    batch::{BatchDocument, MAX_BATCH_DOCUMENT_BYTES},
    channel::ChannelState,
    manifest::AppManifest,
    network::{NetworkDocument, TrustAnchors},
    offer::ResourceOffer,
    params::MAX_MANIFEST_BYTES,
    policy::Policy,
    progress::{AcceptedRequest, PoolManifest, RefusedRequest},
};
use serde::Serialize;
use serde_json::{Value, json};

const KINDS: u8 = 10;

static SAMPLES: Samples<10> =
    Samples::new(|| std::array::from_fn(|kind| sample(u8::try_from(kind).expect("few"))));

pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let kind = kind % KINDS;
    let bytes = &document(rest, || SAMPLES.get(kind))[..];
    match kind {
        0 => drop(check(bytes, MAX_MANIFEST_BYTES, AppManifest::parse)),
        1 => drop(check(bytes, MAX_MANIFEST_BYTES, Policy::parse)),
        2 => network(bytes),
        3 => drop(check(bytes, MAX_MANIFEST_BYTES, ResourceOffer::parse)),
        4 => batch(bytes),
        5 => drop(check_plain::<PoolManifest>(bytes)),
        6 => drop(check_plain::<TrustAnchors>(bytes)),
        7 => drop(check_plain::<ChannelState>(bytes)),
        8 => drop(check_plain::<AcceptedRequest>(bytes)),
        _ => drop(check_plain::<RefusedRequest>(bytes)),
    }
}

fn network(bytes: &[u8]) {
    let Some(network) = check(bytes, MAX_MANIFEST_BYTES, NetworkDocument::parse) else { return };
    assert!(network.anchors.sim_roots.is_empty() || network.anchors.is_development());
    assert_eq!(network.anchors.domain.market, network.contracts.market);
    assert!((1..=network.cas.len()).contains(&usize::from(network.anchors.cas_threshold)));
}

/// Places of outputs never overlap and never overflow.
fn batch(bytes: &[u8]) {
    let Some(batch) = check(bytes, MAX_BATCH_DOCUMENT_BYTES, BatchDocument::parse) else { return };
    let mut end = 0;
    for receipt in batch.receipts() {
        let Some(place) = batch.place(receipt.index) else { continue };
        assert!(place.start >= end && place.end >= place.start);
        end = place.end;
    }
    let behind = batch.first.checked_add(u32::try_from(batch.tasks.len()).expect("at most 1,000"));
    assert_eq!(behind.and_then(|index| batch.place(index)), None);
}

fn sample(kind: u8) -> Value {
    fn of(value: impl Serialize) -> Value {
        serde_json::to_value(value).expect("a sample can be written")
    }
    match kind {
        0 => of(samples::manifest()),
        1 => of(samples::policy()),
        2 => of(samples::network()),
        3 => of(samples::offer()),
        4 => of(samples::batch_document()),
        5 => of(PoolManifest { version: 1, name: "pool".into(), url: "http://127.0.0.1:8800".into() }),
        6 => of(samples::anchors()),
        7 => json!({ "deal": B256::ZERO, "volume": 5, "used": 2, "closed": 1, "closing": false }),
        8 => of(AcceptedRequest { deal: DealId::default(), task: TaskId::default() }),
        _ => of(RefusedRequest { code: "closed".into(), message: "try another pool".into() }),
    }
}

pub fn seeds() -> Vec<Seed> {
    (0..KINDS)
        .flat_map(|kind| {
            let plain = [&[0][..], sample(kind).to_string().as_bytes()].concat();
            [
                chosen(&format!("valid-{kind}"), kind, plain),
                chosen(&format!("changed-{kind}"), kind, [1, 9, 9]),
            ]
        })
        .collect()
}
