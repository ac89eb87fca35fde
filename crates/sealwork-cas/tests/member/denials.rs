//! Each rule on its own, and what a denial does not do.

use crate::hostile::open;
use crate::network::{APP, ENCLAVE, NOW, Network, OTHER_ENCLAVE, Setup, denied, no_policy, policy, release};
use sealwork_cas::RateLimit;
use sealwork_ports::{ErrorKind, KeyService};
use sealwork_ratls::{SessionError, TlsIdentity, exporter};
use sealwork_simtee::SimRoot;
use sealwork_types::{
    Address, AppId, B256, Measurement,
    cas_wire::DenialRule::{
        Appraisal, ChainUnavailable, Evidence, KeyEpoch, Protocol, RateLimit as Limited, Registration,
    },
    cas_wire::{FromMember, Nonce, ToMember, enclave_report_data},
    enclave_wire::{read_message, write_message},
    policy::Policy,
};
use std::sync::atomic::Ordering;

fn detail<T>(result: Result<T, SessionError>) -> String {
    match result {
        Err(SessionError::Denied { detail, .. }) => detail,
        Err(error) => panic!("not a denial: {error:?}"),
        Ok(_) => panic!("not denied"),
    }
}

#[test]
fn no_grant_for_evidence_of_another_vendor() {
    let network = Network::start();
    let mut enclave = network.enclave();
    enclave.platform = SimRoot::generate().unwrap().certify("elsewhere", 9).unwrap();
    assert_eq!(denied(enclave.connect()), Some(Evidence));
    network.stop();
}

#[test]
fn no_grant_for_unknown_old_debuggable_or_outdated_enclaves() {
    let network = Network::start();
    let mut unknown = network.enclave();
    unknown.measurement = Measurement::default();
    let mut debuggable = network.enclave();
    debuggable.debug = true;
    let mut outdated = network.enclave();
    outdated.platform = network.setup.root.certify("old machine", 2).unwrap();
    let mut old = network.enclave();
    old.quoted_at = NOW - 301;
    for (enclave, word) in [
        (unknown, "measurement"),
        (debuggable, "debug"),
        (outdated, "platform security version"),
        (old, "age"),
    ] {
        let said = detail(enclave.connect());
        assert!(said.starts_with(word), "{said}");
    }
    assert_eq!(network.wait(network.client.log_head()).unwrap().head.size, 0, "a denial releases nothing");
    network.stop();
}

/// What an enclave would have to know to make its report data.
struct Exchange {
    tls_key: Vec<u8>,
    nonce: Nonce,
    exporter: [u8; 32],
    enclave: Address,
    anchors: B256,
}

/// The answer to evidence over changed report data.
fn prove(network: &Network, change: impl FnOnce(&mut Exchange)) -> FromMember {
    let identity = TlsIdentity::generate().unwrap();
    let mut tls = open(network.tls, &identity);
    write_message(&mut tls, &ToMember::Hello { nonce: [5; 32] }).unwrap();
    let FromMember::Challenge { nonce, .. } = read_message(&mut tls).unwrap() else { panic!("no challenge") };
    let mut exchange = Exchange {
        tls_key: identity.spki().to_vec(),
        nonce,
        exporter: exporter(&tls.conn).unwrap(),
        enclave: Address::repeat_byte(0xee),
        anchors: network.setup.anchors.digest(),
    };
    let enclave = exchange.enclave;
    change(&mut exchange);
    let Exchange { tls_key, nonce, exporter, .. } = &exchange;
    let data = enclave_report_data(tls_key, nonce, exporter, exchange.enclave, exchange.anchors);
    let evidence = network.setup.platform.quote(ENCLAVE, &data, false, NOW).unwrap().into();
    write_message(&mut tls, &ToMember::Prove { evidence, enclave }).unwrap();
    read_message(&mut tls).unwrap()
}

#[test]
fn no_grant_for_evidence_of_another_session_key_or_network() {
    type Change = fn(&mut Exchange);
    let network = Network::start();
    let changes: [(&str, Change); 5] = [
        ("relayed through another TLS key", |exchange| exchange.tls_key[30] ^= 1),
        ("replayed from before the nonce", |exchange| exchange.nonce = [0; 32]),
        ("relayed from another session", |exchange| exchange.exporter = [0; 32]),
        ("made for another signing key", |exchange| exchange.enclave = Address::ZERO),
        ("of an enclave that trusts other anchors", |exchange| exchange.anchors = B256::ZERO),
    ];
    for (what, change) in changes {
        let answer = prove(&network, change);
        let FromMember::Denied { rule: Appraisal, detail } = answer else { panic!("{what}: {answer:?}") };
        assert!(detail.starts_with("report data"), "{what}: {detail}");
    }
    assert!(matches!(prove(&network, |_| {}), FromMember::Granted { .. }));
    network.stop();
}

#[test]
fn no_share_under_a_policy_that_does_not_accept_the_enclave() {
    let network = Network::start();
    let mut enclave = network.enclave();
    enclave.measurement = OTHER_ENCLAVE;
    let policy = network.registered_policy();
    let (mut session, _) = enclave.connect().unwrap();
    let said = detail(release(&mut session, &policy));
    assert!(said.starts_with("measurement: found sim 0xed"), "{said}");
    network.stop();
}

#[test]
fn no_share_for_evidence_older_than_the_policy_allows() {
    let network = Network::start();
    let policy = network.register(&Policy { max_evidence_age_s: 5, ..policy() });
    let (mut session, _) = network.enclave().connect().unwrap();
    assert!(release(&mut session, &policy).is_ok());
    network.setup.clock.0.store(NOW + 6, Ordering::SeqCst);
    assert_eq!(denied(release(&mut session, &policy)), Some(Appraisal));
    network.stop();
}

#[test]
fn debuggable_enclaves_need_the_networks_and_the_policys_consent() {
    let network = Setup { grant_debuggable: true, ..Setup::new() }.start();
    let mut enclave = network.enclave();
    enclave.debug = true;
    let strict = network.registered_policy();
    let (mut session, _) = enclave.connect().unwrap();
    assert_eq!(denied(release(&mut session, &strict)), Some(Appraisal));
    let tolerant = network.register(&Policy { allow_debug: true, ..policy() });
    assert!(release(&mut session, &tolerant).is_ok());
    network.stop();
}

#[test]
fn no_share_for_apps_that_are_not_registered_or_with_another_policy() {
    let network = Network::start();
    let bytes = policy().to_bytes();
    let (mut session, _) = network.enclave().connect().unwrap();
    assert_eq!(denied(release(&mut session, &bytes)), Some(Registration));
    network.register(&Policy { max_evidence_age_s: 7, ..policy() });
    assert_eq!(denied(release(&mut session, &bytes)), Some(Registration));
    network.registered_policy();
    assert_eq!(denied(release(&mut session, &bytes)), None, "the session goes on after denials");
    network.stop();
}

#[test]
fn no_share_while_the_chain_cannot_be_asked_but_later() {
    let network = Network::start();
    let policy = network.registered_policy();
    let (mut session, _) = network.enclave().connect().unwrap();
    network.setup.chain.down.store(true, Ordering::SeqCst);
    let Err(error) = release(&mut session, &policy) else { panic!("released") };
    assert!(error.is_retryable() && !error.to_string().contains("secret.example"), "{error}");
    assert_eq!(denied::<()>(Err(error)), Some(ChainUnavailable));
    let asked = network.wait(network.client.recipient(APP, Policy::hash_of(&policy)));
    assert_eq!(asked.unwrap_err().kind, ErrorKind::Unavailable);
    network.setup.chain.down.store(false, Ordering::SeqCst);
    assert!(release(&mut session, &policy).is_ok());
    network.stop();
}

#[test]
fn no_share_of_another_key_epoch() {
    let network = Network::start();
    let policy = network.registered_policy();
    let (mut session, _) = network.enclave().connect().unwrap();
    assert_eq!(denied(session.release(APP, Policy::hash_of(&policy), 1, &policy)), Some(KeyEpoch));
    network.stop();
}

#[test]
fn policies_that_are_not_what_they_are_called_are_refused() {
    let network = Network::start();
    let policy = network.registered_policy();
    let (mut session, _) = network.enclave().connect().unwrap();
    assert_eq!(denied(session.release(APP, no_policy(), 0, &policy)), Some(Protocol));
    for bytes in [&b""[..], b"{}", b"\xff\xff", &policy[..policy.len() - 1], &vec![b' '; 100_000]] {
        network.setup.chain.register(APP, Policy::hash_of(bytes));
        assert_eq!(denied(release(&mut session, bytes)), Some(Protocol));
    }
    network.stop();
}

#[test]
fn an_enclave_that_asks_too_often_must_wait_and_others_need_not() {
    let network = Setup { rate_limit: RateLimit { burst: 3, per_second: 1 }, ..Setup::new() }.start();
    let policy = network.registered_policy();
    let busy = network.enclave();
    let (mut session, _) = busy.connect().unwrap();
    assert!(release(&mut session, &policy).is_ok());
    assert!(release(&mut session, &policy).is_ok());
    assert_eq!(denied(release(&mut session, &policy)), Some(Limited));
    assert_eq!(denied(busy.connect()), Some(Limited));
    assert!(network.enclave().connect().is_ok());
    network.setup.clock.0.store(NOW + 1, Ordering::SeqCst);
    assert!(release(&mut session, &policy).is_ok());
    network.stop();
}

#[test]
fn a_session_ends_after_many_denials() {
    let network = Network::start();
    let bytes = policy().to_bytes();
    let (mut session, _) = network.enclave().connect().unwrap();
    let denials =
        (0..100).take_while(|_| matches!(release(&mut session, &bytes), Err(SessionError::Denied { .. })));
    assert_eq!(denials.count(), 8);
    network.stop();
}

#[test]
fn the_first_broken_rule_is_named() {
    let network = Network::start();
    let good = network.registered_policy();
    let mut enclave = network.enclave();
    enclave.measurement = OTHER_ENCLAVE;
    let (mut session, _) = enclave.connect().unwrap();
    network.setup.chain.down.store(true, Ordering::SeqCst);
    let unknown = AppId::default();
    let mut ask = |hash, epoch, policy: &[u8]| denied(session.release(unknown, hash, epoch, policy));
    assert_eq!(ask(no_policy(), 9, &good), Some(Protocol));
    assert_eq!(ask(Policy::hash_of(&good), 9, &good), Some(Appraisal));
    let wider = Policy { enclaves: vec![crate::network::accepted(OTHER_ENCLAVE)], ..policy() }.to_bytes();
    assert_eq!(ask(Policy::hash_of(&wider), 9, &wider), Some(ChainUnavailable));
    network.setup.chain.down.store(false, Ordering::SeqCst);
    assert_eq!(ask(Policy::hash_of(&wider), 9, &wider), Some(Registration));
    network.setup.chain.register(unknown, Policy::hash_of(&wider));
    assert_eq!(ask(Policy::hash_of(&wider), 9, &wider), Some(KeyEpoch));
    assert_eq!(ask(Policy::hash_of(&wider), 0, &wider), None);
    network.stop();
}
