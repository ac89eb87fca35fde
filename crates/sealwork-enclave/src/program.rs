//! Modules: fetched from the host, checked against their hash, compiled once.

use crate::{
    error::{Refusal, Stop},
    host::{Host, Source},
};
use sealwork_runtime::{Engine, Module, ModuleError};
use sealwork_types::{CodeHash, Sha256Digest, Status, params::MAX_MODULE_BYTES};
use std::{collections::VecDeque, fmt, rc::Rc};

/// Compiled modules kept.
const MAX_MODULES: usize = 4;

/// The engine and the newest modules, oldest first.
pub(crate) struct Programs {
    engine: Engine,
    compiled: VecDeque<(CodeHash, Rc<Module>)>,
}

impl Programs {
    pub(crate) fn new(engine: Engine) -> Self {
        Self { engine, compiled: VecDeque::new() }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The module, or the status that says why there is none. `Err` blames nobody but the host.
    pub(crate) fn module(
        &mut self,
        host: &Host,
        code_hash: CodeHash,
    ) -> Result<Result<Rc<Module>, Status>, Stop> {
        if let Some((_, module)) = self.compiled.iter().find(|(known, _)| *known == code_hash) {
            return Ok(Ok(Rc::clone(module)));
        }
        let bytes = fetch(host, code_hash)?;
        let module = match self.engine.compile(&bytes) {
            Ok(module) => Rc::new(module),
            Err(error) => return Ok(Err(status_of(&error))),
        };
        if self.compiled.len() >= MAX_MODULES {
            self.compiled.pop_front();
        }
        self.compiled.push_back((code_hash, Rc::clone(&module)));
        Ok(Ok(module))
    }
}

impl fmt::Debug for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Programs").field("compiled", &self.compiled.len()).finish_non_exhaustive()
    }
}

fn fetch(host: &Host, expected: CodeHash) -> Result<Vec<u8>, Stop> {
    let mut bytes = Vec::new();
    loop {
        let chunk = host.chunk(Source::Module)?;
        if chunk.is_empty() {
            break;
        }
        if bytes.len() + chunk.len() > MAX_MODULE_BYTES {
            return Err(
                Refusal::permanent(format!("the module has more than {MAX_MODULE_BYTES} bytes")).into()
            );
        }
        bytes.extend_from_slice(&chunk);
    }
    let found = CodeHash::new(Sha256Digest::of(&bytes));
    if found != expected {
        return Err(Refusal::transient(format!(
            "storage returned other bytes: the app's code is {expected}, the module given is {found}"
        ))
        .into());
    }
    Ok(bytes)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "whatever else is wrong, the bytes are no program")]
fn status_of(error: &ModuleError) -> Status {
    match error {
        ModuleError::UnknownImport { .. } | ModuleError::ImportType { .. } => Status::IMPORT_ERROR,
        ModuleError::NoEntryPoint => Status::PAYLOAD_NOT_DEFINED,
        _ => Status::SYNTAX_WARNING,
    }
}
