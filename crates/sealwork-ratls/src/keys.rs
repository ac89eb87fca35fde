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

#[cfg(test)]
mod tests {
    use super::*;
    use sealwork_types::{Address, B256};

    fn name() -> AppKeyName {
        AppKeyName {
            domain: SigningDomain { chain_id: 31_337, market: Address::repeat_byte(1) },
            app: AppId::new(B256::repeat_byte(2)),
            policy_hash: PolicyHash::new(B256::repeat_byte(3)),
            key_epoch: 0,
        }
    }

    fn share(name: &AppKeyName) -> [u8; 32] {
        app_share(&Secret::new([9; 32]), name).expose(|bytes| *bytes)
    }

    #[test]
    fn every_part_of_the_name_changes_the_share() {
        let base = name();
        let market = SigningDomain { market: Address::ZERO, ..base.domain };
        let chain = SigningDomain { chain_id: 1, ..base.domain };
        let others = [
            AppKeyName { domain: chain, ..base },
            AppKeyName { domain: market, ..base },
            AppKeyName { app: AppId::default(), ..base },
            AppKeyName { policy_hash: PolicyHash::default(), ..base },
            AppKeyName { key_epoch: 1, ..base },
        ];
        assert!(others.iter().all(|other| share(other) != share(&base)));
    }

    #[test]
    fn the_order_and_number_of_shares_matter() {
        let (a, b) = ([1; 32], [2; 32]);
        let secret = |shares: &[[u8; 32]]| {
            let shares: Vec<_> = shares.iter().map(|bytes| Secret::new(*bytes)).collect();
            combine_shares(&shares).expose(|bytes| *bytes)
        };
        assert_ne!(secret(&[a, b]), secret(&[b, a]));
        assert_ne!(secret(&[a]), secret(&[a, b]));
        assert_eq!(secret(&[a, b]), secret(&[a, b]));
    }

    /// Whatever changes these values makes everything unreadable that was ever sealed. Share and secret were computed
    /// with Python's `hmac`.
    #[test]
    fn keys_never_change() {
        let share = app_share(&Secret::new([9; 32]), &name());
        assert_eq!(
            share.expose(|bytes| B256::from(*bytes)).to_string(),
            "0x295288887e1aaf191b9faea1f0cceb276063f431c263f4255dd0e407b306e37d"
        );
        let secret = combine_shares(&[share]);
        assert_eq!(
            secret.expose(|bytes| B256::from(*bytes)).to_string(),
            "0x5282a519a4b03adb099ca063c4a544df3f90d605c41e2d1871bb0f255e65f428"
        );
        assert_eq!(
            app_identity(&secret).recipient().digest().to_string(),
            "0xc7d4991292f8ea8cd833dadf19162ba558ea6eb091819d7389ceebd9404657ef"
        );
    }
}
