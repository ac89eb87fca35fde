//! Judges verified claims under what a policy or a network asks for.

use crate::MAX_CLOCK_SKEW_S;
use sealwork_types::{
    evidence::{Claims, ReportData, TeeKind},
    policy::AcceptedEnclave,
};
use std::fmt;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Requirements<'a> {
    /// Enclaves that are good.
    pub accepted: &'a [AcceptedEnclave],
    /// Oldest evidence that is good, seconds.
    pub max_age_s: u64,
    /// Whether enclaves that their host can look into are good.
    pub allow_debug: bool,
    /// Whether this is a development chain; simulated evidence is good nowhere else.
    pub development: bool,
    /// What the enclave must have said. `None` only where the caller compares it itself or shows old evidence.
    pub report_data: Option<&'a ReportData>,
}

/// The rules, in the order in which they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The evidence was made for this very exchange.
    ReportData,
    /// Kind and measurement are accepted.
    Measurement,
    /// The platform is new enough.
    PlatformSvn,
    /// The host cannot look inside.
    Debug,
    /// The evidence is fresh.
    Age,
    /// Simulated evidence only on development chains.
    Simulated,
}

impl Rule {
    /// Every rule in order.
    pub const ALL: [Self; 6] =
        [Self::ReportData, Self::Measurement, Self::PlatformSvn, Self::Debug, Self::Age, Self::Simulated];

    /// What a person can do about it.
    const fn fix(self) -> &'static str {
        match self {
            Self::ReportData => {
                "make evidence for this session; evidence of another session or key proves nothing here"
            }
            Self::Measurement => "run an accepted build of the enclave, or name this one in the policy",
            Self::PlatformSvn => "update the platform, or lower min_platform_svn in the policy",
            Self::Debug => "start the enclave without debugging",
            Self::Age => "make new evidence, and compare the clocks of both machines",
            Self::Simulated => "use a hardware TEE, or a development chain (id 1337 or 31337)",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReportData => "report data",
            Self::Measurement => "measurement",
            Self::PlatformSvn => "platform security version",
            Self::Debug => "debug",
            Self::Age => "age",
            Self::Simulated => "simulated evidence",
        })
    }
}

/// The first rule that claims break.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule}: found {found}, expected {expected}; {fix}")]
pub struct AppraisalError {
    /// Rule.
    pub rule: Rule,
    /// What would be right.
    pub expected: String,
    /// What the claims say.
    pub found: String,
    /// What a person can do about it.
    pub fix: &'static str,
}

/// Claims that fulfil every rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appraisal {
    /// The claims.
    pub claims: Claims,
    /// The entry that accepted them.
    pub accepted: AcceptedEnclave,
}

/// Checks every [`Rule`] in order. `now` in seconds since 1970.
///
/// Evidence whose format does not say when it was made is fresh only if report data, which carries the verifier's
/// nonce, is checked here.
///
/// # Errors
/// [`AppraisalError`]: the first rule broken.
pub fn appraise(claims: &Claims, asked: &Requirements<'_>, now: u64) -> Result<Appraisal, AppraisalError> {
    check_report_data(claims, asked)?;
    let accepted = check_accepted(claims, asked)?;
    if claims.debug && !asked.allow_debug {
        return Err(broken(Rule::Debug, &"a production enclave", &"a debuggable enclave"));
    }
    check_age(claims, asked, now)?;
    if claims.tee == TeeKind::Sim && !asked.development {
        return Err(broken(
            Rule::Simulated,
            &"hardware evidence",
            &"sim on a chain that is not for development",
        ));
    }
    Ok(Appraisal { claims: claims.clone(), accepted })
}

fn check_report_data(claims: &Claims, asked: &Requirements<'_>) -> Result<(), AppraisalError> {
    match asked.report_data {
        Some(expected) if *expected != claims.report_data => {
            Err(broken(Rule::ReportData, &short(expected), &short(&claims.report_data)))
        }
        _ => Ok(()),
    }
}

fn check_accepted(claims: &Claims, asked: &Requirements<'_>) -> Result<AcceptedEnclave, AppraisalError> {
    let same = |entry: &&AcceptedEnclave| entry.tee == claims.tee && entry.measurement == claims.measurement;
    let Some(lowest) = asked.accepted.iter().filter(same).min_by_key(|entry| entry.min_platform_svn) else {
        let expected = match asked.accepted {
            [] => "nothing is accepted".to_owned(),
            [one] => format!("{} {}", one.tee, one.measurement),
            many => format!("one of {} accepted measurements", many.len()),
        };
        return Err(broken(Rule::Measurement, &expected, &format!("{} {}", claims.tee, claims.measurement)));
    };
    if claims.platform_svn < lowest.min_platform_svn {
        let expected = format!("at least {}", lowest.min_platform_svn);
        return Err(broken(Rule::PlatformSvn, &expected, &claims.platform_svn));
    }
    Ok(lowest.clone())
}

fn check_age(claims: &Claims, asked: &Requirements<'_>, now: u64) -> Result<(), AppraisalError> {
    let at_most = format!("at most {} s", asked.max_age_s);
    match claims.issued_at {
        None if asked.report_data.is_none() => {
            Err(broken(Rule::Age, &at_most, &"evidence without a time or a nonce"))
        }
        Some(issued_at) if issued_at > now.saturating_add(MAX_CLOCK_SKEW_S) => {
            Err(broken(Rule::Age, &at_most, &format!("{} s in the future", issued_at.saturating_sub(now))))
        }
        Some(issued_at) if now.saturating_sub(issued_at) > asked.max_age_s => {
            Err(broken(Rule::Age, &at_most, &format!("{} s", now.saturating_sub(issued_at))))
        }
        _ => Ok(()),
    }
}

fn broken(rule: Rule, expected: &dyn fmt::Display, found: &dyn fmt::Display) -> AppraisalError {
    AppraisalError { rule, expected: expected.to_string(), found: found.to_string(), fix: rule.fix() }
}

/// The first four bytes of each half, enough to tell two apart.
fn short(data: &ReportData) -> String {
    let (session, identity) = data.split_at(data.len() / 2);
    let head = |half: &[u8]| half.iter().take(4).map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("{}…{}…", head(session), head(identity))
}

#[cfg(test)]
mod tests;
