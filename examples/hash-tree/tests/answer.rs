//! The whole program natively.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::{
    io::Write,
    process::{Command, Stdio},
};

fn hash_tree(arguments: &[&str], data: &[u8]) -> std::process::Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hash-tree"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may refuse its arguments before it reads.
    let _ = child.stdin.take().unwrap().write_all(data);
    child.wait_with_output().unwrap()
}

/// Computed by Python's hashlib; the README shows how.
#[test]
fn prints_the_answer_of_the_read_me() {
    let data: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
    let output = hash_tree(&[], &data);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), include_str!("expected.txt"));
}

#[test]
fn refuses_unknown_options() {
    let output = hash_tree(&["--md5"], b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty() && !output.stderr.is_empty());
}
