//! Builds and runs programs in WebAssembly text.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use sealwork_runtime::{BatchInput, BatchOutput, Engine, InputFile, Module};
use sealwork_types::policy::Limits;
use std::{collections::BTreeMap, io::Read, sync::OnceLock};

/// One engine for all tests of a process.
pub(crate) fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new().unwrap())
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
    pub(crate) fn new(text: &str) -> Self {
        Self::of(engine().compile(&wat::parse_str(text).unwrap()).unwrap())
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

    pub(crate) fn input(self) -> (Module, BatchInput<'static>) {
        let Self { module, args, environment, files, stdin, limits, seed } = self;
        let now_unix_s = 1_800_000_000;
        (module, BatchInput { args, environment, files, stdin, random_seed: seed, now_unix_s, limits })
    }

    pub(crate) fn run(self) -> BatchOutput {
        let (module, input) = self.input();
        engine().run(&module, input).unwrap()
    }
}
