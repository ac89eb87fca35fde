//! Golden vectors of every hash that a signature, an id or a contract depends on. `UPDATE=1` rewrites the file; the
//! forge test `test/vectors/Vectors.t.sol` reads the same one.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is a failed test")]

use alloy_sol_types::{SolStruct, SolValue};
use sealwork_types::{
    Address, B256, Bytes, Cid, Codec, DealId, OrderHash, PolicyHash,
    abi::{
        AppOrder, Batch, DatasetOrder, DatasetShare, DealTerms, Grant, LogHead, PoolOrder, Receipt,
        RecipientCertificate, RequestOrder, Tally, Voucher, Work,
    },
    deal::{compact_signature, membership_leaf, policy_restriction, terms_hash, work},
    order::{SigningDomain, TaskParams, deal_id, task_id},
};
use serde_json::{Value, json};
use std::{env, fs, path::Path};

const DOMAIN: SigningDomain = SigningDomain { chain_id: 31_337, market: Address::repeat_byte(0xaa) };
const CONSUMED_BEFORE: u32 = 5;
const INDEX: u32 = 2;

/// A value of its own for every field, so that swapped fields change the hash.
fn price(units: u128) -> alloy_primitives::aliases::U96 {
    alloy_primitives::aliases::U96::from(units)
}

fn word(number: u8) -> B256 {
    B256::repeat_byte(number)
}

fn app_order() -> AppOrder {
    AppOrder {
        app: word(1),
        price: price(300_000_000_000_000_000_000),
        volume: 100,
        tag: word(2),
        datasetRestrict: word(3),
        poolRestrict: word(4),
        requesterRestrict: word(5),
        expiry: 1_900_000_000,
        nonce: 6,
        salt: word(7),
    }
}

fn dataset_order() -> DatasetOrder {
    DatasetOrder {
        dataset: word(11),
        price: price(70),
        volume: 50,
        tag: word(12),
        appRestrict: word(13),
        poolRestrict: word(14),
        requesterRestrict: word(15),
        expiry: 1_900_000_001,
        nonce: 16,
        salt: word(17),
    }
}

fn pool_order() -> PoolOrder {
    PoolOrder {
        pool: word(21),
        price: price(1_000),
        stake: price(333),
        volume: 1_000,
        tag: word(22),
        category: 23,
        trust: 24,
        modes: 25,
        offer: word(26),
        appRestrict: word(27),
        datasetRestrict: word(28),
        requesterRestrict: word(29),
        expiry: 1_900_000_002,
        nonce: 30,
        salt: word(31),
    }
}

fn request_order() -> RequestOrder {
    let params = TaskParams { input_cid: Cid::new(Codec::Raw, word(50)), input_digest: word(51) };
    RequestOrder {
        app: word(1),
        codeHash: word(61),
        policyHash: word(62),
        appMaxPrice: price(301),
        datasets: vec![word(11), word(41)],
        datasetMaxPrice: price(140),
        poolRestrict: word(21),
        poolMaxPrice: price(1_001),
        minStake: price(332),
        requester: Address::repeat_byte(42),
        sponsor: Address::repeat_byte(43),
        outputRecipient: word(44),
        volume: 3,
        tag: word(45),
        category: 23,
        trust: 24,
        mode: 0,
        callback: Address::repeat_byte(46),
        callbackGas: 100_000,
        params: params.to_bytes().into(),
        requirements: word(47),
        expiry: 1_900_000_003,
        nonce: 48,
        salt: word(49),
    }
}

fn terms() -> DealTerms {
    let request = request_order();
    DealTerms {
        requestHash: DOMAIN.signing_hash(&request),
        firstTask: CONSUMED_BEFORE,
        workHash: work(&request).eip712_hash_struct(),
        payer: Address::repeat_byte(43),
        appOwner: Address::repeat_byte(63),
        poolOwner: Address::repeat_byte(64),
        appPrice: price(300),
        poolPrice: price(1_000),
        stake: price(333),
        feeBps: 250,
        mode: 0,
        startedAt: 1_800_000_000,
        callback: Address::repeat_byte(46),
        callbackGas: 100_000,
        datasets: vec![
            DatasetShare { owner: Address::repeat_byte(65), price: price(70) },
            DatasetShare { owner: Address::repeat_byte(66), price: price(60) },
        ],
    }
}

fn deal() -> DealId {
    deal_id(OrderHash::new(terms().requestHash), CONSUMED_BEFORE)
}

fn receipt() -> Receipt {
    Receipt {
        work: work(&request_order()),
        dealId: deal().get(),
        index: INDEX,
        status: 108,
        fuel: 123_456_789,
        keyEpoch: 76,
        output: word(71),
        callbackHash: word(72),
        stateBefore: word(73),
        stateAfter: word(74),
        deltaIndex: 75,
    }
}

fn batch() -> Batch {
    Batch {
        work: work(&request_order()),
        dealId: deal().get(),
        first: 101,
        tally: Tally { paid: 102, poolOnly: 103, refunded: 104, slashed: 105 },
        root: word(106),
    }
}

/// Signatures by the private key 0x0101..01, in both lengths.
fn signed<T: SolStruct>(message: &T) -> Value {
    let key = k256::ecdsa::SigningKey::from_slice(&[1; 32]).unwrap();
    let hash = DOMAIN.signing_hash(message);
    let (signature, parity) = key.sign_prehash_recoverable(hash.as_slice()).unwrap();
    let full = [signature.to_bytes().as_slice(), &[27 + parity.to_byte()]].concat();
    let (r, vs) = compact_signature(&full).unwrap();
    json!({
        "signer": Address::from_public_key(key.verifying_key()),
        "signature": Bytes::from(full),
        "r": r,
        "vs": vs,
    })
}

fn typed<T: SolStruct + SolValue + serde::Serialize>(message: &T) -> Value {
    json!({
        "signed": signed(message),
        "type": T::eip712_encode_type(),
        "message": message,
        "abi": Bytes::from(message.abi_encode()),
        "structHash": message.eip712_hash_struct(),
        "signingHash": DOMAIN.signing_hash(message),
    })
}

fn vectors() -> Value {
    let terms = terms();
    let deal = deal();
    json!({
        "domain": {
            "name": "Sealwork",
            "version": "1",
            "chainId": DOMAIN.chain_id,
            "verifyingContract": DOMAIN.market,
            "separator": DOMAIN.eip712().separator(),
        },
        "appOrder": typed(&app_order()),
        "datasetOrder": typed(&dataset_order()),
        "poolOrder": typed(&pool_order()),
        "requestOrder": typed(&request_order()),
        "work": typed::<Work>(&work(&request_order())),
        "receipt": typed(&receipt()),
        "batch": typed(&batch()),
        "voucher": typed(&Voucher { dealId: deal.get(), count: 107 }),
        "grant": typed(&Grant {
            enclave: Address::repeat_byte(81),
            measurement: word(82),
            tee: 3,
            hardwareId: word(83),
            expiry: 1_900_000_004,
        }),
        "logHead": typed(&LogHead { size: 91, root: word(92), timestamp: 1_900_000_005 }),
        "recipientCertificate": typed(&RecipientCertificate {
            app: word(1),
            policyHash: word(62),
            keyEpoch: 76,
            recipient: word(93),
        }),
        "dealId": { "requestHash": terms.requestHash, "consumedBefore": CONSUMED_BEFORE, "hash": deal.get() },
        "taskId": { "dealId": deal.get(), "index": INDEX, "hash": task_id(deal, INDEX).get() },
        "terms": {
            "type": DealTerms::eip712_encode_type(),
            "message": terms,
            "abi": Bytes::from(terms.abi_encode()),
            "structHash": terms.eip712_hash_struct(),
            "kept": terms_hash(&terms),
        },
        "policyRestriction": {
            "policyHash": word(62),
            "restriction": policy_restriction(PolicyHash::new(word(62))),
        },
        "membershipLeaf": { "member": word(1), "leaf": membership_leaf(word(1)) },
    })
}

#[test]
fn hashes_equal_the_golden_vectors() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/eip712.json");
    let found = serde_json::to_string_pretty(&vectors()).unwrap() + "\n";
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let golden = fs::read_to_string(&path).expect("spec/vectors/eip712.json; UPDATE=1 writes it");
    assert_eq!(
        golden, found,
        "a signed hash changed: every signature made before is void. UPDATE=1 accepts it"
    );
}
