//! Simulated evidence: what is accepted, and that nothing next to it is.
#![expect(clippy::unwrap_used, reason = "test helpers outside of test functions")]

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use proptest::prelude::*;
use sealwork_attest::{
    EvidenceError, MAX_CLOCK_SKEW_S, Roots,
    p256::with_lower_s,
    sim::{EVIDENCE_BYTES, PlatformCertificate, Report},
    verify,
};
use sealwork_types::{
    B256, Bytes, Measurement,
    evidence::{Evidence, MAX_EVIDENCE_BYTES, TeeKind},
};
use std::sync::LazyLock;

const NOW: u64 = 1_800_000_000;

struct Vendor {
    root: EcdsaKeyPair,
    platform: EcdsaKeyPair,
}

static VENDOR: LazyLock<Vendor> = LazyLock::new(Vendor::new);
static GOOD: LazyLock<Evidence> = LazyLock::new(|| VENDOR.evidence(|_| {}));

impl Vendor {
    fn new() -> Self {
        let key = || EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { root: key(), platform: key() }
    }

    fn roots(&self) -> Roots {
        Roots { sim: vec![Bytes::from_static(&[4; 65]), self.root.public_key().as_ref().to_vec().into()] }
    }

    fn certificate(&self) -> PlatformCertificate {
        let public_key = self.platform.public_key().as_ref().try_into().unwrap();
        let mut made =
            PlatformCertificate { public_key, hardware_id: B256::repeat_byte(5), svn: 7, signature: [0; 64] };
        made.signature = sign(&self.root, &made.signed_bytes());
        made
    }

    fn evidence(&self, change: impl FnOnce(&mut Report)) -> Evidence {
        let mut report = Report {
            measurement: Measurement::new(B256::repeat_byte(1)),
            report_data: [2; 64],
            debug: false,
            svn: 7,
            hardware_id: B256::repeat_byte(5),
            issued_at: NOW,
            certificate: self.certificate(),
        };
        change(&mut report);
        let signature = sign(&self.platform, &report.signed_bytes());
        sim(report.to_evidence_bytes(&signature))
    }
}

fn sign(key: &EcdsaKeyPair, message: &[u8]) -> [u8; 64] {
    with_lower_s(key.sign(&SystemRandom::new(), message).unwrap().as_ref().try_into().unwrap())
}

fn sim(bytes: Vec<u8>) -> Evidence {
    Evidence { tee: TeeKind::Sim, bytes: bytes.into() }
}

fn check(evidence: &Evidence) -> Result<sealwork_types::evidence::Claims, EvidenceError> {
    verify(evidence, &VENDOR.roots(), NOW)
}

#[test]
fn establishes_what_the_platform_signed() {
    let claims = check(&VENDOR.evidence(|report| report.debug = true)).unwrap();
    assert_eq!(claims.tee, TeeKind::Sim);
    assert_eq!(claims.measurement, Measurement::new(B256::repeat_byte(1)));
    assert_eq!(claims.report_data, [2; 64]);
    assert!(claims.debug);
    assert_eq!(claims.platform_svn, 7);
    assert_eq!(claims.hardware_id, B256::repeat_byte(5));
    assert_eq!(claims.issued_at, Some(NOW));
}

#[test]
fn rejects_a_change_of_any_bit_of_any_byte() {
    let good = GOOD.bytes.to_vec();
    assert_eq!(good.len(), EVIDENCE_BYTES);
    for index in 0..good.len() {
        for bit in 0..8 {
            let mut bytes = good.clone();
            bytes[index] ^= 1 << bit;
            assert!(check(&sim(bytes)).is_err(), "bit {bit} of byte {index} does not matter");
        }
    }
}

#[test]
fn rejects_every_other_length() {
    let good = GOOD.bytes.to_vec();
    for length in 0..good.len() {
        let expected = EvidenceError::Length { found: length, expected: EVIDENCE_BYTES };
        assert_eq!(check(&sim(good[..length].to_vec())), Err(expected));
    }
    let longer = [&good[..], &[0]].concat();
    assert!(matches!(check(&sim(longer)), Err(EvidenceError::Length { .. })));
    let huge = vec![0; MAX_EVIDENCE_BYTES + 1];
    assert!(
        matches!(check(&sim(huge)), Err(EvidenceError::Length { expected, .. }) if expected == MAX_EVIDENCE_BYTES)
    );
}

#[test]
fn rejects_a_platform_that_no_trusted_root_certified() {
    let stranger = Vendor::new();
    let evidence = stranger.evidence(|_| {});
    assert_eq!(check(&evidence), Err(EvidenceError::Untrusted { tee: TeeKind::Sim, roots: 2 }));
    assert_eq!(
        verify(&GOOD, &Roots::default(), NOW),
        Err(EvidenceError::Untrusted { tee: TeeKind::Sim, roots: 0 })
    );
}

#[test]
fn rejects_a_report_by_another_key_than_the_certified_one() {
    let stranger = Vendor::new();
    let evidence = stranger.evidence(|report| report.certificate = VENDOR.certificate());
    assert_eq!(check(&evidence), Err(EvidenceError::Signature));
}

#[test]
fn rejects_a_report_that_claims_more_than_the_certificate() {
    let newer = VENDOR.evidence(|report| report.svn = 8);
    assert!(matches!(check(&newer), Err(EvidenceError::Field { field: "platform security version", .. })));
    let other = VENDOR.evidence(|report| report.hardware_id = B256::ZERO);
    assert!(matches!(check(&other), Err(EvidenceError::Field { field: "hardware id", .. })));
}

#[test]
fn rejects_evidence_from_the_future_beyond_the_skew() {
    let at = |issued_at| check(&VENDOR.evidence(|report| report.issued_at = issued_at));
    assert!(at(NOW + MAX_CLOCK_SKEW_S).is_ok());
    let late = NOW + MAX_CLOCK_SKEW_S + 1;
    assert_eq!(at(late), Err(EvidenceError::FromTheFuture { issued_at: late, now: NOW }));
}

#[test]
fn rejects_formats_that_it_cannot_check() {
    for tee in [TeeKind::Sgx, TeeKind::Tdx, TeeKind::Snp, TeeKind::Nitro] {
        let evidence = Evidence { tee, bytes: GOOD.bytes.clone() };
        assert_eq!(check(&evidence), Err(EvidenceError::UnsupportedFormat { tee }));
    }
}

proptest! {
    #[test]
    fn never_panics_on_bytes_from_outside(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
        prop_assert!(check(&sim(bytes)).is_err());
    }

    #[test]
    fn never_panics_on_evidence_with_a_foreign_middle(at in 0..EVIDENCE_BYTES, with in any::<[u8; 8]>()) {
        let mut bytes = GOOD.bytes.to_vec();
        for (byte, new) in bytes.iter_mut().skip(at).zip(with) {
            *byte = new;
        }
        prop_assert!(bytes == GOOD.bytes.to_vec() || check(&sim(bytes)).is_err());
    }
}
