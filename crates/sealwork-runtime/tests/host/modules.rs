//! Which bytes are programs.

use crate::common::{Case, compile, engine};
use sealwork_runtime::{Exit, ModuleError};

const EMPTY_START: &str = r#"(func (export "_start"))"#;
const MEMORY: &str = r#"(memory (export "memory") 1)"#;

#[test]
fn rejects_bytes_that_are_not_a_module() {
    for bytes in [&b""[..], b"not wasm", b"\0asm\x01\0\0", b"\0asm\x0d\0\x01\0", b"(module)"] {
        assert!(matches!(engine().compile(bytes), Err(ModuleError::Invalid { .. })), "{bytes:?}");
    }
}

#[test]
fn rejects_every_truncation() {
    let whole = wat::parse_str(format!("(module {MEMORY}{EMPTY_START})")).unwrap();
    assert!(engine().compile(&whole).is_ok());
    for len in 0..whole.len() {
        assert!(engine().compile(&whole[..len]).is_err(), "{len} of {} bytes", whole.len());
    }
}

#[test]
fn rejects_too_large_modules_before_reading_them() {
    let bytes = vec![0; sealwork_types::params::MAX_MODULE_BYTES + 1];
    assert!(matches!(engine().compile(&bytes), Err(ModuleError::TooLarge { .. })));
}

#[test]
fn rejects_unknown_imports_by_name() {
    let imports = [
        ("env", "emscripten_run", "(func)"),
        ("wasi_snapshot_preview1", "fd_teleport", "(func)"),
        ("wasi_unstable", "fd_write", "(func (param i32 i32 i32 i32) (result i32))"),
        ("env", "memory", "(memory 1)"),
    ];
    for (module, name, kind) in imports {
        let text = format!("(module (import \"{module}\" \"{name}\" {kind}) {EMPTY_START})");
        match compile(&text) {
            Err(ModuleError::UnknownImport { module: found, name: named }) => {
                assert_eq!((found.as_str(), named.as_str()), (module, name));
            }
            other => panic!("{module}.{name}: {other:?}"),
        }
    }
}

#[test]
fn rejects_an_offered_function_with_another_type() {
    let text = format!(
        "(module (import \"wasi_snapshot_preview1\" \"fd_write\" (func (param i64))) {MEMORY}{EMPTY_START})"
    );
    assert!(matches!(compile(&text), Err(ModuleError::ImportType { .. })));
}

#[test]
fn rejects_programs_without_entry_point_or_memory() {
    let cases = [
        format!("(module {MEMORY})"),
        format!("(module {MEMORY}(func (export \"_start\") (param i32)))"),
        format!("(module {MEMORY}(global (export \"_start\") i32 (i32.const 0)))"),
        format!("(module {MEMORY}(func (export \"main\")))"),
    ];
    for text in cases {
        assert!(matches!(compile(&text), Err(ModuleError::NoEntryPoint)), "{text}");
    }
    let without_memory = format!("(module {EMPTY_START})");
    assert!(matches!(compile(&without_memory), Err(ModuleError::NoMemory)));
}

#[test]
fn rejects_code_before_the_entry_point() {
    let text = format!("(module {MEMORY}{EMPTY_START}(func $early (loop $l (br $l))) (start $early))");
    assert!(matches!(compile(&text), Err(ModuleError::StartSection)));
}

#[test]
fn charges_no_fuel_for_data() {
    let data = "x".repeat(10_000);
    let text = format!("(module {MEMORY}{EMPTY_START}(data (i32.const 0) \"{data}\"))");
    assert_eq!(Case::text(&text).run().fuel, 1);
}

#[test]
fn rejects_proposals_that_no_batch_compiler_needs() {
    let cases = [
        format!("(module (memory (export \"memory\") i64 1){EMPTY_START})"),
        format!("(module (memory (export \"memory\") 1 1 shared){EMPTY_START})"),
        format!("(module {MEMORY}(memory 1){EMPTY_START})"),
        format!("(module {MEMORY}(func $f (return_call $f)){EMPTY_START})"),
        format!("(module {MEMORY}(tag (param i32)){EMPTY_START})"),
        format!("(module {MEMORY}(type (struct)){EMPTY_START})"),
        format!(
            "(module {MEMORY}(func (param v128 v128) (result v128)
            (i8x16.relaxed_swizzle (local.get 0) (local.get 1))){EMPTY_START})"
        ),
    ];
    for text in cases {
        assert!(matches!(compile(&text), Err(ModuleError::Invalid { .. })), "{text}");
    }
}

#[test]
fn runs_a_module_without_imports() {
    let output = Case::text(&format!("(module {MEMORY}{EMPTY_START})")).run();
    assert!(matches!(output.exit, Exit::Code(0)));
}

#[test]
fn accepts_simd_and_other_features_of_todays_compilers() {
    let text = format!(
        r#"(module {MEMORY} (table 1 funcref) (global i32 (i32.add (i32.const 1) (i32.const 2)))
        (func (result i32 i32) (i32.const 1) (i32.extend8_s (i32.const 2)))
        (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 8)))
        (func (result i32) (i32.trunc_sat_f64_s (f64.const 1e300)))
        (func (result v128) (i32x4.splat (i32.const 1))){EMPTY_START})"#
    );
    assert!(compile(&text).is_ok());
}
