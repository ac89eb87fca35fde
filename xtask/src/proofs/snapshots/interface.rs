//! Functions with their selectors, events, errors and the structures in them, one line each.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    r#type: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    inputs: Vec<Parameter>,
    #[serde(default)]
    outputs: Vec<Parameter>,
    #[serde(default)]
    state_mutability: String,
    #[serde(default)]
    anonymous: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameter {
    name: String,
    r#type: String,
    #[serde(default)]
    internal_type: String,
    #[serde(default)]
    components: Vec<Self>,
    #[serde(default)]
    indexed: bool,
}

/// The interface of an artifact, sorted: what a caller sees, not the order in which it is written.
pub(super) fn render(artifact: &Value) -> Result<String> {
    let entries: Vec<Entry> = serde_json::from_value(artifact.get("abi").context("no abi")?.clone())?;
    let selectors: BTreeMap<String, String> =
        serde_json::from_value(artifact.get("methodIdentifiers").context("no methodIdentifiers")?.clone())?;
    let mut lines = BTreeSet::new();
    for entry in &entries {
        lines.insert((rank(&entry.r#type), entry.name.clone(), line(entry, &selectors)?));
        for parameter in entry.inputs.iter().chain(&entry.outputs) {
            structures(parameter, &mut lines)?;
        }
    }
    Ok(lines.into_iter().fold(String::new(), |text, (.., line)| text + &line + "\n"))
}

/// Where entries of a kind stand; structures come last.
fn rank(kind: &str) -> u8 {
    match kind {
        "constructor" => 0,
        "function" => 1,
        "event" => 3,
        "error" => 4,
        _ => 2,
    }
}

fn line(entry: &Entry, selectors: &BTreeMap<String, String>) -> Result<String> {
    let mut line = format!("{} ", entry.r#type);
    if entry.r#type == "function" {
        let signature = format!("{}({})", entry.name, canonical(&entry.inputs));
        let selector = selectors.get(&signature).with_context(|| format!("no selector of {signature}"))?;
        write!(line, "0x{selector} ")?;
    }
    write!(line, "{}({})", entry.name, list(&entry.inputs))?;
    if entry.anonymous {
        line.push_str(" anonymous");
    }
    if !matches!(entry.state_mutability.as_str(), "" | "nonpayable") {
        write!(line, " {}", entry.state_mutability)?;
    }
    if !entry.outputs.is_empty() {
        write!(line, " returns ({})", list(&entry.outputs))?;
    }
    Ok(line)
}

/// Types as they are hashed into a selector.
fn canonical(parameters: &[Parameter]) -> String {
    let types = parameters.iter().map(|parameter| match parameter.r#type.strip_prefix("tuple") {
        Some(array) => format!("({}){array}", canonical(&parameter.components)),
        None => parameter.r#type.clone(),
    });
    types.collect::<Vec<_>>().join(",")
}

/// Types and names as a reader knows them.
fn list(parameters: &[Parameter]) -> String {
    let shown = parameters.iter().map(|parameter| {
        let indexed = if parameter.indexed { " indexed" } else { "" };
        let gap = if parameter.name.is_empty() { "" } else { " " };
        format!("{}{indexed}{gap}{}", readable(parameter), parameter.name)
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// A structure by its name, everything else by its type.
fn readable(parameter: &Parameter) -> &str {
    let named = parameter.internal_type.strip_prefix("struct ");
    named.filter(|_| parameter.r#type.starts_with("tuple")).unwrap_or(&parameter.r#type)
}

/// Adds a line for the structure that a parameter is or contains.
fn structures(parameter: &Parameter, lines: &mut BTreeSet<(u8, String, String)>) -> Result<()> {
    if !parameter.components.is_empty() {
        let name = readable(parameter).split('[').next().context("a structure has a name")?;
        let line = format!("struct {name} {{ {} }}", list(&parameter.components));
        lines.insert((5, name.to_owned(), line));
    }
    parameter.components.iter().try_for_each(|component| structures(component, lines))
}

#[cfg(test)]
mod tests {
    use super::render;
    use serde_json::json;

    #[test]
    fn structures_are_named_and_explained_once() {
        let order = json!({ "name": "orders", "type": "tuple[]", "internalType": "struct IMarket.Order[]",
            "components": [{ "name": "price", "type": "uint96" }] });
        let artifact = json!({
            "abi": [
                { "type": "error", "name": "Expired", "inputs": [{ "name": "at", "type": "uint64" }] },
                { "type": "function", "name": "submit", "stateMutability": "payable", "inputs": [order],
                  "outputs": [{ "name": "", "type": "bytes32" }] },
                { "type": "event", "name": "Submitted",
                  "inputs": [{ "name": "id", "type": "bytes32", "indexed": true }] },
            ],
            "methodIdentifiers": { "submit((uint96)[])": "01020304" },
        });
        assert_eq!(
            render(&artifact).unwrap(),
            "function 0x01020304 submit(IMarket.Order[] orders) payable returns (bytes32)\n\
             event Submitted(bytes32 indexed id)\n\
             error Expired(uint64 at)\n\
             struct IMarket.Order { uint96 price }\n"
        );
    }
}
