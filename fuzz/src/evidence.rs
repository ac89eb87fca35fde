//! Evidence of every format that is verified (the simulated one), and the judgement of its claims.

use crate::{
    memory::{bounded, linear},
    seeds::{Seed, chosen},
};
use arbitrary::{Arbitrary, Result, Unstructured};
use sealwork_attest::{
    Requirements, Roots, Rule, appraise,
    p256::{self, SIGNATURE_BYTES},
    sim::{CERTIFICATE_BYTES, EVIDENCE_BYTES, PlatformCertificate},
    verify,
};
use sealwork_simtee::{SimPlatform, SimRoot};
use sealwork_types::{
    B256, Bytes, Measurement,
    evidence::{Claims, Evidence, MAX_EVIDENCE_BYTES, TeeKind},
    policy::AcceptedEnclave,
};
use std::sync::LazyLock;

const NOW: u64 = 1_800_000_000;
const SVN: u32 = 3;

/// A vendor with one platform. Its keys differ in every run; inputs say what is signed, not with what.
static VENDOR: LazyLock<(Roots, SimPlatform)> = LazyLock::new(|| {
    let root = SimRoot::generate().expect("randomness");
    let platform = root.certify("a machine", SVN).expect("a certificate");
    (Roots { sim: vec![root.public_key()] }, platform)
});

pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind % 5 {
        0 => raw(rest),
        1 => drop(quoted(&mut Unstructured::new(rest))),
        2 => drop(altered(&mut Unstructured::new(rest))),
        3 => drop(judged(&mut Unstructured::new(rest))),
        _ => keys(rest),
    }
}

/// Bytes of anybody are never evidence: nobody has the vendor's key.
fn raw(rest: &[u8]) {
    let (kind, bytes) = rest.split_first().unwrap_or((&0, &[]));
    let tees = [TeeKind::Sim, TeeKind::Sgx, TeeKind::Tdx, TeeKind::Snp, TeeKind::Nitro];
    let tee = tees[usize::from(*kind) % tees.len()];
    let evidence = Evidence { tee, bytes: Bytes::copy_from_slice(bytes) };
    let refused = bounded(linear(64 * 1024, 4, bytes), || verify(&evidence, &VENDOR.0, NOW).is_err());
    assert!(refused);
    if let Ok(certificate) = PlatformCertificate::from_bytes(bytes) {
        assert_eq!(bytes.len(), CERTIFICATE_BYTES);
        assert_eq!(certificate.to_bytes(), bytes);
    }
}

/// What a platform says comes out as it was said.
fn quoted(script: &mut Unstructured<'_>) -> Result<()> {
    let (measurement, data, debug, age) = (
        script.arbitrary::<[u8; 32]>()?,
        script.arbitrary()?,
        script.arbitrary()?,
        script.arbitrary::<i16>()?,
    );
    let issued_at = NOW.saturating_add_signed(age.into());
    let measurement = Measurement::new(B256::from(measurement));
    let evidence = VENDOR.1.quote(measurement, &data, debug, issued_at).expect("a quote");
    let claims = verify(&evidence, &VENDOR.0, NOW);
    if age > 60 {
        assert!(claims.is_err());
        return Ok(());
    }
    let claims = claims.expect("genuine evidence");
    let said = (claims.measurement, claims.report_data, claims.debug, claims.issued_at, claims.platform_svn);
    assert_eq!(said, (measurement, data, debug, Some(issued_at), SVN));
    assert!(verify(&evidence, &Roots::default(), NOW).is_err());
    Ok(())
}

/// One evidence has one encoding: any change makes it invalid.
fn altered(script: &mut Unstructured<'_>) -> Result<()> {
    static GENUINE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let evidence = VENDOR.1.quote(Measurement::default(), &[7; 64], false, NOW).expect("a quote");
        evidence.bytes.to_vec()
    });
    let mut bytes = GENUINE.clone();
    for _ in 0..script.int_in_range(1..=3)? {
        match script.int_in_range(0..=3)? {
            0 => bytes.truncate(script.int_in_range(0..=EVIDENCE_BYTES)?),
            1 => bytes.extend(script.arbitrary::<Vec<u8>>()?),
            2 => bytes.resize(MAX_EVIDENCE_BYTES + 1, 0),
            _ => {
                let at = script.choose_index(EVIDENCE_BYTES)?;
                let change = script.arbitrary::<u8>()?;
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= change);
            }
        }
    }
    let changed = bytes != *GENUINE;
    let evidence = Evidence { tee: TeeKind::Sim, bytes: bytes.into() };
    assert_eq!(verify(&evidence, &VENDOR.0, NOW).is_err(), changed);
    Ok(())
}

#[derive(Arbitrary, Debug)]
struct Case {
    measurement: bool,
    report_data: Option<bool>,
    debug: bool,
    svn: u8,
    issued_at: Option<u16>,
    accepted: Vec<(bool, bool, u8)>,
    max_age_s: u16,
    allow_debug: bool,
    development: bool,
    now: u16,
}

/// The judgement is the one of a plain reading of the rules, in their order.
fn judged(script: &mut Unstructured<'_>) -> Result<()> {
    let case = Case::arbitrary(script)?;
    let measurement = |good| Measurement::new(B256::repeat_byte(u8::from(good)));
    let claims = Claims {
        tee: TeeKind::Sim,
        measurement: measurement(case.measurement),
        report_data: [1; 64],
        debug: case.debug,
        platform_svn: case.svn.into(),
        hardware_id: B256::ZERO,
        issued_at: case.issued_at.map(u64::from),
    };
    let accept = |&(same_tee, good, svn): &(bool, bool, u8)| AcceptedEnclave {
        tee: if same_tee { TeeKind::Sim } else { TeeKind::Snp },
        measurement: measurement(good),
        min_platform_svn: svn.into(),
    };
    let accepted: Vec<_> = case.accepted.iter().map(accept).collect();
    let expected_data = case.report_data.map(|good| [u8::from(good); 64]);
    let asked = Requirements {
        accepted: &accepted,
        max_age_s: case.max_age_s.into(),
        allow_debug: case.allow_debug,
        development: case.development,
        report_data: expected_data.as_ref(),
    };
    let found = appraise(&claims, &asked, case.now.into());
    assert_eq!(found.err().map(|error| error.rule), broken(&case));
    Ok(())
}

fn broken(case: &Case) -> Option<Rule> {
    let same: Vec<u8> = case
        .accepted
        .iter()
        .filter(|(same_tee, good, _)| *same_tee && *good == case.measurement)
        .map(|(.., svn)| *svn)
        .collect();
    let fresh = match case.issued_at {
        None => case.report_data.is_some(),
        Some(at) => {
            u32::from(at) <= u32::from(case.now) + 60 && case.now.saturating_sub(at) <= case.max_age_s
        }
    };
    let rules = [
        (case.report_data == Some(false), Rule::ReportData),
        (same.is_empty(), Rule::Measurement),
        (!same.iter().any(|svn| case.svn >= *svn), Rule::PlatformSvn),
        (case.debug && !case.allow_debug, Rule::Debug),
        (!fresh, Rule::Age),
        (!case.development, Rule::Simulated),
    ];
    rules.into_iter().find(|(broken, _)| *broken).map(|(_, rule)| rule)
}

/// Keys and signatures of any shape are refused, and the lower form of a signature is its own.
fn keys(rest: &[u8]) {
    let Some((signature, rest)) = rest.split_first_chunk::<SIGNATURE_BYTES>() else { return };
    let (key, message) = rest.split_at(rest.len().min(65));
    assert!(!p256::verify(key, message, signature), "a signature was guessed");
    let lower = p256::with_lower_s(*signature);
    if signature[32..].iter().any(|byte| *byte != 0) && signature[32] < 0xff {
        assert_eq!(p256::with_lower_s(lower), lower);
    }
}

pub fn seeds() -> Vec<Seed> {
    let quote = VENDOR.1.quote(Measurement::default(), &[7; 64], false, NOW).expect("a quote");
    vec![
        chosen("foreign", 0, [&[0][..], &quote.bytes].concat()),
        chosen("foreign-certificate", 0, [&[1][..], &VENDOR.1.certificate().to_bytes()].concat()),
        chosen("quoted", 1, [7; 120]),
        chosen("altered", 2, [1, 3, 0, 9, 1, 1, 1]),
        chosen("judged", 3, [1; 40]),
        chosen("keys", 4, [3; 140]),
    ]
}
