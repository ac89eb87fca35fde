//! All automation of the repository: `cargo xtask help` lists it.

mod bench;
mod chaos;
mod conformance;
mod contracts;
mod demo;
mod fuzz;
mod generate;
mod guests;
mod proofs;
mod shell;
mod sim;
mod test;
#[cfg(test)]
mod tidy;
mod tools;

use anyhow::{Context, Result, bail};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

const HELP: &str = "cargo xtask COMMAND

  demo                        build everything and run a sealed task end to end
  test                        install what the tests need and run everything; CI runs this
  nightly                     fuzzing and proofs with ten times the work; hours
  chaos [--runs N] [--seed S] kill, stop, cut off and slow down the services while tasks are in flight; 100 runs
  bench AREA [--json]         measure beside a peer or a limit; areas: seal, store, runtime, chain, spine, gas, all
  fuzz [TARGET]               hostile inputs for every parser, 60 seconds each (--seconds N, --jobs N);
                              --seed writes the corpus' valid inputs, --minimize takes over what was found
  gen [--check]               write the files generated from spec/, or check that they are fresh
  conformance [SCRIPT...]     unmodified clients against the embedded chain, and a comparison with anvil
  contracts [--check|--test]  compile the contracts into artifacts, check that they are fresh, or test them
                              (--test --ci or --nightly: more fuzzing)
  contracts --analyze         slither on the sources; every exception has its reason
  contracts --prove           halmos on test/symbolic: for all arguments up to a bound
  contracts --trees           the tests are those that the trees beside them name
  contracts --natspec         everything public is documented
  contracts --snapshots       write interface, storage, size and gas into contracts/snapshots; --check compares
  guests [--check|--test]     rebuild the example modules, compare them byte for byte, or test them
  sim [--seeds FROM..TO] [--trace] [--twice] [--every-point] [--defences]
                              the whole network in one thread, with everything going wrong that a seed says
  help                        this text";

fn main() -> Result<ExitCode> {
    let root = root()?;
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let has = |flag: &str| rest.iter().any(|argument| argument == flag);
    let done = match command.as_str() {
        "bench" => bench::run(&root, &rest)?,
        "chaos" => chaos::run(&root, &rest)?,
        "conformance" => {
            let count = conformance::run(&root, &rest)?;
            shell::say(&format!("in total {} passed and {} failed", count.passed, count.failed));
            count.failed == 0
        }
        "contracts" => contracts_command(&root, &rest).map(|()| true)?,
        "demo" => demo::run(&root, &rest)?,
        "fuzz" => {
            let count = fuzz::run(&root, &rest)?;
            shell::say(&format!("{} passed, {} failed", count.passed, count.failed));
            count.failed == 0
        }
        "gen" => generate::run(&root, has("--check")).map(|()| true)?,
        "guests" => guests::run(&root, guests::Mode::parse(&rest)?).map(|()| true)?,
        "help" | "--help" | "-h" | "" => {
            shell::say(HELP);
            true
        }
        "nightly" => test::nightly(&root)?,
        "sim" => sim::run(&root, &rest)?,
        "test" => test::run(&root)?,
        other => bail!("there is no command {other:?}\n\n{HELP}"),
    };
    Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn contracts_command(root: &Path, rest: &[String]) -> Result<()> {
    let has = |flag: &str| rest.iter().any(|argument| argument == flag);
    if let Some(proof) = proofs::Proof::parse(rest) {
        return proof.run(root, rest);
    }
    if has("--test") {
        contracts::test(root, contracts::profile(rest))
    } else {
        contracts::run(root, has("--check"))
    }
}

fn root() -> Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .context("xtask lies in the workspace root")
}
