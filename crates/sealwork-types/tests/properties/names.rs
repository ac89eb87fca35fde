//! Content identifiers, task parameters and forms of signatures.

use crate::values::word;
use proptest::prelude::*;
use sealwork_types::{
    Cid, Codec,
    deal::{compact_signature, full_signature},
    order::TaskParams,
};

fn cid() -> impl Strategy<Value = Cid> {
    (any::<bool>(), word())
        .prop_map(|(raw, digest)| Cid::new(if raw { Codec::Raw } else { Codec::DagPb }, digest))
}

proptest! {
    #[test]
    fn content_identifiers(cid in cid(), place in any::<prop::sample::Index>(), letter in "[a-zA-Z0-9]") {
        prop_assert_eq!(cid.to_string().parse::<Cid>().unwrap(), cid);
        let bytes = cid.to_bytes();
        prop_assert_eq!(Cid::from_bytes(&bytes).unwrap(), cid);
        prop_assert!(Cid::from_bytes(&bytes[..place.index(bytes.len())]).is_err());
        prop_assert!(Cid::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        let mut text = cid.to_string();
        let at = place.index(text.len());
        text.replace_range(at..=at, &letter);
        let changed = text != cid.to_string();
        prop_assert_eq!(text.parse::<Cid>().is_ok_and(|other| other == cid), !changed);
        prop_assert!(text[..at].parse::<Cid>().is_err());
    }

    #[test]
    fn task_parameters(cid in cid(), digest in word(), place in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let params = TaskParams { input_cid: cid, input_digest: digest };
        let mut bytes = params.to_bytes();
        prop_assert_eq!(TaskParams::from_bytes(&bytes).unwrap(), params);
        prop_assert!(TaskParams::from_bytes(&bytes[..place.index(bytes.len())]).is_err());
        let at = place.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert_ne!(TaskParams::from_bytes(&bytes).ok(), Some(params));
    }

    #[test]
    fn signatures_have_one_short_form(r in word(), s in word(), odd in any::<bool>()) {
        let mut low = s;
        low.0[0] &= 0x7f;
        let full = [r.as_slice(), low.as_slice(), &[27 + u8::from(odd)]].concat();
        let (short, vs) = compact_signature(&full).unwrap();
        prop_assert_eq!(full_signature(short, vs).to_vec(), full);
    }
}
