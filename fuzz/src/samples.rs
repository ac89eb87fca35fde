//! One valid value of every kind, with keys that are the same in every run.

use alloy_sol_types::SolStruct;
use sealwork_protocol::batch::ReceiptBatch;
use sealwork_seal::{Secret, sign::SigningKey};
use sealwork_types::{
    Address, B256, Cid, CodeHash, Codec, Measurement, PolicyHash, U256,
    abi::{AppOrder, DatasetOrder, DatasetShare, DealTerms, Grant, PoolOrder, Receipt, RequestOrder},
    batch::{BatchDocument, BatchedTask, receipts},
    deal::{Deal, work},
    evidence::TeeKind,
    manifest::{Abi, AppManifest},
    network::{CasMember, Contracts, NetworkDocument, TrustAnchors},
    offer::ResourceOffer,
    order::{SignedRequest, SigningDomain, TaskParams},
    policy::{AcceptedEnclave, Limits, Policy},
    receipt::{ReceiptDocument, Settlement},
    signed_order::{Order, SignedOrder},
};
use std::collections::BTreeMap;

pub(crate) const DOMAIN: SigningDomain = SigningDomain { chain_id: 31_337, market: Address::repeat_byte(7) };

pub(crate) const fn word(byte: u8) -> B256 {
    B256::repeat_byte(byte)
}

/// The key of one party.
pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(Secret::new([number; 32])).expect("a small number is a key")
}

pub(crate) fn requester() -> SigningKey {
    key(1)
}

pub(crate) fn enclave() -> SigningKey {
    key(2)
}

pub(crate) fn member() -> SigningKey {
    key(3)
}

pub(crate) fn params() -> TaskParams {
    TaskParams { input_cid: Cid::new(Codec::Raw, word(1)), input_digest: word(2) }
}

pub(crate) fn request() -> RequestOrder {
    RequestOrder {
        app: word(9),
        codeHash: word(3),
        policyHash: word(4),
        appMaxPrice: "300000000000000000000".parse().expect("a number"),
        datasets: vec![word(10)],
        datasetMaxPrice: Default::default(),
        poolRestrict: B256::ZERO,
        poolMaxPrice: Default::default(),
        minStake: Default::default(),
        requester: requester().address(),
        sponsor: Address::ZERO,
        outputRecipient: word(8),
        volume: 4,
        tag: B256::ZERO,
        category: 0,
        trust: 0,
        mode: 0,
        callback: Address::ZERO,
        callbackGas: 0,
        params: params().to_bytes().into(),
        requirements: B256::ZERO,
        expiry: 1_900_000_000,
        nonce: 0,
        salt: U256::from(1).into(),
    }
}

pub(crate) fn signed_request() -> SignedRequest {
    let order = request();
    SignedRequest { signature: requester().sign(&DOMAIN, &order), order }
}

/// A signed order of each kind.
pub(crate) fn orders() -> [SignedOrder; 4] {
    let app = AppOrder {
        app: word(1),
        price: Default::default(),
        volume: u32::MAX,
        tag: word(2),
        datasetRestrict: word(3),
        poolRestrict: word(4),
        requesterRestrict: word(5),
        expiry: 1_900_000_000,
        nonce: 6,
        salt: word(7),
    };
    let dataset = DatasetOrder {
        dataset: word(1),
        price: Default::default(),
        volume: 5,
        tag: word(2),
        appRestrict: word(3),
        poolRestrict: word(4),
        requesterRestrict: word(5),
        expiry: 1_900_000_000,
        nonce: 6,
        salt: word(7),
    };
    let pool = PoolOrder {
        pool: word(1),
        price: Default::default(),
        stake: Default::default(),
        volume: 1_000,
        tag: word(2),
        category: 23,
        trust: 24,
        modes: 25,
        offer: word(26),
        appRestrict: word(3),
        datasetRestrict: word(4),
        requesterRestrict: word(5),
        expiry: 1_900_000_000,
        nonce: 6,
        salt: word(7),
    };
    let signed = |order| SignedOrder { domain: DOMAIN, order, signature: vec![7; 65].into() };
    [
        signed(Order::App(app.into())),
        signed(Order::Dataset(dataset.into())),
        signed(Order::Pool(pool.into())),
        signed(Order::Request(request().into())),
    ]
}

/// Two tasks of a request for four, of which one was used up before.
pub(crate) fn deal() -> Deal {
    let request = request();
    let share = DatasetShare { owner: Address::repeat_byte(4), price: Default::default() };
    let terms = DealTerms {
        requestHash: DOMAIN.signing_hash(&request),
        firstTask: 1,
        workHash: work(&request).eip712_hash_struct(),
        payer: request.requester,
        appOwner: Address::repeat_byte(2),
        poolOwner: Address::repeat_byte(3),
        appPrice: Default::default(),
        poolPrice: Default::default(),
        stake: Default::default(),
        feeBps: 100,
        mode: 0,
        startedAt: 1_700_000_000,
        callback: Address::ZERO,
        callbackGas: 0,
        datasets: vec![share],
    };
    let request_signature = requester().sign(&DOMAIN, &request);
    Deal { pool: word(5), volume: 2, terms, request, request_signature }
}

pub(crate) fn grant() -> Grant {
    Grant {
        enclave: enclave().address(),
        measurement: word(6),
        tee: TeeKind::Sim.code(),
        hardwareId: B256::ZERO,
        expiry: 1_900_000_000,
    }
}

pub(crate) fn anchors() -> TrustAnchors {
    TrustAnchors {
        domain: DOMAIN,
        cas_members: vec![member().address()],
        cas_threshold: 1,
        cas_enclaves: vec![AcceptedEnclave {
            tee: TeeKind::Sim,
            measurement: Measurement::new(word(0xca)),
            min_platform_svn: 3,
        }],
        sim_roots: vec![vec![4; 65].into()],
    }
}

pub(crate) fn receipts_of(deal: &Deal) -> Vec<Receipt> {
    receipts(&deal.work(), deal.id(), 0, 0, &tasks()).collect()
}

fn tasks() -> Vec<BatchedTask> {
    let task = |status, output, bytes| BatchedTask { status, fuel: 7, output, bytes };
    vec![task(0, word(5), 100), task(4, B256::ZERO, 0)]
}

/// A receipt that holds, alone or in a batch.
pub(crate) fn receipt_document(batched: bool) -> ReceiptDocument {
    let deal = deal();
    let all = receipts_of(&deal);
    let batch = ReceiptBatch::new(&all).expect("receipts that follow each other");
    let signature = enclave().sign(&DOMAIN, batch.statement());
    let proof = batch.proof(0, signature).expect("the first receipt is in the batch");
    let receipt = all.into_iter().next().expect("two receipts");
    let settlement =
        Settlement { transaction: word(1), block: 5, sender: Address::repeat_byte(6), gas_used: 30_000 };
    ReceiptDocument {
        version: ReceiptDocument::VERSION,
        domain: DOMAIN,
        signature: if batched { Default::default() } else { enclave().sign(&DOMAIN, &receipt) },
        receipt,
        batch: batched.then_some(proof),
        deal,
        grant_signatures: vec![member().sign(&DOMAIN, &grant())],
        grant: grant(),
        settlement: Some(settlement),
    }
}

pub(crate) fn batch_document() -> BatchDocument {
    let deal = deal();
    let batch = ReceiptBatch::new(&receipts_of(&deal)).expect("receipts that follow each other");
    BatchDocument {
        version: 1,
        domain: DOMAIN,
        work: deal.work(),
        deal: deal.id(),
        first: 0,
        key_epoch: 0,
        tasks: tasks(),
        outputs: Some(Cid::new(Codec::DagPb, word(4))),
        tally: batch.statement().tally.clone(),
        root: batch.statement().root,
        signature: enclave().sign(&DOMAIN, batch.statement()),
        grant: grant(),
        grant_signatures: vec![member().sign(&DOMAIN, &grant())],
    }
}

pub(crate) fn policy() -> Policy {
    Policy {
        version: 1,
        code_hash: CodeHash::new(word(3)),
        enclaves: anchors().cas_enclaves,
        max_evidence_age_s: 300,
        allow_debug: false,
        limits: Limits::default(),
        environment: BTreeMap::from([("MODE".to_owned(), "fast".to_owned())]),
    }
}

pub(crate) fn manifest() -> AppManifest {
    AppManifest {
        version: 1,
        name: "word-count".to_owned(),
        description: "Counts words".to_owned(),
        abi: Abi::Batch,
        code: Cid::new(Codec::DagPb, word(2)),
        code_hash: CodeHash::new(word(3)),
        policy_hash: PolicyHash::new(word(4)),
    }
}

pub(crate) fn offer() -> ResourceOffer {
    ResourceOffer {
        version: 1,
        slots: 2,
        cpus: 8,
        memory_bytes: 1 << 34,
        tee: TeeKind::Sim,
        measurement: Measurement::new(word(0xec)),
    }
}

pub(crate) fn network() -> NetworkDocument {
    let at = Address::repeat_byte;
    NetworkDocument {
        version: 1,
        name: "local".to_owned(),
        contracts: Contracts {
            registry: at(1),
            market: DOMAIN.market,
            attestations: at(3),
            batches: at(4),
            channels: at(5),
            book: at(6),
            token: at(8),
        },
        deployed_at: 3,
        rpc: "http://127.0.0.1:8545".to_owned(),
        store: "http://127.0.0.1:5001".to_owned(),
        cas: vec![CasMember {
            address: member().address(),
            url: "http://127.0.0.1:8900".to_owned(),
            tls: "127.0.0.1:8901".to_owned(),
        }],
        anchors: anchors(),
    }
}
