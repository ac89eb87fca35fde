//! What can go wrong outside a guest program. What a guest program does wrong is a [`crate::Exit`].

/// Why bytes are not a program that this runtime runs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleError {
    /// The module is larger than the network allows.
    #[error("the module has {bytes} bytes, at most {max} are allowed")]
    TooLarge {
        /// Size of the module.
        bytes: usize,
        /// Largest size.
        max: usize,
    },
    /// The bytes are not a WebAssembly module, or use a proposal that is switched off.
    #[error("the bytes are not a valid WebAssembly core module: {detail}")]
    Invalid {
        /// What the validator or compiler says.
        detail: String,
    },
    /// The module imports something that the runtime does not offer.
    #[error("the module imports `{module}`.`{name}`; only functions of `wasi_snapshot_preview1` are offered")]
    UnknownImport {
        /// Module part of the import.
        module: String,
        /// Name part of the import.
        name: String,
    },
    /// An offered function is imported with another signature.
    #[error("an import does not have the type of the offered function: {detail}")]
    ImportType {
        /// Which import, and both types.
        detail: String,
    },
    /// The module does not export the function `_start`.
    #[error(
        "the module does not export a function `_start` without parameters and results; build a WASI command"
    )]
    NoEntryPoint,
    /// The module runs code before `_start`, where its fuel could not be told from the host's own work.
    #[error("the module has a start section; a WASI command starts at its export `_start` only")]
    StartSection,
    /// The module does not export its memory.
    #[error("the module does not export a 32-bit memory named `memory`")]
    NoMemory,
}

/// Why a run could not be started or finished for a reason that is not the program's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The engine cannot be set up on this machine.
    #[error("the WebAssembly engine cannot be set up")]
    Setup(#[source] HostError),
    /// The host could not give the instance its memory or stack.
    #[error("the host could not create the instance")]
    Host(#[source] HostError),
    /// An argument or environment variable contains a zero byte, or there are too many of them.
    #[error("{what} {problem}")]
    Text {
        /// Which argument or variable.
        what: String,
        /// What is wrong and what would be right.
        problem: &'static str,
    },
    /// An input file cannot be placed under `/in`.
    #[error("input file `{name}` {problem}")]
    InputFile {
        /// Name as given.
        name: String,
        /// What is wrong and what would be right.
        problem: &'static str,
    },
    /// The input files are larger than the limits allow.
    #[error("the input files have {bytes} bytes together, the limits allow {max}")]
    InputTooLarge {
        /// Sum of all files.
        bytes: u64,
        /// `Limits::files_bytes`.
        max: u64,
    },
}

/// An error of the WebAssembly engine, opaque so that nobody else needs to name the engine.
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
pub struct HostError(wasmtime::Error);

impl HostError {
    pub(crate) const fn new(error: wasmtime::Error) -> Self {
        Self(error)
    }
}
