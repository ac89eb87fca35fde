//! Small programs.

const WASI: &str = r#"
 (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes (param i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
 (memory (export "memory") 2)
 (func $say (param $fd i32) (param $at i32) (param $len i32)
  (i32.store (i32.const 0) (local.get $at))
  (i32.store (i32.const 4) (local.get $len))
  (drop (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
"#;

fn program(start: &str) -> Vec<u8> {
    wat::parse_str(format!(
        "(module {WASI} (data (i32.const 32) \"went wrong\") (func (export \"_start\") {start}))"
    ))
    .unwrap()
}

/// Copies standard input to standard output.
pub(crate) fn echo() -> Vec<u8> {
    program(
        "(local $n i32)
         (loop $next
          (i32.store (i32.const 0) (i32.const 64))
          (i32.store (i32.const 4) (i32.const 60000))
          (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 74))))
          (local.set $n (i32.load (i32.const 8)))
          (if (local.get $n) (then (call $say (i32.const 1) (i32.const 64) (local.get $n)) (br $next))))",
    )
}

/// Writes its environment to standard output, each variable with its zero byte.
pub(crate) fn environment() -> Vec<u8> {
    program(
        "(drop (call $environ_sizes (i32.const 16) (i32.const 20)))
         (drop (call $environ (i32.const 1024) (i32.const 8192)))
         (call $say (i32.const 1) (i32.const 8192) (i32.load (i32.const 20)))",
    )
}

/// Ends well without looking at its input.
pub(crate) fn idle() -> Vec<u8> {
    program("")
}

/// Says something on both streams and ends with code 3.
pub(crate) fn exit_three() -> Vec<u8> {
    program(
        "(call $say (i32.const 1) (i32.const 32) (i32.const 4))
         (call $say (i32.const 2) (i32.const 32) (i32.const 10))
         (call $exit (i32.const 3))",
    )
}

/// Complains and traps.
pub(crate) fn trap() -> Vec<u8> {
    program("(call $say (i32.const 2) (i32.const 32) (i32.const 10)) unreachable")
}

/// Reads behind the end of its memory.
pub(crate) fn out_of_bounds() -> Vec<u8> {
    program("(drop (i32.load (i32.const -8)))")
}

/// Calls itself until there is no stack.
pub(crate) fn recursion() -> Vec<u8> {
    wat::parse_str(
        r#"(module (memory (export "memory") 1) (func $down (export "_start") (call $down) (call $down)))"#,
    )
    .unwrap()
}

/// Divides by zero.
pub(crate) fn division() -> Vec<u8> {
    program("(drop (i32.div_u (i32.const 1) (i32.load (i32.const 128))))")
}

/// Never ends.
pub(crate) fn endless() -> Vec<u8> {
    program("(loop $again (br $again))")
}

/// Takes memory until there is none, then gives up.
pub(crate) fn memory_bomb() -> Vec<u8> {
    program("(loop $more (br_if $more (i32.ne (memory.grow (i32.const 64)) (i32.const -1)))) unreachable")
}

/// Writes for ever.
pub(crate) fn output_bomb() -> Vec<u8> {
    program("(loop $more (call $say (i32.const 1) (i32.const 64) (i32.const 60000)) (br $more))")
}

/// Writes 32 random bytes.
pub(crate) fn random() -> Vec<u8> {
    program(
        "(drop (call $random (i32.const 64) (i32.const 32))) (call $say (i32.const 1) (i32.const 64) (i32.const 32))",
    )
}

/// Imports what nobody offers.
pub(crate) fn unknown_import() -> Vec<u8> {
    wat::parse_str(
        r#"(module (import "env" "socket" (func)) (memory (export "memory") 1) (func (export "_start")))"#,
    )
    .unwrap()
}

/// A module without an entry point.
pub(crate) fn no_entry_point() -> Vec<u8> {
    wat::parse_str(r#"(module (memory (export "memory") 1))"#).unwrap()
}
