use super::*;
use crate::batch::ReceiptBatch;
use sealwork_seal::sign::SigningKey;
use sealwork_types::{
    Cid, Codec, U256,
    abi::{DealTerms, Receipt, RequestOrder},
    deal::{Deal, compact_signature, work},
    evidence::TeeKind,
};

struct World {
    anchors: TrustAnchors,
    document: ReceiptDocument,
    enclave: SigningKey,
}

fn world() -> World {
    let (requester, enclave, member) =
        (SigningKey::generate().unwrap(), SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let domain = SigningDomain { chain_id: 31_337, market: Address::repeat_byte(7) };
    let deal = deal(&requester, &domain);
    let receipt = receipt(&deal, 0);
    let grant = Grant {
        enclave: enclave.address(),
        measurement: B256::repeat_byte(6),
        tee: TeeKind::Sim.code(),
        hardwareId: B256::ZERO,
        expiry: 1,
    };
    let document = ReceiptDocument {
        version: ReceiptDocument::VERSION,
        domain,
        signature: enclave.sign(&domain, &receipt),
        receipt,
        batch: None,
        deal,
        grant_signatures: vec![member.sign(&domain, &grant)],
        grant,
        settlement: None,
    };
    let anchors = TrustAnchors {
        domain,
        cas_members: vec![member.address()],
        cas_threshold: 1,
        cas_enclaves: vec![],
        sim_roots: vec![],
    };
    World { anchors, document, enclave }
}

/// Two tasks of a request for four, of which one was used up before.
fn deal(requester: &SigningKey, domain: &SigningDomain) -> Deal {
    let request = request(requester.address());
    Deal {
        pool: B256::ZERO,
        volume: 2,
        terms: terms(&request, domain),
        request_signature: requester.sign(domain, &request),
        request,
    }
}

fn receipt(deal: &Deal, index: u32) -> Receipt {
    Receipt {
        work: deal.work(),
        dealId: deal.id().get(),
        index,
        status: 0,
        fuel: 10,
        keyEpoch: 0,
        output: B256::repeat_byte(5),
        callbackHash: B256::ZERO,
        stateBefore: B256::ZERO,
        stateAfter: B256::ZERO,
        deltaIndex: 0,
    }
}

fn request(requester: Address) -> RequestOrder {
    let params = TaskParams {
        input_cid: Cid::new(Codec::Raw, B256::repeat_byte(1)),
        input_digest: B256::repeat_byte(2),
    };
    RequestOrder {
        app: B256::repeat_byte(9),
        codeHash: B256::repeat_byte(3),
        policyHash: B256::repeat_byte(4),
        appMaxPrice: Default::default(),
        datasets: vec![],
        datasetMaxPrice: Default::default(),
        poolRestrict: B256::ZERO,
        poolMaxPrice: Default::default(),
        minStake: Default::default(),
        requester,
        sponsor: Address::ZERO,
        outputRecipient: B256::repeat_byte(8),
        volume: 4,
        tag: B256::ZERO,
        category: 0,
        trust: 0,
        mode: 0,
        callback: Address::ZERO,
        callbackGas: 0,
        params: params.to_bytes().into(),
        requirements: B256::ZERO,
        expiry: 0,
        nonce: 0,
        salt: U256::from(1).into(),
    }
}

fn terms(request: &RequestOrder, domain: &SigningDomain) -> DealTerms {
    DealTerms {
        requestHash: domain.signing_hash(request),
        firstTask: 1,
        workHash: work(request).eip712_hash_struct(),
        payer: Address::ZERO,
        appOwner: Address::ZERO,
        poolOwner: Address::ZERO,
        appPrice: Default::default(),
        poolPrice: Default::default(),
        stake: Default::default(),
        feeBps: 0,
        mode: 0,
        startedAt: 0,
        callback: Address::ZERO,
        callbackGas: 0,
        datasets: vec![],
    }
}

/// The same receipt, known by a batch of both tasks only.
fn in_batch(world: &mut World) {
    let document = &mut world.document;
    let batch = ReceiptBatch::new(&[document.receipt.clone(), receipt(&document.deal, 1)]).unwrap();
    let signature = world.enclave.sign(&document.domain, batch.statement());
    document.batch = batch.proof(0, signature);
    document.signature = Bytes::new();
}

#[test]
fn a_good_receipt_passes_and_names_its_witnesses() {
    let World { anchors, document, .. } = world();
    let checked = check(&document, &anchors).unwrap();
    assert_eq!(checked.members, anchors.cas_members);
    assert_eq!(check_output(&checked, B256::repeat_byte(5)), Ok(()));
    assert!(check_output(&checked, B256::ZERO).is_err());
}

#[test]
fn every_changed_field_of_the_receipt_is_noticed() {
    type Change = fn(&mut ReceiptDocument);
    let changes: [Change; 17] = [
        |d| d.receipt.dealId = B256::ZERO,
        |d| d.receipt.work.app = B256::ZERO,
        |d| d.receipt.work.codeHash = B256::ZERO,
        |d| d.receipt.work.policyHash = B256::ZERO,
        |d| d.receipt.work.input = B256::ZERO,
        |d| d.receipt.output = B256::ZERO,
        |d| d.receipt.status = 4,
        |d| d.receipt.fuel = 11,
        |d| d.receipt.index = 1,
        |d| d.signature = Bytes::new(),
        |d| d.grant.measurement = B256::ZERO,
        |d| d.deal.request.outputRecipient = B256::ZERO,
        |d| d.deal.request_signature = d.signature.clone(),
        |d| d.deal.terms.requestHash = B256::ZERO,
        |d| d.deal.terms.firstTask = 0,
        |d| d.deal.terms.workHash = B256::ZERO,
        |d| d.deal.volume = 0,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let World { anchors, mut document, .. } = world();
        change(&mut document);
        assert!(check(&document, &anchors).is_err(), "change {number} went unnoticed");
    }
}

#[test]
fn another_deployment_or_unknown_member_is_refused() {
    let World { mut anchors, document, .. } = world();
    anchors.cas_members = vec![Address::repeat_byte(1)];
    assert_eq!(check(&document, &anchors), Err(ReceiptError::NotGranted { found: 0, needed: 1 }));
    anchors.domain.chain_id = 1;
    assert!(matches!(check(&document, &anchors), Err(ReceiptError::OtherDeployment { .. })));
}

#[test]
fn one_member_signing_twice_counts_once() {
    let World { mut anchors, mut document, .. } = world();
    anchors.cas_threshold = 2;
    let again = document.grant_signatures[0].clone();
    document.grant_signatures.push(again);
    assert_eq!(check(&document, &anchors), Err(ReceiptError::NotGranted { found: 1, needed: 2 }));
}

#[test]
fn a_task_beyond_the_deal_or_the_request_is_refused() {
    let World { anchors, mut document, enclave } = world();
    document.receipt.index = 3;
    document.signature = enclave.sign(&document.domain, &document.receipt);
    let beyond = |what, index, last| Err(ReceiptError::Index { what, index, first: 0, last });
    assert_eq!(check(&document, &anchors), beyond("deal", 3, 1));
    document.deal.volume = 4;
    assert_eq!(check(&document, &anchors), beyond("request", 4, 3));
}

#[test]
fn a_request_signed_in_the_short_form_passes() {
    let World { anchors, mut document, .. } = world();
    let (r, vs) = compact_signature(&document.deal.request_signature).unwrap();
    document.deal.request_signature = [r, vs].concat().into();
    assert!(check(&document, &anchors).is_ok());
}

#[test]
fn a_receipt_passes_as_part_of_a_signed_batch() {
    let mut world = world();
    let single = check(&world.document, &world.anchors).unwrap();
    in_batch(&mut world);
    assert_eq!(check(&world.document, &world.anchors), Ok(single));
    let text = serde_json::to_vec(&world.document).unwrap();
    assert_eq!(ReceiptDocument::parse(&text).unwrap(), world.document);
}

#[test]
fn every_changed_field_of_a_batch_is_noticed() {
    type Change = fn(&mut ReceiptDocument, &mut BatchProof);
    let changes: [Change; 9] = [
        |_, proof| proof.first = 1,
        |_, proof| proof.tally.paid = 3,
        |_, proof| proof.root = B256::ZERO,
        |_, proof| proof.path[0] = B256::ZERO,
        |_, proof| proof.path.clear(),
        |_, proof| proof.path.push(B256::ZERO),
        |_, proof| proof.signature = Bytes::new(),
        |document, _| document.receipt.fuel = 11,
        |document, proof| document.signature = proof.signature.clone(),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut world = world();
        in_batch(&mut world);
        let mut proof = world.document.batch.take().unwrap();
        change(&mut world.document, &mut proof);
        world.document.batch = Some(proof);
        assert!(check(&world.document, &world.anchors).is_err(), "change {number} went unnoticed");
    }
}
