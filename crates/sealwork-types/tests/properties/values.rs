//! Any value of the structures that are signed.

use alloy_primitives::aliases::U96;
use proptest::{collection::vec, prelude::*};
use sealwork_types::{
    Address, B256, Bytes,
    abi::{AppOrder, Grant, Receipt, RequestOrder, Work},
    order::SigningDomain,
};

pub(crate) fn word() -> impl Strategy<Value = B256> {
    any::<[u8; 32]>().prop_map(B256::from)
}

pub(crate) fn address() -> impl Strategy<Value = Address> {
    any::<[u8; 20]>().prop_map(Address::from)
}

fn price() -> impl Strategy<Value = U96> {
    any::<[u8; 12]>().prop_map(U96::from_be_bytes)
}

pub(crate) fn bytes(most: usize) -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..=most).prop_map(Bytes::from)
}

pub(crate) fn domain() -> impl Strategy<Value = SigningDomain> {
    (any::<u64>(), address()).prop_map(|(chain_id, market)| SigningDomain { chain_id, market })
}

pub(crate) fn app_order() -> impl Strategy<Value = AppOrder> {
    let words = (word(), word(), word(), word(), word(), word());
    let numbers = (price(), any::<u32>(), any::<u64>(), any::<u64>());
    (words, numbers).prop_map(|(words, (price, volume, expiry, nonce))| AppOrder {
        app: words.0,
        price,
        volume,
        tag: words.1,
        datasetRestrict: words.2,
        poolRestrict: words.3,
        requesterRestrict: words.4,
        expiry,
        nonce,
        salt: words.5,
    })
}

pub(crate) fn request() -> impl Strategy<Value = RequestOrder> {
    let words = (word(), word(), word(), word(), word(), word(), word(), word());
    let prices = (price(), price(), price(), price());
    let parties = (address(), address(), address());
    let numbers =
        (any::<u32>(), any::<u16>(), any::<u16>(), any::<u8>(), any::<u32>(), any::<u64>(), any::<u64>());
    let lists = (vec(word(), 0..4), bytes(80));
    (words, prices, parties, numbers, lists).prop_map(|(words, prices, parties, numbers, lists)| {
        RequestOrder {
            app: words.0,
            codeHash: words.1,
            policyHash: words.2,
            appMaxPrice: prices.0,
            datasets: lists.0,
            datasetMaxPrice: prices.1,
            poolRestrict: words.3,
            poolMaxPrice: prices.2,
            minStake: prices.3,
            requester: parties.0,
            sponsor: parties.1,
            outputRecipient: words.4,
            volume: numbers.0,
            tag: words.5,
            category: numbers.1,
            trust: numbers.2,
            mode: numbers.3,
            callback: parties.2,
            callbackGas: numbers.4,
            params: lists.1,
            requirements: words.6,
            expiry: numbers.5,
            nonce: numbers.6,
            salt: words.7,
        }
    })
}

pub(crate) fn work() -> impl Strategy<Value = Work> {
    (word(), word(), word(), word()).prop_map(|(app, code, policy, input)| Work {
        app,
        codeHash: code,
        policyHash: policy,
        input,
    })
}

pub(crate) fn receipt() -> impl Strategy<Value = Receipt> {
    let words = (word(), word(), word(), word(), word());
    let numbers = (any::<u32>(), any::<u16>(), any::<u64>(), any::<u32>(), any::<u64>());
    (work(), words, numbers).prop_map(|(work, words, numbers)| Receipt {
        work,
        dealId: words.0,
        index: numbers.0,
        status: numbers.1,
        fuel: numbers.2,
        keyEpoch: numbers.3,
        output: words.1,
        callbackHash: words.2,
        stateBefore: words.3,
        stateAfter: words.4,
        deltaIndex: numbers.4,
    })
}

pub(crate) fn grant() -> impl Strategy<Value = Grant> {
    (address(), word(), any::<u8>(), word(), any::<u64>()).prop_map(
        |(enclave, measurement, tee, hardware, expiry)| Grant {
            enclave,
            measurement,
            tee,
            hardwareId: hardware,
            expiry,
        },
    )
}
