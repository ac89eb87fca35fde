//! What a simulated platform measures: the program file.

use sealwork_types::{Measurement, Sha256Digest};
use std::{fs::File, io, io::Read, path::Path};

/// SHA-256 of a program file, streaming.
///
/// # Errors
/// When the file cannot be read.
pub fn measure_file(path: &Path) -> io::Result<Measurement> {
    let mut file = File::open(path)?;
    let mut digest = Sha256Digest::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(Measurement::new(digest.finish())),
            Ok(count) => digest.update(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
