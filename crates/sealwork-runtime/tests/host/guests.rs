//! The committed modules of the examples.

use crate::common::{Case, engine};
use sealwork_runtime::Exit;
use std::{fs, io::Read, path::PathBuf};

fn example(path: &str) -> Vec<u8> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    fs::read(root.join(path)).unwrap()
}

fn guest(path: &str) -> Case {
    Case::of(engine().compile(&example(path)).unwrap())
}

#[test]
fn hash_tree_hashes_standard_input() {
    let mut case = guest("hash-tree/hash-tree.wasm").limit(|limits| limits.memory_bytes = 8 << 20);
    case.stdin = Box::new(std::io::repeat(0).take(3 << 20));
    case.args = vec!["--leaves".to_owned()];
    let output = case.run();
    assert!(matches!(output.exit, Exit::Code(0)), "{:?}", output.exit);
    let text = String::from_utf8(output.stdout).unwrap();
    // Of three MiB of zeros, by `head -c 3145728 /dev/zero | sha256sum`.
    let expected = "bytes 3145728\nsha256 bbd05cf6097ac9b1f89ea29d2542c1b7b67ee46848393895f5a9e43fa1f621e5\n";
    assert!(text.starts_with(expected), "{text}");
    assert_eq!(output.files[0].name, "leaves.txt");
    assert_eq!(output.files[0].bytes.len(), 3 * 65);
}

#[test]
fn cohort_gives_the_reference_answer() {
    let mut case = guest("cohort/cohort.wasm");
    case.stdin = Box::new(std::io::Cursor::new(example("cohort/data/breast-cancer.csv")));
    let output = case.run();
    assert!(matches!(output.exit, Exit::Code(0)), "{:?}", output.exit);
    assert_eq!(output.stdout, example("cohort/reference/expected.txt"));
}

#[test]
fn private_grep_gives_the_reference_answer() {
    let mut case = guest("private-grep/private-grep.wasm");
    case.stdin = Box::new(std::io::Cursor::new(example("private-grep/data/paradise-lost.txt")));
    case.args = ["-i", "-c", "Pandemonium", "Lucifer", "darkness visible"].map(str::to_owned).into();
    let output = case.run();
    assert!(matches!(output.exit, Exit::Code(0)), "{:?}", output.exit);
    assert_eq!(output.stdout, example("private-grep/data/expected.txt"));
}

#[test]
fn private_grep_searches_input_files() {
    let mut case = guest("private-grep/private-grep.wasm")
        .file("letters/one.txt", "nothing\nthe needle\n")
        .file("two.txt", "needle in a haystack\n");
    case.args = vec!["needle".to_owned()];
    let output = case.run();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(matches!(output.exit, Exit::Code(0)), "{:?}", output.exit);
    assert!(text.contains("two.txt") && text.contains("needle in a haystack"), "{text}");
}
