//! Builds and runs programs in WebAssembly text.

use sealwork_runtime::{BatchInput, BatchOutput, Engine, InputFile, Module, ModuleError};
use sealwork_types::policy::Limits;
use std::{collections::BTreeMap, io::Read, sync::OnceLock};

/// Every offered function with its parameters: `i` is `i32`, `p` an `i32` that points into memory, `l` is `i64`.
pub(crate) const FUNCTIONS: &[(&str, &str)] = &[
    ("args_get", "pp"),
    ("args_sizes_get", "pp"),
    ("environ_get", "pp"),
    ("environ_sizes_get", "pp"),
    ("clock_res_get", "ip"),
    ("clock_time_get", "ilp"),
    ("random_get", "pi"),
    ("poll_oneoff", "ppip"),
    ("proc_raise", "i"),
    ("sched_yield", ""),
    ("fd_advise", "illi"),
    ("fd_allocate", "ill"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ip"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "ill"),
    ("fd_filestat_get", "ip"),
    ("fd_filestat_set_size", "il"),
    ("fd_filestat_set_times", "illi"),
    ("fd_prestat_get", "ip"),
    ("fd_prestat_dir_name", "ipi"),
    ("fd_pread", "ipilp"),
    ("fd_pwrite", "ipilp"),
    ("fd_read", "ipip"),
    ("fd_readdir", "ipilp"),
    ("fd_renumber", "ii"),
    ("fd_seek", "ilip"),
    ("fd_sync", "i"),
    ("fd_tell", "ip"),
    ("fd_write", "ipip"),
    ("path_create_directory", "ipi"),
    ("path_filestat_get", "iipip"),
    ("path_filestat_set_times", "iipilli"),
    ("path_link", "iipiipi"),
    ("path_open", "iipiillip"),
    ("path_readlink", "ipipip"),
    ("path_remove_directory", "ipi"),
    ("path_rename", "ipiipi"),
    ("path_symlink", "piipi"),
    ("path_unlink_file", "ipi"),
    ("sock_accept", "iip"),
    ("sock_recv", "ipiipp"),
    ("sock_send", "ipiip"),
    ("sock_shutdown", "ii"),
];

/// A module that imports every function under its own name and has one page of memory.
pub(crate) fn program(body: &str) -> String {
    let mut text = String::from("(module\n");
    for (name, parameters) in FUNCTIONS {
        let types: String = parameters.chars().map(|c| if c == 'l' { " i64" } else { " i32" }).collect();
        text += &format!(
            "(import \"wasi_snapshot_preview1\" \"{name}\" (func ${name} (param{types}) (result i32)))\n"
        );
    }
    text += "(import \"wasi_snapshot_preview1\" \"proc_exit\" (func $proc_exit (param i32)))\n";
    text + "(memory (export \"memory\") 1)\n" + body + ")"
}

/// Path name at 1024, result cell at 2048, one buffer descriptor at 8 for 64 bytes at 4096.
pub(crate) const DATA: &str = r#"
  (data (i32.const 8) "\00\10\00\00\40\00\00\00")
  (func $say (param $at i32) (param $len i32)
    (i32.store (i32.const 24) (local.get $at))
    (i32.store (i32.const 28) (local.get $len))
    (call $check (call $fd_write (i32.const 1) (i32.const 24) (i32.const 1) (i32.const 32))))
  (func $check (param $errno i32)
    (if (local.get $errno) (then (call $proc_exit (local.get $errno)))))
  (func $open (param $dir i32) (param $len i32) (param $how i32) (param $rights i64) (result i32)
    (call $check (call $path_open (local.get $dir) (i32.const 0) (i32.const 1024) (local.get $len)
      (local.get $how) (local.get $rights) (i64.const 0) (i32.const 0) (i32.const 2048)))
    (i32.load (i32.const 2048)))
"#;

/// One engine for all tests of a process.
pub(crate) fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new().unwrap())
}

/// Compiles WebAssembly text.
pub(crate) fn compile(text: &str) -> Result<Module, ModuleError> {
    engine().compile(&wat::parse_str(text).unwrap())
}

/// A program and its input.
pub(crate) struct Case {
    module: Module,
    pub(crate) args: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) files: Vec<InputFile>,
    pub(crate) stdin: Box<dyn Read>,
    pub(crate) limits: Limits,
    pub(crate) seed: [u8; 32],
}

impl Case {
    /// A program of every import and [`DATA`], with the given `_start`.
    pub(crate) fn start(body: &str) -> Self {
        Self::text(&program(&format!("{DATA}(func (export \"_start\") {body})")))
    }

    /// A path at 1024 and a `_start`.
    pub(crate) fn start_at(path: &str, body: &str) -> Self {
        Self::text(&program(&format!(
            "{DATA}(data (i32.const 1024) \"{path}\")(func (export \"_start\") {body})"
        )))
    }

    pub(crate) fn text(text: &str) -> Self {
        Self::of(compile(text).unwrap())
    }

    pub(crate) fn of(module: Module) -> Self {
        Self {
            module,
            args: Vec::new(),
            environment: BTreeMap::new(),
            files: Vec::new(),
            stdin: Box::new(std::io::empty()),
            limits: Limits::default(),
            seed: [0; 32],
        }
    }

    pub(crate) fn file(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push(InputFile { name: name.to_owned(), bytes: bytes.into() });
        self
    }

    pub(crate) fn limit(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    pub(crate) fn into_parts(self) -> (Module, BatchInput<'static>) {
        let Self { module, args, environment, files, stdin, limits, seed } = self;
        let now_unix_s = 1_800_000_000;
        (module, BatchInput { args, environment, files, stdin, random_seed: seed, now_unix_s, limits })
    }

    pub(crate) fn run(self) -> BatchOutput {
        let (module, input) = self.into_parts();
        engine().run(&module, input).unwrap()
    }
}
