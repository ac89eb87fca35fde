//! Short encodings: content identifiers, ids, task parameters, amounts, signatures.

use crate::{
    memory::{bounded, linear},
    samples,
    seeds::{Seed, chosen},
};
use alloy_primitives::{B256, Signature};
use sealwork_seal::sign::{self, SignatureError};
use sealwork_store::{GeneralCid, parts_of};
use sealwork_types::{
    AppId, Bytes, Cid, Codec,
    deal::{compact_signature, full_signature, long_signature},
    order::TaskParams,
    tokens,
};

const KINDS: u8 = 7;

pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let text = str::from_utf8(rest).ok();
    bounded(linear(16 * 1024, 24, rest), || match (kind % KINDS, text) {
        (0, Some(text)) => cid_text(text),
        (1, _) => cid_bytes(rest),
        (2, _) => params(rest),
        (3, Some(text)) => amount(text),
        (4, Some(text)) => id(text),
        (5, _) => signature_forms(rest),
        (6, _) => recovered(rest),
        _ => {}
    });
}

fn cid_text(text: &str) {
    let narrow = text.parse::<Cid>();
    if let Ok(cid) = &narrow {
        assert_eq!(cid.to_string().parse().as_ref(), Ok(cid));
        assert_eq!(Cid::from_bytes(&cid.to_bytes()).as_ref(), Ok(cid));
        assert_eq!(cid.to_string(), text, "a content identifier has two texts");
    }
    // The store's reader takes more kinds, and the same ones alike.
    if let (Ok(cid), Ok(general)) = (narrow, GeneralCid::try_from(text)) {
        assert_eq!(parts_of(&general).ok(), Some((cid.codec(), cid.digest())));
    }
}

fn cid_bytes(bytes: &[u8]) {
    let Ok(cid) = Cid::from_bytes(bytes) else { return };
    assert_eq!(cid.to_bytes(), bytes, "a content identifier has two binary forms");
    assert!(matches!(cid.codec(), Codec::Raw | Codec::DagPb));
    let general = GeneralCid::try_from(bytes).expect("the store reads what the protocol reads");
    assert_eq!(parts_of(&general).ok(), Some((cid.codec(), cid.digest())));
}

fn params(bytes: &[u8]) {
    if let Ok(params) = TaskParams::from_bytes(bytes) {
        assert_eq!(params.to_bytes(), bytes);
    }
}

fn amount(text: &str) {
    let Ok(units) = tokens::parse(text) else { return };
    let shown = tokens::show(units);
    assert_eq!(tokens::parse(&shown).ok(), Some(units));
    assert!(shown.len() <= text.len() + 1 && !shown.ends_with('.'));
}

fn id(text: &str) {
    if let Ok(id) = text.parse::<AppId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().trim_start_matches("0x"), text.to_lowercase().trim_start_matches("0x"));
    }
}

fn signature_forms(bytes: &[u8]) {
    let long = long_signature(&Bytes::copy_from_slice(bytes));
    assert!(long[..] == *bytes || bytes.len() == 64);
    if let Some((r, vs)) = compact_signature(bytes) {
        let full = full_signature(r, vs);
        assert_eq!(full[..64], bytes[..64]);
        assert_eq!(compact_signature(&full), Some((r, vs)));
        assert_eq!(long_signature(&[r, vs].concat().into()), full);
    }
}

/// Our reader of signatures and alloy's name the same signer; ours takes one form only.
fn recovered(bytes: &[u8]) {
    let Some((hash, signature)) = bytes.split_first_chunk::<32>() else { return };
    let (hash, ours) = (B256::from(*hash), sign::recover_hash(B256::from(*hash), signature));
    let theirs = Signature::from_raw(signature).ok();
    let theirs = theirs.and_then(|signature| signature.recover_address_from_prehash(&hash).ok());
    match ours {
        Ok(address) => {
            assert_eq!(theirs, Some(address));
            assert!(compact_signature(signature).is_some());
        }
        Err(SignatureError::NoKey) => assert_eq!(theirs, None),
        Err(_) => {}
    }
}

pub fn seeds() -> Vec<Seed> {
    let cid = samples::params().input_cid;
    let hash = B256::repeat_byte(9);
    let signature = samples::requester().sign_hash(hash);
    vec![
        chosen("cid-text", 0, cid.to_string()),
        chosen("cid-v0", 0, "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"),
        chosen("cid-bytes", 1, cid.to_bytes()),
        chosen("params", 2, samples::params().to_bytes()),
        chosen("amount", 3, "12.000000000000000001"),
        chosen("id", 4, AppId::new(hash).to_string()),
        chosen("signature", 5, signature),
        chosen("compact-signature", 5, &signature[..64]),
        chosen("signed-hash", 6, [hash.as_slice(), &signature].concat()),
    ]
}
