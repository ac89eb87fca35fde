//! Programs that want too much.

use crate::common::{Case, DATA, program};
use sealwork_runtime::{Exit, STDERR_MAX_BYTES};
use std::time::{Duration, Instant};

#[test]
fn ends_an_endless_loop_by_time() {
    let started = Instant::now();
    let output = Case::start("(loop $l (br $l))").limit(|limits| limits.time_ms = 50).run();
    assert!(matches!(output.exit, Exit::TimeLimit), "{:?}", output.exit);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn ends_an_endless_loop_by_fuel() {
    for fuel in [0, 1, 1_000, 999_999, 1_000_000, 3_500_001] {
        let output = Case::start("(loop $l (br $l))").limit(|limits| limits.fuel = fuel).run();
        assert!(matches!(output.exit, Exit::FuelLimit), "{:?}", output.exit);
        assert_eq!(output.fuel, fuel);
    }
}

#[test]
fn ends_endless_calls_by_time_and_by_fuel() {
    let calls = [
        "(drop (call $sched_yield))",
        "(drop (call $random_get (i32.const 0) (i32.const 65536)))",
        "(drop (call $fd_close (i32.const 99)))",
        "(drop (call $fd_read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 2048)))",
    ];
    for call in calls {
        let body = format!("(loop $l {call} (br $l))");
        let timed = Case::start(&body).limit(|limits| limits.time_ms = 30).run();
        assert!(matches!(timed.exit, Exit::TimeLimit), "{call}: {:?}", timed.exit);
        let metered = Case::start(&body).limit(|limits| limits.fuel = 100_000).run();
        assert!(matches!(metered.exit, Exit::FuelLimit), "{call}: {:?}", metered.exit);
        assert_eq!(metered.fuel, 100_000);
    }
}

#[test]
fn ends_infinite_recursion_with_a_trap() {
    let output = Case::text(&program("(func $f (export \"_start\") (call $f) (call $f))")).run();
    assert!(matches!(&output.exit, Exit::Trap(text) if text.contains("stack")), "{:?}", output.exit);
}

const GROW: &str = "(loop $l (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))";

#[test]
fn refuses_memory_beyond_the_limit() {
    let small = |body: &str| Case::start(body).limit(|limits| limits.memory_bytes = 1 << 20).run().exit;
    assert!(matches!(small(&format!("{GROW} (unreachable)")), Exit::MemoryLimit));
    assert!(matches!(small(GROW), Exit::Code(0)));
    assert!(matches!(small(&format!("{GROW} (call $proc_exit (i32.const 2))")), Exit::Code(2)));
    let other = small(&format!("{GROW} (drop (i32.div_u (i32.const 1) (i32.const 0)))"));
    assert!(matches!(other, Exit::Trap(_)), "{other:?}");
    assert!(matches!(small("(unreachable)"), Exit::Trap(_)));
}

#[test]
fn refuses_a_module_that_starts_with_too_much_memory() {
    let text = r#"(module (memory (export "memory") 65536) (func (export "_start")))"#;
    let output = Case::text(text).limit(|limits| limits.memory_bytes = 1 << 20).run();
    assert!(matches!(output.exit, Exit::MemoryLimit), "{:?}", output.exit);
}

#[test]
fn refuses_huge_tables() {
    let text = r#"(module (memory (export "memory") 1) (table $t 1 funcref) (func (export "_start")
      (loop $l (br_if $l (i32.ne (table.grow $t (ref.null func) (i32.const 65536)) (i32.const -1))))))"#;
    assert!(matches!(Case::text(text).run().exit, Exit::Code(0)));
    let text = r#"(module (memory (export "memory") 1) (table 4000000000 funcref) (func (export "_start")))"#;
    let (module, input) = Case::text(text).into_parts();
    let ended = crate::common::engine().run(&module, input);
    assert!(!matches!(ended, Ok(ref output) if matches!(output.exit, Exit::Code(0))), "{ended:?}");
}

#[test]
fn ends_an_output_bomb_within_its_limit() {
    let output = Case::start("(loop $l (call $say (i32.const 0) (i32.const 65536)) (br $l))")
        .limit(|limits| limits.output_bytes = 1_000_000)
        .run();
    assert!(matches!(output.exit, Exit::OutputLimit), "{:?}", output.exit);
    assert!(output.stdout.len() <= 1_000_000);
}

#[test]
fn counts_standard_output_and_files_together() {
    let body = |first: u32, second: u32| {
        format!(
            "(local $fd i32) (call $say (i32.const 0) (i32.const {first}))
             (local.set $fd (call $open (i32.const 4) (i32.const 1) (i32.const 1) (i64.const 64)))
             (i32.store (i32.const 12) (i32.const {second}))
             (call $check (call $fd_write (local.get $fd) (i32.const 8) (i32.const 1) (i32.const 32)))"
        )
    };
    let run = |first, second| {
        Case::start_at("f", &body(first, second)).limit(|limits| limits.output_bytes = 30_000).run()
    };
    let fits = run(10_000, 20_000);
    assert!(matches!(fits.exit, Exit::Code(0)), "{:?}", fits.exit);
    assert_eq!((fits.stdout.len(), fits.files[0].bytes.len()), (10_000, 20_000));
    assert!(matches!(run(10_000, 20_001).exit, Exit::OutputLimit));
}

#[test]
fn checks_sizes_of_sparse_files_before_allocating() {
    let calls = [
        "(call $fd_filestat_set_size (local.get $fd) (i64.const 0x7fff_ffff_ffff))",
        "(call $fd_allocate (local.get $fd) (i64.const 0) (i64.const 0x7fff_ffff_ffff))",
        "(call $fd_pwrite (local.get $fd) (i32.const 8) (i32.const 1) (i64.const 0x7fff_ffff_ffff) (i32.const 32))",
    ];
    for call in calls {
        let body = |dir: u32| {
            format!(
                "(local $fd i32)
                 (local.set $fd (call $open (i32.const {dir}) (i32.const 1) (i32.const 1) (i64.const 64)))
                 (call $proc_exit {call})"
            )
        };
        assert!(matches!(Case::start_at("f", &body(4)).run().exit, Exit::OutputLimit), "{call}");
        // `/tmp` is full, and the program can go on.
        assert!(matches!(Case::start_at("f", &body(5)).run().exit, Exit::Code(51)), "{call}");
    }
}

#[test]
fn frees_the_bytes_of_removed_files() {
    let body = "(local $fd i32) (local $n i32)
        (loop $l
          (local.set $fd (call $open (i32.const 4) (i32.const 1) (i32.const 1) (i64.const 64)))
          (call $check (call $fd_filestat_set_size (local.get $fd) (i64.const 900000)))
          (call $check (call $path_unlink_file (i32.const 4) (i32.const 1024) (i32.const 1)))
          (call $check (call $fd_close (local.get $fd)))
          (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 1000))))";
    let output = Case::start_at("f", body).limit(|limits| limits.output_bytes = 1_000_000).run();
    assert!(matches!(output.exit, Exit::Code(0)), "{:?}", output.exit);
    assert!(output.files.is_empty());
}

#[test]
fn keeps_standard_error_bounded_and_lets_the_program_go_on() {
    let body = format!(
        r#"{DATA} (func (export "_start") (local $n i32)
          (i64.store (i32.const 8) (i64.const 0x0000_f000_0000_1000))
          (loop $l
            (call $check (call $fd_write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 32)))
            (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 1000)))))"#
    );
    let output = Case::text(&program(&body)).run();
    assert!(matches!(output.exit, Exit::Code(0)), "{:?}", output.exit);
    assert_eq!(output.stderr.len(), STDERR_MAX_BYTES);
}

#[test]
fn bounds_the_number_of_files_and_descriptors() {
    let numbered = |make: &str| {
        format!(
            "(local $n i32)
             (loop $l
               (i32.store8 (i32.const 1024) (i32.add (i32.const 33) (i32.rem_u (local.get $n) (i32.const 13))))
               (i32.store8 (i32.const 1025) (i32.add (i32.const 48) (i32.div_u (local.get $n) (i32.const 13))))
               {make}
               (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 5000))))"
        )
    };
    let directories =
        numbered("(call $check (call $path_create_directory (i32.const 4) (i32.const 1024) (i32.const 2)))");
    assert!(matches!(Case::start(&directories).run().exit, Exit::Code(51)));
    let same =
        "(loop $l (drop (call $open (i32.const 4) (i32.const 1) (i32.const 1) (i64.const 64))) (br $l))";
    assert!(matches!(Case::start_at("f", same).run().exit, Exit::Code(33)));
}
