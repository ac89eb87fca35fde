//! The TLS profile against peers that speak another one.
#![expect(clippy::unwrap_used, reason = "test helpers outside of test functions")]

use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, ServerConnection,
    SignatureScheme, StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use sealwork_ratls::{TlsIdentity, client_config, exporter, peer_spki, server_config};
use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    sync::Arc,
    thread,
};

/// A member's end of the handshake.
fn accept(mut pipe: UnixStream, identity: &TlsIdentity) -> io::Result<ServerConnection> {
    let mut connection = ServerConnection::new(server_config(identity).unwrap()).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut pipe)?;
    }
    Ok(connection)
}

#[test]
fn both_sides_see_each_others_key_and_the_same_exporter_value() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let member = Arc::new(TlsIdentity::generate().unwrap());
    let server = thread::spawn({
        let member = Arc::clone(&member);
        move || accept(theirs, &member).unwrap()
    });
    let identity = TlsIdentity::generate().unwrap();
    let name = "member.invalid".try_into().unwrap();
    let mut client = ClientConnection::new(client_config(&identity).unwrap(), name).unwrap();
    assert!(
        exporter(&client).is_err() && peer_spki(&client).is_err(),
        "nothing is known before the handshake"
    );
    while client.is_handshaking() || client.wants_write() {
        client.complete_io(&mut ours).unwrap();
    }
    let server = server.join().unwrap();
    assert_eq!(peer_spki(&client).unwrap(), member.spki());
    assert_eq!(peer_spki(&server).unwrap(), identity.spki());
    assert_eq!(exporter(&client).unwrap(), exporter(&server).unwrap());
    let group = client.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, rustls::NamedGroup::X25519MLKEM768);
}

#[test]
fn members_insist_on_a_client_certificate() {
    assert!(refuses(aws_lc_rs::default_provider()));
}

#[test]
fn members_insist_on_the_hybrid_key_exchange() {
    let kx_groups = vec![aws_lc_rs::kx_group::X25519];
    assert!(refuses(CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() }));
}

/// Whether a member refuses a client of this provider that has no certificate.
fn refuses(provider: CryptoProvider) -> bool {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let server = thread::spawn(move || accept(theirs, &TlsIdentity::generate().unwrap()).map(drop));
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(RootCertStore::empty());
    let mut config = config.with_no_client_auth();
    config.dangerous().set_certificate_verifier(Arc::new(Anything));
    let name = "member.invalid".try_into().unwrap();
    let mut tls = StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), ours);
    let _ = tls.write_all(b"x");
    let _ = tls.read(&mut [0; 1]);
    server.join().unwrap().is_err()
}

/// Accepts every server, so that the server is the one who refuses.
#[derive(Debug)]
struct Anything;

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        unreachable!("TLS 1.3 only")
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
