//! The one registry of labels that separate hashes, signatures and derived keys from each other.
//!
//! A label never changes its bytes; a new meaning gets a new label. Uniqueness is tested.

/// EIP-712 domain name of every Sealwork signature.
pub const EIP712_NAME: &str = "Sealwork";
/// EIP-712 domain version.
pub const EIP712_VERSION: &str = "1";

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $value;)*
        /// Every label, for tests and documentation.
        pub const ALL: &[&str] = &[$($value),*];
    };
}

labels! {
    /// Prefix of the report data that an enclave puts into its evidence when it talks to the CAS.
    ENCLAVE_REPORT = "sealwork/v1/report/enclave";
    /// Prefix of the report data of a CAS member.
    CAS_REPORT = "sealwork/v1/report/cas-member";
    /// Digest of the network configuration that an enclave was started with.
    NETWORK_CONFIG = "sealwork/v1/network/config";
    /// TLS exporter label that ties evidence to one session.
    TLS_EXPORTER = "sealwork/v1/ratls/exporter";
    /// Derives one member's share of an app secret.
    CAS_APP_SHARE = "sealwork/v1/cas/app-share";
    /// Combines member shares into the app secret.
    APP_SECRET = "sealwork/v1/app/secret";
    /// Derives the app's input identity from the app secret.
    APP_INPUT_IDENTITY = "sealwork/v1/app/input-identity";
    /// Derives a wallet's output identity from its signing key.
    WALLET_OUTPUT_IDENTITY = "sealwork/v1/wallet/output-identity";
    /// Derives the salt of a wallet's claim of an app name from its signing key.
    WALLET_NAME_SALT = "sealwork/v1/wallet/name-salt";
    /// A policy in an order's restriction of apps; keccak256 of the label stands in the contracts.
    POLICY_RESTRICTION = "sealwork/v1/policy-restriction";
    /// Seed of the random numbers that a program sees.
    TASK_RANDOMNESS = "sealwork/v1/task/randomness";
    /// Tag under which an enclave lets its host keep a compiled program.
    COMPILED_CODE = "sealwork/v1/app/compiled-code";
    /// Block of the random stream that the runtime makes from a seed.
    RANDOM_STREAM = "sealwork/v1/runtime/random-stream";
    /// Leaf of the CAS release log.
    LOG_LEAF = "sealwork/v1/cas-log/leaf";
    /// Inner node of the CAS release log.
    LOG_NODE = "sealwork/v1/cas-log/node";
    /// Body that the simulated platform signs.
    SIM_REPORT = "sealwork/v1/sim/report";
    /// Body of a simulated platform certificate.
    SIM_CERTIFICATE = "sealwork/v1/sim/certificate";
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn labels_are_unique_and_well_formed() {
        let mut seen = std::collections::BTreeSet::new();
        for label in ALL {
            assert!(label.starts_with("sealwork/v1/"), "{label}");
            assert!(label.is_ascii() && seen.insert(label), "{label} stands twice");
        }
    }
}
