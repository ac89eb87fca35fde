//! Frames between processes.

use crate::values::bytes;
use proptest::{collection::vec, prelude::*};
use sealwork_types::{
    Address, Bytes,
    cas_wire::{DenialRule, FromMember, ToMember},
    enclave_wire::{EvidenceFrame, FromEnclave, ToEnclave, decode_body, encode_frame, read_message},
    evidence::TeeKind,
};

fn evidence() -> impl Strategy<Value = EvidenceFrame> {
    vec(any::<u8>(), 0..300).prop_map(|bytes| EvidenceFrame { tee: TeeKind::Sim, bytes })
}

fn to_enclave() -> impl Strategy<Value = ToEnclave> {
    prop_oneof![
        vec(any::<u8>(), 0..300).prop_map(|anchors| ToEnclave::Init { anchors, tee: TeeKind::Tdx }),
        any::<u64>().prop_map(|now| ToEnclave::Attest { now }),
        evidence().prop_map(|evidence| ToEnclave::QuoteReply(Ok(evidence))),
        any::<String>().prop_map(|reason| ToEnclave::QuoteReply(Err(reason))),
        bytes(300).prop_map(ToEnclave::TlsIn),
        bytes(300).prop_map(ToEnclave::Chunk),
        Just(()).prop_map(|()| ToEnclave::Stop),
    ]
}

fn from_enclave() -> impl Strategy<Value = FromEnclave> {
    prop_oneof![
        vec(any::<u8>(), 0..100).prop_map(|report_data| FromEnclave::Quote { report_data }),
        (any::<u32>(), bytes(300)).prop_map(|(member, bytes)| FromEnclave::TlsOut { member, bytes }),
        Just(()).prop_map(|()| FromEnclave::NeedInput),
        bytes(300).prop_map(FromEnclave::Output),
        (any::<bool>(), any::<String>())
            .prop_map(|(retryable, reason)| FromEnclave::Refused { retryable, reason }),
    ]
}

fn to_member() -> impl Strategy<Value = ToMember> {
    let release = (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<u32>(), vec(any::<u8>(), 0..300));
    prop_oneof![
        any::<[u8; 32]>().prop_map(|nonce| ToMember::Hello { nonce }),
        (evidence(), any::<[u8; 20]>())
            .prop_map(|(evidence, enclave)| ToMember::Prove { evidence, enclave: Address::from(enclave) }),
        release.prop_map(|(app, policy_hash, key_epoch, policy)| ToMember::Release {
            app,
            policy_hash,
            key_epoch,
            policy
        }),
    ]
}

fn from_member() -> impl Strategy<Value = FromMember> {
    prop_oneof![
        (evidence(), any::<[u8; 32]>())
            .prop_map(|(evidence, nonce)| FromMember::Challenge { evidence, nonce }),
        vec(any::<u8>(), 0..300).prop_map(|grant| FromMember::Granted { grant }),
        (any::<[u8; 32]>(), any::<u64>())
            .prop_map(|(share, log_size)| FromMember::Released { share, log_size }),
        any::<String>().prop_map(|detail| FromMember::Denied { rule: DenialRule::Evidence, detail }),
    ]
}

/// Comes back as it was; cut short or with something behind it, it is refused.
macro_rules! frames {
    ($($name:ident: $strategy:expr => $message:ty;)*) => {
        proptest! {$(
            #[test]
            fn $name(message in $strategy, cut in any::<prop::sample::Index>(), more in any::<u8>()) {
                let frame = encode_frame(&message).unwrap();
                let again: $message = read_message(&frame[..]).unwrap();
                prop_assert_eq!(encode_frame(&again).unwrap(), &frame[..]);
                let short = cut.index(frame.len());
                prop_assert!(read_message::<$message>(&frame[..short]).is_err());
                let body = [&frame[4..], &[more]].concat();
                prop_assert!(decode_body::<$message>(&body).is_err());
                let mut pipe = [&frame[..], &frame[..]].concat();
                pipe.push(more);
                let mut pipe = &pipe[..];
                prop_assert!(read_message::<$message>(&mut pipe).is_ok());
                prop_assert!(read_message::<$message>(&mut pipe).is_ok());
                prop_assert_eq!(pipe, &[more][..]);
            }
        )*}
    };
}

frames! {
    messages_to_enclaves: to_enclave() => ToEnclave;
    messages_from_enclaves: from_enclave() => FromEnclave;
    messages_to_members: to_member() => ToMember;
    messages_from_members: from_member() => FromMember;
}

proptest! {
    #[test]
    fn a_changed_bit_never_leaves_the_same_message(data in bytes(60), place in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut frame = encode_frame(&ToEnclave::Chunk(data.clone())).unwrap();
        let at = place.index(frame.len());
        frame[at] ^= 1 << bit;
        let read = read_message::<ToEnclave>(&frame[..]);
        prop_assert!(!matches!(read, Ok(ToEnclave::Chunk(same)) if same == data));
    }

    #[test]
    fn any_bytes_are_a_message_of_their_own_length_or_none(body in vec(any::<u8>(), 0..200)) {
        if let Ok(message) = decode_body::<FromEnclave>(&body) {
            prop_assert!(encode_frame(&message).unwrap().len() <= body.len() + 4);
        }
    }
}

#[test]
fn an_empty_body_is_no_message() {
    assert!(decode_body::<ToEnclave>(&[]).is_err());
    assert!(decode_body::<Bytes>(&[]).is_err());
}
