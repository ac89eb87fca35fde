//! What a good enclave and a careful client see.

use crate::network::{APP, CAS, ENCLAVE, NOW, Network, OTHER_ENCLAVE, accepted, policy, release};
use sealwork_attest::{Requirements, Roots, appraise, verify};
use sealwork_cas::{AuditError, LogAuditor, verify_log};
use sealwork_ports::KeyService;
use sealwork_protocol::merkle;
use sealwork_ratls::keys::{app_identity, combine_shares};
use sealwork_seal::{age::Recipient, sign};
use sealwork_types::{
    B256,
    cas_wire::{LogKind, cas_report_data},
    params::GRANT_LIFETIME_S,
    policy::Policy,
};

#[test]
fn grants_a_key_to_an_acceptable_enclave() {
    let network = Network::start();
    let enclave = network.enclave();
    let (_, frame) = enclave.connect().unwrap();
    assert_eq!(frame.grant.enclave, enclave.key);
    assert_eq!(frame.grant.measurement, ENCLAVE.get());
    assert_eq!(frame.grant.tee, 0);
    assert_eq!(frame.grant.expiry, NOW + GRANT_LIFETIME_S);
    let anchors = &network.setup.anchors;
    let signers = sealwork_protocol::receipt::check_grant(&frame.grant, &frame.signatures, anchors).unwrap();
    assert_eq!(signers, anchors.cas_members);
    network.stop();
}

#[test]
fn every_session_derives_the_identity_whose_recipient_is_published() {
    let network = Network::start();
    let policy = network.registered_policy();
    let published = network.wait(network.client.recipient(APP, Policy::hash_of(&policy))).unwrap();
    let recipient = Recipient::from_bytes(&published.recipient).unwrap();
    assert_eq!(published.certificate.recipient, recipient.digest());
    let signer = sign::recover(&network.setup.anchors.domain, &published.certificate, &published.signature);
    assert_eq!(signer.unwrap(), network.setup.anchors.cas_members[0]);
    for _ in 0..2 {
        let (mut session, _) = network.enclave().connect().unwrap();
        for _ in 0..2 {
            let share = release(&mut session, &policy).unwrap();
            assert_eq!(app_identity(&combine_shares(&[share])).recipient(), recipient);
        }
    }
    network.stop();
}

#[test]
fn another_policy_or_app_means_another_key() {
    let network = Network::start();
    let first = network.registered_policy();
    let (mut session, _) = network.enclave().connect().unwrap();
    let one = release(&mut session, &first).unwrap().expose(|bytes| *bytes);
    let second = network.register(&Policy { max_evidence_age_s: 299, ..policy() });
    let other = release(&mut session, &second).unwrap().expose(|bytes| *bytes);
    assert_ne!(one, other);
    network.stop();
}

#[test]
fn a_restart_keeps_the_secret_and_the_log() {
    let network = Network::start();
    let policy = network.registered_policy();
    let enclave = network.enclave();
    let share = release(&mut enclave.connect().unwrap().0, &policy).unwrap().expose(|bytes| *bytes);
    let head = network.wait(network.client.log_head()).unwrap();
    let network = network.stop().start();
    let again = release(&mut network.enclave().connect().unwrap().0, &policy).unwrap().expose(|bytes| *bytes);
    assert_eq!(share, again);
    let newer = network.wait(network.client.log_head()).unwrap();
    assert_eq!((head.head.size, newer.head.size), (2, 4));
    let proof = network.wait(network.client.log_consistency(2, 4)).unwrap();
    let anchors = &network.setup.anchors;
    let auditor = LogAuditor::new(anchors.domain, anchors.cas_members[0]);
    auditor.check_consistency(&head, &newer, &proof).unwrap();
    network.stop();
}

#[test]
fn every_release_is_in_the_log_before_it_is_answered() {
    let network = Network::start();
    let policy = network.registered_policy();
    let enclave = network.enclave();
    let (mut session, _) = enclave.connect().unwrap();
    for size in 2..=4 {
        let share = session.release(APP, Policy::hash_of(&policy), 0, &policy).unwrap();
        assert_eq!(share.log_size, size);
        assert_eq!(network.wait(network.client.log_head()).unwrap().head.size, size);
    }
    let entries = network.wait(network.client.log_entries(0, 1_000)).unwrap();
    assert_eq!(entries.len(), 4);
    assert_eq!((entries[0].kind, entries[0].app), (LogKind::Grant, B256::ZERO));
    for entry in &entries[1..] {
        assert_eq!((entry.kind, entry.app), (LogKind::Release, APP.get()));
        assert_eq!(entry.policy_hash, Policy::hash_of(&policy).get());
    }
    assert!(entries.iter().all(|entry| entry.enclave == enclave.key && entry.measurement == ENCLAVE.get()));
    assert!(entries.iter().all(|entry| entry.evidence == entries[0].evidence && entry.time == NOW));
    network.stop();
}

#[test]
fn the_log_can_be_audited_and_a_changed_log_is_noticed() {
    let network = Network::start();
    let policy = network.registered_policy();
    for _ in 0..3 {
        release(&mut network.enclave().connect().unwrap().0, &policy).unwrap();
    }
    let head = network.wait(network.client.log_head()).unwrap();
    let mut entries = network.wait(network.client.log_entries(0, 1_000)).unwrap();
    let anchors = network.setup.anchors.clone();
    let member = anchors.cas_members[0];
    verify_log(anchors.domain, member, &entries, &head).unwrap();
    let proof = network.wait(network.client.log_proof(4, 6)).unwrap();
    let leaf = merkle::leaf_hash(&serde_json::to_vec(&entries[4]).unwrap());
    assert!(merkle::verify_inclusion(leaf, 4, 6, &proof.path, head.head.root));

    let audit = |entries: &[_], head| verify_log(anchors.domain, member, entries, head);
    assert!(matches!(audit(&entries[..5], &head), Err(AuditError::Size { expected: 6, found: 5 })));
    let mut unsigned = head.clone();
    unsigned.head.timestamp += 1;
    assert!(matches!(audit(&entries, &unsigned), Err(AuditError::Signature { .. })));
    entries[2].time += 1;
    assert!(matches!(audit(&entries, &head), Err(AuditError::Root { .. })));
    entries.swap(0, 1);
    assert!(matches!(audit(&entries, &head), Err(AuditError::Index { expected: 0, found: 1 })));
    network.stop();
}

#[test]
fn a_client_can_appraise_the_member() {
    let network = Network::start();
    let anchors = &network.setup.anchors;
    let info = network.wait(network.client.info()).unwrap();
    assert_eq!((info.address, info.anchors, info.key_epoch), (anchors.cas_members[0], anchors.digest(), 0));
    let evidence = network.wait(network.client.evidence(&[8; 32])).unwrap().evidence;
    let claims = verify(&evidence, &Roots::from(anchors), NOW).unwrap();
    let expected = cas_report_data(&[], &[8; 32], &[0; 32], info.address, info.anchors);
    let accepted = [accepted(CAS)];
    let asked = Requirements {
        accepted: &accepted,
        max_age_s: 10,
        allow_debug: false,
        development: true,
        report_data: Some(&expected),
    };
    appraise(&claims, &asked, NOW).unwrap();
    network.stop();
}

#[test]
fn an_enclave_that_only_another_policy_names_gets_a_grant_but_no_share_here() {
    let network = Network::start();
    let policy = network.registered_policy();
    let mut enclave = network.enclave();
    enclave.measurement = OTHER_ENCLAVE;
    let (mut session, _) = enclave.connect().unwrap();
    assert!(crate::network::denied(release(&mut session, &policy)).is_some());
    network.stop();
}
