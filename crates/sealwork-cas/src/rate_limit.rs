//! Requests per enclave: a bucket of tokens that refills with time.

use crate::RateLimit;
use sealwork_types::Address;
use std::{collections::BTreeMap, sync::Mutex, sync::PoisonError};

/// Enclaves that are remembered; the fullest bucket makes room for a new one.
const MAX_REMEMBERED: usize = 4096;

/// Counts requests per enclave.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    limit: RateLimit,
    buckets: Mutex<BTreeMap<Address, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: u64,
    /// When the bucket was filled last, seconds.
    at: u64,
}

impl RateLimiter {
    pub(crate) const fn new(limit: RateLimit) -> Self {
        Self { limit, buckets: Mutex::new(BTreeMap::new()) }
    }

    /// Takes a token; `false` when there is none.
    pub(crate) fn take(&self, enclave: Address, now: u64) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if !buckets.contains_key(&enclave) && buckets.len() >= MAX_REMEMBERED {
            self.forget_one(&mut buckets, now);
        }
        let full = Bucket { tokens: self.limit.burst, at: now };
        let bucket = buckets.entry(enclave).or_insert(full);
        bucket.tokens = self.filled(bucket, now);
        bucket.at = now.max(bucket.at);
        match bucket.tokens.checked_sub(1) {
            Some(rest) => {
                bucket.tokens = rest;
                true
            }
            None => false,
        }
    }

    fn filled(&self, bucket: &Bucket, now: u64) -> u64 {
        let refill = now.saturating_sub(bucket.at).saturating_mul(self.limit.per_second);
        bucket.tokens.saturating_add(refill).min(self.limit.burst)
    }

    /// Forgets the enclave that loses least by it.
    fn forget_one(&self, buckets: &mut BTreeMap<Address, Bucket>, now: u64) {
        let fullest =
            buckets.iter().max_by_key(|(_, bucket)| self.filled(bucket, now)).map(|(enclave, _)| *enclave);
        if let Some(enclave) = fullest {
            buckets.remove(&enclave);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter() -> RateLimiter {
        RateLimiter::new(RateLimit { burst: 3, per_second: 2 })
    }

    #[test]
    fn a_burst_empties_the_bucket_and_time_refills_it() {
        let limiter = limiter();
        let enclave = Address::repeat_byte(1);
        let taken = |now| (0..10).filter(|_| limiter.take(enclave, now)).count();
        assert_eq!(taken(100), 3);
        assert_eq!(taken(101), 2);
        assert_eq!(taken(50), 0, "a clock that goes back gives nothing");
        assert_eq!(taken(10_000), 3, "never more than the burst");
    }

    #[test]
    fn enclaves_do_not_pay_for_each_other() {
        let limiter = limiter();
        (0..5).for_each(|_| _ = limiter.take(Address::repeat_byte(1), 1));
        assert!(limiter.take(Address::repeat_byte(2), 1));
    }

    #[test]
    fn remembers_a_bounded_number_and_the_emptiest_longest() {
        let limiter = limiter();
        let busy = Address::repeat_byte(0xff);
        (0..3).for_each(|_| assert!(limiter.take(busy, 1)));
        for index in 0..u32::try_from(MAX_REMEMBERED).unwrap() + 10 {
            let mut bytes = [0; 20];
            bytes[..4].copy_from_slice(&index.to_be_bytes());
            assert!(limiter.take(Address::from(bytes), 1));
        }
        assert!(!limiter.take(busy, 1));
        assert_eq!(limiter.buckets.lock().unwrap().len(), MAX_REMEMBERED);
    }
}
