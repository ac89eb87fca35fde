//! A platform: signs what it is told about enclaves.

use crate::{CryptoError, KeyFileError, key_file};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use sealwork_attest::{
    p256::{PUBLIC_KEY_BYTES, SIGNATURE_BYTES, with_lower_s},
    sim::{PlatformCertificate, Report},
};
use sealwork_types::{
    Bytes, Measurement,
    evidence::{Evidence, ReportData, TeeKind},
};
use serde::{Deserialize, Serialize};
use std::{fmt, path::Path, sync::Arc};

/// A simulated machine with a key that its vendor certified. Clones are the same machine.
#[derive(Clone, Debug)]
pub struct SimPlatform {
    signer: Signer,
    certificate: PlatformCertificate,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlatformFile {
    sim_platform: Bytes,
    certificate: Bytes,
}

impl SimPlatform {
    pub(crate) const fn new(signer: Signer, certificate: PlatformCertificate) -> Self {
        Self { signer, certificate }
    }

    /// What the vendor says about this platform.
    pub const fn certificate(&self) -> &PlatformCertificate {
        &self.certificate
    }

    /// Writes key and certificate to a new file with mode 600.
    ///
    /// # Errors
    /// [`KeyFileError`], also when the file exists.
    pub fn save(&self, path: &Path) -> Result<(), KeyFileError> {
        let file = PlatformFile {
            sim_platform: self.signer.secret(),
            certificate: self.certificate.to_bytes().into(),
        };
        if key_file::create(path, &file)? {
            return Ok(());
        }
        let source = std::io::ErrorKind::AlreadyExists.into();
        Err(KeyFileError::Io { action: "create", path: path.to_owned(), source })
    }

    /// Reads what [`Self::save`] wrote; `None` when there is no file.
    ///
    /// # Errors
    /// [`KeyFileError`].
    pub fn load(path: &Path) -> Result<Option<Self>, KeyFileError> {
        let Some(file) = key_file::read::<PlatformFile>(path)? else { return Ok(None) };
        let signer = Signer::from_secret(&file.sim_platform)
            .map_err(|source| KeyFileError::Crypto { path: path.to_owned(), source })?;
        let malformed = |problem| KeyFileError::Malformed { path: path.to_owned(), problem };
        let certificate = PlatformCertificate::from_bytes(&file.certificate)
            .map_err(|error| malformed(error.to_string()))?;
        if certificate.public_key != *signer.public_key() {
            return Err(malformed("certificate and key do not belong together".to_owned()));
        }
        Ok(Some(Self { signer, certificate }))
    }

    /// Evidence about an enclave. `now` in seconds since 1970.
    ///
    /// # Errors
    /// [`CryptoError`].
    pub fn quote(
        &self,
        measurement: Measurement,
        report_data: &ReportData,
        debug: bool,
        now: u64,
    ) -> Result<Evidence, CryptoError> {
        let report = Report {
            measurement,
            report_data: *report_data,
            debug,
            svn: self.certificate.svn,
            hardware_id: self.certificate.hardware_id,
            issued_at: now,
            certificate: self.certificate.clone(),
        };
        let signature = self.signer.sign(&report.signed_bytes())?;
        Ok(Evidence { tee: TeeKind::Sim, bytes: report.to_evidence_bytes(&signature).into() })
    }
}

/// A P-256 key that signs in the one form that verifiers accept.
#[derive(Clone)]
pub(crate) struct Signer {
    key: Arc<EcdsaKeyPair>,
    public_key: [u8; PUBLIC_KEY_BYTES],
}

impl Signer {
    pub(crate) fn generate() -> Result<Self, CryptoError> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|_| CryptoError { action: "make a P-256 key" })?;
        Self::new(key)
    }

    pub(crate) fn from_secret(pkcs8: &[u8]) -> Result<Self, CryptoError> {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
            .map_err(|_| CryptoError { action: "read a P-256 key" })?;
        Self::new(key)
    }

    fn new(key: EcdsaKeyPair) -> Result<Self, CryptoError> {
        let public_key = <[u8; PUBLIC_KEY_BYTES]>::try_from(key.public_key().as_ref())
            .map_err(|_| CryptoError { action: "encode a P-256 point" })?;
        Ok(Self { key: Arc::new(key), public_key })
    }

    /// PKCS #8. Only for key files: a simulated key protects nothing, so its copies are not wiped.
    pub(crate) fn secret(&self) -> Bytes {
        self.key.to_pkcs8v1().map_or_else(|_| Bytes::new(), |document| document.as_ref().to_vec().into())
    }

    pub(crate) const fn public_key(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        &self.public_key
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], CryptoError> {
        let failed = CryptoError { action: "sign with P-256" };
        let signature = self.key.sign(&SystemRandom::new(), message).map_err(|_| failed)?;
        <[u8; SIGNATURE_BYTES]>::try_from(signature.as_ref()).map(with_lower_s).map_err(|_| failed)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}
