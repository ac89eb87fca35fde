//! What lies inside a sealed file behind its binding: arguments, files and streams.
//!
//! ```text
//! input   InputBinding  | head length u32 | head | files in order | standard input       | zeros
//! output  OutputBinding | head length u32 | head | stdout | stderr | files in order      | zeros
//!         └── binding.LEN ──┘└──────────────── binding.body_len ────────────────────┘└ to padme ┘
//! ```
//!
//! Numbers are big-endian. An input head is: `u16` count of arguments, each a `u32` length and UTF-8; `u16` count of
//! files, each a `u16` length, the UTF-8 name and its `u64` size; `u64` size of standard input. An output head is: `i32`
//! exit code, `u64` sizes of standard output and standard error, then files as above.
//!
//! Readers check every length against its limit before they take memory, and errors never quote plaintext.

mod body;
mod error;
mod head;
mod input;
mod name;
mod output;
#[cfg(test)]
mod tests;

pub use error::{BundleError, Part};
pub use input::{BoundReader, FilesReader, InputHead, InputReader, StdinReader, write_input};
pub use output::{OutputBundle, OutputFile, read_output, write_output};

use sealwork_types::params::MAX_INPUT_FILES;

/// Longest head, bytes.
pub const MAX_HEAD_BYTES: u64 = 256 * 1024;
/// Most arguments of one task.
pub const MAX_ARGUMENTS: u64 = 256;
/// Longest argument, bytes.
pub const MAX_ARGUMENT_BYTES: u64 = 64 * 1024;
/// Most files of one output.
pub const MAX_OUTPUT_FILES: u64 = MAX_INPUT_FILES;
/// Longest standard error of one output, bytes. Enclaves keep its end.
pub const MAX_STDERR_BYTES: u64 = 64 * 1024;
