//! `cargo xtask bench AREA [--json]`: measures beside a peer or a limit of the same run.

mod chain;
mod enclave;
mod figure;
mod gas;
mod network;
mod openssl;
mod program;
mod runtime;
mod seal;
mod spine;
mod store;

use crate::shell;
use anyhow::{Result, bail};
use figure::Figure;
use std::path::Path;

/// Areas in the order in which `all` measures them.
const AREAS: [&str; 7] = ["seal", "store", "runtime", "enclave", "chain", "spine", "gas"];

/// Measures an area, prints its figures, and tells whether every bar was met.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<bool> {
    let (flags, areas): (Vec<_>, Vec<_>) = arguments.iter().partition(|argument| argument.starts_with("--"));
    let json = match flags.as_slice() {
        [] => false,
        [flag] if *flag == "--json" => true,
        _ => bail!("the only option of bench is --json"),
    };
    let areas: &[&str] = match areas.as_slice() {
        [area] if *area == "all" => &AREAS,
        [area] => match AREAS.iter().position(|known| known == area) {
            Some(index) => AREAS.get(index..=index).unwrap_or_default(),
            None => bail!("there is no bench area {area:?}; the areas are {}, all", AREAS.join(", ")),
        },
        _ => bail!("name one bench area: {}, all", AREAS.join(", ")),
    };
    let mut met = true;
    for area in areas {
        let figures = measure(root, area)?;
        show(area, &figures, json);
        met &= figures.iter().all(Figure::is_met);
    }
    Ok(met)
}

fn measure(root: &Path, area: &str) -> Result<Vec<Figure>> {
    match area {
        "seal" => seal::measure(root),
        "store" => store::measure(root),
        "runtime" => runtime::measure(root),
        "enclave" => enclave::measure(root),
        "chain" => chain::measure(root),
        "spine" => spine::measure(root),
        _ => gas::measure(root),
    }
}

fn show(area: &str, figures: &[Figure], json: bool) {
    if json {
        figures.iter().for_each(|figure| shell::say(&figure.to_json().to_string()));
    } else {
        shell::say(&figure::table(area, figures));
    }
}
