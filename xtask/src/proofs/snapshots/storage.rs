//! Where every variable lies. Two versions of a contract that share a proxy, and everybody who reads slots from outside,
//! depend on it.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

#[derive(Deserialize)]
struct Layout {
    storage: Vec<Variable>,
    /// Absent where a contract has no variables.
    types: Option<BTreeMap<String, Type>>,
}

#[derive(Deserialize)]
struct Variable {
    label: String,
    offset: u64,
    slot: String,
    r#type: String,
}

/// Names of types carry numbers of the syntax tree, which change with every edit; labels do not.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Type {
    label: String,
    number_of_bytes: String,
    key: Option<String>,
    value: Option<String>,
    base: Option<String>,
    #[serde(default)]
    members: Vec<Variable>,
}

/// Variables in their order, then each structure that they reach.
pub(super) fn render(artifact: &Value) -> Result<String> {
    let layout = artifact.get("storageLayout").context("no storageLayout")?.clone();
    let Layout { storage, types } = serde_json::from_value(layout)?;
    let types = types.unwrap_or_default();
    let mut text = String::from("slot  offset  bytes  variable\n");
    table(&storage, &types, &mut text)?;
    let mut structures = BTreeSet::new();
    storage.iter().try_for_each(|variable| reach(&variable.r#type, &types, &mut structures))?;
    for (label, name) in structures {
        writeln!(text, "\n{label}")?;
        table(&find(&types, name)?.members, &types, &mut text)?;
    }
    Ok(text)
}

fn table(variables: &[Variable], types: &BTreeMap<String, Type>, text: &mut String) -> Result<()> {
    for Variable { label, offset, slot, r#type } in variables {
        let Type { label: kind, number_of_bytes: bytes, .. } = find(types, r#type)?;
        writeln!(text, "{slot:>4}{offset:>8}{bytes:>7}  {kind} {label}")?;
    }
    Ok(())
}

/// Collects the structures that a type contains, with their labels.
fn reach<'a>(
    name: &'a str,
    types: &'a BTreeMap<String, Type>,
    structures: &mut BTreeSet<(&'a str, &'a str)>,
) -> Result<()> {
    let found = find(types, name)?;
    if !found.members.is_empty() && !structures.insert((&found.label, name)) {
        return Ok(());
    }
    let parts = [&found.key, &found.value, &found.base].into_iter().flatten();
    let members = found.members.iter().map(|member| &member.r#type);
    parts.chain(members).try_for_each(|part| reach(part, types, structures))
}

fn find<'a>(types: &'a BTreeMap<String, Type>, name: &str) -> Result<&'a Type> {
    types.get(name).with_context(|| format!("the layout does not explain {name}"))
}

#[cfg(test)]
mod tests {
    use super::render;
    use serde_json::json;

    #[test]
    fn structures_behind_mappings_are_shown_without_tree_numbers() {
        let variable = |label: &str, slot: &str, offset: u64, name: &str| json!({ "label": label, "slot": slot, "offset": offset, "type": name });
        let artifact = json!({ "storageLayout": {
            "storage": [variable("_accounts", "0", 0, "t_mapping(t_address,t_struct(Account)17_storage)")],
            "types": {
                "t_mapping(t_address,t_struct(Account)17_storage)": { "label": "mapping(address => struct Account)",
                    "numberOfBytes": "32", "key": "t_address", "value": "t_struct(Account)17_storage" },
                "t_struct(Account)17_storage": { "label": "struct Account", "numberOfBytes": "32",
                    "members": [variable("locked", "0", 16, "t_uint128")] },
                "t_address": { "label": "address", "numberOfBytes": "20" },
                "t_uint128": { "label": "uint128", "numberOfBytes": "16" },
            },
        } });
        assert_eq!(
            render(&artifact).unwrap(),
            "slot  offset  bytes  variable\n   0       0     32  mapping(address => struct Account) _accounts\n\
             \nstruct Account\n   0      16     16  uint128 locked\n"
        );
    }
}
