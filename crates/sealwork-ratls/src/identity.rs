//! A TLS key of one process, with its self-signed certificate.

use crate::TlsError;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::fmt;

/// Name in every certificate. Nobody reads it.
pub(crate) const SERVER_NAME: &str = "sealwork.invalid";

/// A P-256 key made in this process and its self-signed certificate. Lives as long as the process.
pub struct TlsIdentity {
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
    spki: Vec<u8>,
}

impl TlsIdentity {
    /// Makes a key and its certificate.
    ///
    /// # Errors
    /// [`TlsError::Certificate`] when there is no randomness.
    pub fn generate() -> Result<Self, TlsError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = CertificateParams::new([SERVER_NAME.to_owned()])?.self_signed(&key)?;
        Ok(Self {
            certificate: certificate.der().clone(),
            spki: key.subject_public_key_info(),
            key: PrivatePkcs8KeyDer::from(key.serialize_der()),
        })
    }

    /// DER of the public key (`SubjectPublicKeyInfo`), which evidence names.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.clone()]
    }

    pub(crate) fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.key.clone_key())
    }
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsIdentity(..)")
    }
}
