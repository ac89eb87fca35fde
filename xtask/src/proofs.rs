//! What holds for the contracts beyond their tests: `cargo xtask contracts --analyze`, `--prove`, `--trees`, `--natspec`
//! and `--snapshots`. How to write for them is in `contracts/test/README.md`.

mod reasons;
mod snapshots;

use crate::{
    contracts::{self, files},
    shell, tools,
};
use anyhow::{Context, Result, ensure};
use std::{path::Path, process::Command};

/// One kind of proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// slither finds nothing that is not excepted with a reason.
    Analyze,
    /// halmos finds no arguments for which a `check_` function of `test/symbolic` fails.
    Prove,
    /// The tests are those that the trees beside them name.
    Trees,
    /// Everything public is documented.
    Natspec,
    /// Interface, storage layout, size and gas are what `snapshots/` says.
    Snapshots,
}

impl Proof {
    /// The kind that the options of `cargo xtask contracts` ask for.
    pub(crate) fn parse(options: &[String]) -> Option<Self> {
        options.iter().find_map(|option| match option.as_str() {
            "--analyze" => Some(Self::Analyze),
            "--prove" => Some(Self::Prove),
            "--trees" => Some(Self::Trees),
            "--natspec" => Some(Self::Natspec),
            "--snapshots" => Some(Self::Snapshots),
            _ => None,
        })
    }

    /// Runs it; an error when something does not hold. `--check` compares snapshots instead of writing them, `--nightly`
    /// gives proofs larger bounds.
    pub(crate) fn run(self, root: &Path, options: &[String]) -> Result<()> {
        let has = |flag: &str| options.iter().any(|option| option == flag);
        let project = root.join("contracts");
        contracts::install(&project)?;
        match self {
            Self::Analyze => analyze(&project),
            Self::Prove => prove(&project, has("--nightly")),
            Self::Trees => trees(&project),
            Self::Natspec => natspec(&project),
            Self::Snapshots => snapshots::run(&project, has("--check")),
        }
    }
}

fn analyze(project: &Path) -> Result<()> {
    reasons::check(project)?;
    contracts::build(project)?;
    let slither = tools::python_tool(&project.join("tools/slither.txt"), "slither")?;
    let mut command = Command::new(slither);
    command
        .args([".", "--ignore-compile", "--warn-unused-ignores"])
        .args(["--foundry-out-directory", contracts::BUILT])
        .args(["--config-file", "slither.config.json"]);
    contracts::execute(with_forge(&mut command, project)?).context("slither found something")
}

/// Every `check_` function for all arguments, up to the bounds in `halmos.toml`. Proofs that take longer than a limit in
/// total count as failed.
fn prove(project: &Path, nightly: bool) -> Result<()> {
    let halmos = tools::python_tool(&project.join("tools/halmos.txt"), "halmos")?;
    let mut command = Command::new("timeout");
    command.args(["--kill-after=10s", if nightly { "4h" } else { "15m" }]).arg(halmos);
    if nightly {
        command.args(["--loop", "8", "--solver-timeout-assertion", "20m"]);
    }
    command.env("FOUNDRY_PROFILE", "halmos");
    contracts::execute(with_forge(&mut command, project)?)
        .context("halmos refuted or could not decide a proof")
}

fn trees(project: &Path) -> Result<()> {
    let trees = files(&project.join("test"), ".tree")?;
    let missing: Vec<_> = files(&project.join("test/unit"), ".t.sol")?
        .into_iter()
        .map(|test| test.with_extension("").with_extension("tree"))
        .filter(|tree| !tree.exists())
        .map(|tree| tree.strip_prefix(project).unwrap_or(&tree).display().to_string())
        .collect();
    ensure!(missing.is_empty(), "unit tests without a tree; contracts/ needs {}", missing.join(", "));
    let bulloak = tools::cargo_tool(tools::BULLOAK)?;
    contracts::execute(Command::new(bulloak).args(["check", "--skip-modifiers"]).args(&trees))
        .context("a tree and its tests differ")?;
    shell::say(&format!("{} trees have their tests", trees.len()));
    Ok(())
}

fn natspec(project: &Path) -> Result<()> {
    let lintspec = tools::cargo_tool(tools::LINTSPEC)?;
    contracts::execute(Command::new(lintspec).arg("--compact").current_dir(project))
        .context("documentation is missing; .lintspec.toml says what has to be there")
}

/// Slither and halmos call `forge` by its name.
fn with_forge<'a>(command: &'a mut Command, project: &Path) -> Result<&'a mut Command> {
    let forge = contracts::forge(project)?;
    let folder = forge.parent().context("forge lies in a folder")?.to_path_buf();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder).chain(std::env::split_paths(&path));
    Ok(command.env("PATH", std::env::join_paths(folders)?).current_dir(project))
}
