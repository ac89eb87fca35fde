//! EIP-712 hashes beside their definition: keccak of the type's hash and one word for each field.

use crate::values::{app_order, domain, grant, receipt, request, work};
use alloy_primitives::keccak256;
use alloy_sol_types::{SolStruct, SolValue};
use proptest::prelude::*;
use sealwork_types::{
    B256, U256,
    abi::{AppOrder, Grant, Receipt, RequestOrder, Work},
};

/// The hash of a structure, from the words of its fields.
fn hash_of<T: SolStruct>(words: &[B256]) -> B256 {
    let type_hash = keccak256(T::eip712_encode_type().as_bytes());
    let words: Vec<u8> = words.iter().flat_map(|word| word.0).collect();
    keccak256([type_hash.as_slice(), &words].concat())
}

fn number(value: impl TryInto<U256>) -> B256 {
    value.try_into().map_or(B256::ZERO, Into::into)
}

fn words_of(order: &RequestOrder) -> [B256; 24] {
    let datasets: Vec<u8> = order.datasets.iter().flat_map(|dataset| dataset.0).collect();
    [
        order.app,
        order.codeHash,
        order.policyHash,
        U256::from(order.appMaxPrice).into(),
        keccak256(datasets),
        U256::from(order.datasetMaxPrice).into(),
        order.poolRestrict,
        U256::from(order.poolMaxPrice).into(),
        U256::from(order.minStake).into(),
        order.requester.into_word(),
        order.sponsor.into_word(),
        order.outputRecipient,
        number(order.volume),
        order.tag,
        number(order.category),
        number(order.trust),
        number(order.mode),
        order.callback.into_word(),
        number(order.callbackGas),
        keccak256(&order.params),
        order.requirements,
        number(order.expiry),
        number(order.nonce),
        order.salt,
    ]
}

fn words_of_receipt(receipt: &Receipt) -> [B256; 11] {
    [
        receipt.work.eip712_hash_struct(),
        receipt.dealId,
        number(receipt.index),
        number(receipt.status),
        number(receipt.fuel),
        number(receipt.keyEpoch),
        receipt.output,
        receipt.callbackHash,
        receipt.stateBefore,
        receipt.stateAfter,
        number(receipt.deltaIndex),
    ]
}

/// Fields of fixed length stand in a hash as they stand in the ABI encoding.
fn flat<T: SolStruct + SolValue>(value: &T) -> B256 {
    let words: Vec<B256> = value.abi_encode().chunks(32).map(B256::from_slice).collect();
    hash_of::<T>(&words)
}

proptest! {
    #[test]
    fn hashes_of_flat_structures_are_those_of_their_abi_encoding(order in app_order(), grant in grant(), work in work()) {
        prop_assert_eq!(order.eip712_hash_struct(), flat::<AppOrder>(&order));
        prop_assert_eq!(grant.eip712_hash_struct(), flat::<Grant>(&grant));
        prop_assert_eq!(work.eip712_hash_struct(), flat::<Work>(&work));
    }

    #[test]
    fn hashes_of_requests_and_receipts_follow_their_definition(order in request(), receipt in receipt()) {
        prop_assert_eq!(order.eip712_hash_struct(), hash_of::<RequestOrder>(&words_of(&order)));
        prop_assert_eq!(receipt.eip712_hash_struct(), hash_of::<Receipt>(&words_of_receipt(&receipt)));
    }

    #[test]
    fn signing_hashes_depend_on_the_deployment(order in app_order(), one in domain(), other in domain()) {
        prop_assert_eq!(one.signing_hash(&order) == other.signing_hash(&order), one == other);
    }

    #[test]
    fn abi_encodings_come_back_and_refuse_truncation(order in request(), receipt in receipt(), cut in any::<prop::sample::Index>()) {
        let encoded = order.abi_encode();
        prop_assert_eq!(RequestOrder::abi_decode(&encoded).unwrap(), order);
        let encoded = receipt.abi_encode();
        prop_assert_eq!(&Receipt::abi_decode(&encoded).unwrap(), &receipt);
        prop_assert!(Receipt::abi_decode(&encoded[..cut.index(encoded.len())]).is_err());
    }
}
