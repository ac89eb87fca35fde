//! What a program sees beside files: arguments, environment, streams, clock, randomness, exit codes.

use crate::common::{Case, DATA, engine, program};
use sealwork_runtime::{Exit, RunError};
use std::io::{self, Read};

#[test]
fn passes_arguments_after_the_program_name() {
    let mut case = Case::start(
        "(call $check (call $args_sizes_get (i32.const 40) (i32.const 44)))
         (call $check (call $args_get (i32.const 1024) (i32.const 2048)))
         (call $say (i32.const 40) (i32.const 4))
         (call $say (i32.load (i32.const 1028)) (i32.sub (i32.load (i32.const 44)) (i32.const 4)))",
    );
    case.args = vec!["--fast".to_owned(), String::new(), "ü".to_owned()];
    assert_eq!(case.run().stdout, [&[4, 0, 0, 0][..], "--fast\0\0ü\0".as_bytes()].concat());
}

#[test]
fn passes_only_the_given_environment() {
    let mut case = Case::start(
        "(call $check (call $environ_sizes_get (i32.const 40) (i32.const 44)))
         (call $check (call $environ_get (i32.const 1024) (i32.const 2048)))
         (call $say (i32.const 2048) (i32.load (i32.const 44)))",
    );
    case.environment = [("B", "2"), ("A", "x=y")].map(|(n, v)| (n.to_owned(), v.to_owned())).into();
    assert_eq!(case.run().stdout, b"A=x=y\0B=2\0");
}

#[test]
fn refuses_text_with_a_zero_byte() {
    let mut case = Case::start("");
    case.args = vec!["a\0b".to_owned()];
    let (module, input) = case.into_parts();
    assert!(matches!(engine().run(&module, input), Err(RunError::Text { .. })));
}

const ECHO: &str = "(loop $more
    (call $check (call $fd_read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 2048)))
    (call $say (i32.const 4096) (i32.load (i32.const 2048)))
    (br_if $more (i32.load (i32.const 2048))))";

#[test]
fn echoes_standard_input() {
    let text: Vec<u8> = (0..=255).cycle().take(1_000).collect();
    let mut case = Case::start(ECHO);
    case.stdin = Box::new(io::Cursor::new(text.clone()));
    assert_eq!(case.run().stdout, text);
}

#[test]
fn passes_short_and_interrupted_reads_on() {
    struct Moody(u8);
    impl Read for Moody {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 | 3 => Err(io::ErrorKind::Interrupted.into()),
                2 | 4 => Ok((&b"xy"[..]).read(buffer)?),
                _ => Ok(0),
            }
        }
    }
    let mut case = Case::start(ECHO);
    case.stdin = Box::new(Moody(0));
    assert_eq!(case.run().stdout, b"xyxy");
}

#[test]
fn ends_when_standard_input_fails() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::InvalidData, "tag does not match"))
        }
    }
    let mut case = Case::start(ECHO);
    case.stdin = Box::new(Broken);
    match case.run().exit {
        Exit::StdinFailed(error) => assert_eq!(error.kind(), io::ErrorKind::InvalidData),
        other => panic!("{other:?}"),
    }
}

#[test]
fn borrows_standard_input() {
    let mut text = &b"borrowed"[..];
    let (module, input) = Case::start(
        "(call $check (call $fd_read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 2048)))",
    )
    .into_parts();
    let input = sealwork_runtime::BatchInput { stdin: Box::new((&mut text).take(3)), ..input };
    engine().run(&module, input).unwrap();
    assert_eq!(text, b"rowed");
}

#[test]
fn streams_a_gibibyte_in_constant_memory() {
    let body = format!(
        r#"{DATA} (func (export "_start") (local $sum i64)
          (i64.store (i32.const 8) (i64.const 0x0000_f000_0000_1000))
          (loop $more
            (call $check (call $fd_read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 2048)))
            (local.set $sum (i64.add (local.get $sum) (i64.load32_u (i32.const 2048))))
            (br_if $more (i32.load (i32.const 2048))))
          (i64.store (i32.const 40) (local.get $sum))
          (call $say (i32.const 40) (i32.const 8)))"#
    );
    let mut case = Case::text(&program(&body)).limit(|limits| limits.memory_bytes = 65_536);
    case.stdin = Box::new(io::repeat(7).take(1 << 30));
    let output = case.run();
    assert!(matches!(output.exit, Exit::Code(0)), "{:?}", output.exit);
    assert_eq!(output.stdout, (1_u64 << 30).to_le_bytes());
}

#[test]
fn reports_exit_codes() {
    for code in [0, 1, 108, 255, -1] {
        let output = Case::start(&format!("(call $proc_exit (i32.const {code}))")).run();
        assert!(matches!(output.exit, Exit::Code(found) if found == code), "{:?}", output.exit);
    }
}

#[test]
fn reports_traps_without_data() {
    let cases = [
        ("(unreachable)", "unreachable"),
        ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", "divide by zero"),
        ("(drop (i32.load (i32.const -4)))", "out of bounds"),
        ("(drop (call $proc_raise (i32.const 6)))", "signal 6"),
    ];
    for (body, expected) in cases {
        match Case::start(body).run().exit {
            Exit::Trap(text) => assert!(text.contains(expected), "{text}"),
            other => panic!("{other:?}"),
        }
    }
}

const RANDOM: &str = "(call $check (call $random_get (i32.const 4096) (i32.const 48)))
    (call $say (i32.const 4096) (i32.const 48))";

#[test]
fn random_numbers_depend_on_the_seed_only() {
    let run = |seed| {
        let mut case = Case::start(RANDOM);
        case.seed = [seed; 32];
        case.run().stdout
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

const CLOCKS: &str = "(call $check (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 4096)))
    (call $check (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 4104)))
    (call $check (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 4112)))
    (call $say (i32.const 4096) (i32.const 24))";

fn times(bytes: &[u8]) -> Vec<u64> {
    bytes.chunks(8).map(|chunk| u64::from_le_bytes(chunk.try_into().unwrap())).collect()
}

#[test]
fn clocks_are_virtual_and_move() {
    let first = Case::start(CLOCKS).run().stdout;
    assert_eq!(first, Case::start(CLOCKS).run().stdout);
    let [real, earlier, later] = times(&first)[..] else { panic!("three times") };
    assert_eq!(real / 1_000_000_000, 1_800_000_000);
    assert!(earlier < later);
}

#[test]
fn sleeping_moves_the_clock_and_not_the_host() {
    let hour = 3_600_000_000_000_u64;
    let started = std::time::Instant::now();
    let output = Case::start(&format!(
        "(i64.store (i32.const 100) (i64.const 77)) (i32.store (i32.const 116) (i32.const 1))
         (i64.store (i32.const 124) (i64.const {hour}))
         (call $check (call $poll_oneoff (i32.const 100) (i32.const 200) (i32.const 1) (i32.const 40)))
         (call $say (i32.const 200) (i32.const 8)) {CLOCKS}"
    ))
    .run();
    let [event, _, monotonic, _] = times(&output.stdout)[..] else { panic!("event and three times") };
    assert_eq!(event, 77);
    assert!(monotonic >= hour && started.elapsed().as_secs() < 60);
}

#[test]
fn fuel_and_output_are_the_same_every_time() {
    let run = || {
        let mut case = Case::start(&format!("{RANDOM} {CLOCKS} {ECHO}"));
        case.stdin = Box::new(io::repeat(3).take(1_000));
        let output = case.run();
        (output.fuel, output.stdout)
    };
    assert_eq!(run(), run());
}

#[test]
fn runs_share_nothing() {
    let (module, first) = Case::start(
        "(i32.store (i32.const 4096) (i32.add (i32.load (i32.const 4096)) (i32.const 1)))
         (call $say (i32.const 4096) (i32.const 4))",
    )
    .into_parts();
    let (_, second) = Case::start("").into_parts();
    assert_eq!(engine().run(&module, first).unwrap().stdout, [1, 0, 0, 0]);
    assert_eq!(engine().run(&module, second).unwrap().stdout, [1, 0, 0, 0]);
}
