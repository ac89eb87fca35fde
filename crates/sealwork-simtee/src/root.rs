//! The vendor.

use crate::{CryptoError, KeyFileError, SimPlatform, key_file, platform::Signer};
use sealwork_attest::sim::PlatformCertificate;
use sealwork_types::{Bytes, Sha256Digest};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A simulated vendor: certifies platforms.
#[derive(Debug)]
pub struct SimRoot(Signer);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RootFile {
    sim_root: Bytes,
}

impl SimRoot {
    /// Makes a new vendor.
    ///
    /// # Errors
    /// [`CryptoError`] when there is no randomness.
    pub fn generate() -> Result<Self, CryptoError> {
        Ok(Self(Signer::generate()?))
    }

    /// The vendor of a development network: read from `path`, or made and written there (mode 600) the first time.
    ///
    /// # Errors
    /// [`KeyFileError`].
    pub fn load_or_create(path: &Path) -> Result<Self, KeyFileError> {
        if let Some(root) = Self::load(path)? {
            return Ok(root);
        }
        let crypto = |source| KeyFileError::Crypto { path: path.to_owned(), source };
        let made = Self::generate().map_err(crypto)?;
        if key_file::create(path, &RootFile { sim_root: made.0.secret() })? {
            return Ok(made);
        }
        // Somebody else was quicker; theirs is the root.
        let problem = "vanished while it was read".to_owned();
        Self::load(path)?.ok_or(KeyFileError::Malformed { path: path.to_owned(), problem })
    }

    fn load(path: &Path) -> Result<Option<Self>, KeyFileError> {
        let Some(file) = key_file::read::<RootFile>(path)? else { return Ok(None) };
        Signer::from_secret(&file.sim_root)
            .map(|signer| Some(Self(signer)))
            .map_err(|source| KeyFileError::Crypto { path: path.to_owned(), source })
    }

    /// The key that trust anchors name: an uncompressed P-256 point.
    pub fn public_key(&self) -> Bytes {
        self.0.public_key().to_vec().into()
    }

    /// Makes a platform of the given name and security version.
    ///
    /// # Errors
    /// [`CryptoError`].
    pub fn certify(&self, hardware: &str, svn: u32) -> Result<SimPlatform, CryptoError> {
        let signer = Signer::generate()?;
        let hardware_id = Sha256Digest::of(hardware.as_bytes());
        let mut certificate =
            PlatformCertificate { public_key: *signer.public_key(), hardware_id, svn, signature: [0; 64] };
        certificate.signature = self.0.sign(&certificate.signed_bytes())?;
        Ok(SimPlatform::new(signer, certificate))
    }
}
