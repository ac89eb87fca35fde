//! Keys of a local network.

use crate::wallet::Wallet;
use alloy_signer_local::PrivateKeySigner;
use anyhow::{Context, Result, bail};
use sealwork_devchain::DEV_PRIVATE_KEYS;
use sealwork_seal::{Secret, sign::SigningKey};
use sealwork_simtee::SimRoot;
use std::{
    fs,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};
use zeroize::Zeroizing;

/// The signing key in `path`, made there (mode 600) the first time.
pub(crate) fn signing_key(path: &Path) -> Result<SigningKey> {
    if path.exists() {
        let mode =
            fs::metadata(path).with_context(|| format!("read {}", path.display()))?.permissions().mode();
        if mode & 0o077 != 0 {
            bail!(
                "{} can be read by others (mode {:o}); run `chmod 600` on it",
                path.display(),
                mode & 0o777
            );
        }
        let text =
            Zeroizing::new(fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?);
        let bytes = Zeroizing::new(
            hex::decode(text.trim()).with_context(|| format!("{} is not hex", path.display()))?,
        );
        let secret = Secret::from_slice(&bytes)
            .with_context(|| format!("{} does not hold 32 bytes", path.display()))?;
        return SigningKey::from_bytes(secret)
            .with_context(|| format!("{} holds no usable key", path.display()));
    }
    let key = SigningKey::generate()?;
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    let temporary = path.with_extension("new");
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    key.secret_bytes().expose(|secret| file.write_all(Zeroizing::new(hex::encode(secret)).as_bytes()))?;
    file.sync_all()?;
    fs::rename(&temporary, path).with_context(|| format!("write {}", path.display()))?;
    Ok(key)
}

/// The simulated vendor of a local network.
pub(crate) fn sim_root(path: &Path) -> Result<SimRoot> {
    SimRoot::load_or_create(path)
        .with_context(|| format!("read the simulated vendor's root {}", path.display()))
}

/// One of the well-known development accounts.
pub(crate) fn dev_wallet(index: usize) -> Wallet {
    let secret = DEV_PRIVATE_KEYS.get(index).copied().unwrap_or_default();
    let key = SigningKey::from_bytes(Secret::new(secret.0)).expect("development keys are valid");
    let signer = PrivateKeySigner::from_bytes(&secret).expect("development keys are valid");
    Wallet { key, signer }
}
