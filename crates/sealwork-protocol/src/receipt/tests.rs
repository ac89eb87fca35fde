use super::*;
use sealwork_seal::sign::SigningKey;
use sealwork_types::{
    Cid, Codec, U256,
    abi::{DealTerms, Receipt, RequestOrder},
    evidence::TeeKind,
};

struct World {
    anchors: TrustAnchors,
    document: ReceiptDocument,
}

fn world() -> World {
    let (requester, enclave, member) =
        (SigningKey::generate().unwrap(), SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let domain = SigningDomain { chain_id: 31_337, market: Address::repeat_byte(7) };
    let params = TaskParams {
        input_cid: Cid::new(Codec::Raw, B256::repeat_byte(1)),
        input_digest: B256::repeat_byte(2),
    };
    let request = request(requester.address(), params);
    let request_signature = requester.sign(&domain, &request);
    let request_hash = domain.order_hash(&request);
    let deal = order::deal_id(request_hash, 0);
    let receipt = Receipt {
        taskId: order::task_id(deal, 0).get(),
        dealId: deal.get(),
        app: request.app,
        codeHash: B256::repeat_byte(3),
        policyHash: B256::repeat_byte(4),
        input: params.input_digest,
        output: B256::repeat_byte(5),
        status: 0,
        fuel: 10,
        callbackHash: B256::ZERO,
        stateBefore: B256::ZERO,
        stateAfter: B256::ZERO,
        deltaIndex: 0,
        keyEpoch: 0,
    };
    let grant = Grant {
        enclave: enclave.address(),
        measurement: B256::repeat_byte(6),
        tee: TeeKind::Sim.code(),
        hardwareId: B256::ZERO,
        expiry: 1,
    };
    let document = ReceiptDocument {
        version: 1,
        domain,
        signature: enclave.sign(&domain, &receipt),
        receipt,
        index: 0,
        terms: terms(request, request_hash.get()),
        request_signature,
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
    World { anchors, document }
}

fn request(requester: Address, params: TaskParams) -> RequestOrder {
    RequestOrder {
        app: B256::repeat_byte(9),
        appMaxPrice: Default::default(),
        datasets: vec![],
        datasetMaxPrice: Default::default(),
        poolRestrict: B256::ZERO,
        poolMaxPrice: Default::default(),
        requester,
        sponsor: Address::ZERO,
        outputRecipient: B256::repeat_byte(8),
        volume: 1,
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

fn terms(request: RequestOrder, request_hash: B256) -> DealTerms {
    DealTerms {
        request,
        requestHash: request_hash,
        pool: B256::ZERO,
        codeHash: B256::repeat_byte(3),
        policyHash: B256::repeat_byte(4),
        appOwner: Address::ZERO,
        poolOwner: Address::ZERO,
        payer: Address::ZERO,
        appPrice: Default::default(),
        poolPrice: Default::default(),
        feeBps: 0,
        datasets: vec![],
        volume: 1,
        startedAt: 0,
    }
}

#[test]
fn a_good_receipt_passes_and_names_its_witnesses() {
    let World { anchors, document } = world();
    let checked = check(&document, &anchors).unwrap();
    assert_eq!(checked.members, anchors.cas_members);
    assert_eq!(check_output(&checked, B256::repeat_byte(5)), Ok(()));
    assert!(check_output(&checked, B256::ZERO).is_err());
}

#[test]
fn every_changed_field_of_the_receipt_is_noticed() {
    type Change = fn(&mut ReceiptDocument);
    let changes: [Change; 12] = [
        |d| d.receipt.taskId = B256::ZERO,
        |d| d.receipt.dealId = B256::ZERO,
        |d| d.receipt.app = B256::ZERO,
        |d| d.receipt.codeHash = B256::ZERO,
        |d| d.receipt.policyHash = B256::ZERO,
        |d| d.receipt.input = B256::ZERO,
        |d| d.receipt.output = B256::ZERO,
        |d| d.receipt.status = 4,
        |d| d.receipt.fuel = 11,
        |d| d.index = 1,
        |d| d.grant.measurement = B256::ZERO,
        |d| d.terms.request.outputRecipient = B256::ZERO,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let World { anchors, mut document } = world();
        change(&mut document);
        assert!(check(&document, &anchors).is_err(), "change {number} went unnoticed");
    }
}

#[test]
fn another_deployment_or_unknown_member_is_refused() {
    let World { mut anchors, document } = world();
    anchors.cas_members = vec![Address::repeat_byte(1)];
    assert_eq!(check(&document, &anchors), Err(ReceiptError::NotGranted { found: 0, needed: 1 }));
    anchors.domain.chain_id = 1;
    assert!(matches!(check(&document, &anchors), Err(ReceiptError::OtherDeployment { .. })));
}

#[test]
fn one_member_signing_twice_counts_once() {
    let World { mut anchors, mut document } = world();
    anchors.cas_threshold = 2;
    let again = document.grant_signatures[0].clone();
    document.grant_signatures.push(again);
    assert_eq!(check(&document, &anchors), Err(ReceiptError::NotGranted { found: 1, needed: 2 }));
}
