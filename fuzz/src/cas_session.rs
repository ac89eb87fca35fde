//! Attested TLS from both sides: a member that lies to an enclave, and an enclave that lies to a member.

use crate::{
    memory::bounded,
    seeds::{Seed, chosen},
    tls::{NOW, Pipe, World, world},
};
use arbitrary::{Arbitrary, Result, Unstructured};
use rustls::{ClientConnection, ServerConnection, StreamOwned};
use sealwork_ratls::{
    Introduction, MAX_MESSAGE_BYTES, MemberSession, client_config, exporter, peer_spki, server_config,
};
use sealwork_types::{
    AppId, B256, PolicyHash,
    abi::Grant,
    cas_wire::{DenialRule, FromMember, ToMember, cas_report_data, enclave_report_data},
    enclave_wire::{EvidenceFrame, GrantFrame, encode_frame, read_message, write_message},
    evidence::TeeKind,
    policy::Policy,
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

/// One session with its TLS buffers, certificates and messages.
const MEMORY: usize = 16 << 20;

pub fn run(data: &[u8]) {
    let world = world();
    let Some((kind, rest)) = data.split_first() else { return };
    bounded(MEMORY, || match kind % 5 {
        0 => drop(lying_member(world, &mut Unstructured::new(rest))),
        1 => drop(lying_enclave(world, &mut Unstructured::new(rest))),
        2 => raw_member(world, rest),
        3 => raw_enclave(world, rest),
        _ => certificate(world, rest),
    });
}

/// What a liar does at one step.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    None,
    Skip,
    WrongKey,
    WrongNonce,
    WrongMeasurement,
    Debug,
    Old,
    WrongSession,
    Garbage,
    Huge,
    Cut,
    Repeat,
    Denied,
}

/// An enclave accepts a member exactly if it did not lie.
fn lying_member(world: &World, script: &mut Unstructured<'_>) -> Result<()> {
    let (challenge, grant) = (rare(script)?, rare(script)?);
    let garbage = script.bytes(script.len().min(2_000))?.to_vec();
    let (near, far) = Pipe::pair();
    let identity = &world.member_identity;
    let peer =
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let config = server_config(identity).expect("a TLS configuration");
                let mut tls = StreamOwned::new(ServerConnection::new(config).expect("a TLS server"), far);
                play_member(world, &mut tls, challenge, grant, &garbage);
                tls.conn.send_close_notify();
                let _ = tls.flush();
                tls.sock.close();
            });
            let introduction = Introduction {
                identity: &world.enclave_identity,
                anchors: &world.anchors,
                member: world.member_key.address(),
                enclave: world.enclave_key.address(),
                nonce: [5; 32],
                now: NOW,
            };
            let made = MemberSession::connect(near, &introduction, &mut |data| {
                Ok(world.quote_enclave(data, false, NOW))
            });
            made.map(drop)
        });
    let honest = challenge == Lie::None && (grant == Lie::None || grant == Lie::Repeat);
    assert_eq!(peer.is_ok(), honest, "{challenge:?} {grant:?} {:?}", peer.err());
    Ok(())
}

fn rare(script: &mut Unstructured<'_>) -> Result<Lie> {
    if script.ratio(1, 2)? { Ok(Lie::None) } else { script.arbitrary() }
}

fn play_member(
    world: &World,
    tls: &mut StreamOwned<ServerConnection, Pipe>,
    challenge: Lie,
    grant: Lie,
    garbage: &[u8],
) -> Option<()> {
    let ToMember::Hello { nonce } = read_message(&mut *tls).ok()? else { return None };
    let tls_key =
        if challenge == Lie::WrongKey { vec![1; 91] } else { world.member_identity.spki().to_vec() };
    let nonce = if challenge == Lie::WrongNonce { [6; 32] } else { nonce };
    let session = if challenge == Lie::WrongSession { [0; 32] } else { exporter(&tls.conn).ok()? };
    let data =
        cas_report_data(&tls_key, &nonce, &session, world.member_key.address(), world.anchors.digest());
    let at = if challenge == Lie::Old { NOW - 10_000 } else { NOW };
    let evidence = match challenge {
        Lie::WrongMeasurement => world.quote_enclave(&data, false, at),
        _ => world.quote_member(&data, challenge == Lie::Debug, at),
    };
    send(tls, challenge, &FromMember::Challenge { evidence: evidence.into(), nonce: [7; 32] }, garbage)?;
    let ToMember::Prove { .. } = read_message(&mut *tls).ok()? else { return None };
    let mut statement = Grant {
        enclave: world.enclave_key.address(),
        measurement: B256::ZERO,
        tee: 0,
        hardwareId: B256::ZERO,
        expiry: NOW + 100,
    };
    match grant {
        Lie::WrongKey | Lie::WrongNonce => statement.enclave.0[0] ^= 1,
        Lie::Old | Lie::Debug => statement.expiry = NOW,
        _ => {}
    }
    let key = if grant == Lie::WrongMeasurement { &world.enclave_key } else { &world.member_key };
    let mut signatures = vec![key.sign(&world.anchors.domain, &statement)];
    if grant == Lie::WrongSession {
        signatures.push(signatures[0].clone());
    }
    let frame = GrantFrame { grant: statement, signatures };
    let grant_bytes = serde_json::to_vec(&frame).expect("a grant can be written");
    send(tls, grant, &FromMember::Granted { grant: grant_bytes }, garbage)
}

/// The message, or what a liar sends instead.
fn send(tls: &mut impl Write, lie: Lie, message: &FromMember, garbage: &[u8]) -> Option<()> {
    let frame = encode_frame(message).ok()?;
    match lie {
        Lie::Skip => return None,
        Lie::Garbage => {
            let length = u32::try_from(garbage.len()).ok()?.to_le_bytes();
            // Garbage that happens to be a message would be no lie.
            tls.write_all(&[&length[..], garbage, &[0xff; 8]].concat()).ok()?;
            return None;
        }
        Lie::Huge => tls.write_all(&[0xff; 4]).ok()?,
        Lie::Cut => {
            tls.write_all(&frame[..frame.len() / 2]).ok()?;
            return None;
        }
        Lie::Denied => {
            let denied = FromMember::Denied { rule: DenialRule::Appraisal, detail: "no".to_owned() };
            write_message(&mut *tls, &denied).ok()?;
        }
        Lie::Repeat => {
            tls.write_all(&frame).ok()?;
            tls.write_all(&frame).ok()?;
        }
        _ => tls.write_all(&frame).ok()?,
    }
    tls.flush().ok()
}

/// A member gives a share exactly to an enclave that proved itself and asks for what is registered.
fn lying_enclave(world: &World, script: &mut Unstructured<'_>) -> Result<()> {
    let mut tls = world.stranger();
    let mut proven = false;
    for _ in 0..script.int_in_range(1..=5)? {
        let lie = rare(script)?;
        let garbage = script.bytes(script.len().min(300))?;
        let answered = match script.int_in_range(0..=3)? {
            _ if lie == Lie::Garbage => exchange_raw(&mut tls, garbage),
            0 | 1 => prove(world, &mut tls, lie),
            2 => exchange(&mut tls, &release(world, lie, garbage)),
            _ => exchange(&mut tls, &ToMember::Hello { nonce: [2; 32] }),
        };
        match answered {
            Some(FromMember::Granted { .. }) => {
                assert!(lie != Lie::WrongKey && lie != Lie::WrongNonce && lie != Lie::WrongMeasurement);
                assert!(lie != Lie::Debug && lie != Lie::Old && lie != Lie::WrongSession);
                proven = true;
            }
            Some(FromMember::Released { .. }) => {
                assert!(proven, "a share for an enclave that proved nothing")
            }
            Some(_) => {}
            None => break,
        }
    }
    Ok(())
}

fn prove(world: &World, tls: &mut Tls, lie: Lie) -> Option<FromMember> {
    let hello = exchange(tls, &ToMember::Hello { nonce: [1; 32] });
    let FromMember::Challenge { nonce, .. } = hello? else { return None };
    let tls_key = if lie == Lie::WrongKey {
        peer_spki(&tls.conn).ok()?
    } else {
        world.enclave_identity.spki().to_vec()
    };
    let nonce = if lie == Lie::WrongNonce { [6; 32] } else { nonce };
    let session = if lie == Lie::WrongSession { [0; 32] } else { exporter(&tls.conn).ok()? };
    let enclave = world.enclave_key.address();
    let data = enclave_report_data(&tls_key, &nonce, &session, enclave, world.anchors.digest());
    let at = if lie == Lie::Old { NOW - 10_000 } else { NOW };
    let mut evidence: EvidenceFrame = match lie {
        Lie::WrongMeasurement => world.quote_member(&data, false, at),
        _ => world.quote_enclave(&data, lie == Lie::Debug, at),
    }
    .into();
    match lie {
        Lie::Cut => evidence.bytes.truncate(100),
        Lie::Huge => evidence.bytes.resize(100_000, 0),
        Lie::Denied => evidence.tee = TeeKind::Tdx,
        _ => {}
    }
    exchange(tls, &ToMember::Prove { evidence, enclave })
}

fn release(world: &World, lie: Lie, garbage: &[u8]) -> ToMember {
    let policy = if lie == Lie::WrongNonce { garbage.to_vec() } else { world.policy.clone() };
    let hash = if lie == Lie::WrongKey { PolicyHash::default() } else { Policy::hash_of(&policy) };
    let app = if lie == Lie::Old { AppId::default() } else { world.app };
    let key_epoch = u32::from(lie == Lie::Repeat);
    ToMember::Release { app: app.get().0, policy_hash: hash.get().0, key_epoch, policy }
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn exchange(tls: &mut Tls, message: &ToMember) -> Option<FromMember> {
    write_message(&mut *tls, message).ok()?;
    read_message(tls).ok()
}

fn exchange_raw(tls: &mut Tls, bytes: &[u8]) -> Option<FromMember> {
    let length = u32::try_from(bytes.len()).ok()?.to_le_bytes();
    tls.write_all(&[&length[..], bytes].concat()).ok()?;
    read_message(tls).ok()
}

/// Bytes instead of TLS towards an enclave.
fn raw_member(world: &World, rest: &[u8]) {
    let (near, mut far) = Pipe::pair();
    let _ = far.write_all(rest);
    far.close();
    let introduction = Introduction {
        identity: &world.enclave_identity,
        anchors: &world.anchors,
        member: world.member_key.address(),
        enclave: world.enclave_key.address(),
        nonce: [5; 32],
        now: NOW,
    };
    let made =
        MemberSession::connect(near, &introduction, &mut |data| Ok(world.quote_enclave(data, false, NOW)));
    assert!(made.is_err(), "a session without a handshake");
}

/// Bytes instead of TLS towards a member; then it serves the next one.
fn raw_enclave(world: &World, rest: &[u8]) {
    let mut socket = TcpStream::connect(world.at).expect("the member accepts connections");
    socket.set_read_timeout(Some(Duration::from_secs(15))).expect("a socket option");
    let _ = socket.write_all(rest);
    let _ = socket.shutdown(std::net::Shutdown::Write);
    let _ = socket.read_to_end(&mut Vec::new());
}

/// A certificate of any bytes: the handshake succeeds only with the genuine one.
fn certificate(world: &World, rest: &[u8]) {
    let (near, far) = Pipe::pair();
    let genuine = world.certificate.certificate() == rest;
    let done = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut far = far;
            let mut server = ServerConnection::new(world.certificate.server(rest)).expect("a TLS server");
            while server.is_handshaking()
                && server.complete_io(&mut far).is_ok_and(|(read, wrote)| read + wrote > 0)
            {}
            far.close();
        });
        let mut near = near;
        let config = client_config(&world.enclave_identity).expect("a TLS configuration");
        let name = "member.invalid".try_into().expect("a name");
        let mut client = ClientConnection::new(config, name).expect("a TLS client");
        while client.is_handshaking() {
            match client.complete_io(&mut near) {
                Ok((read, wrote)) if read + wrote > 0 => {}
                _ => break,
            }
        }
        near.close();
        let done = !client.is_handshaking();
        if done {
            assert!(peer_spki(&client).is_ok_and(|spki| !spki.is_empty()));
        }
        done
    });
    assert!(done || !genuine);
}

const _: () = assert!(MAX_MESSAGE_BYTES < MEMORY);

pub fn seeds() -> Vec<Seed> {
    vec![
        chosen("honest-member", 0, [1; 60]),
        chosen("lying-member", 0, (0..90).collect::<Vec<u8>>()),
        chosen("honest-enclave", 1, [1; 60]),
        chosen("lying-enclave", 1, (0..200).collect::<Vec<u8>>()),
        chosen("records", 2, [22, 3, 3, 0, 4, 2, 0, 0, 0]),
        chosen("hello", 3, [22, 3, 1, 0, 5, 1, 0, 0, 1, 3]),
        chosen("certificate", 4, world().certificate.certificate()),
    ]
}
