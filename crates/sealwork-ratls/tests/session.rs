//! The enclave's side against honest and lying members.
#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "test helpers outside of test functions"
)]

use rustls::{ServerConnection, StreamOwned};
use sealwork_attest::{Roots, Rule, verify};
use sealwork_ratls::{
    Introduction, MemberSession, SessionError, TlsIdentity, client_config, exporter, peer_spki, server_config,
};
use sealwork_seal::sign::SigningKey;
use sealwork_simtee::{SimPlatform, SimRoot};
use sealwork_types::{
    Address, AppId, B256, Measurement, PolicyHash,
    abi::Grant,
    cas_wire::{DenialRule, FromMember, Nonce, ToMember, cas_report_data, enclave_report_data},
    enclave_wire::{FrameError, GrantFrame, read_message, write_message},
    evidence::{Evidence, TeeKind},
    network::TrustAnchors,
    order::SigningDomain,
    policy::AcceptedEnclave,
};
use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    sync::Arc,
    thread,
};

const NOW: u64 = 1_800_000_000;
const CAS: Measurement = Measurement::new(B256::repeat_byte(0xca));
const ENCLAVE: Measurement = Measurement::new(B256::repeat_byte(0xec));
const ENCLAVE_KEY: Address = Address::repeat_byte(0xee);

/// What the member does wrong.
#[derive(Clone, Debug, Default)]
struct Lies {
    evidence: Option<Evidence>,
    measurement: Option<Measurement>,
    exporter: Option<[u8; 32]>,
    grant_for: Option<Address>,
    expiry: Option<u64>,
    other_signer: bool,
    denial: Option<DenialRule>,
    hang_up: bool,
}

struct Network {
    platform: SimPlatform,
    key: SigningKey,
    anchors: TrustAnchors,
    identity: TlsIdentity,
}

impl Network {
    fn new() -> Arc<Self> {
        let root = SimRoot::generate().unwrap();
        let key = SigningKey::generate().unwrap();
        let cas = AcceptedEnclave { tee: TeeKind::Sim, measurement: CAS, min_platform_svn: 1 };
        let anchors = TrustAnchors {
            domain: SigningDomain { chain_id: 31_337, market: Address::repeat_byte(1) },
            cas_members: vec![key.address()],
            cas_threshold: 1,
            cas_enclaves: vec![cas],
            sim_roots: vec![root.public_key()],
        };
        let platform = root.certify("test machine", 1).unwrap();
        Arc::new(Self { platform, key, anchors, identity: TlsIdentity::generate().unwrap() })
    }

    /// The member's side of one session, up to one release.
    fn serve(&self, pipe: UnixStream, lies: &Lies) -> Result<(), FrameError> {
        let mut tls = accept(pipe, &self.identity)?;
        let ToMember::Hello { nonce } = read_message(&mut tls)? else { panic!("expected Hello") };
        let session = lies.exporter.unwrap_or_else(|| exporter(&tls.conn).unwrap());
        let anchors = self.anchors.digest();
        let data = cas_report_data(self.identity.spki(), &nonce, &session, self.key.address(), anchors);
        let measurement = lies.measurement.unwrap_or(CAS);
        let fresh = self.platform.quote(measurement, &data, false, NOW).unwrap();
        let evidence = lies.evidence.clone().unwrap_or(fresh).into();
        write_message(&mut tls, &FromMember::Challenge { evidence, nonce: [9; 32] })?;
        let ToMember::Prove { evidence, enclave } = read_message(&mut tls)? else { panic!("expected Prove") };
        let tls_key = peer_spki(&tls.conn).unwrap();
        let expected =
            enclave_report_data(&tls_key, &[9; 32], &exporter(&tls.conn).unwrap(), enclave, anchors);
        let roots = Roots::from(&self.anchors);
        assert_eq!(verify(&evidence.into(), &roots, NOW).unwrap().report_data, expected);
        if let Some(rule) = lies.denial {
            return write_message(&mut tls, &FromMember::Denied { rule, detail: "no".into() });
        }
        if lies.hang_up {
            return Ok(());
        }
        write_message(&mut tls, &FromMember::Granted { grant: self.grant(enclave, lies) })?;
        let ToMember::Release { key_epoch, policy, .. } = read_message(&mut tls)? else {
            panic!("expected Release")
        };
        assert_eq!((key_epoch, policy), (0, b"policy".to_vec()));
        write_message(&mut tls, &FromMember::Released { share: [7; 32], log_size: 2 })
    }

    fn grant(&self, enclave: Address, lies: &Lies) -> Vec<u8> {
        let grant = Grant {
            enclave: lies.grant_for.unwrap_or(enclave),
            measurement: ENCLAVE.get(),
            tee: 0,
            hardwareId: B256::ZERO,
            expiry: lies.expiry.unwrap_or(NOW + 60),
        };
        let stranger = SigningKey::generate().unwrap();
        let signer = if lies.other_signer { &stranger } else { &self.key };
        let signatures = vec![signer.sign(&self.anchors.domain, &grant)];
        serde_json::to_vec(&GrantFrame { grant, signatures }).unwrap()
    }

    fn enclave_evidence(&self, report_data: &[u8; 64], now: u64) -> Evidence {
        self.platform.quote(ENCLAVE, report_data, false, now).unwrap()
    }

    fn introduction<'a>(&'a self, identity: &'a TlsIdentity, nonce: Nonce) -> Introduction<'a> {
        Introduction {
            identity,
            anchors: &self.anchors,
            member: self.key.address(),
            enclave: ENCLAVE_KEY,
            nonce,
            now: NOW,
        }
    }

    /// Connects to a member that tells these lies.
    fn connect(
        self: &Arc<Self>,
        lies: Lies,
    ) -> Result<(MemberSession<UnixStream>, GrantFrame), SessionError> {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let network = Arc::clone(self);
        thread::spawn(move || drop(network.serve(theirs, &lies)));
        self.connect_over(ours)
    }

    fn connect_over(
        &self,
        pipe: UnixStream,
    ) -> Result<(MemberSession<UnixStream>, GrantFrame), SessionError> {
        let identity = TlsIdentity::generate().unwrap();
        let introduction = self.introduction(&identity, [5; 32]);
        MemberSession::connect(pipe, &introduction, &mut |data| Ok(self.enclave_evidence(data, NOW)))
    }
}

fn accept(
    mut pipe: UnixStream,
    identity: &TlsIdentity,
) -> Result<StreamOwned<ServerConnection, UnixStream>, FrameError> {
    let mut connection = ServerConnection::new(server_config(identity).unwrap()).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut pipe)?;
    }
    Ok(StreamOwned::new(connection, pipe))
}

fn refused(result: Result<(MemberSession<UnixStream>, GrantFrame), SessionError>) -> SessionError {
    result.map(|(_, grant)| grant).unwrap_err()
}

fn broken_rule(error: &SessionError) -> Option<Rule> {
    match error {
        SessionError::MemberAppraisal(error) => Some(error.rule),
        _ => None,
    }
}

#[test]
fn an_honest_member_grants_and_releases() {
    let network = Network::new();
    let (mut session, grant) = network.connect(Lies::default()).unwrap();
    assert_eq!(grant.grant.enclave, ENCLAVE_KEY);
    assert_eq!(session.established_at(), NOW);
    let share = session.release(AppId::default(), PolicyHash::default(), 0, b"policy").unwrap();
    assert!(share.secret.expose(|bytes| *bytes == [7; 32]));
    assert_eq!(share.log_size, 2);
}

#[test]
fn a_member_that_runs_something_else_is_refused_before_it_gets_evidence() {
    let network = Network::new();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let member = Arc::clone(&network);
    let lies = Lies { measurement: Some(ENCLAVE), ..Lies::default() };
    thread::spawn(move || drop(member.serve(theirs, &lies)));
    let identity = TlsIdentity::generate().unwrap();
    let introduction = network.introduction(&identity, [5; 32]);
    let error =
        refused(MemberSession::connect(ours, &introduction, &mut |_| panic!("evidence went to a stranger")));
    assert_eq!(broken_rule(&error), Some(Rule::Measurement));
    assert!(error.is_retryable(), "who answered here is not proven to be the member");
}

#[test]
fn a_member_with_another_key_than_expected_is_refused() {
    let network = Network::new();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let member = Arc::clone(&network);
    thread::spawn(move || drop(member.serve(theirs, &Lies::default())));
    let identity = TlsIdentity::generate().unwrap();
    let introduction =
        Introduction { member: Address::repeat_byte(0x77), ..network.introduction(&identity, [5; 32]) };
    let error = refused(MemberSession::connect(ours, &introduction, &mut |_| unreachable!()));
    assert_eq!(broken_rule(&error), Some(Rule::ReportData));
}

#[test]
fn evidence_of_an_earlier_session_is_refused() {
    let network = Network::new();
    let nonce = [5; 32];
    let data = cas_report_data(
        network.identity.spki(),
        &nonce,
        &[1; 32],
        network.key.address(),
        network.anchors.digest(),
    );
    let earlier = network.platform.quote(CAS, &data, false, NOW).unwrap();
    let error = refused(network.connect(Lies { evidence: Some(earlier), ..Lies::default() }));
    assert_eq!(broken_rule(&error), Some(Rule::ReportData));
}

#[test]
fn evidence_over_another_exporter_value_is_refused() {
    let network = Network::new();
    let error = refused(network.connect(Lies { exporter: Some([0; 32]), ..Lies::default() }));
    assert_eq!(broken_rule(&error), Some(Rule::ReportData));
}

#[test]
fn a_relay_to_the_real_member_is_refused_even_with_the_members_own_tls_key() {
    let network = Network::new();
    for stolen in [false, true] {
        let (enclave_end, relay_front) = UnixStream::pair().unwrap();
        let (relay_back, member_end) = UnixStream::pair().unwrap();
        let member = Arc::clone(&network);
        thread::spawn(move || drop(member.serve(member_end, &Lies::default())));
        let member = Arc::clone(&network);
        thread::spawn(move || {
            let own = TlsIdentity::generate().unwrap();
            relay(relay_front, relay_back, if stolen { &member.identity } else { &own });
        });
        let error = refused(network.connect_over(enclave_end));
        assert_eq!(broken_rule(&error), Some(Rule::ReportData), "stolen: {stolen}");
    }
}

/// Ends both TLS sessions and passes the first messages on.
fn relay(front: UnixStream, back: UnixStream, identity: &TlsIdentity) {
    let mut front = accept(front, identity).unwrap();
    let mut back = open(back);
    let hello: ToMember = read_message(&mut front).unwrap();
    write_message(&mut back, &hello).unwrap();
    let challenge: FromMember = read_message(&mut back).unwrap();
    write_message(&mut front, &challenge).unwrap();
    let _ = front.read(&mut [0; 1]);
}

fn open(pipe: UnixStream) -> StreamOwned<rustls::ClientConnection, UnixStream> {
    let config = client_config(&TlsIdentity::generate().unwrap()).unwrap();
    let name = "member.invalid".try_into().unwrap();
    StreamOwned::new(rustls::ClientConnection::new(config, name).unwrap(), pipe)
}

#[test]
fn grants_for_other_keys_by_other_signers_or_of_the_past_are_refused() {
    let network = Network::new();
    let lies = [
        Lies { grant_for: Some(Address::ZERO), ..Lies::default() },
        Lies { other_signer: true, ..Lies::default() },
        Lies { expiry: Some(NOW), ..Lies::default() },
    ];
    for lie in lies {
        let error = refused(network.connect(lie.clone()));
        assert!(matches!(error, SessionError::Unexpected { .. }), "{lie:?}: {error}");
        assert!(error.is_retryable(), "only a denial is final");
    }
}

#[test]
fn denials_carry_their_rule_and_say_whether_to_try_again() {
    let network = Network::new();
    for (rule, retryable) in [(DenialRule::Appraisal, false), (DenialRule::ChainUnavailable, true)] {
        let error = refused(network.connect(Lies { denial: Some(rule), ..Lies::default() }));
        assert!(matches!(error, SessionError::Denied { rule: found, .. } if found == rule), "{error}");
        assert_eq!(error.is_retryable(), retryable);
    }
}

#[test]
fn a_member_that_goes_away_is_worth_another_try() {
    let network = Network::new();
    let error = refused(network.connect(Lies { hang_up: true, ..Lies::default() }));
    assert!(error.is_retryable(), "{error:?}");
    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(theirs);
    let error = refused(network.connect_over(ours));
    assert!(matches!(error, SessionError::Handshake(_)) && error.is_retryable(), "{error:?}");
}

#[test]
fn bytes_that_are_not_tls_are_refused_but_may_be_the_networks_doing() {
    let network = Network::new();
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    thread::spawn(move || {
        theirs.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let _ = theirs.read(&mut [0; 4096]);
    });
    let error = refused(network.connect_over(ours));
    assert!(matches!(error, SessionError::Handshake(_)) && error.is_retryable(), "{error:?}");
}

#[test]
fn a_failing_platform_is_reported() {
    let network = Network::new();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let member = Arc::clone(&network);
    thread::spawn(move || drop(member.serve(theirs, &Lies::default())));
    let identity = TlsIdentity::generate().unwrap();
    let introduction = network.introduction(&identity, [5; 32]);
    let error = refused(MemberSession::connect(ours, &introduction, &mut |_| Err("no device".into())));
    assert!(matches!(error, SessionError::Quote(_)), "{error:?}");
}

#[test]
fn oversized_evidence_from_a_member_is_refused() {
    let network = Network::new();
    let huge = Evidence { tee: TeeKind::Sim, bytes: vec![0; 100_000].into() };
    let error = refused(network.connect(Lies { evidence: Some(huge), ..Lies::default() }));
    assert!(matches!(error, SessionError::MemberEvidence(_)), "{error:?}");
}

#[test]
fn a_member_that_speaks_out_of_order_is_refused() {
    let network = Network::new();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let member = Arc::clone(&network);
    thread::spawn(move || {
        let mut tls = accept(theirs, &member.identity).unwrap();
        let _: ToMember = read_message(&mut tls).unwrap();
        write_message(&mut tls, &FromMember::Released { share: [0; 32], log_size: 0 }).unwrap();
    });
    let error = refused(network.connect_over(ours));
    assert!(matches!(error, SessionError::Unexpected { expected: "Challenge", .. }), "{error:?}");
}
