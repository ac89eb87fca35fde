//! Pointers, lengths and descriptors chosen to break the host.

use crate::common::{Case, DATA, FUNCTIONS, program};
use sealwork_runtime::Exit;
use std::fmt::Write;

const FAULT: i32 = 21;
const NOTSUP: i32 = 58;
const LAST_BYTE: i64 = 65_535;

/// Arguments with which a function succeeds, or fails for a reason other than its pointers. Descriptor 6 is a file
/// named `f` in `/out`, memory at 100 holds a clock subscription, at 8 one buffer, at 1024 the text `fg`.
fn plain_arguments(name: &str) -> Option<&'static [i64]> {
    Some(match name {
        "args_get" | "environ_get" | "args_sizes_get" | "environ_sizes_get" => &[3000, 3100],
        "clock_res_get" => &[0, 3000],
        "clock_time_get" => &[0, 0, 3000],
        "random_get" => &[3000, 8],
        "poll_oneoff" => &[100, 200, 1, 3000],
        "fd_fdstat_get" | "fd_filestat_get" | "fd_tell" => &[6, 3000],
        "fd_prestat_get" => &[3, 3000],
        "fd_prestat_dir_name" => &[3, 3000, 3],
        "fd_pread" | "fd_pwrite" => &[6, 8, 1, 0, 3000],
        "fd_read" | "fd_write" => &[6, 8, 1, 3000],
        "fd_readdir" => &[4, 3000, 100, 0, 3200],
        "fd_seek" => &[6, 0, 0, 3000],
        "path_create_directory" => &[4, 1025, 1],
        "path_filestat_get" => &[4, 0, 1024, 1, 3000],
        "path_filestat_set_times" => &[4, 0, 1024, 1, 0, 0, 0],
        "path_link" => &[4, 0, 1024, 1, 4, 1025, 1],
        "path_open" => &[4, 0, 1024, 1, 0, 2, 0, 0, 3000],
        "path_readlink" => &[4, 1024, 1, 3000, 8, 3100],
        "path_remove_directory" | "path_unlink_file" => &[4, 1024, 1],
        "path_rename" => &[4, 1024, 1, 4, 1025, 1],
        "path_symlink" => &[1024, 1, 4, 1025, 1],
        _ => return None,
    })
}

const SETUP: &str = r#"(data (i32.const 1024) "fg")
  (func $setup
    (i32.store (i32.const 116) (i32.const 1))
    (drop (call $open (i32.const 4) (i32.const 1) (i32.const 1) (i64.const 66))))"#;

fn call(name: &str, parameters: &str, arguments: &[i64]) -> String {
    let mut text = format!("(call ${name}");
    for (kind, value) in parameters.chars().zip(arguments) {
        let width = if kind == 'l' { "i64" } else { "i32" };
        write!(text, " ({width}.const {value})").unwrap();
    }
    text + ")"
}

fn errno_of(call: &str) -> i32 {
    let body = format!("{DATA}{SETUP}(func (export \"_start\") (call $setup) (call $proc_exit {call}))");
    let mut case = Case::text(&program(&body));
    case.args = vec!["argument".to_owned()];
    case.environment = [("NAME".to_owned(), "value".to_owned())].into();
    match case.run().exit {
        Exit::Code(code) => code,
        other => panic!("{call}: {other:?}"),
    }
}

#[test]
fn every_pointer_out_of_range_is_a_fault() {
    for (name, parameters) in FUNCTIONS {
        let pointers = parameters.char_indices().filter(|(_, kind)| *kind == 'p').map(|(index, _)| index);
        let Some(plain) = plain_arguments(name) else {
            assert!(pointers.count() == 0 || name.starts_with("sock_"), "{name} has no plain arguments");
            continue;
        };
        assert_ne!(errno_of(&call(name, parameters, plain)), FAULT, "{name} with plain arguments");
        for index in pointers {
            for bad in [-1, -8, 0x7fff_ffff, 65_536, LAST_BYTE] {
                // One byte is enough for paths of one byte.
                let is_path =
                    parameters[index..].starts_with("pi") && plain[index + 1] == 1 && plain[index] != 8;
                let arguments: Vec<_> = plain
                    .iter()
                    .enumerate()
                    .map(|(at, value)| if at == index { bad } else { *value })
                    .collect();
                let errno = errno_of(&call(name, parameters, &arguments));
                let expected = errno == FAULT || (is_path && bad == LAST_BYTE);
                assert!(expected, "{name}{arguments:?} gives {errno}");
            }
        }
    }
}

#[test]
fn every_length_out_of_range_is_refused() {
    for (name, parameters) in FUNCTIONS {
        let Some(plain) = plain_arguments(name) else { continue };
        for (index, _) in parameters.match_indices("pi") {
            for bad in [-1, 0x7fff_ffff, 65_536] {
                let mut arguments = plain.to_vec();
                arguments[index + 1] = bad;
                let errno = errno_of(&call(name, parameters, &arguments));
                assert_ne!(errno, 0, "{name}{arguments:?}");
            }
        }
    }
}

#[test]
fn buffers_that_point_outside_are_faults() {
    for (address, len) in [(65_536, 1), (-1, 1), (4_096, -1), (65_535, 2), (0, 65_537)] {
        for name in ["fd_read", "fd_write"] {
            for fd in [0, 1, 2, 6] {
                let body = format!(
                    "(block (result i32) (i32.store (i32.const 8) (i32.const {address}))
                     (i32.store (i32.const 12) (i32.const {len}))
                     (call ${name} (i32.const {fd}) (i32.const 8) (i32.const 1) (i32.const 3000)))"
                );
                let errno = errno_of(&body);
                assert_eq!(errno, FAULT, "{name} {fd} {address} {len}");
            }
        }
    }
}

#[test]
fn a_huge_write_is_not_copied() {
    let body = format!(
        r#"{DATA}{SETUP}(func (export "_start") (local $n i32)
          (drop (memory.grow (i32.const 16000)))
          (loop $l
            (i64.store (i32.add (i32.const 100000) (i32.shl (local.get $n) (i32.const 3)))
              (i64.const 0x003d_0900_0000_0000))
            (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 1000))))
          (call $proc_exit (call $fd_write (i32.const 1) (i32.const 100000) (i32.const 1000) (i32.const 32))))"#
    );
    let output = Case::text(&program(&body)).limit(|limits| limits.memory_bytes = 2 << 30).run();
    assert!(matches!(output.exit, Exit::OutputLimit), "{:?}", output.exit);
    assert!(output.stdout.capacity() < 1 << 20);
}

#[test]
fn sockets_are_not_supported() {
    for (name, parameters) in FUNCTIONS.iter().filter(|(name, _)| name.starts_with("sock_")) {
        assert_eq!(errno_of(&call(name, parameters, &[-1; 6])), NOTSUP, "{name}");
    }
}

/// A small generator is enough to choose odd values; the seed stands in the failure.
struct Chooser(u64);

impl Chooser {
    fn pick(&mut self, values: &[i64]) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        values[usize::try_from(self.0 >> 33).unwrap() % values.len()]
    }
}

#[test]
fn no_sequence_of_odd_calls_breaks_the_host() {
    const ODD: &[i64] = &[
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        100,
        1024,
        1025,
        3000,
        65_535,
        65_536,
        -1,
        i64::MIN,
        i64::MAX,
        1 << 31,
        66,
    ];
    for seed in 0..40 {
        let mut chooser = Chooser(seed);
        let mut body = String::from("(call $setup)");
        for _ in 0..250 {
            let index = usize::try_from(chooser.0 >> 40).unwrap() % FUNCTIONS.len();
            let (name, parameters) = FUNCTIONS[index];
            let arguments: Vec<_> = parameters
                .chars()
                .map(|kind| match (chooser.pick(ODD), kind) {
                    (value, 'l') => value,
                    (value, _) => i64::from(u32::try_from(value & 0xffff_ffff).unwrap()),
                })
                .collect();
            chooser.pick(ODD);
            if !matches!(name, "proc_raise" | "fd_filestat_set_size" | "fd_allocate" | "fd_pwrite") {
                write!(body, "(drop {})", call(name, parameters, &arguments)).unwrap();
            }
        }
        let text = program(&format!("{DATA}{SETUP}(func (export \"_start\") {body})"));
        let output = Case::text(&text).limit(|limits| limits.output_bytes = 1 << 30).run();
        assert!(matches!(output.exit, Exit::Code(0)), "seed {seed}: {:?}", output.exit);
    }
}
