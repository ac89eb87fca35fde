//! Shares, app secrets and app identities are gone from this process's memory once they are dropped.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is a failed test")]

#[path = "../../sealwork-seal/tests/zeroize/memory.rs"]
#[expect(dead_code, reason = "tests of other secrets need all of it")]
mod memory;

use memory::Hidden;
use sealwork_ratls::keys::{AppKeyName, app_identity, app_share, combine_shares};
use sealwork_seal::Secret;
use sealwork_types::{Address, AppId, B256, PolicyHash, order::SigningDomain};

fn name() -> AppKeyName {
    AppKeyName {
        domain: SigningDomain { chain_id: 31_337, market: Address::repeat_byte(1) },
        app: AppId::new(B256::repeat_byte(2)),
        policy_hash: PolicyHash::new(B256::repeat_byte(3)),
        key_epoch: 0,
    }
}

fn hidden(secret: &Secret<[u8; 32]>) -> Hidden {
    secret.expose(|bytes| Hidden::new(bytes))
}

#[test]
fn keys_of_an_app_are_gone() {
    let members = [Secret::<[u8; 32]>::random().unwrap(), Secret::random().unwrap()];
    let shares: Vec<_> = members.iter().map(|member| app_share(member, &name())).collect();
    let app_secret = combine_shares(&shares);
    let identity = app_identity(&app_secret);
    let mut searched: Vec<_> = members.iter().chain(&shares).map(hidden).collect();
    searched.push(hidden(&app_secret));
    drop((members, shares, app_secret, identity));
    for (index, hidden) in searched.iter().enumerate() {
        hidden.assert_gone(
            ["a member's secret", "a member's secret", "a share", "a share", "an app secret"][index],
        );
    }
}
