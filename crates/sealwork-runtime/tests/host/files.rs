//! `/in`, `/out` and `/tmp`.

use crate::common::{Case, engine};
use sealwork_runtime::{BatchOutput, Exit, RunError};

const READ: u64 = 1 << 1;
const WRITE: u64 = 1 << 6;

const NOTCAPABLE: i32 = 76;
const ROFS: i32 = 69;
const NOENT: i32 = 44;
const NOTDIR: i32 = 54;
const EXIST: i32 = 20;
const ISDIR: i32 = 31;
const NOTEMPTY: i32 = 55;
const XDEV: i32 = 75;
const INVAL: i32 = 28;
const NAMETOOLONG: i32 = 37;
const ILSEQ: i32 = 25;

/// Opens `path` and ends with the error number.
fn open(dir: u32, path: &str, how: u32, rights: u64) -> Case {
    let len = path.replace("\\00", "0").replace("\\ff", "f").replace("\\5c", "f").replace("\\0a", "f").len();
    let body = format!(
        "(drop (call $open (i32.const {dir}) (i32.const {len}) (i32.const {how}) (i64.const {rights})))"
    );
    Case::start_at(path, &body)
}

fn code(output: &BatchOutput) -> i32 {
    match output.exit {
        Exit::Code(code) => code,
        ref other => panic!("{other:?}"),
    }
}

fn copy_to_stdout(path: &str) -> Case {
    let len = path.len();
    Case::start_at(
        path,
        &format!(
            "(local $fd i32)
             (local.set $fd (call $open (i32.const 3) (i32.const {len}) (i32.const 0) (i64.const {READ})))
             (loop $more
               (call $check (call $fd_read (local.get $fd) (i32.const 8) (i32.const 1) (i32.const 2048)))
               (call $say (i32.const 4096) (i32.load (i32.const 2048)))
               (br_if $more (i32.load (i32.const 2048))))"
        ),
    )
}

#[test]
fn reads_input_files_in_directories() {
    let content: Vec<u8> = (0..=255).cycle().take(777).collect();
    for path in ["a/b/data.csv", "./a//b/./data.csv", "a/../a/b/data.csv"] {
        let output = copy_to_stdout(path).file("a/b/data.csv", content.clone()).file("a/c", "").run();
        assert_eq!((code(&output), &output.stdout), (0, &content), "{path}");
    }
}

#[test]
fn input_is_read_only() {
    let exits = |case: Case| code(&case.file("f", "data").file("d/e", "").run());
    assert_eq!(exits(open(3, "f", 0, READ)), 0);
    assert_eq!(exits(open(3, "f", 0, READ | WRITE)), ROFS);
    assert_eq!(exits(open(3, "f", 8, READ)), ROFS, "truncate");
    assert_eq!(exits(open(3, "new", 1, WRITE)), ROFS);
    let calls = [
        "(call $path_unlink_file (i32.const 3) (i32.const 1024) (i32.const 1))",
        "(call $path_create_directory (i32.const 3) (i32.const 1025) (i32.const 1))",
        "(call $path_rename (i32.const 3) (i32.const 1024) (i32.const 1) (i32.const 3) (i32.const 1025) (i32.const 1))",
        "(call $path_rename (i32.const 3) (i32.const 1024) (i32.const 1) (i32.const 4) (i32.const 1025) (i32.const 1))",
        "(call $path_filestat_set_times (i32.const 3) (i32.const 0) (i32.const 1024) (i32.const 1) (i64.const 0)
           (i64.const 0) (i32.const 5))",
        "(call $fd_filestat_set_size (call $open (i32.const 3) (i32.const 1) (i32.const 0) (i64.const 2)) (i64.const 0))",
        "(call $fd_write (call $open (i32.const 3) (i32.const 1) (i32.const 0) (i64.const 2))
           (i32.const 8) (i32.const 1) (i32.const 32))",
    ];
    for call in calls {
        let ended = exits(Case::start_at("fg", &format!("(call $proc_exit {call})")));
        assert!(matches!(ended, ROFS | 8), "{call}: {ended}");
    }
}

#[test]
fn no_path_leaves_its_directory() {
    let paths =
        ["/in/f", "/etc/passwd", "..", "../in/f", "d/../../f", "d/../../in/f", "./.././f", "../../../../x"];
    for path in paths {
        for dir in 3..=5 {
            let ended = code(&open(dir, path, 0, READ).file("f", "").file("d/e", "").run());
            let expected = if dir != 3 && path.starts_with("d/") { NOENT } else { NOTCAPABLE };
            assert_eq!(ended, expected, "{path} from {dir}");
        }
    }
    let nested = Case::start_at(
        "d../f",
        "(i32.store (i32.const 40) (call $open (i32.const 3) (i32.const 1) (i32.const 2) (i64.const 0)))
         (call $proc_exit (call $path_open (i32.load (i32.const 40)) (i32.const 0) (i32.const 1025) (i32.const 4)
           (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 2048)))",
    );
    assert_eq!(
        code(&nested.file("f", "").file("d/e", "").run()),
        NOTCAPABLE,
        "an opened directory is a root"
    );
}

#[test]
fn refuses_odd_paths() {
    let long = "x".repeat(256);
    let deep = format!("{}f", "d/".repeat(128));
    let cases = [
        ("", NOENT),
        ("f/", NOTDIR),
        ("f/.", NOTDIR),
        ("f/x", NOTDIR),
        ("d/x/y", NOENT),
        ("f\\00x", INVAL),
        ("\\ff", ILSEQ),
        (&long, NAMETOOLONG),
        (&deep, NOENT),
    ];
    for (path, expected) in cases {
        let ended = code(&open(3, path, 0, READ).file("f", "").file("d/e", "").run());
        assert_eq!(ended, expected, "{path}");
    }
    assert_eq!(code(&open(4, "a\\5cb", 1, WRITE).run()), INVAL);
    assert_eq!(code(&open(4, "a\\0ab", 1, WRITE).run()), INVAL);
    assert_eq!(code(&open(4, &long, 1, WRITE).run()), NAMETOOLONG);
    assert_eq!(code(&open(4, "d/", 1, WRITE).run()), INVAL);
}

#[test]
fn open_flags_mean_what_they_say() {
    let exits = |how, rights, path| code(&open(3, path, how, rights).file("f", "").file("d/e", "").run());
    assert_eq!(exits(1 | 4, READ, "f"), EXIST);
    assert_eq!(exits(2, READ, "f"), NOTDIR);
    assert_eq!(exits(2, READ, "d"), 0);
    assert_eq!(exits(2, READ, "d/"), 0);
    assert_eq!(exits(0, WRITE, "d"), ISDIR);
    assert_eq!(exits(0, READ, "."), 0);
}

#[test]
fn delivers_output_files_sorted_by_name() {
    let output = Case::start_at(
        "d/f",
        "(local $fd i32)
         (call $check (call $path_create_directory (i32.const 4) (i32.const 1024) (i32.const 1)))
         (local.set $fd (call $open (i32.const 4) (i32.const 3) (i32.const 1) (i64.const 66)))
         (call $check (call $fd_write (local.get $fd) (i32.const 8) (i32.const 1) (i32.const 32)))
         (call $check (call $fd_pwrite (local.get $fd) (i32.const 8) (i32.const 1) (i64.const 100) (i32.const 32)))
         (i32.store8 (i32.const 1024) (i32.const 98))
         (drop (call $open (i32.const 4) (i32.const 1) (i32.const 1) (i64.const 66)))
         (drop (call $open (i32.const 5) (i32.const 1) (i32.const 1) (i64.const 66)))",
    )
    .run();
    assert_eq!(code(&output), 0);
    let sizes: Vec<_> = output.files.iter().map(|file| (file.name.as_str(), file.bytes.len())).collect();
    assert_eq!(sizes, [("b", 0), ("d/f", 164)]);
}

#[test]
fn appends_seeks_and_truncates() {
    let output = Case::start_at(
        "log",
        "(local $fd i32)
         (call $check (call $path_open (i32.const 4) (i32.const 0) (i32.const 1024) (i32.const 3) (i32.const 1)
           (i64.const 66) (i64.const 0) (i32.const 1) (i32.const 2048)))
         (local.set $fd (i32.load (i32.const 2048)))
         (call $check (call $fd_write (local.get $fd) (i32.const 8) (i32.const 1) (i32.const 32)))
         (call $check (call $fd_seek (local.get $fd) (i64.const 0) (i32.const 0) (i32.const 40)))
         (call $check (call $fd_write (local.get $fd) (i32.const 8) (i32.const 1) (i32.const 32)))
         (call $check (call $fd_tell (local.get $fd) (i32.const 40)))
         (call $say (i32.const 40) (i32.const 8))
         (call $check (call $fd_filestat_set_size (local.get $fd) (i64.const 100)))
         (call $check (call $fd_seek (local.get $fd) (i64.const -1) (i32.const 2) (i32.const 40)))
         (call $say (i32.const 40) (i32.const 8))
         (call $proc_exit (call $fd_seek (local.get $fd) (i64.const -101) (i32.const 2) (i32.const 40)))",
    )
    .run();
    assert_eq!(code(&output), INVAL);
    assert_eq!(output.stdout, [128_u64.to_le_bytes(), 99_u64.to_le_bytes()].concat());
    assert_eq!(output.files[0].bytes.len(), 100);
}

#[test]
fn renames_within_a_tree() {
    let rename = |to: u32, from_len: u32| {
        Case::start_at(
            "d/fx",
            &format!(
                "(call $check (call $path_create_directory (i32.const 4) (i32.const 1024) (i32.const 1)))
                 (drop (call $open (i32.const 4) (i32.const 3) (i32.const 1) (i64.const 66)))
                 (call $proc_exit (call $path_rename (i32.const 4) (i32.const 1024) (i32.const {from_len})
                   (i32.const {to}) (i32.const 1027) (i32.const 1)))"
            ),
        )
        .run()
    };
    assert_eq!(code(&rename(5, 3)), XDEV);
    for (from_len, expected) in [(3, "x"), (1, "x/f")] {
        let output = rename(4, from_len);
        assert_eq!((code(&output), output.files[0].name.as_str()), (0, expected));
    }
    let into_itself = Case::start_at(
        "d/x",
        "(call $check (call $path_create_directory (i32.const 4) (i32.const 1024) (i32.const 1)))
         (call $proc_exit (call $path_rename (i32.const 4) (i32.const 1024) (i32.const 1)
           (i32.const 4) (i32.const 1024) (i32.const 3)))",
    );
    assert_eq!(code(&into_itself.run()), INVAL);
}

#[test]
fn removes_only_empty_directories() {
    let output = Case::start_at(
        "d/f",
        "(call $check (call $path_create_directory (i32.const 4) (i32.const 1024) (i32.const 1)))
         (drop (call $open (i32.const 4) (i32.const 3) (i32.const 1) (i64.const 66)))
         (call $proc_exit (call $path_remove_directory (i32.const 4) (i32.const 1024) (i32.const 1)))",
    );
    assert_eq!(code(&output.run()), NOTEMPTY);
    let removed_but_open = Case::start_at(
        "d/f",
        "(call $check (call $path_create_directory (i32.const 4) (i32.const 1024) (i32.const 1)))
         (i32.store (i32.const 40) (call $open (i32.const 4) (i32.const 1) (i32.const 2) (i64.const 0)))
         (call $check (call $path_remove_directory (i32.const 4) (i32.const 1024) (i32.const 1)))
         (call $proc_exit (call $path_open (i32.load (i32.const 40)) (i32.const 0) (i32.const 1026) (i32.const 1)
           (i32.const 1) (i64.const 66) (i64.const 0) (i32.const 0) (i32.const 2048)))",
    );
    assert_eq!(code(&removed_but_open.run()), NOENT);
}

/// Lists `/in` with the given buffer size and returns the names in the order of the listing.
fn list(len: u32, files: &[&str]) -> Vec<String> {
    let body = format!(
        "(local $cookie i64) (local $at i32) (local $end i32) (local $next i32)
         (block $done (loop $more
           (call $check (call $fd_readdir (i32.const 3) (i32.const 4096) (i32.const {len}) (local.get $cookie)
             (i32.const 2048)))
           (local.set $at (i32.const 4096))
           (local.set $end (i32.add (local.get $at) (i32.load (i32.const 2048))))
           (loop $entry
             (br_if $done (i32.eq (local.get $at) (local.get $end)))
             (if (i32.le_u (i32.add (local.get $at) (i32.const 24)) (local.get $end)) (then
               (local.set $next (i32.add (i32.add (local.get $at) (i32.const 24))
                 (i32.load offset=16 (local.get $at))))
               (if (i32.le_u (local.get $next) (local.get $end)) (then
                 (call $say (i32.add (local.get $at) (i32.const 24)) (i32.load offset=16 (local.get $at)))
                 (call $say (i32.const 1024) (i32.const 1))
                 (local.set $cookie (i64.load (local.get $at)))
                 (local.set $at (local.get $next))
                 (br_if $more (i32.eq (local.get $at) (local.get $end)))
                 (br $entry)))))
             (br $more))))"
    );
    let case = files.iter().fold(Case::start_at(" ", &body), |case, name| case.file(name, "x"));
    let output = case.limit(|limits| limits.fuel = 10_000_000).run();
    assert_eq!(code(&output), 0);
    String::from_utf8(output.stdout).unwrap().split_whitespace().map(str::to_owned).collect()
}

#[test]
fn lists_directories_through_any_buffer() {
    let files = ["alpha", "beta/x", "gamma", "a-name-that-is-a-little-longer"];
    let expected = [".", "..", "alpha", "beta", "gamma", "a-name-that-is-a-little-longer"];
    for len in [64, 65, 100, 1_000] {
        assert_eq!(list(len, &files), expected, "{len}");
    }
}

#[test]
fn refuses_input_names_that_do_not_fit() {
    let long = "x".repeat(256);
    for name in ["", "/abs", "a//b", "../a", "a/..", "a/.", "nul\0", "f", "f/below", "d", &long] {
        let case = Case::start("").file("f", "").file("d/e", "").file(name, "");
        let (module, input) = case.into_parts();
        let answer = engine().run(&module, input);
        assert!(matches!(answer, Err(RunError::InputFile { .. })), "{name}: {answer:?}");
    }
}

#[test]
fn refuses_more_input_than_the_limit() {
    let case = Case::start("").file("f", vec![0; 11]).limit(|limits| limits.files_bytes = 10);
    let (module, input) = case.into_parts();
    assert!(matches!(engine().run(&module, input), Err(RunError::InputTooLarge { bytes: 11, max: 10 })));
}
