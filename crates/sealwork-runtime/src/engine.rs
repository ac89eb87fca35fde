//! The engine's settings, and turning bytes into a program.

use crate::{
    error::{HostError, ModuleError, RunError},
    process::Process,
    sections::has_start_section,
    wasi,
};
use sealwork_types::params::MAX_MODULE_BYTES;
use std::{collections::BTreeSet, fmt};
use wasmtime::{Config, ExternType, InstancePre, Linker, OptLevel, WasmFeatures};

/// Native stack of a program, bytes. Deeper recursion traps.
const PROGRAM_STACK_BYTES: usize = 2 << 20;
/// Native stack of a program and of the offered functions that it calls, bytes.
const FIBER_STACK_BYTES: usize = 3 << 20;

/// Compiles and runs programs. Make one per process; it holds no state of any run.
pub struct Engine {
    pub(crate) engine: wasmtime::Engine,
    linker: Linker<Process>,
    offered: BTreeSet<&'static str>,
}

/// A compiled program whose imports are all offered. It can run any number of times.
pub struct Module {
    pub(crate) instance: InstancePre<Process>,
}

impl Engine {
    /// Sets the engine up. This is the only time it looks at the machine's CPU and installs signal handlers, so do it
    /// before giving up rights.
    ///
    /// # Errors
    /// [`RunError::Setup`] when the machine cannot run the generated code.
    pub fn new() -> Result<Self, RunError> {
        Self::try_new().map_err(|error| RunError::Setup(HostError::new(error)))
    }

    fn try_new() -> wasmtime::Result<Self> {
        let engine = wasmtime::Engine::new(&config())?;
        let mut linker = Linker::new(&engine);
        let offered = wasi::offer(&mut linker)?;
        Ok(Self { engine, linker, offered })
    }

    /// Checks and compiles a WebAssembly binary. Takes time and memory in proportion to its size.
    ///
    /// # Errors
    /// [`ModuleError`] says what is wrong with the module.
    pub fn compile(&self, bytes: &[u8]) -> Result<Module, ModuleError> {
        if bytes.len() > MAX_MODULE_BYTES {
            return Err(ModuleError::TooLarge { bytes: bytes.len(), max: MAX_MODULE_BYTES });
        }
        let invalid = |error: wasmtime::Error| ModuleError::Invalid { detail: format!("{error:#}") };
        let module = wasmtime::Module::from_binary(&self.engine, bytes).map_err(invalid)?;
        for import in module.imports() {
            if import.module() != wasi::MODULE || !self.offered.contains(import.name()) {
                let (module, name) = (import.module().to_owned(), import.name().to_owned());
                return Err(ModuleError::UnknownImport { module, name });
            }
        }
        check_exports(&module)?;
        if has_start_section(bytes) {
            return Err(ModuleError::StartSection);
        }
        self.prepare(&module)
    }

    /// Links a checked program with what is offered to it.
    pub(crate) fn prepare(&self, module: &wasmtime::Module) -> Result<Module, ModuleError> {
        let import_type = |error: wasmtime::Error| ModuleError::ImportType { detail: format!("{error:#}") };
        Ok(Module { instance: self.linker.instantiate_pre(module).map_err(import_type)? })
    }
}

fn check_exports(module: &wasmtime::Module) -> Result<(), ModuleError> {
    match module.get_export("_start") {
        Some(ExternType::Func(start)) if start.params().len() == 0 && start.results().len() == 0 => {}
        _ => return Err(ModuleError::NoEntryPoint),
    }
    match module.get_export("memory") {
        Some(ExternType::Memory(memory)) if !memory.is_64() && !memory.is_shared() => Ok(()),
        _ => Err(ModuleError::NoMemory),
    }
}

/// What WASI preview 1 compilers emit today, and nothing else.
fn features() -> WasmFeatures {
    WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::FLOATS
        | WasmFeatures::SIMD
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_features(WasmFeatures::all() & !features(), false)
        .wasm_features(features(), true)
        .consume_fuel(true)
        .max_wasm_stack(PROGRAM_STACK_BYTES)
        .async_stack_size(FIBER_STACK_BYTES)
        .cranelift_opt_level(OptLevel::Speed)
        .cranelift_nan_canonicalization(false)
        // An image of initial memory would be an anonymous file, and confined enclaves may not make files.
        .memory_init_cow(false)
        .native_unwind_info(false)
        // A trace would name the program's functions in messages that leave the enclave.
        .wasm_backtrace_max_frames(None);
    config
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").finish_non_exhaustive()
    }
}
