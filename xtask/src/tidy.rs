//! House rules that a compiler does not check: layers, file sizes, lint inheritance.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::{collections::BTreeMap, fs, path::Path, process::Command};

/// Non-test lines that a file may have.
const MAX_LINES: usize = 600;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
    #[serde(default)]
    metadata: serde_json::Value,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

/// Every dependency edge between our crates must point to a lower layer. Returns the edges, for people.
pub(crate) fn layers(root: &Path) -> Result<Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("run cargo metadata")?;
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("read cargo metadata")?;
    let layer =
        |package: &Package| package.metadata.pointer("/sealwork/layer").and_then(serde_json::Value::as_u64);
    let layers: BTreeMap<&str, u64> = metadata
        .packages
        .iter()
        .filter_map(|package| Some((package.name.as_str(), layer(package)?)))
        .collect();
    let mut edges = Vec::new();
    for package in metadata.packages.iter().filter(|package| package.name != "xtask") {
        let from =
            *layers.get(package.name.as_str()).with_context(|| format!("{} names no layer", package.name))?;
        for dependency in package.dependencies.iter().filter(|dependency| dependency.kind.is_none()) {
            if let Some(to) = layers.get(dependency.name.as_str()) {
                if *to >= from {
                    bail!(
                        "{} (layer {from}) must not depend on {} (layer {to})",
                        package.name,
                        dependency.name
                    );
                }
                edges.push(format!("{} {} -> {} {}", from, package.name, to, dependency.name));
            }
        }
    }
    edges.sort();
    Ok(edges)
}

/// Rust files that are longer than [`MAX_LINES`] before their tests.
pub(crate) fn long_files(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![root.join("crates"), root.join("xtask")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)?.filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("node_modules") && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path)?;
                let lines = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
                if lines > MAX_LINES && !path.components().any(|part| part.as_os_str() == "generated") {
                    found.push(format!("{} has {lines} lines", path.display()));
                }
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    #[test]
    fn dependencies_point_to_lower_layers() {
        let edges = layers(root()).unwrap();
        assert!(edges.len() > 20, "the graph lost its edges: {edges:?}");
    }

    #[test]
    fn files_stay_readable() {
        assert_eq!(long_files(root()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn pure_layers_name_no_runtime() {
        for (crate_name, banned) in
            ["sealwork-types", "sealwork-seal", "sealwork-attest", "sealwork-protocol", "sealwork-ports"]
                .iter()
                .flat_map(|name| ["tokio", "reqwest", "redb", "wasmtime"].map(|banned| (*name, banned)))
        {
            let text = fs::read_to_string(root().join("crates").join(crate_name).join("Cargo.toml")).unwrap();
            let normal = text.split("[dev-dependencies]").next().unwrap();
            assert!(!normal.contains(&format!("\n{banned}")), "{crate_name} must not use {banned}");
        }
    }
}
