//! How a task ended, and who is at fault. The table itself is `spec/status.toml`.

use crate::generated::status::TABLE;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The party whose fault a status is; decides where the money goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// Nobody's: the task was done.
    None,
    /// The requester's: the worker is paid.
    Requester,
    /// The app developer's: the worker is paid, the app is not.
    Developer,
    /// The worker's: the requester is refunded.
    Worker,
    /// Nobody's that a receipt could prove: the requester is refunded, and nobody is punished.
    Unproven,
}

/// A row of the status table; keeps codes of later versions too.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Status(u16);

impl Status {
    /// Names a code, known or not.
    pub const fn new(code: u16) -> Self {
        Self(code)
    }

    /// The number that travels in receipts.
    pub const fn code(self) -> u16 {
        self.0
    }

    /// Name in the table, if this version knows the code.
    pub fn name(self) -> Option<&'static str> {
        self.row().map(|row| row.name)
    }

    /// One sentence about the code, if known.
    pub fn meaning(self) -> Option<&'static str> {
        self.row().map(|row| row.meaning)
    }

    /// Party at fault. An unknown code counts as unproven: nobody pays for what cannot be judged, and nobody is punished.
    pub fn fault(self) -> Fault {
        self.row().map_or(Fault::Unproven, |row| row.fault)
    }

    /// Whether the requester gets the money back.
    pub fn refunds(self) -> bool {
        matches!(self.fault(), Fault::Worker | Fault::Unproven)
    }

    fn row(self) -> Option<&'static StatusRow> {
        TABLE.iter().find(|row| row.code == self.0)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "UNKNOWN({})", self.0),
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One generated row.
#[derive(Debug)]
pub(crate) struct StatusRow {
    pub(crate) code: u16,
    pub(crate) name: &'static str,
    pub(crate) fault: Fault,
    pub(crate) meaning: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_codes_print_their_number_and_refund() {
        let status = Status::new(9_999);
        assert_eq!(status.to_string(), "UNKNOWN(9999)");
        assert!(status.refunds());
    }

    #[test]
    fn codes_are_unique_and_ascending() {
        assert!(TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
    }

    #[test]
    fn only_worker_and_unproven_faults_refund() {
        assert!(!Status::SUCCESS.refunds() && !Status::BASE_EXCEPTION.refunds());
        assert!(Status::TIME_LIMIT.refunds() && Status::KEY_ERROR.refunds());
        assert!(Status::SYSTEM_ERROR.refunds() && Status::INPUT_CHECKSUM_ERROR.refunds());
    }
}
