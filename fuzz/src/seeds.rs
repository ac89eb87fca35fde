//! Valid inputs to start from, as files of a corpus.

use std::{env, fs, path::Path, process};

/// Where the seeds of this target go, instead of fuzzing.
const FOLDER: &str = "SEALWORK_FUZZ_SEEDS";

/// Name and bytes of an input.
pub type Seed = (String, Vec<u8>);

/// Writes the seeds and leaves when `SEALWORK_FUZZ_SEEDS` names a folder; `cargo xtask fuzz --seed` sets it.
pub fn write_and_exit_if_asked(target: &str, seeds: fn() -> Vec<Seed>) {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder).join(target);
    fs::create_dir_all(&folder).expect("the corpus folder can be made");
    for (name, bytes) in seeds() {
        fs::write(folder.join(name), bytes).expect("a seed can be written");
    }
    process::exit(0);
}

/// A seed for a target whose first byte chooses what is tried.
pub fn chosen(name: &str, choice: u8, bytes: impl AsRef<[u8]>) -> Seed {
    (name.to_owned(), [&[choice], bytes.as_ref()].concat())
}
