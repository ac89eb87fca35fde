//! Updates of apps and names that are claimed on chain.

use crate::{Client, ClientError, Plan, Prepared, orders::rejected};
use alloy_primitives::keccak256;
use alloy_sol_types::SolValue;
use sealwork_seal::kdf;
use sealwork_types::{
    AppId, B256,
    abi::{
        AppUpdate,
        IRegistry::{
            announceUpdateCall, announcedCall, appOfCall, claimNameCall, commitNameCall, ownerOfKindCall,
            releaseNameCall, withdrawUpdateCall,
        },
    },
    domains,
};

impl Client {
    /// Announces another manifest, code and policy of an app; they take effect by themselves after the delay.
    pub fn announce_plan(&self, app: AppId, prepared: &Prepared) -> Plan {
        let call = announceUpdateCall {
            id: app.get(),
            manifestHash: prepared.manifest_hash,
            codeHash: prepared.manifest.code_hash.get(),
            policyHash: prepared.manifest.policy_hash.get(),
        };
        Plan::of("announce the update", self.network.contracts.registry, &call)
    }

    /// Withdraws what is announced for an app.
    pub fn withdraw_update_plan(&self, app: AppId) -> Plan {
        let call = withdrawUpdateCall { id: app.get() };
        Plan::of("withdraw the update", self.network.contracts.registry, &call)
    }

    /// What is announced for an app; `None` when nothing is.
    ///
    /// # Errors
    /// When the app is not registered or the chain cannot be asked.
    pub async fn announced(&self, app: AppId) -> Result<Option<AppUpdate>, ClientError> {
        let update = self.view(self.network.contracts.registry, &announcedCall { id: app.get() }).await?;
        Ok((update.effectiveAt != 0).then_some(update))
    }

    /// The app that a claimed name means.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn app_named(&self, name: &str) -> Result<Option<AppId>, ClientError> {
        let id = self.view(self.network.contracts.registry, &appOfCall { name: name.to_owned() }).await?;
        Ok((!id.is_zero()).then(|| AppId::new(id)))
    }

    /// First step to a name: says that it will be claimed, without saying which.
    ///
    /// # Errors
    /// `Rejected` for a name that cannot be claimed or means an app already.
    pub async fn commit_name_plan(&self, name: &str) -> Result<Plan, ClientError> {
        check_name(name)?;
        if let Some(app) = self.app_named(name).await? {
            return Err(rejected(format!(
                "the name {name} means app {app} already (NameTaken); choose another"
            )));
        }
        let commitment = keccak256((name.to_owned(), self.name_salt(name)).abi_encode_params());
        let what = format!("commit to the name {name}");
        Ok(Plan::of(what, self.network.contracts.registry, &commitNameCall { commitment }))
    }

    /// Second step to a name: claims it for an app of this wallet, which made the commitment.
    pub fn claim_name_plan(&self, app: AppId, name: &str) -> Plan {
        let call = claimNameCall { id: app.get(), name: name.to_owned(), salt: self.name_salt(name) };
        Plan::of(format!("claim the name {name}"), self.network.contracts.registry, &call)
    }

    /// Gives a name of an app of this wallet back.
    pub fn release_name_plan(&self, name: &str) -> Plan {
        let call = releaseNameCall { name: name.to_owned() };
        Plan::of(format!("release the name {name}"), self.network.contracts.registry, &call)
    }

    /// Owner of an app, dataset or pool.
    ///
    /// # Errors
    /// `Rejected` when it is not registered.
    pub async fn owner_of(&self, kind: u8, id: B256) -> Result<sealwork_types::Address, ClientError> {
        self.view(self.network.contracts.registry, &ownerOfKindCall { kind, id }).await
    }

    /// The salt that hides a name between commitment and claim. It follows from the wallet's key, so that nothing has
    /// to be kept in between.
    fn name_salt(&self, name: &str) -> B256 {
        let registry = self.network.contracts.registry;
        self.key
            .secret_bytes()
            .expose(|secret| {
                kdf::derive(domains::WALLET_NAME_SALT, secret, &[registry.as_slice(), name.as_bytes()])
            })
            .expose(|salt| B256::from(*salt))
    }
}

/// Refuses what the registry would refuse, before anything is spent on it.
fn check_name(name: &str) -> Result<(), ClientError> {
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let hyphens = name.starts_with('-') || name.ends_with('-') || name.contains("--");
    if plain && !hyphens && (3..=64).contains(&name.len()) {
        return Ok(());
    }
    Err(rejected(format!(
        "{name:?} cannot be claimed (BadName); use 3 to 64 of a-z, 0-9 and inner single hyphens"
    )))
}

#[cfg(test)]
mod tests {
    use super::check_name;

    #[test]
    fn names_follow_the_rule_of_the_registry() {
        for good in ["abc", "a-b-c", "0x9", &"a".repeat(64)] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["ab", "-abc", "abc-", "a--b", "Abc", "a_b", "", &"a".repeat(65)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
