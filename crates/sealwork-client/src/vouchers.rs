//! How many tasks of each channel this wallet has signed for.
//!
//! A pool says how many tasks of a channel are used, and the next voucher pays one more. Only the wallet's own record keeps
//! a pool from being given more than that.

use crate::{ClientError, orders::rejected};
use sealwork_ports::{ErrorKind, PortError};
use sealwork_types::DealId;
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// Longest number in a file.
const MAX_DIGITS: u64 = 10;

/// The highest count that was signed for each channel.
#[derive(Debug)]
pub struct SignedVouchers(Kept);

#[derive(Debug)]
enum Kept {
    Memory(Mutex<BTreeMap<DealId, u32>>),
    Folder(PathBuf),
}

impl SignedVouchers {
    /// Counts in memory.
    pub const fn in_memory() -> Self {
        Self(Kept::Memory(Mutex::new(BTreeMap::new())))
    }

    /// Counts in a folder, which processes share: a file for each channel.
    pub const fn kept_in(folder: PathBuf) -> Self {
        Self(Kept::Folder(folder))
    }

    /// The highest count so far.
    ///
    /// # Errors
    /// `Local` when the record cannot be read.
    pub(crate) fn last(&self, channel: DealId) -> Result<u32, ClientError> {
        let mut found = 0;
        self.change(channel, |last| {
            found = last;
            Ok(last)
        })?;
        Ok(found)
    }

    /// Notes, durably, that a voucher for `count` tasks is about to be signed; at most one more than the highest so far.
    ///
    /// # Errors
    /// `Rejected` for more; `Local` when the record cannot be read or written.
    pub(crate) fn advance(&self, channel: DealId, count: u32) -> Result<(), ClientError> {
        self.change(channel, |last| {
            if count > last.saturating_add(1) {
                let used = count.saturating_sub(1);
                let text = format!(
                    "the pool says that {used} tasks of channel {} are used, this wallet signed for {last} on this machine; \
                     if the others are yours too, `sealwork channel pay {0} {used}` says so",
                    channel.short()
                );
                return Err(rejected(text));
            }
            Ok(last.max(count))
        })
    }

    /// Notes that a voucher for `count` tasks is about to be signed because its owner said so.
    ///
    /// # Errors
    /// `Local` when the record cannot be read or written.
    pub(crate) fn allow(&self, channel: DealId, count: u32) -> Result<(), ClientError> {
        self.change(channel, |last| Ok(last.max(count)))
    }

    fn change(
        &self,
        channel: DealId,
        next: impl FnOnce(u32) -> Result<u32, ClientError>,
    ) -> Result<(), ClientError> {
        match &self.0 {
            Kept::Memory(counts) => {
                let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
                let count = counts.entry(channel).or_default();
                *count = next(*count)?;
                Ok(())
            }
            Kept::Folder(folder) => {
                let path = folder.join(format!("{channel}"));
                let text = || format!("cannot count vouchers in {}", path.display());
                let failed = |error| PortError::because(ErrorKind::Local, text(), error);
                let (mut file, last) = locked(&path).map_err(failed)?;
                let count = next(last)?;
                if count != last {
                    write(&mut file, count).map_err(failed)?;
                }
                Ok(())
            }
        }
    }
}

fn write(file: &mut File, count: u32) -> std::io::Result<()> {
    // Ten digits overwrite ten digits: a crash in between leaves a number.
    file.rewind()?;
    file.write_all(format!("{count:010}").as_bytes())?;
    file.sync_all()
}

/// The file, locked until it is closed, and the number in it; zero when it is new.
fn locked(path: &Path) -> std::io::Result<(File, u32)> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    file.lock()?;
    let mut text = String::new();
    Read::by_ref(&mut file).take(MAX_DIGITS.saturating_add(1)).read_to_string(&mut text)?;
    if text.is_empty() {
        return Ok((file, 0));
    }
    let count = text.parse().map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))?;
    Ok((file, count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salts::random_salt;
    use sealwork_types::B256;

    const CHANNEL: DealId = DealId::new(B256::repeat_byte(7));

    #[test]
    fn a_pool_is_never_given_more_than_one_task_more() {
        let signed = SignedVouchers::in_memory();
        for count in [1, 1, 2, 1, 3] {
            signed.advance(CHANNEL, count).unwrap();
        }
        let error = signed.advance(CHANNEL, 5).unwrap_err();
        assert!(error.is_rejected() && error.to_string().contains("signed for 3"), "{error}");
        signed.allow(CHANNEL, 9).unwrap();
        signed.advance(CHANNEL, 10).unwrap();
        assert!(signed.advance(DealId::new(B256::ZERO), 2).is_err());
    }

    #[test]
    fn processes_share_the_record_and_a_damaged_one_is_an_error() {
        let folder = std::env::temp_dir().join(format!("vouchers-{}", random_salt().unwrap()));
        let signed = || SignedVouchers::kept_in(folder.clone());
        signed().advance(CHANNEL, 1).unwrap();
        signed().advance(CHANNEL, 2).unwrap();
        assert!(signed().advance(CHANNEL, 4).is_err());
        signed().advance(CHANNEL, 3).unwrap();
        fs::write(folder.join(format!("{CHANNEL}")), "many").unwrap();
        let error = signed().advance(CHANNEL, 1).unwrap_err();
        assert!(error.to_string().contains("cannot count vouchers"), "{error}");
        fs::remove_dir_all(folder).unwrap();
    }
}
