//! No exception from slither without a reason: `slither.config.json` names one for every detector and path it excludes,
//! and a comment one for every `slither-disable` in the sources.

use crate::contracts::files;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::{collections::BTreeMap, fs, path::Path};

/// The part of `slither.config.json` that excepts something. Slither reports `reasons` as unknown and goes on.
#[derive(Deserialize)]
struct Config {
    detectors_to_exclude: String,
    filter_paths: String,
    reasons: BTreeMap<String, String>,
}

/// Comments that only steer a tool.
const DIRECTIVES: [&str; 3] = ["slither-disable", "forge-lint:", "solhint-disable"];

/// Fails and names the first exception without a reason.
pub(super) fn check(project: &Path) -> Result<()> {
    let text = fs::read_to_string(project.join("slither.config.json")).context("read slither.config.json")?;
    let config: Config = serde_json::from_str(&text).context("slither.config.json")?;
    let excluded = config.detectors_to_exclude.split(',').chain(config.filter_paths.split('|'));
    for name in excluded.map(str::trim).filter(|name| !name.is_empty()) {
        if config.reasons.get(name).is_none_or(String::is_empty) {
            bail!("slither.config.json excludes {name} and gives no reason under \"reasons\"");
        }
    }
    for path in files(&project.join("src"), ".sol")? {
        let source = fs::read_to_string(&path)?;
        if let Some(line) = without_reason(&source) {
            bail!(
                "{}:{line} disables a detector without a reason; the comment above says why",
                path.display()
            );
        }
    }
    Ok(())
}

/// Number of the first line that disables a detector while no comment directly above says why.
fn without_reason(source: &str) -> Option<usize> {
    let mut explained = false;
    for (position, line) in source.lines().enumerate() {
        let comment = line.trim().strip_prefix("//");
        let directive = comment.is_some_and(|text| DIRECTIVES.iter().any(|word| text.contains(word)));
        if !directive {
            explained = comment.is_some_and(|text| !text.trim_matches(['/', ' ']).is_empty());
        } else if line.contains("slither-disable") && !line.contains("slither-disable-end") && !explained {
            return Some(position + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::without_reason;

    #[test]
    fn a_comment_above_is_a_reason() {
        assert_eq!(
            without_reason("// At most 16 members.\n// slither-disable-next-line calls-loop\nf();"),
            None
        );
        assert_eq!(
            without_reason(
                "// Why.\n// forge-lint: disable-next-line(x)\n// slither-disable-next-line y\nf();"
            ),
            None
        );
    }

    #[test]
    fn code_above_is_no_reason() {
        assert_eq!(without_reason("f();\n    // slither-disable-next-line calls-loop\ng();"), Some(2));
        assert_eq!(without_reason("//\n// slither-disable-start calls-loop"), Some(2));
        assert_eq!(without_reason("f();\n// slither-disable-end calls-loop"), None);
    }
}
