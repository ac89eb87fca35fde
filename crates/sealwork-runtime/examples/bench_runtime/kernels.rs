//! Three kernels through the runtime, through the engine itself with the same settings, and natively.
//!
//! What the runtime adds is its linking, its limits, a fiber, and a look at the deadline every million units of fuel; the
//! engine called directly counts fuel too, because that is part of the generated code.

use super::{report, run, timed};
use sealwork_runtime::Engine;
use std::{hint::black_box, time::Duration};
use wasmtime::{Config, Instance, Module, OptLevel, Store};

const MATRIX: usize = 160;
const NUMBERS: u32 = 400_000;
const HASHED: u32 = 48 << 20;

/// Runs each kernel three ways, in turn.
pub(super) fn compare(engine: &Engine) {
    let direct = wasmtime::Engine::new(&config()).unwrap();
    let kernels: [(&str, String, fn()); 3] =
        [("hash", hash(), native_hash), ("matrix", matrix(), native_matrix), ("sort", sort(), native_sort)];
    for (name, text, native) in kernels {
        let bytes = wat::parse_str(text).unwrap();
        let ours = engine.compile(&bytes).unwrap();
        let theirs = Module::from_binary(&direct, &bytes).unwrap();
        // The first time touches fresh memory.
        call(&direct, &theirs);
        run(engine, &ours, &[]);
        let runtime = timed(|| {
            run(engine, &ours, &[]);
        });
        let bare = timed(|| call(&direct, &theirs));
        let native = timed(native);
        for (way, took) in [("runtime", runtime), ("wasmtime", bare), ("native", native)] {
            report(&format!("kernel::{way}/{name}"), "ms", milliseconds(took));
        }
    }
}

fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

/// What the runtime's engine is set to, as far as it changes code.
fn config() -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .cranelift_opt_level(OptLevel::Speed)
        .memory_init_cow(false)
        .native_unwind_info(false)
        .max_wasm_stack(2 << 20);
    config
}

fn call(engine: &wasmtime::Engine, module: &Module) {
    let mut store = Store::new(engine, ());
    store.set_fuel(u64::MAX).unwrap();
    let instance = Instance::new(&mut store, module, &[]).unwrap();
    instance.get_typed_func::<(), ()>(&mut store, "_start").unwrap().call(&mut store, ()).unwrap();
}

/// Mixes words of a megabyte of memory again and again.
fn hash() -> String {
    format!(
        r#"(module (memory (export "memory") 17) (func (export "_start") (local $i i32) (local $h i64)
  (loop $next
   (local.set $h (i64.mul (i64.rotl (i64.xor (local.get $h) (i64.load (i32.and (local.get $i) (i32.const 0xffff8))))
                                    (i64.const 23)) (i64.const 0x9E3779B97F4A7C15)))
   (local.set $i (i32.add (local.get $i) (i32.const 8)))
   (br_if $next (i32.lt_u (local.get $i) (i32.const {HASHED}))))
  (i64.store (i32.const 0) (local.get $h))))"#
    )
}

fn native_hash() {
    let memory = black_box(vec![0_u64; 1 << 17]);
    let mut hash = 0_u64;
    for index in 0..HASHED as usize / 8 {
        let word = memory.get(index & 0x1_ffff).copied().unwrap_or_default();
        hash = (hash ^ word).rotate_left(23).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    black_box(hash);
}

/// Multiplies two square matrices of doubles.
fn matrix() -> String {
    let (n, row, second, product) = (MATRIX, MATRIX * 8, MATRIX * MATRIX * 8, MATRIX * MATRIX * 16);
    format!(
        r#"(module (memory (export "memory") 12) (func (export "_start") (local $i i32) (local $j i32) (local $k i32) (local $s f64)
  (loop $i1 (local.set $j (i32.const 0))
   (loop $j1 (local.set $k (i32.const 0)) (local.set $s (f64.const 1))
    (loop $k1
     (local.set $s (f64.add (local.get $s) (f64.mul
      (f64.load (i32.add (i32.mul (local.get $i) (i32.const {row})) (i32.shl (local.get $k) (i32.const 3))))
      (f64.load offset={second} (i32.add (i32.mul (local.get $k) (i32.const {row})) (i32.shl (local.get $j) (i32.const 3)))))))
     (br_if $k1 (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (i32.const {n}))))
    (f64.store offset={product} (i32.add (i32.mul (local.get $i) (i32.const {row})) (i32.shl (local.get $j) (i32.const 3))) (local.get $s))
    (br_if $j1 (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const {n}))))
   (br_if $i1 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {n}))))))"#
    )
}

fn native_matrix() {
    let (left, right) =
        (black_box(vec![0.0_f64; MATRIX * MATRIX]), black_box(vec![0.0_f64; MATRIX * MATRIX]));
    let mut product = vec![0.0_f64; MATRIX * MATRIX];
    for (row, out) in left.chunks(MATRIX).zip(product.chunks_mut(MATRIX)) {
        for (column, cell) in out.iter_mut().enumerate() {
            let column = right.iter().skip(column).step_by(MATRIX);
            *cell = row.iter().zip(column).fold(1.0, |sum, (a, b)| sum + a * b);
        }
    }
    black_box(product);
}

/// Fills memory with pseudorandom numbers and sorts them with Shell's gaps.
fn sort() -> String {
    let bytes = NUMBERS * 4;
    format!(
        r#"(module (memory (export "memory") 32) (func (export "_start")
  (local $i i32) (local $j i32) (local $gap i32) (local $x i32) (local $seed i32)
  (local.set $seed (i32.const 12345))
  (loop $fill
   (local.set $seed (i32.add (i32.mul (local.get $seed) (i32.const 1664525)) (i32.const 1013904223)))
   (i32.store (local.get $i) (local.get $seed))
   (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const {bytes}))))
  (local.set $gap (i32.const {NUMBERS}))
  (loop $gaps
   (local.set $gap (i32.div_u (i32.mul (local.get $gap) (i32.const 4)) (i32.const 9)))
   (if (i32.eqz (local.get $gap)) (then (local.set $gap (i32.const 1))))
   (local.set $i (i32.shl (local.get $gap) (i32.const 2)))
   (loop $items
    (local.set $x (i32.load (local.get $i)))
    (local.set $j (local.get $i))
    (block $placed (loop $shift
     (br_if $placed (i32.lt_u (local.get $j) (i32.shl (local.get $gap) (i32.const 2))))
     (br_if $placed (i32.le_u (i32.load (i32.sub (local.get $j) (i32.shl (local.get $gap) (i32.const 2)))) (local.get $x)))
     (i32.store (local.get $j) (i32.load (i32.sub (local.get $j) (i32.shl (local.get $gap) (i32.const 2)))))
     (local.set $j (i32.sub (local.get $j) (i32.shl (local.get $gap) (i32.const 2))))
     (br $shift)))
    (i32.store (local.get $j) (local.get $x))
    (br_if $items (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const {bytes}))))
   (br_if $gaps (i32.gt_u (local.get $gap) (i32.const 1))))))"#
    )
}

fn native_sort() {
    let mut seed = 12_345_u32;
    let mut numbers: Vec<u32> = (0..NUMBERS)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed
        })
        .collect();
    let mut gap = numbers.len();
    while gap > 1 {
        gap = (gap * 4 / 9).max(1);
        for start in gap..numbers.len() {
            let mut at = start;
            while at >= gap && numbers.get(at - gap) > numbers.get(at) {
                numbers.swap(at, at - gap);
                at -= gap;
            }
        }
    }
    black_box(numbers);
}
