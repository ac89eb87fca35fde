//! Salts of request orders, counted up so that the Market's record of used ones stays small.
//!
//! Salts of one requester that differ in the lowest byte only share a storage word, so counting that byte up from a
//! random start makes 255 of 256 matches cheaper.

use crate::ClientError;
use sealwork_ports::{ErrorKind, PortError};
use sealwork_seal::Secret;
use sealwork_types::B256;
use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
    sync::Mutex,
};

/// Where a wallet's next salt comes from.
#[derive(Debug)]
pub struct Salts(Kept);

#[derive(Debug)]
enum Kept {
    Memory(Mutex<Option<B256>>),
    File(PathBuf),
}

impl Salts {
    /// Counts in memory, from a random start.
    pub const fn in_memory() -> Self {
        Self(Kept::Memory(Mutex::new(None)))
    }

    /// Counts in a file, which processes share. Losing it costs some gas, nothing else.
    pub const fn kept_in(path: PathBuf) -> Self {
        Self(Kept::File(path))
    }

    /// A salt that was not given out before.
    ///
    /// # Errors
    /// When the system has no randomness or the file cannot be written.
    pub fn next(&self) -> Result<B256, ClientError> {
        match &self.0 {
            Kept::Memory(last) => {
                let mut last = last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let salt = after(*last)?;
                *last = Some(salt);
                Ok(salt)
            }
            Kept::File(path) => {
                let text = || format!("cannot count salts in {}", path.display());
                let failed = |error| PortError::because(ErrorKind::Local, text(), error);
                let (mut file, last) = locked(path).map_err(failed)?;
                let salt = after(last)?;
                let written = file.set_len(0).and_then(|()| file.rewind());
                written.and_then(|()| file.write_all(salt.as_slice())).map_err(failed)?;
                Ok(salt)
            }
        }
    }
}

/// A salt with 32 random bytes.
///
/// # Errors
/// When the system has no randomness.
pub(crate) fn random_salt() -> Result<B256, ClientError> {
    Secret::<[u8; 32]>::random()
        .map(|salt| salt.expose(|bytes| B256::from(*bytes)))
        .map_err(|error| PortError::because(ErrorKind::Local, "the system has no randomness", error).into())
}

/// The salt behind `last`: its lowest byte one up, or a new random start.
fn after(last: Option<B256>) -> Result<B256, ClientError> {
    let start = || {
        random_salt().map(|mut salt| {
            let [.., lowest] = &mut salt.0;
            *lowest = 0;
            salt
        })
    };
    let Some(mut salt) = last else { return start() };
    let [.., lowest] = &mut salt.0;
    match lowest.checked_add(1) {
        Some(next) => {
            *lowest = next;
            Ok(salt)
        }
        None => start(),
    }
}

/// The file, locked until it is closed, and the salt in it. Anything but 32 bytes counts as none.
fn locked(path: &Path) -> std::io::Result<(File, Option<B256>)> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    file.lock()?;
    let mut bytes = Vec::new();
    Read::by_ref(&mut file).take(33).read_to_end(&mut bytes)?;
    Ok((file, <[u8; 32]>::try_from(bytes).ok().map(B256::new)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn salts_share_a_word_until_the_lowest_byte_is_used_up() {
        let salts = Salts::in_memory();
        let given: Vec<B256> = (0..300).map(|_| salts.next().unwrap()).collect();
        let words: BTreeSet<&[u8]> = given.iter().map(|salt| &salt.as_slice()[..31]).collect();
        assert_eq!((words.len(), given.iter().collect::<BTreeSet<_>>().len()), (2, 300));
    }

    #[test]
    fn a_file_goes_on_where_another_process_stopped() {
        let folder = std::env::temp_dir().join(format!("salts-{}", random_salt().unwrap()));
        let path = folder.join("wallet");
        let first = Salts::kept_in(path.clone()).next().unwrap();
        let second = Salts::kept_in(path.clone()).next().unwrap();
        assert_eq!(second, after(Some(first)).unwrap());
        fs::write(&path, b"damaged").unwrap();
        assert_ne!(Salts::kept_in(path).next().unwrap().as_slice()[..31], first.as_slice()[..31]);
        fs::remove_dir_all(folder).unwrap();
    }
}
