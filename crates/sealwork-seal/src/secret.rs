//! A value that is wiped when dropped and cannot be printed, copied or compared by accident.

use crate::RandomError;
use std::fmt;
use zeroize::Zeroize;

/// Holds a secret. The only way to the value is [`Secret::expose`], which keeps every use visible.
///
/// The value lies on the heap, so moving a `Secret` leaves no copies behind on the stack.
pub struct Secret<T: Zeroize>(Box<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes ownership of a secret.
    pub fn new(value: T) -> Self {
        Self(Box::new(value))
    }

    /// Lends the value to `use_it`. Do not return the value itself.
    pub fn expose<R>(&self, use_it: impl FnOnce(&T) -> R) -> R {
        use_it(&self.0)
    }
}

impl<const N: usize> Secret<[u8; N]> {
    /// Random bytes from the operating system.
    ///
    /// # Errors
    /// [`RandomError`] when the operating system has none.
    pub fn random() -> Result<Self, RandomError> {
        Self::try_fill(|bytes| crate::random::fill(bytes))
    }

    /// Lets `fill` write the secret in place.
    ///
    /// # Errors
    /// Whatever `fill` returns.
    pub fn try_fill<E>(fill: impl FnOnce(&mut [u8; N]) -> Result<(), E>) -> Result<Self, E> {
        let mut secret = Self(Box::new([0; N]));
        fill(&mut secret.0)?;
        Ok(secret)
    }

    /// Lets `fill` write the secret in place.
    pub fn filled(fill: impl FnOnce(&mut [u8; N])) -> Self {
        let mut secret = Self(Box::new([0; N]));
        fill(&mut secret.0);
        secret
    }

    /// Copies a secret out of a slice of exactly `N` bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut secret = Self(Box::new([0; N]));
        if bytes.len() != N {
            return None;
        }
        secret.0.copy_from_slice(bytes);
        Some(secret)
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    struct Probe {
        bytes: [u8; 4],
        wiped: Arc<AtomicUsize>,
    }

    impl Zeroize for Probe {
        fn zeroize(&mut self) {
            self.bytes.zeroize();
            assert_eq!(self.bytes, [0; 4]);
            self.wiped.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn wipes_once_when_dropped_even_after_moves() {
        let wiped = Arc::new(AtomicUsize::new(0));
        let secret = Secret::new(Probe { bytes: [7; 4], wiped: Arc::clone(&wiped) });
        let moved = Some(secret);
        assert_eq!(wiped.load(Ordering::SeqCst), 0);
        drop(moved);
        assert_eq!(wiped.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn wipes_what_a_failed_fill_left() {
        let result = Secret::<[u8; 4]>::try_fill(|bytes| {
            bytes[0] = 1;
            Err("no more")
        });
        assert_eq!(result.err(), Some("no more"));
    }

    #[test]
    fn never_prints_its_value() {
        assert_eq!(format!("{:?}", Secret::new([0x41_u8; 8])), "Secret(..)");
    }

    #[test]
    fn takes_slices_of_its_own_length_only() {
        assert!(Secret::<[u8; 4]>::from_slice(&[1, 2, 3]).is_none());
        assert!(
            Secret::<[u8; 4]>::from_slice(&[1, 2, 3, 4]).is_some_and(|s| s.expose(|b| *b == [1, 2, 3, 4]))
        );
    }
}
