//! Running commands and reading what they counted.

use anyhow::{Context, Result, bail};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Tests that passed and failed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Count {
    pub(crate) const fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// A command line in a directory.
pub(crate) fn command(directory: &Path, words: &[&str]) -> Command {
    let (program, arguments) = words.split_first().expect("a command has a program");
    let mut command = Command::new(program);
    command.args(arguments).current_dir(directory);
    command
}

/// Prints a line for people.
#[expect(clippy::print_stdout, reason = "a command line tool reports on standard output")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// Installs what `package-lock.json` names. Not `npm ci`: some tools list platforms whose packages do not exist, which
/// `npm ci` refuses.
pub(crate) const NPM_INSTALL: &[&str] = &["npm", "install", "--no-save", "--no-audit", "--no-fund"];

/// Where cargo puts what it builds.
pub(crate) fn target_dir(root: &Path) -> Result<PathBuf> {
    let output =
        command(root, &[env!("CARGO"), "metadata", "--no-deps", "--format-version", "1"]).output()?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).context("read cargo metadata")?;
    let path = metadata.pointer("/target_directory").and_then(serde_json::Value::as_str);
    path.map(PathBuf::from).context("cargo metadata names no target directory")
}

/// A child that is killed in the end.
#[derive(Debug)]
pub(crate) struct Running(Child);

impl Running {
    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program and waits for the line that `ready` recognizes.
pub(crate) fn started<T>(mut command: Command, ready: impl Fn(&str) -> Option<T>) -> Result<(Running, T)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("start {command:?}"))?;
    let output = child.stdout.take().context("standard output is piped")?;
    let running = Running(child);
    let mut lines = BufReader::new(output).lines();
    let mut seen = Vec::new();
    while let Some(line) = lines.next().transpose()? {
        if let Some(found) = ready(&line) {
            // Somebody has to read what the program prints later, or it would stop at a full pipe.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok((running, found));
        }
        seen.push(line);
    }
    bail!("{command:?} ended before it was ready: {}", seen.join("\n"))
}

/// Runs a command, passing its output through; an error when it fails.
pub(crate) fn run(directory: &Path, words: &[&str]) -> Result<()> {
    let status = command(directory, words).status().with_context(|| format!("start {}", words.join(" ")))?;
    if !status.success() {
        bail!("`{}` failed with {status}", words.join(" "));
    }
    Ok(())
}

/// Runs a command, passing its output through and counting the tests it reports. A failure is counted, not returned.
pub(crate) fn counted(mut command: Command) -> Result<Count> {
    let shown = format!("{command:?}");
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().with_context(|| shown.clone())?;
    let readers = [
        child.stdout.take().map(|stream| Box::new(stream) as Box<dyn std::io::Read + Send>),
        child.stderr.take().map(|stream| Box::new(stream) as Box<dyn std::io::Read + Send>),
    ];
    let threads: Vec<_> =
        readers.into_iter().flatten().map(|stream| std::thread::spawn(move || pass_on(stream))).collect();
    let mut count = Count::default();
    for thread in threads {
        count.add(thread.join().unwrap_or_default());
    }
    let status = child.wait()?;
    if !status.success() && count.failed == 0 {
        count.failed = 1;
    }
    if status.success() && count.passed == 0 {
        count.passed = 1;
    }
    Ok(count)
}

fn pass_on(stream: impl std::io::Read) -> Count {
    let mut count = Count::default();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        count.add(counts_in(&line));
        say(&line);
    }
    count
}

/// Counts in the closing lines of nextest (`Summary … 5 tests run: 4 passed, 1 failed`), cargo's own runner
/// (`test result: ok. 5 passed; 0 failed`), forge (`Ran 3 test suites …: 12 tests passed, 0 failed`), node
/// (`# pass 3`, `# fail 0`) and the conformance scripts (`5 passed, 0 failed`).
fn counts_in(line: &str) -> Count {
    let plain = strip_ansi(line);
    let number_before = |word: &str| {
        let head = plain.get(..plain.find(word)?)?;
        head.split_whitespace().last()?.trim_start_matches('(').parse::<u64>().ok()
    };
    let bare = plain.starts_with(|letter: char| letter.is_ascii_digit())
        && plain.contains(" passed, ")
        && plain.ends_with(" failed");
    let closing = bare
        || plain.contains("Summary [")
        || plain.contains("test result:")
        || plain.contains("tests passed");
    if closing {
        let passed = number_before(" tests passed").or_else(|| number_before(" passed"));
        return Count { passed: passed.unwrap_or(0), failed: number_before(" failed").unwrap_or(0) };
    }
    let value =
        |prefix: &str| plain.strip_prefix(prefix).and_then(|rest| rest.trim().parse().ok()).unwrap_or(0);
    Count { passed: value("# pass "), failed: value("# fail ") }
}

fn strip_ansi(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            letters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(letter);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::counts_in;

    #[test]
    fn closing_lines_of_every_runner_are_read() {
        let check = |line: &str, passed, failed| {
            let count = counts_in(line);
            assert_eq!((count.passed, count.failed), (passed, failed), "{line}");
        };
        check("     Summary [   0.083s] 9 tests run: 8 passed, 1 failed, 0 skipped", 8, 1);
        check("\u{1b}[32m     Summary\u{1b}[0m [ 0.1s] 12 tests run: 12 passed, 0 skipped", 12, 0);
        check("test result: ok. 3 passed; 0 failed; 0 ignored", 3, 0);
        check(
            "Ran 6 test suites in 1.2s (3s CPU time): 41 tests passed, 2 failed, 0 skipped (43 total tests)",
            41,
            2,
        );
        check("# pass 7", 7, 0);
        check("31 passed, 2 failed", 31, 2);
        check("ok      31 passed, 2 failed", 0, 0);
        check("Suite result: ok. 9 passed; 0 failed; 0 skipped; finished in 1ms", 0, 0);
    }
}
