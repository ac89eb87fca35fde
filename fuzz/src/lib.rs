//! Hostile inputs: one module for each fuzz target. `run` is given bytes that nobody vouches for and asserts what must
//! hold for all of them; `seeds` are valid inputs to start from.
//!
//! An oracle is more than "does not panic": what was accepted is written again and compared, memory is counted, and
//! where two readers of one format exist they have to agree. docs/fuzzing.md lists the targets.

pub mod age;
pub mod answers;
pub mod bundle;
pub mod cas_session;
pub mod cas_wire;
pub mod chain_rpc;
pub mod documents;
pub mod enclave_wire;
pub mod evidence;
mod http;
mod json;
pub mod memory;
pub mod names;
pub mod orders;
pub mod receipt;
mod samples;
pub mod seeds;
pub mod store_nodes;
pub mod store_pack;
pub mod store_rpc;
mod tls;
pub mod trees;

/// Makes a libFuzzer program of a module.
#[macro_export]
macro_rules! target {
    ($module:ident) => {
        libfuzzer_sys::fuzz_target!(
            init: $crate::seeds::write_and_exit_if_asked(stringify!($module), $crate::$module::seeds),
            |data: &[u8]| $crate::$module::run(data)
        );
    };
}
