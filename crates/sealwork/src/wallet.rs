//! Wallets: Ethereum keystore files (version 3) that other tools can read, encrypted with a passphrase.

use crate::{
    failure::{self, Failure},
    home::Home,
};
use alloy_signer_local::PrivateKeySigner;
use anyhow::{Context, Result, bail};
use sealwork_seal::{Secret, sign::SigningKey};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};
use zeroize::Zeroizing;

/// Names the variable that gives a passphrase without a prompt.
pub(crate) const PASSPHRASE_VARIABLE: &str = "SEALWORK_PASSPHRASE";
/// The wallet of development networks: the second well-known test account. Everybody has its key.
pub(crate) const DEV_WALLET: &str = "dev";

/// An unlocked wallet.
#[derive(Debug)]
pub(crate) struct Wallet {
    pub(crate) key: SigningKey,
    pub(crate) signer: PrivateKeySigner,
}

impl Wallet {
    fn from_secret(secret: &[u8]) -> Result<Self> {
        let secret = Secret::<[u8; 32]>::from_slice(secret).context("a private key has 32 bytes")?;
        let signer = secret.expose(|bytes| PrivateKeySigner::from_slice(bytes))?;
        let key = SigningKey::from_bytes(secret)?;
        Ok(Self { key, signer })
    }
}

/// Unlocks a wallet by name; asks for the passphrase where a terminal is there to ask.
pub(crate) fn unlock(home: &Home, name: &str) -> Result<Wallet> {
    let path = path(home, name)?;
    if !path.exists() {
        return Err(Failure::new(
            failure::WALLET,
            format!("there is no wallet {name:?} in {}", folder(home).display()),
        )
        .hint("create it with `sealwork wallet new NAME`, or choose another with --wallet NAME")
        .into());
    }
    let passphrase = if name == DEV_WALLET { Zeroizing::new(String::new()) } else { passphrase(name)? };
    let signer = PrivateKeySigner::decrypt_keystore(&path, passphrase.as_bytes()).map_err(|error| {
        Failure::new(failure::WALLET, format!("cannot unlock wallet {name:?}: {error}"))
            .hint(format!("is the passphrase right? It is asked for, or read from {PASSPHRASE_VARIABLE}"))
    })?;
    Wallet::from_secret(signer.to_bytes().as_slice())
}

/// Creates a wallet with a fresh key.
pub(crate) fn create(home: &Home, name: &str) -> Result<Wallet> {
    free(home, name)?;
    let key = SigningKey::generate()?;
    key.secret_bytes().expose(|secret| store(home, name, secret, &new_passphrase(name)?))
}

/// Creates a wallet from a private key in hex.
pub(crate) fn import(home: &Home, name: &str, private_key: &str) -> Result<Wallet> {
    free(home, name)?;
    let bytes = Zeroizing::new(
        hex::decode(private_key.trim().trim_start_matches("0x"))
            .ok()
            .context("a private key is 64 hex digits")?,
    );
    store(home, name, &bytes, &new_passphrase(name)?)
}

/// Writes the development wallet, whose key everybody knows, without a passphrase.
pub(crate) fn ensure_dev(home: &Home, secret: &[u8; 32]) -> Result<()> {
    if path(home, DEV_WALLET)?.exists() {
        return Ok(());
    }
    store(home, DEV_WALLET, secret, "").map(drop)
}

/// Names of the wallets here.
pub(crate) fn names(home: &Home) -> Vec<String> {
    let entries = fs::read_dir(folder(home)).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok()?.strip_suffix(".json").map(str::to_owned))
        .collect();
    names.sort();
    names
}

/// The private key for `wallet import`: from the environment or from a prompt.
pub(crate) fn ask_private_key() -> Result<Zeroizing<String>> {
    match std::env::var("SEALWORK_PRIVATE_KEY") {
        Ok(key) => Ok(Zeroizing::new(key)),
        Err(_) => Ok(Zeroizing::new(rpassword::prompt_password("private key (hex, not shown): ")?)),
    }
}

fn store(home: &Home, name: &str, secret: &[u8], passphrase: &str) -> Result<Wallet> {
    let path = path(home, name)?;
    fs::create_dir_all(folder(home))?;
    let file = format!("{name}.json");
    PrivateKeySigner::encrypt_keystore(
        folder(home),
        &mut rand::rngs::OsRng,
        secret,
        passphrase.as_bytes(),
        Some(&file),
    )
    .with_context(|| format!("write {}", path.display()))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Wallet::from_secret(secret)
}

/// Fails unless a new wallet may have this name.
fn free(home: &Home, name: &str) -> Result<()> {
    let taken = |text: String| Failure::new(failure::WALLET, text).hint("choose another name");
    if name == DEV_WALLET {
        bail!(taken("wallet \"dev\" is the one of development networks; `sealwork up` makes it".into()));
    }
    if path(home, name)?.exists() {
        bail!(taken(format!("wallet {name:?} exists already")));
    }
    Ok(())
}

fn folder(home: &Home) -> PathBuf {
    home.path("wallets")
}

fn path(home: &Home, name: &str) -> Result<PathBuf> {
    if !sealwork_types::manifest::is_app_name(name) {
        bail!(Failure::new(
            failure::WALLET,
            format!("{name:?} cannot name a wallet; use 1 to 64 of a-z, 0-9 and -")
        ));
    }
    Ok(folder(home).join(format!("{name}.json")))
}

fn passphrase(name: &str) -> Result<Zeroizing<String>> {
    if let Ok(passphrase) = std::env::var(PASSPHRASE_VARIABLE) {
        return Ok(Zeroizing::new(passphrase));
    }
    let prompt = format!("passphrase of wallet {name}: ");
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|_| {
        Failure::new(
            failure::WALLET,
            format!("wallet {name:?} needs its passphrase and there is no terminal to ask on"),
        )
        .hint(format!("set {PASSPHRASE_VARIABLE}"))
        .into()
    })
}

fn new_passphrase(name: &str) -> Result<Zeroizing<String>> {
    let first = passphrase(name)?;
    if std::env::var_os(PASSPHRASE_VARIABLE).is_none() {
        let second = Zeroizing::new(rpassword::prompt_password("the same again: ")?);
        if *first != *second {
            bail!(Failure::new(failure::WALLET, "the two passphrases differ").hint("try again"));
        }
    }
    if first.len() < 8 {
        bail!(
            Failure::new(failure::WALLET, "a passphrase has at least 8 characters")
                .hint("choose a longer one")
        );
    }
    Ok(first)
}
