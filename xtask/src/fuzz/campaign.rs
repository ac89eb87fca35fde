//! Running targets side by side and reading what libFuzzer says about them.

use super::Places;
use crate::shell::say;
use anyhow::{Context, Result};
use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
};

/// Longest input that is tried, bytes.
const LONGEST: u32 = 8192;
/// An input that takes longer is a finding, seconds.
const PATIENCE: u32 = 25;
/// Memory of a target above which it is stopped, MiB. Single inputs have tighter bounds of their own.
const MEMORY: u32 = 3072;

/// How long and how many at once.
pub(super) struct Campaign<'a> {
    pub(super) places: &'a Places,
    pub(super) seconds: u64,
    pub(super) jobs: usize,
    pub(super) chance: Option<u64>,
}

/// What came of one target.
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) executions: u64,
    pub(super) per_second: u64,
    pub(super) coverage: u64,
    pub(super) corpus: u64,
    pub(super) failure: Option<Failure>,
}

/// An input that a target does not stand.
pub(super) struct Failure {
    pub(super) said: String,
    pub(super) reproduce: String,
}

impl Campaign<'_> {
    pub(super) fn run(&self, targets: &[String]) -> Result<Vec<Outcome>> {
        let waiting = Mutex::new(targets.iter());
        let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || -> Result<Vec<Outcome>> {
            let mut outcomes = Vec::new();
            while let Some(name) = next() {
                outcomes.push(self.run_one(name)?);
            }
            Ok(outcomes)
        };
        let mut outcomes = Vec::new();
        thread::scope(|scope| -> Result<()> {
            let workers: Vec<_> = (0..self.jobs).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                let done = worker.join().map_err(|_| anyhow::anyhow!("a thread panicked"))?;
                outcomes.extend(done?);
            }
            Ok(())
        })?;
        outcomes.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(outcomes)
    }

    fn run_one(&self, name: &str) -> Result<Outcome> {
        let Self { places, seconds, .. } = self;
        say(&format!("{name}: {seconds} s"));
        let (found, kept) = (places.found(name), places.corpus().join(name));
        let artifacts = places.root.join("fuzz/artifacts").join(name);
        let log = places.target.join(format!("{name}.log"));
        for folder in [&found, &kept, &artifacts] {
            fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
        }
        let program = places.program(name);
        // New inputs go into the first folder, so the kept corpus stays as it is.
        let status = Command::new(&program)
            .args([&found, &kept])
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={LONGEST}"))
            .arg(format!("-timeout={PATIENCE}"))
            .arg(format!("-rss_limit_mb={MEMORY}"))
            .args(["-print_final_stats=1", "-verbosity=1"])
            .args(self.chance.map(|chance| format!("-seed={chance}")))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).with_context(|| format!("create {}", log.display()))?)
            .status()
            .with_context(|| format!("start {}", program.display()))?;
        let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        let failure = (!status.success()).then(|| failure(&text, &program, &artifacts, &log));
        Ok(Outcome {
            name: name.to_owned(),
            executions: after(&text, "stat::number_of_executed_units:"),
            per_second: after(&text, "stat::average_exec_per_sec:"),
            coverage: after(&text, " cov: "),
            corpus: after(&text, " corp: "),
            failure,
        })
    }
}

/// The last number that stands behind `mark`; 0 when there is none.
fn after(text: &str, mark: &str) -> u64 {
    let rest = text.rsplit_once(mark).map_or("", |(_, rest)| rest).trim_start();
    let digits = rest.split(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().unwrap_or(0)
}

/// The first words about the crash, and how to see it again.
fn failure(text: &str, program: &Path, artifacts: &Path, log: &Path) -> Failure {
    let marks = ["panicked at", "ERROR: libFuzzer"];
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.iter().position(|line| marks.iter().any(|mark| line.contains(mark)));
    let said = match start {
        Some(start) => lines.iter().skip(start).take(4).copied().collect::<Vec<_>>().join("\n  "),
        None => "ended without a word".to_owned(),
    };
    let written =
        lines.iter().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path);
    let input = written.map_or_else(|| artifacts.display().to_string(), |path| path.trim().to_owned());
    Failure {
        said: format!("{said}\n  all of it: {}", log.display()),
        reproduce: format!("{} {input}", program.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "#8192\tpulse  cov: 781 ft: 1 corp: 240/9Kb lim: 8192\n\
        thread '<unnamed>' panicked at src/names.rs:40:9:\nassertion failed\nstack\nmore\nand more\n\
        Test unit written to /x/crash-12\nstat::number_of_executed_units: 14139\n";

    #[test]
    fn numbers_are_read_out_of_a_log() {
        assert_eq!((after(LOG, " cov: "), after(LOG, " corp: ")), (781, 240));
        assert_eq!(after(LOG, "stat::number_of_executed_units:"), 14_139);
        assert_eq!(after(LOG, "stat::average_exec_per_sec:"), 0);
    }

    #[test]
    fn a_crash_says_what_happened_and_how_to_see_it_again() {
        let failure = failure(LOG, Path::new("/t/names"), Path::new("/a"), Path::new("/l"));
        assert!(failure.said.starts_with("thread '<unnamed>' panicked at src/names.rs"), "{}", failure.said);
        assert_eq!(failure.reproduce, "/t/names /x/crash-12");
    }
}
