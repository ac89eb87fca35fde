//! What programs see and leave behind.

use crate::common::{Case, engine};
use sealwork_runtime::Exit;

const HELLO: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "\10\00\00\00\06\00\00\00hello\0a")
  (func (export "_start") (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))))"#;

#[test]
fn writes_standard_output() {
    let output = Case::new(HELLO).run();
    assert!(matches!(output.exit, Exit::Code(0)), "{:?}", output.exit);
    assert_eq!(output.stdout, b"hello\n");
    assert!(output.fuel > 0);
}

#[test]
fn uses_the_same_fuel_every_time() {
    assert_eq!(Case::new(HELLO).run().fuel, Case::new(HELLO).run().fuel);
    let _ = engine();
}
