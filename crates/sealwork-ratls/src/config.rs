//! The one TLS profile, for both sides.

use crate::{TlsError, TlsIdentity, verifier::PossessionVerifier};
use rustls::{
    ClientConfig, CommonState, ConnectionCommon, ServerConfig,
    client::Resumption,
    crypto::{CryptoProvider, aws_lc_rs},
    server::{NoServerSessionStorage, ParsedCertificate},
    version::TLS13,
};
use sealwork_types::domains;
use std::sync::Arc;

/// The profile's algorithms: X25519MLKEM768, nothing else; TLS 1.3 cipher suites of aws-lc-rs.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        kx_groups: vec![aws_lc_rs::kx_group::X25519MLKEM768],
        ..aws_lc_rs::default_provider()
    })
}

fn rustls(action: &'static str) -> impl Fn(rustls::Error) -> TlsError {
    move |source| TlsError::Rustls { action, source }
}

/// The enclave's side.
///
/// # Errors
/// [`TlsError::Rustls`].
pub fn client_config(identity: &TlsIdentity) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = provider();
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13])
        .map_err(rustls("choose TLS 1.3"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(PossessionVerifier(provider)))
        .with_client_auth_cert(identity.chain(), identity.private_key())
        .map_err(rustls("use the TLS identity"))?;
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    Ok(Arc::new(config))
}

/// The member's side.
///
/// # Errors
/// [`TlsError::Rustls`].
pub fn server_config(identity: &TlsIdentity) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = provider();
    let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13])
        .map_err(rustls("choose TLS 1.3"))?
        .with_client_cert_verifier(Arc::new(PossessionVerifier(provider)))
        .with_single_cert(identity.chain(), identity.private_key())
        .map_err(rustls("use the TLS identity"))?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// DER of the peer's public key, after the handshake proved that the peer holds it.
///
/// # Errors
/// [`TlsError`] before the handshake is over, or when the peer's certificate cannot be read.
pub fn peer_spki(connection: &CommonState) -> Result<Vec<u8>, TlsError> {
    match connection.peer_certificates() {
        Some([certificate]) => {
            let parsed =
                ParsedCertificate::try_from(certificate).map_err(rustls("read the peer's certificate"))?;
            Ok(parsed.subject_public_key_info().to_vec())
        }
        other => Err(TlsError::PeerCertificates { found: other.map_or(0, <[_]>::len) }),
    }
}

/// The value that ties evidence to this session; equal on both sides.
///
/// # Errors
/// [`TlsError::Rustls`] before the handshake is over.
pub fn exporter<Data>(connection: &ConnectionCommon<Data>) -> Result<[u8; 32], TlsError> {
    connection
        .export_keying_material([0; 32], domains::TLS_EXPORTER.as_bytes(), None)
        .map_err(rustls("export the session's binding value"))
}
