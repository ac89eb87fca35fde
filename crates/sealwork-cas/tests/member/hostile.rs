//! Peers that do not follow the protocol.

use crate::network::{Network, Setup, release};
use rustls::{ClientConnection, StreamOwned};
use sealwork_cas::ServeLimits;
use sealwork_ports::KeyService;
use sealwork_ratls::{MAX_MESSAGE_BYTES, TlsIdentity, client_config};
use sealwork_types::{
    Address,
    cas_wire::{DenialRule, FromMember, ToMember},
    enclave_wire::{EvidenceFrame, read_message, write_message},
    evidence::TeeKind,
};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

pub(crate) type Tls = StreamOwned<ClientConnection, TcpStream>;

/// A TLS session with a member, without any of the protocol.
pub(crate) fn open(at: SocketAddr, identity: &TlsIdentity) -> Tls {
    let socket = TcpStream::connect(at).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let config = client_config(identity).unwrap();
    StreamOwned::new(ClientConnection::new(config, "member.invalid".try_into().unwrap()).unwrap(), socket)
}

fn stranger(at: SocketAddr) -> Tls {
    open(at, &TlsIdentity::generate().unwrap())
}

fn ends_with_a_protocol_denial(mut tls: Tls) {
    let answer: FromMember = read_message(&mut tls).unwrap();
    assert!(matches!(answer, FromMember::Denied { rule: DenialRule::Protocol, .. }), "{answer:?}");
    assert_eq!(tls.read(&mut [0; 1]).unwrap(), 0, "the connection is closed");
}

fn patient(limits: ServeLimits) -> Setup {
    Setup { serve: limits, ..Setup::new() }
}

#[test]
fn frames_that_are_no_message_are_denied() {
    let network = Network::start();
    let frames: [&[u8]; 4] = [
        &[1, 0, 0, 0, 99],
        &[0, 0, 0, 0],
        &u32::try_from(MAX_MESSAGE_BYTES + 1).unwrap().to_le_bytes(),
        &u32::MAX.to_le_bytes(),
    ];
    for frame in frames {
        let mut tls = stranger(network.tls);
        tls.write_all(frame).unwrap();
        ends_with_a_protocol_denial(tls);
    }
    network.stop();
}

#[test]
fn messages_out_of_order_are_denied() {
    let network = Network::start();
    let prove = || ToMember::Prove {
        evidence: EvidenceFrame { tee: TeeKind::Sim, bytes: Vec::new() },
        enclave: Address::ZERO,
    };
    let ask = || ToMember::Release { app: [0; 32], policy_hash: [0; 32], key_epoch: 0, policy: Vec::new() };
    for message in [prove(), ask()] {
        let mut tls = stranger(network.tls);
        write_message(&mut tls, &message).unwrap();
        ends_with_a_protocol_denial(tls);
    }
    let mut tls = stranger(network.tls);
    for _ in 0..2 {
        write_message(&mut tls, &ToMember::Hello { nonce: [0; 32] }).unwrap();
    }
    let first: FromMember = read_message(&mut tls).unwrap();
    assert!(matches!(first, FromMember::Challenge { .. }));
    ends_with_a_protocol_denial(tls);
    network.stop();
}

#[test]
fn a_failed_proof_cannot_be_tried_again_in_the_same_session() {
    let network = Network::start();
    let mut tls = stranger(network.tls);
    write_message(&mut tls, &ToMember::Hello { nonce: [0; 32] }).unwrap();
    let _: FromMember = read_message(&mut tls).unwrap();
    let evidence = EvidenceFrame { tee: TeeKind::Sim, bytes: vec![0; 10] };
    write_message(&mut tls, &ToMember::Prove { evidence, enclave: Address::ZERO }).unwrap();
    let answer: FromMember = read_message(&mut tls).unwrap();
    assert!(matches!(answer, FromMember::Denied { rule: DenialRule::Evidence, .. }));
    assert_eq!(tls.read(&mut [0; 1]).unwrap(), 0);
    network.stop();
}

#[test]
fn bytes_that_are_not_tls_end_the_connection_only() {
    let network = Network::start();
    let mut socket = TcpStream::connect(network.tls).unwrap();
    socket.write_all(&[0xff; 1000]).unwrap();
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest);
    assert!(network.enclave().connect().is_ok());
    network.stop();
}

#[test]
fn slow_peers_lose_their_place() {
    let brief = Duration::from_millis(200);
    let network = patient(ServeLimits {
        connections: 2,
        message: brief,
        http_lifetime: brief,
        ..ServeLimits::default()
    })
    .start();
    let policy = network.registered_policy();
    // Every place is taken: by a silent peer, and by one that stops inside a frame.
    let silent = TcpStream::connect(network.tls).unwrap();
    let mut slow = stranger(network.tls);
    slow.write_all(&[9, 0]).unwrap();
    let idle: Vec<TcpStream> = (0..2).map(|_| TcpStream::connect(network.http).unwrap()).collect();
    let began = Instant::now();
    let (mut session, _) = network.enclave().connect().unwrap();
    release(&mut session, &policy).unwrap();
    network.wait(network.client.info()).unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    drop((silent, slow, idle));
    network.stop();
}

#[test]
fn a_peer_that_trickles_a_request_is_cut_off() {
    let lifetime = Duration::from_millis(300);
    let network = patient(ServeLimits { http_lifetime: lifetime, ..ServeLimits::default() }).start();
    let mut socket = TcpStream::connect(network.http).unwrap();
    let began = Instant::now();
    socket.write_all(b"GET /v1/in").unwrap();
    let _ = socket.read(&mut [0; 1]);
    assert!(began.elapsed() < Duration::from_secs(10));
    network.stop();
}

#[test]
fn shutdown_does_not_wait_for_idle_enclaves() {
    let network = Network::start();
    let (session, _) = network.enclave().connect().unwrap();
    network.wait(network.client.info()).unwrap();
    let began = Instant::now();
    network.stop();
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    drop(session);
}
