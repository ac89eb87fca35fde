//! Modules: fetched from the host, checked against their hash, compiled once; or restored from what the host kept.

use crate::{
    error::{Refusal, Stop},
    host::{Host, Source},
    keys::KeyName,
    shelf::Shelf,
};
use sealwork_runtime::{Engine, Module, ModuleError};
use sealwork_types::{CodeHash, Sha256Digest, Status, params::MAX_MODULE_BYTES};
use std::{collections::VecDeque, fmt, rc::Rc};

/// Compiled modules kept.
const MAX_MODULES: usize = 4;

/// The engine and the newest modules, oldest first.
pub(crate) struct Programs {
    engine: Engine,
    known: VecDeque<Known>,
}

/// A program in memory.
struct Known {
    code_hash: CodeHash,
    /// Under whose key it was authenticated; `None` when it was compiled here, and then it is anybody's.
    restored_for: Option<KeyName>,
    module: Rc<Module>,
}

impl Programs {
    pub(crate) fn new(engine: Engine) -> Self {
        Self { engine, known: VecDeque::new() }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The module, or the status that says why there is none. `Err` blames nobody but the host. With a `shelf`, the host
    /// may have kept it, and may keep it from now on.
    pub(crate) fn module(
        &mut self,
        host: &Host,
        code_hash: CodeHash,
        name: KeyName,
        mut shelf: Option<Shelf<'_>>,
    ) -> Result<Result<Rc<Module>, Status>, Stop> {
        let usable = |known: &&Known| {
            known.code_hash == code_hash && known.restored_for.is_none_or(|owner| owner == name)
        };
        if let Some(known) = self.known.iter().find(usable) {
            return Ok(Ok(Rc::clone(&known.module)));
        }
        if let Some(shelf) = &mut shelf
            && let Some(module) = shelf.restore(host, &self.engine)?
        {
            return Ok(Ok(self.remember(code_hash, Some(name), module)));
        }
        let bytes = fetch(host, code_hash)?;
        let module = match self.engine.compile(&bytes) {
            Ok(module) => module,
            Err(error) => return Ok(Err(status_of(&error))),
        };
        if let Some(shelf) = shelf {
            shelf.keep(host, &self.engine, &module)?;
        }
        Ok(Ok(self.remember(code_hash, None, module)))
    }

    fn remember(&mut self, code_hash: CodeHash, restored_for: Option<KeyName>, module: Module) -> Rc<Module> {
        let module = Rc::new(module);
        if self.known.len() >= MAX_MODULES {
            self.known.pop_front();
        }
        self.known.push_back(Known { code_hash, restored_for, module: Rc::clone(&module) });
        module
    }
}

impl fmt::Debug for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Programs").field("known", &self.known.len()).finish_non_exhaustive()
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
