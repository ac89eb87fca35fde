//! Exit codes: which failure a script can tell from which.

use crate::hints;
use sealwork_chain::ChainError;
use sealwork_client::ClientError;
use sealwork_ports::PortError;

/// The command failed.
pub(crate) const FAILED: u8 = 1;
/// The network (chain, storage or CAS) cannot be reached.
pub(crate) const UNREACHABLE: u8 = 3;
/// A proof does not hold.
pub(crate) const UNPROVEN: u8 = 4;
/// The task ended with a status other than SUCCESS.
pub(crate) const TASK_STATUS: u8 = 5;
/// No such wallet, or a wrong passphrase.
pub(crate) const WALLET: u8 = 6;

/// An error that knows its exit code and what to do next.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Exit code and hint of any error that a command returns.
pub(crate) fn classify(error: &anyhow::Error) -> (u8, Option<String>) {
    // Endpoints say this in words only.
    if error.chain().any(|cause| cause.to_string().contains("insufficient funds")) {
        let hint =
            "the wallet has no coins for gas; on a development network `sealwork account faucet` gives some";
        return (FAILED, Some(hint.to_owned()));
    }
    if let Some(hint) = error.chain().find_map(|cause| hints::of(&cause.to_string())) {
        return (FAILED, Some(hint.to_owned()));
    }
    for cause in error.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return (failure.code, failure.hint.clone());
        }
        if let Some(client) = cause.downcast_ref::<ClientError>() {
            let hint = client.hint().map(str::to_owned);
            let unproven = matches!(
                client,
                ClientError::Receipt(_)
                    | ClientError::Batch { .. }
                    | ClientError::Cas { .. }
                    | ClientError::Output { .. }
            );
            let unreachable = matches!(client, ClientError::Port(port) if port.is_retryable());
            return (
                if unproven {
                    UNPROVEN
                } else if unreachable {
                    UNREACHABLE
                } else {
                    FAILED
                },
                hint,
            );
        }
        let port = cause.downcast_ref::<PortError>().is_some_and(PortError::is_retryable);
        let endpoint = cause
            .downcast_ref::<ChainError>()
            .is_some_and(|error| matches!(error, ChainError::Endpoint { .. } | ChainError::NotMined { .. }));
        if port || endpoint {
            let hint = "check that the network runs (`sealwork doctor`) and try again";
            return (UNREACHABLE, Some(hint.to_owned()));
        }
    }
    (FAILED, None)
}
