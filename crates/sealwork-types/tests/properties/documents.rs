//! Documents in JSON.

use crate::values::{app_order, bytes, domain, grant, receipt, request, word};
use proptest::{collection::vec, prelude::*};
use sealwork_types::{
    Cid, Codec,
    channel::{ChannelTask, TaskReceipt},
    enclave_wire::GrantFrame,
    order::SignedRequest,
    signed_order::{Order, SignedOrder},
};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, cut: prop::sample::Index) {
    let text = serde_json::to_vec(value).unwrap();
    assert_eq!(&serde_json::from_slice::<T>(&text).unwrap(), value);
    assert!(serde_json::from_slice::<T>(text.get(..cut.index(text.len())).unwrap()).is_err());
    let longer = [&text[..], b"0"].concat();
    assert!(serde_json::from_slice::<T>(&longer).is_err());
    let more = [b"{\"more\":1,".as_slice(), text.get(1..).unwrap()].concat();
    assert!(serde_json::from_slice::<T>(&more).is_err());
}

proptest! {
    #[test]
    fn orders(order in app_order(), domain in domain(), signature in bytes(70), cut in any::<prop::sample::Index>()) {
        let signed = SignedOrder { domain, order: Order::App(Box::new(order)), signature };
        let text = serde_json::to_vec(&signed).unwrap();
        prop_assert_eq!(&SignedOrder::parse(&text).unwrap(), &signed);
        prop_assert!(SignedOrder::parse(text.get(..cut.index(text.len())).unwrap()).is_err());
        prop_assert_eq!(Order::from_fields(signed.order.kind(), signed.order.fields()).unwrap(), signed.order);
    }

    #[test]
    fn channel_tasks(order in request(), signature in bytes(70), count in any::<u32>(), voucher in bytes(70), cut in any::<prop::sample::Index>()) {
        comes_back(&ChannelTask { request: SignedRequest { order, signature }, count, voucher }, cut);
    }

    #[test]
    fn task_receipts(order in request(), receipt in receipt(), grant in grant(), signatures in vec(bytes(70), 0..3), digest in word(), cut in any::<prop::sample::Index>()) {
        let signature = signatures.first().cloned().unwrap_or_default();
        let request = SignedRequest { order, signature: signature.clone() };
        let output = (digest.0[0] & 1 == 0).then(|| Cid::new(Codec::Raw, digest));
        comes_back(&TaskReceipt { request, receipt, signature, grant, grant_signatures: signatures, output }, cut);
    }

    #[test]
    fn grants(grant in grant(), signatures in vec(bytes(70), 0..3), cut in any::<prop::sample::Index>()) {
        comes_back(&GrantFrame { grant, signatures }, cut);
    }
}
