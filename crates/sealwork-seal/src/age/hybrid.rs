//! The recipient type `mlkem768x25519`: X-Wing encapsulation, HPKE around the file key.

use super::{
    HeaderError, Identity, RECIPIENT_BYTES, Recipient, RecipientError, base64,
    header::{FILE_KEY, FileKey, Stanza},
    hpke,
};
use crate::{RandomError, Secret, stack::wiped};
use aws_lc_rs::agreement;
use x_wing::{
    Ciphertext, DecapsulationKeyRejectNonContrib, Decapsulator, EncapsulationKey, KeyExport, TryDecapsulate,
};
use zeroize::Zeroizing;

/// First word of the stanza.
pub(super) const KIND: &str = "mlkem768x25519";
const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";
const MLKEM_BYTES: usize = 1184;
const BODY: usize = FILE_KEY + hpke::TAG;

/// The key pair of a seed.
pub(super) fn expand(seed: &[u8; 32]) -> (DecapsulationKeyRejectNonContrib, [u8; RECIPIENT_BYTES]) {
    let key = DecapsulationKeyRejectNonContrib::from(*seed);
    let public = key.encapsulation_key().to_bytes().into();
    (key, public)
}

/// Checks both halves of a public key.
pub(super) fn check_public_key(bytes: &[u8; RECIPIENT_BYTES]) -> Result<(), RecipientError> {
    EncapsulationKey::try_from(&bytes[..]).map_err(|_| RecipientError::MlKem)?;
    let (_, share) = bytes.split_at(MLKEM_BYTES);
    // Any clamped scalar is a multiple of the cofactor, so the product is zero for every share of low order.
    let scalar = agreement::PrivateKey::from_private_key(&agreement::X25519, &[0x55; 32])
        .expect("X25519 takes every 32 bytes");
    let share = agreement::UnparsedPublicKey::new(&agreement::X25519, share);
    agreement::agree(&scalar, share, RecipientError::LowOrder, |_| Ok(()))
}

/// Wraps a file key for a recipient.
pub(super) fn wrap(recipient: &Recipient, file_key: &FileKey) -> Result<Stanza, RandomError> {
    let key =
        EncapsulationKey::try_from(&recipient.as_bytes()[..]).expect("recipients are checked when made");
    let mut random = Zeroizing::new([0; x_wing::ENCAPSULATION_RANDOMNESS_SIZE]);
    crate::random::fill(&mut *random)?;
    let coins = Zeroizing::new((*random).into());
    let (ciphertext, body) = wiped(|| {
        let (ciphertext, shared) = key.encapsulate_deterministic(&coins);
        let shared = Secret::new(shared.into());
        (ciphertext, hpke::Context::new(&shared, INFO).seal(file_key))
    });
    Ok(Stanza { kind: KIND.to_owned(), arguments: vec![base64::encode(&ciphertext)], body })
}

/// A stanza of this type with the right shape.
pub(super) struct Wrapped<'a> {
    ciphertext: Ciphertext,
    body: &'a [u8],
}

impl<'a> Wrapped<'a> {
    /// Reads a stanza; `None` when it is of another type.
    pub(super) fn parse(stanza: &'a Stanza) -> Result<Option<Self>, HeaderError> {
        if stanza.kind != KIND {
            return Ok(None);
        }
        let wrong = |expected| HeaderError::Stanza { expected };
        let [argument] = stanza.arguments.as_slice() else { return Err(wrong("single argument")) };
        let bytes = base64::decode(argument.as_bytes()).ok_or_else(|| wrong("canonical base64 argument"))?;
        let ciphertext = Ciphertext::try_from(&bytes[..]).map_err(|_| wrong("argument of 1120 bytes"))?;
        if stanza.body.len() != BODY {
            return Err(wrong("body of 32 bytes"));
        }
        Ok(Some(Self { ciphertext, body: &stanza.body }))
    }

    /// The file key, if the stanza is for this identity.
    pub(super) fn unwrap(&self, identity: &Identity) -> Result<Option<FileKey>, HeaderError> {
        wiped(|| {
            let shared =
                identity.key().try_decapsulate(&self.ciphertext).map_err(|_| HeaderError::LowOrder)?;
            let shared = Secret::new(shared.into());
            Ok(hpke::Context::new(&shared, INFO).open(self.body))
        })
    }
}
