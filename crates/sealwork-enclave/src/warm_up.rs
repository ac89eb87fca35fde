//! First use of the cryptographic library, which opens files to see what machine it is on. The system call filter would
//! not let it do so later.

use crate::EnclaveError;
use sealwork_ratls::TlsIdentity;
use sealwork_seal::sign::SigningKey;
use sealwork_types::B256;

/// Makes and forgets one key of each kind.
///
/// # Errors
/// [`EnclaveError::Keys`] when this machine gives no random numbers.
pub fn warm_up() -> Result<(), EnclaveError> {
    let signer = SigningKey::generate().map_err(|error| EnclaveError::Keys(error.into()))?;
    signer.sign_hash(B256::ZERO);
    let identity = TlsIdentity::generate().map_err(|error| EnclaveError::Keys(error.into()))?;
    sealwork_ratls::client_config(&identity).map_err(|error| EnclaveError::Keys(error.into()))?;
    Ok(())
}
