//! From members' shares to the app's sealing key. Enclaves and members use the same code.
//!
//! ```text
//! share of member i = KDF(CAS_APP_SHARE, member secret, app name)          made by the member
//! app secret        = KDF(APP_SECRET, share 1 ‖ share 2 ‖ …)               made by the enclave
//! input identity    = KDF(APP_INPUT_IDENTITY, app secret)                  made by the enclave
//! ```
//!
//! With one member the member itself could compute the app secret; threshold sharing replaces the first line.

use sealwork_seal::{Secret, age::Identity, kdf};
use sealwork_types::{AppId, PolicyHash, domains, order::SigningDomain};
use zeroize::Zeroizing;

/// Bytes of a share.
const SHARE_BYTES: usize = 32;

/// What an app secret belongs to. Another policy or epoch means other keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppKeyName {
    /// Chain and market.
    pub domain: SigningDomain,
    /// App.
    pub app: AppId,
    /// SHA-256 of the policy document.
    pub policy_hash: PolicyHash,
    /// Key epoch.
    pub key_epoch: u32,
}

/// A member's share of an app secret, from the member's own secret.
pub fn app_share(member_secret: &Secret<[u8; 32]>, name: &AppKeyName) -> Secret<[u8; 32]> {
    let chain_id = name.domain.chain_id.to_be_bytes();
    let key_epoch = name.key_epoch.to_be_bytes();
    let context: [&[u8]; 5] = [
        &chain_id,
        name.domain.market.as_slice(),
        name.app.as_slice(),
        name.policy_hash.as_slice(),
        &key_epoch,
    ];
    member_secret.expose(|secret| kdf::derive(domains::CAS_APP_SHARE, secret, &context))
}

/// The app secret, from the shares in the order of their members' indexes.
pub fn combine_shares(shares: &[Secret<[u8; 32]>]) -> Secret<[u8; 32]> {
    let mut joined = Zeroizing::new(Vec::with_capacity(shares.len().saturating_mul(SHARE_BYTES)));
    shares.iter().for_each(|share| share.expose(|bytes| joined.extend_from_slice(bytes)));
    kdf::derive(domains::APP_SECRET, &joined, &[])
}

/// The identity that opens an app's inputs; its recipient is what requesters seal to.
pub fn app_identity(app_secret: &Secret<[u8; 32]>) -> Identity {
    Identity::from_seed(app_secret.expose(|secret| kdf::derive(domains::APP_INPUT_IDENTITY, secret, &[])))
}
