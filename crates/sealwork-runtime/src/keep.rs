//! Compiled programs that leave the process and come back: authenticated, because they are machine code.
//!
//! ```text
//! kept = tag (32 bytes) ‖ what the engine wrote        tag = key(SHA-256 of what the engine wrote)
//! ```

use crate::{Engine, Module};
use sealwork_types::{B256, Sha256Digest};
use subtle::ConstantTimeEq;

const TAG_BYTES: usize = 32;

/// Makes the tag of a digest: a pseudorandom function under a key that only programs with the same measurement as this
/// one can have, and that is bound to the program's code. Whoever else has it can make this process run anything.
pub type TagKey<'a> = &'a dyn Fn(&B256) -> [u8; TAG_BYTES];

impl Engine {
    /// The compiled program as opaque bytes, about three times its module; `None` when the engine cannot write it.
    pub fn keep(&self, module: &Module, key: TagKey<'_>) -> Option<Vec<u8>> {
        let code = module.instance.module().serialize().ok()?;
        let mut kept = Vec::with_capacity(TAG_BYTES.saturating_add(code.len()));
        kept.extend_from_slice(&key(&Sha256Digest::of(&code)));
        kept.extend_from_slice(&code);
        Some(kept)
    }

    /// The program of bytes that [`Engine::keep`] gave under the same key; `None` for anything else, and when this
    /// engine is not like the one that wrote them (version, settings, CPU). Then it has to be compiled again.
    pub fn restore(&self, kept: &[u8], key: TagKey<'_>) -> Option<Module> {
        let (tag, code) = kept.split_first_chunk::<TAG_BYTES>()?;
        if !bool::from(tag.ct_eq(&key(&Sha256Digest::of(code)))) {
            return None;
        }
        // It was checked like every module before it was kept: its imports, exports and sections.
        self.prepare(&deserialize(&self.engine, code)?).ok()
    }
}

#[expect(
    unsafe_code,
    reason = "the engine cannot check machine code; the tag of its caller says who wrote it"
)]
fn deserialize(engine: &wasmtime::Engine, authentic: &[u8]) -> Option<wasmtime::Module> {
    // SAFETY: `restore` checked that the bytes have the tag that `keep` made over the unchanged output of
    // `Module::serialize`. Nobody else has the key (see `TagKey`). Outputs of other versions or settings are refused by
    // the engine, which is the part that it does check.
    unsafe { wasmtime::Module::deserialize(engine, authentic) }.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digest: &B256) -> [u8; 32] {
        Sha256Digest::of_parts(&[b"key", digest.as_slice()]).0
    }

    fn module(engine: &Engine) -> Module {
        let text = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
        engine.compile(&wat::parse_str(text).unwrap()).unwrap()
    }

    #[test]
    fn kept_programs_come_back_in_another_engine() {
        let engine = Engine::new().unwrap();
        let kept = engine.keep(&module(&engine), &key).unwrap();
        assert!(Engine::new().unwrap().restore(&kept, &key).is_some());
    }

    #[test]
    fn anything_else_is_no_program() {
        let engine = Engine::new().unwrap();
        let kept = engine.keep(&module(&engine), &key).unwrap();
        for at in [0, 31, 32, kept.len() / 2, kept.len() - 1] {
            let mut changed = kept.clone();
            changed[at] ^= 1;
            assert!(engine.restore(&changed, &key).is_none(), "byte {at} was changed");
        }
        for len in [0, 31, 32, kept.len() - 1] {
            assert!(engine.restore(&kept[..len], &key).is_none(), "cut to {len} bytes");
        }
        assert!(engine.restore(&kept, &|_: &B256| [7; 32]).is_none(), "another key");
        let foreign = [&key(&Sha256Digest::of(b"no code"))[..], b"no code"].concat();
        assert!(engine.restore(&foreign, &key).is_none(), "authentic, but not the engine's");
    }
}
