//! The program's answer for the shipped table equals the one computed by `reference/reference.py`.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn cohort(name: &str, prepare: impl FnOnce(&Path, &mut Command)) -> (PathBuf, Output) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    fs::create_dir_all(directory.join("in")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cohort"));
    command.env("SEALWORK_IN", directory.join("in")).env("SEALWORK_OUT", directory.join("out"));
    prepare(&directory, &mut command);
    (directory.clone(), command.output().unwrap())
}

#[test]
fn prints_the_reference_to_the_last_digit() {
    let expected = fs::read_to_string("reference/expected.txt").unwrap();
    let (directory, output) = cohort("stdin", |_, command| {
        command.stdin(File::open("data/breast-cancer.csv").unwrap());
    });
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    let model = fs::read_to_string(directory.join("out/model.csv")).unwrap();
    assert_eq!(model.lines().count(), 32);
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn joins_files_to_one_table() {
    let expected = fs::read_to_string("reference/expected.txt").unwrap();
    let table = fs::read_to_string("data/breast-cancer.csv").unwrap();
    let (header, rows) = table.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    let (directory, output) = cohort("files", |directory, _| {
        for (name, rows) in [("clinic-a.csv", &rows[..300]), ("clinic-b.csv", &rows[300..])] {
            fs::write(directory.join("in").join(name), format!("{header}\n{}\n", rows.join("\n"))).unwrap();
        }
    });
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn fails_with_a_reason_and_no_answer() {
    let (directory, output) = cohort("wrong", |directory, _| {
        fs::write(directory.join("in/t.csv"), "diagnosis,x\nM,1\nB,n/a\n").unwrap();
    });
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let reason = "error: t.csv, row 3, column x: \"n/a\" is not a finite number or a group name\n";
    assert_eq!(String::from_utf8(output.stderr).unwrap(), reason);
    fs::remove_dir_all(directory).unwrap();
}
