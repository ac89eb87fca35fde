//! Tasks from frame to receipt, against a host in memory: everything but the process and the CAS is real.

mod case;
mod host;
mod inputs;
mod modules;
mod orders;
mod protocol;
mod wasm;
