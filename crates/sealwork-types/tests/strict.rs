//! Nothing inside a document is skipped: a field that a signature does not cover would be believed by whoever reads it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: a panic is a failed test"
)]

use sealwork_types::{
    abi::{
        Batch, DealTerms, Grant, LogHead, Receipt, RecipientCertificate, RequestOrder, Tally, Voucher, Work,
    },
    order::SignedRequest,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{fs, path::Path};

#[derive(Serialize, Deserialize)]
struct Vector {
    message: Value,
}

fn message(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/eip712.json");
    let vectors: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    serde_json::from_value::<Vector>(vectors[name].clone()).unwrap().message
}

/// Takes the message as it is, and refuses it with one field more, less or twice.
fn is_strict<T: DeserializeOwned + Serialize>(name: &str) {
    let genuine = message(name);
    let read = |value: &Value| serde_json::from_str::<T>(&value.to_string()).map(drop);
    read(&genuine).unwrap();
    let mut longer = genuine.clone();
    longer["more"] = json!(1);
    assert!(read(&longer).unwrap_err().to_string().contains("unknown field `more`"), "{name}");
    let field = genuine.as_object().unwrap().keys().next().unwrap().clone();
    let mut shorter = genuine.clone();
    shorter.as_object_mut().unwrap().remove(&field);
    assert!(read(&shorter).unwrap_err().to_string().contains("missing field"), "{name}");
    let twice = genuine.to_string().replacen('{', &format!("{{\"{field}\":{},", genuine[&field]), 1);
    let error = serde_json::from_str::<T>(&twice).map(drop).unwrap_err();
    assert!(error.to_string().contains("duplicate field"), "{name}: {error}");
}

#[test]
fn signed_structures_have_exactly_their_fields() {
    is_strict::<RequestOrder>("requestOrder");
    is_strict::<DealTerms>("terms");
    is_strict::<Receipt>("receipt");
    is_strict::<Batch>("batch");
    is_strict::<Grant>("grant");
    is_strict::<Voucher>("voucher");
    is_strict::<LogHead>("logHead");
    is_strict::<RecipientCertificate>("recipientCertificate");
}

#[test]
fn structures_inside_structures_have_exactly_their_fields() {
    let refused = |path: &str| {
        let mut document = json!({ "order": message("requestOrder"), "signature": "0x" });
        document.pointer_mut(path).unwrap()["more"] = json!(1);
        serde_json::from_str::<SignedRequest>(&document.to_string()).is_err()
    };
    assert!(refused("") && refused("/order"));
    let mut receipt = message("receipt");
    let work: Work = serde_json::from_value(receipt["work"].clone()).unwrap();
    assert_eq!(serde_json::to_value(work).unwrap(), receipt["work"]);
    receipt["work"]["more"] = json!(1);
    assert!(serde_json::from_value::<Receipt>(receipt).is_err());
    let tally = json!({ "paid": 1, "poolOnly": 2, "refunded": 3, "slashed": 4, "more": 5 });
    assert!(serde_json::from_value::<Tally>(tally).is_err());
}
