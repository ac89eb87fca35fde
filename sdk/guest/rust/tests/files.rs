//! Files, streams and errors of the guest SDK, natively. The directories are process-wide variables, so a test that touches
//! files runs itself again as a child process with its own directories.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use sealwork_guest::{self as guest, FileError};
use std::{
    error::Error,
    fs,
    io::{Read, Write},
    path::PathBuf,
    process::Command,
};

/// Set in a child.
const CHILD: &str = "SEALWORK_GUEST_CHILD";

fn scratch(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    fs::create_dir_all(directory.join("in/deep/er")).unwrap();
    directory
}

fn in_child(test: &str) {
    let directory = scratch(test);
    fs::write(directory.join("in/b.txt"), "second").unwrap();
    fs::write(directory.join("in/a.txt"), "first").unwrap();
    fs::write(directory.join("in/deep/er/c.bin"), [0xff, b'x']).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .env("SEALWORK_IN", directory.join("in"))
        .env("SEALWORK_OUT", directory.join("out"))
        .output()
        .unwrap();
    fs::remove_dir_all(&directory).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

#[test]
fn lists_and_reads_input_files_in_order() {
    if !is_child() {
        return in_child("lists_and_reads_input_files_in_order");
    }
    assert_eq!(guest::input_files().unwrap(), ["a.txt", "b.txt", "deep/er/c.bin"]);
    assert_eq!(guest::read_input("a.txt").unwrap(), b"first");
    assert_eq!(guest::read_input_text("b.txt").unwrap(), "second");
    let mut text = String::new();
    guest::open_input("b.txt").unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "second");
}

#[test]
fn says_where_a_file_stops_being_text() {
    if !is_child() {
        return in_child("says_where_a_file_stops_being_text");
    }
    let error = guest::read_input_text("deep/er/c.bin").unwrap_err();
    assert!(matches!(error, FileError::NotUtf8 { at: 0, .. }), "{error}");
}

#[test]
fn writes_output_files_and_their_directories() {
    if !is_child() {
        return in_child("writes_output_files_and_their_directories");
    }
    guest::write_output("answer.txt", "42").unwrap();
    let mut file = guest::create_output("tables/one.csv").unwrap();
    file.write_all(b"a,b\n").unwrap();
    file.flush().unwrap();
    assert_eq!(fs::read(guest::output_dir().join("answer.txt")).unwrap(), b"42");
    assert_eq!(fs::read(guest::output_dir().join("tables/one.csv")).unwrap(), b"a,b\n");
}

#[test]
fn refuses_names_that_leave_the_directory() {
    if !is_child() {
        return in_child("refuses_names_that_leave_the_directory");
    }
    for name in ["", "/etc/passwd", "../secret", "deep/../../secret", ".", "a\0b"] {
        assert!(matches!(guest::read_input(name), Err(FileError::Name(_))), "{name:?}");
        assert!(matches!(guest::write_output(name, ""), Err(FileError::Name(_))), "{name:?}");
    }
}

#[test]
fn names_a_missing_file_and_its_cause() {
    if !is_child() {
        return in_child("names_a_missing_file_and_its_cause");
    }
    let error = guest::read_input("none.csv").unwrap_err();
    assert!(error.source().is_some());
    let text = guest::describe(&error);
    assert!(text.starts_with("cannot read ") && text.contains("none.csv: "), "{text}");
}

#[test]
fn streams_every_byte_in_bounded_pieces() {
    let input: Vec<u8> = (0..3 * guest::CHUNK_BYTES + 17).map(|i| (i % 251) as u8).collect();
    let mut seen = Vec::new();
    let total = guest::for_each_chunk(input.as_slice(), |piece| {
        assert!(piece.len() <= guest::CHUNK_BYTES);
        seen.extend_from_slice(piece);
        Ok(())
    });
    assert_eq!(total.unwrap(), input.len() as u64);
    assert_eq!(seen, input);
}

#[test]
fn stops_at_the_first_error_of_the_consumer() {
    let mut calls = 0;
    let outcome = guest::for_each_chunk([0_u8; 10].as_slice(), |_| {
        calls += 1;
        Err("enough".into())
    });
    assert_eq!(outcome.unwrap_err().to_string(), "enough");
    assert_eq!(calls, 1);
}

#[test]
fn an_error_becomes_exit_code_one() {
    use std::process::ExitCode;
    assert_eq!(format!("{:?}", guest::run(|| Err("no".into()))), format!("{:?}", ExitCode::FAILURE));
    assert_eq!(format!("{:?}", guest::run(|| Ok(()))), format!("{:?}", ExitCode::SUCCESS));
}
