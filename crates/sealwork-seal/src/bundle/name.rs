//! File names inside bundles: relative, plain, and never in each other's way.

use super::{BundleError, error::Part};
use sealwork_types::params::MAX_NAME_BYTES;
use std::collections::BTreeSet;

/// Checks all names of a bundle.
///
/// A name is made of components between slashes. No component is empty, `.` or `..`; backslashes and control characters
/// are refused because some systems and terminals give them a meaning. No name stands twice or is a directory of
/// another one.
pub(super) fn check<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Result<(), BundleError> {
    let mut seen = BTreeSet::new();
    for (index, name) in names.clone().enumerate() {
        check_one(index, name)?;
        if !seen.insert(name) {
            return Err(malformed(index, "named differently from all others"));
        }
    }
    for (index, name) in names.enumerate() {
        let mut parents = name.match_indices('/').filter_map(|(end, _)| name.get(..end));
        if parents.any(|parent| seen.contains(parent)) {
            return Err(malformed(index, "outside of other files: one of its directories is a file"));
        }
    }
    Ok(())
}

fn check_one(index: usize, name: &str) -> Result<(), BundleError> {
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        return Err(malformed(index, "named with 1 to 255 bytes"));
    }
    if name.chars().any(|c| c == '\\' || c.is_control()) {
        return Err(malformed(index, "named without backslashes and control characters"));
    }
    if name.split('/').any(|component| matches!(component, "" | "." | "..")) {
        return Err(malformed(index, "named by a relative path without empty, \".\" and \"..\" components"));
    }
    Ok(())
}

const fn malformed(index: usize, expected: &'static str) -> BundleError {
    BundleError::Malformed { what: Part::File(index), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(names: &[&str]) -> bool {
        check(names.iter().copied()).is_ok()
    }

    #[test]
    fn accepts_plain_relative_names() {
        assert!(accepts(&["data.csv", "a/b/c.txt", "a/b.txt", "..hidden", "ü/…", "a-b", "a b", "-rf"]));
        assert!(accepts(&[&"x".repeat(255)]));
    }

    #[test]
    fn rejects_names_that_leave_the_directory_or_confuse() {
        let long = "x".repeat(256);
        let bad = [
            "",
            "/",
            "/etc/passwd",
            "a/",
            "a//b",
            ".",
            "..",
            "../x",
            "a/../b",
            "a/.",
            "a\\b",
            "a\0b",
            "\u{1b}[2J",
        ];
        for name in bad.into_iter().chain([long.as_str()]) {
            assert!(!accepts(&[name]), "{name:?}");
        }
    }

    #[test]
    fn rejects_names_in_each_others_way() {
        assert!(!accepts(&["a", "a"]));
        assert!(!accepts(&["a/b/c", "a/b"]));
        assert!(!accepts(&["a", "b", "a/x"]));
    }
}
