//! Searches in the shipped text.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{fs::File, process::Command};

const TEXT: &str = "data/paradise-lost.txt";

fn private_grep(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_private-grep"))
        .args(arguments)
        .env("SEALWORK_IN", "no-such-directory")
        .stdin(File::open(TEXT).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn finds_what_a_line_by_line_search_finds() {
    let terms = ["Eden", "den", "forbidden tree", "Lucifer", "no such words"];
    let text = std::fs::read_to_string(TEXT).unwrap();
    let mut expected = String::new();
    for (index, line) in
        text.lines().enumerate().filter(|(_, line)| terms.iter().any(|term| line.contains(term)))
    {
        expected.push_str(&format!("{}:{line}\n", index + 1));
    }
    let found = private_grep(&terms);
    let (lines, table) = found.split_once("\n\n").unwrap();
    assert_eq!(format!("{lines}\n"), expected);
    for (term, row) in terms.iter().zip(table.lines().skip(1)) {
        let numbers: Vec<usize> =
            row[term.len()..].split_whitespace().map(|number| number.parse().unwrap()).collect();
        let lines = text.lines().filter(|line| line.contains(term)).count();
        assert_eq!(numbers, [text.matches(term).count(), lines], "{term}");
    }
}

#[test]
fn prints_the_answer_of_the_read_me() {
    let expected = include_str!("../data/expected.txt");
    assert_eq!(private_grep(&["-i", "-c", "Pandemonium", "Lucifer", "darkness visible"]), expected);
}

#[test]
fn reads_files_by_name() {
    let directory =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("in-{}", std::process::id()));
    std::fs::create_dir_all(directory.join("deep")).unwrap();
    std::fs::write(directory.join("deep/b.txt"), "needle").unwrap();
    std::fs::write(directory.join("a.txt"), "hay\nneedle\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_private-grep"))
        .arg("needle")
        .env("SEALWORK_IN", &directory)
        .output()
        .unwrap();
    std::fs::remove_dir_all(directory).unwrap();
    let expected = "a.txt:2:needle\ndeep/b.txt:1:needle\n\nterm   occurrences       lines\nneedle           2           2\n2 of 3 lines match\n";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}
