use super::*;
use sealwork_types::{B256, Measurement};

const NOW: u64 = 1_800_000_000;

fn claims() -> Claims {
    Claims {
        tee: TeeKind::Sim,
        measurement: Measurement::new(B256::repeat_byte(1)),
        report_data: [2; 64],
        debug: false,
        platform_svn: 5,
        hardware_id: B256::repeat_byte(3),
        issued_at: Some(NOW - 300),
    }
}

fn accepted() -> Vec<AcceptedEnclave> {
    let entry = |tee, byte, min_platform_svn| AcceptedEnclave {
        tee,
        measurement: Measurement::new(B256::repeat_byte(byte)),
        min_platform_svn,
    };
    vec![entry(TeeKind::Sgx, 1, 0), entry(TeeKind::Sim, 9, 0), entry(TeeKind::Sim, 1, 5)]
}

fn asked<'a>(accepted: &'a [AcceptedEnclave], report_data: &'a ReportData) -> Requirements<'a> {
    Requirements {
        accepted,
        max_age_s: 300,
        allow_debug: false,
        development: true,
        report_data: Some(report_data),
    }
}

fn rule(claims: &Claims, asked: &Requirements<'_>) -> Option<Rule> {
    appraise(claims, asked, NOW).err().map(|error| error.rule)
}

#[test]
fn accepts_claims_on_every_border() {
    let accepted = accepted();
    let appraisal = appraise(&claims(), &asked(&accepted, &[2; 64]), NOW).unwrap();
    assert_eq!(appraisal.claims, claims());
    assert_eq!(appraisal.accepted, accepted[2]);
}

#[test]
fn each_rule_refuses_on_its_own() {
    type Change = fn(&mut Claims);
    let accepted = accepted();
    let table: [(Rule, Change); 5] = [
        (Rule::ReportData, |claims| claims.report_data[63] ^= 1),
        (Rule::Measurement, |claims| claims.measurement = Measurement::new(B256::repeat_byte(2))),
        (Rule::PlatformSvn, |claims| claims.platform_svn = 4),
        (Rule::Debug, |claims| claims.debug = true),
        (Rule::Age, |claims| claims.issued_at = Some(NOW - 301)),
    ];
    for (expected, change) in table {
        let mut changed = claims();
        change(&mut changed);
        assert_eq!(rule(&changed, &asked(&accepted, &[2; 64])), Some(expected));
    }
    let production = Requirements { development: false, ..asked(&accepted, &[2; 64]) };
    assert_eq!(rule(&claims(), &production), Some(Rule::Simulated));
}

#[test]
fn reports_the_first_broken_rule_in_the_documented_order() {
    let accepted = accepted();
    let mut worst = claims();
    worst.report_data = [0; 64];
    worst.measurement = Measurement::default();
    worst.platform_svn = 0;
    worst.debug = true;
    worst.issued_at = Some(0);
    let production = Requirements { development: false, ..asked(&accepted, &[2; 64]) };
    type Repair = fn(&mut Claims);
    let repairs: [Repair; 5] = [
        |claims| claims.report_data = [2; 64],
        |claims| claims.measurement = Measurement::new(B256::repeat_byte(1)),
        |claims| claims.platform_svn = 5,
        |claims| claims.debug = false,
        |claims| claims.issued_at = Some(NOW),
    ];
    for (expected, repair) in Rule::ALL.into_iter().zip(repairs) {
        assert_eq!(rule(&worst, &production), Some(expected));
        repair(&mut worst);
    }
    assert_eq!(rule(&worst, &production), Some(Rule::Simulated));
}

#[test]
fn a_measurement_of_one_kind_is_not_accepted_for_another() {
    let accepted = accepted();
    let sgx_only = &accepted[..1];
    assert_eq!(rule(&claims(), &asked(sgx_only, &[2; 64])), Some(Rule::Measurement));
    assert_eq!(rule(&claims(), &asked(&[], &[2; 64])), Some(Rule::Measurement));
}

#[test]
fn simulated_evidence_needs_both_a_development_chain_and_a_policy_that_names_it() {
    let accepted = accepted();
    let named = &accepted[2..];
    for (development, list, good) in
        [(true, named, true), (false, named, false), (true, &accepted[..1], false)]
    {
        let asked = Requirements { development, ..asked(list, &[2; 64]) };
        assert_eq!(appraise(&claims(), &asked, NOW).is_ok(), good);
    }
}

#[test]
fn debug_is_accepted_only_where_allowed() {
    let accepted = accepted();
    let debuggable = Claims { debug: true, ..claims() };
    let tolerant = Requirements { allow_debug: true, ..asked(&accepted, &[2; 64]) };
    assert_eq!(rule(&debuggable, &tolerant), None);
}

#[test]
fn evidence_without_a_time_needs_a_nonce() {
    let accepted = accepted();
    let timeless = Claims { issued_at: None, ..claims() };
    assert_eq!(rule(&timeless, &asked(&accepted, &[2; 64])), None);
    let no_nonce = Requirements { report_data: None, ..asked(&accepted, &[2; 64]) };
    assert_eq!(rule(&timeless, &no_nonce), Some(Rule::Age));
}

#[test]
fn evidence_from_the_future_is_refused_beyond_the_skew() {
    let accepted = accepted();
    let at =
        |issued_at| rule(&Claims { issued_at: Some(issued_at), ..claims() }, &asked(&accepted, &[2; 64]));
    assert_eq!(at(NOW + MAX_CLOCK_SKEW_S), None);
    assert_eq!(at(NOW + MAX_CLOCK_SKEW_S + 1), Some(Rule::Age));
}

#[test]
fn says_what_would_be_right_and_what_to_do() {
    let accepted = accepted();
    let old = Claims { issued_at: Some(NOW - 1000), ..claims() };
    let error = appraise(&old, &asked(&accepted, &[2; 64]), NOW).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("age: found 1000 s, expected at most 300 s; make new evidence"), "{text}");
}
