//! The private half of a sealing key.

use super::{Recipient, hybrid, text};
use crate::{RandomError, Secret, stack::wiped};
use std::fmt;
use x_wing::DecapsulationKeyRejectNonContrib;
use zeroize::Zeroizing;

const HRP: &str = "age-secret-key-pq-";
const TEXT_PREFIX: &str = "AGE-SECRET-KEY-PQ-1";

/// Opens files that were sealed for its recipient. Wiped when dropped.
pub struct Identity {
    seed: Secret<[u8; 32]>,
    /// On the heap, so that moving the identity leaves nothing behind.
    key: Box<DecapsulationKeyRejectNonContrib>,
    recipient: Recipient,
}

/// The text is not a post-quantum age identity. Says nothing about the text: most of it may be a real secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a post-quantum age identity: expected \"AGE-SECRET-KEY-PQ-1\" and 58 more upper-case letters")]
pub struct IdentityError;

impl Identity {
    /// Makes a new identity.
    ///
    /// # Errors
    /// [`RandomError`] when the operating system has no random bytes.
    pub fn generate() -> Result<Self, RandomError> {
        Ok(Self::from_seed(Secret::random()?))
    }

    /// The identity of a 32-byte seed; every seed is one.
    pub fn from_seed(seed: Secret<[u8; 32]>) -> Self {
        let (key, recipient) = wiped(|| {
            let (key, recipient) = seed.expose(hybrid::expand);
            (Box::new(key), Recipient::trusted(recipient))
        });
        Self { seed, key, recipient }
    }

    /// Reads an identity's text, `AGE-SECRET-KEY-PQ-1…`.
    ///
    /// # Errors
    /// [`IdentityError`] unless it is the upper-case text of 32 bytes with a valid checksum.
    pub fn parse(identity: &str) -> Result<Self, IdentityError> {
        if !identity.starts_with(TEXT_PREFIX) || identity.bytes().any(|byte| byte.is_ascii_lowercase()) {
            return Err(IdentityError);
        }
        let lower = Zeroizing::new(identity.to_ascii_lowercase());
        let read = |seed: &mut [u8; 32]| text::decode(HRP, &lower, seed).then_some(()).ok_or(IdentityError);
        let seed = wiped(|| Secret::try_fill(read))?;
        Ok(Self::from_seed(seed))
    }

    /// The identity's text, 77 letters.
    pub fn to_text(&self) -> Secret<String> {
        wiped(|| {
            let mut text = self.seed.expose(|seed| text::encode(HRP, seed));
            text.make_ascii_uppercase();
            Secret::new(text)
        })
    }

    /// Whom to seal for.
    pub fn recipient(&self) -> Recipient {
        self.recipient.clone()
    }

    pub(super) const fn key(&self) -> &DecapsulationKeyRejectNonContrib {
        &self.key
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("recipient", &self.recipient).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::age::RecipientError;

    #[test]
    fn texts_round_trip() {
        let identity = Identity::from_seed(Secret::new([7; 32]));
        let text = identity.to_text().expose(Clone::clone);
        assert!(text.len() == 77 && text.starts_with(TEXT_PREFIX));
        assert_eq!(Identity::parse(&text).unwrap().recipient(), identity.recipient());
        let recipient = identity.recipient().to_string();
        assert!(recipient.len() == 1959 && recipient.starts_with("age1pq1"));
        assert_eq!(Recipient::parse(&recipient), Ok(identity.recipient()));
    }

    #[test]
    fn rejects_texts_that_are_lower_case_shorter_altered_or_of_another_kind() {
        let text = Identity::from_seed(Secret::new([7; 32])).to_text().expose(Clone::clone);
        for bad in
            [text.to_lowercase(), text[..76].to_owned(), text.replacen('A', "B", 1), format!("{text} ")]
        {
            assert_eq!(Identity::parse(&bad).err(), Some(IdentityError));
        }
        assert_eq!(Identity::parse("AGE-SECRET-KEY-1").err(), Some(IdentityError));
        assert_eq!(Identity::parse("").err(), Some(IdentityError));
    }

    #[test]
    fn rejects_recipients_that_are_no_public_keys() {
        let good = *Identity::from_seed(Secret::new([7; 32])).recipient().as_bytes();
        assert_eq!(Recipient::from_bytes(&good[1..]), Err(RecipientError::Length { found: 1215 }));
        let mut out_of_range = good;
        out_of_range[..3].fill(0xff);
        assert_eq!(Recipient::from_bytes(&out_of_range), Err(RecipientError::MlKem));
        for share in [[0; 32], {
            let mut one = [0; 32];
            one[0] = 1;
            one
        }] {
            let mut low_order = good;
            low_order[1184..].copy_from_slice(&share);
            assert_eq!(Recipient::from_bytes(&low_order), Err(RecipientError::LowOrder));
        }
        assert_eq!(Recipient::parse("age1pq1"), Err(RecipientError::Text));
    }

    #[test]
    fn never_prints_the_seed() {
        let printed = format!("{:?}", Identity::from_seed(Secret::new([0x77; 32])));
        assert!(!printed.contains("77777777") && !printed.contains("119, 119"), "{printed}");
    }
}
