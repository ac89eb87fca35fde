//! Compiled programs that enclaves let the worker keep, so that the next enclave need not compile them again.
//!
//! The bytes are opaque here: enclaves authenticate them, and compile again when somebody changed them. So nothing is
//! flushed or locked, and whatever goes wrong costs time only.

use super::process::Launch;
use bytes::Bytes;
use sealwork_types::{
    Measurement,
    enclave_wire::{CompiledName, MAX_CHUNK_BYTES},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};
use tracing::warn;

/// A folder of compiled programs. The longest unused ones make room for new ones.
#[derive(Clone, Debug)]
pub struct CompiledFolder {
    path: Arc<Path>,
    max_bytes: u64,
}

impl CompiledFolder {
    /// Keeps at most `max_bytes` in a folder of its own, which is made when it is needed.
    pub fn new(path: impl Into<PathBuf>, max_bytes: u64) -> Self {
        Self { path: path.into().into(), max_bytes }
    }

    fn file(&self, measurement: Measurement, name: &CompiledName) -> PathBuf {
        let [app, policy] = [name.app, name.policy].map(sealwork_types::B256::from);
        self.path.join(format!("{:x}-{app:x}-{policy:x}", measurement.get()))
    }

    /// What is kept; empty when there is nothing.
    pub(super) async fn load(&self, measurement: Measurement, name: CompiledName) -> Vec<u8> {
        let file = self.file(measurement, &name);
        let read = move || -> io::Result<Vec<u8>> {
            let bytes = fs::read(&file)?;
            fs::File::options().append(true).open(&file)?.set_modified(SystemTime::now())?;
            Ok(bytes)
        };
        match tokio::task::spawn_blocking(read).await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Ok(Err(error)) => self.forgo("read", &error),
            Err(error) => self.forgo("read", &error),
        }
    }

    /// Keeps a program, in the place of an older one with its name.
    pub(super) async fn keep(&self, measurement: Measurement, name: CompiledName, bytes: Vec<u8>) {
        let (file, folder) = (self.file(measurement, &name), self.clone());
        match tokio::task::spawn_blocking(move || folder.write(&file, &bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => drop(self.forgo("write", &error)),
            Err(error) => drop(self.forgo("write", &error)),
        }
    }

    fn forgo(&self, action: &str, error: &dyn std::error::Error) -> Vec<u8> {
        warn!(folder = %self.path.display(), %error, "cannot {action} a compiled program; enclaves compile it again");
        Vec::new()
    }

    fn write(&self, file: &Path, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() as u64 > self.max_bytes {
            return Ok(());
        }
        fs::create_dir_all(&self.path)?;
        // A reader sees the old file or the new one; several slots may write the same.
        let part = file.with_extension(format!("{:?}.part", std::thread::current().id()));
        fs::write(&part, bytes)?;
        fs::rename(&part, file)?;
        self.make_room(file)
    }

    /// Removes the longest unused files until the rest fits. The newest stays.
    fn make_room(&self, newest: &Path) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let about = entry.metadata()?;
            files.push((about.modified()?, about.len(), entry.path()));
        }
        files.sort();
        let mut total = files.iter().fold(0_u64, |sum, (_, bytes, _)| sum.saturating_add(*bytes));
        for (_, bytes, path) in files {
            if total <= self.max_bytes {
                break;
            }
            if path != newest {
                fs::remove_file(path)?;
                total = total.saturating_sub(bytes);
            }
        }
        Ok(())
    }
}

/// What one task takes from the folder and puts into it, piece by piece.
pub(super) struct Shelf<'a> {
    launch: &'a Launch,
    /// What is on its way to the enclave; `None` before it asked and after it has all.
    leaving: Option<Bytes>,
    /// What is on its way from the enclave.
    coming: Vec<u8>,
}

impl<'a> Shelf<'a> {
    pub(super) const fn new(launch: &'a Launch) -> Self {
        Self { launch, leaving: None, coming: Vec::new() }
    }

    /// The next piece for the enclave; empty at the end.
    pub(super) async fn next(&mut self, name: CompiledName) -> sealwork_types::Bytes {
        let Some(folder) = &self.launch.compiled else { return sealwork_types::Bytes::new() };
        let mut rest = match self.leaving.take() {
            Some(rest) => rest,
            None => folder.load(self.launch.measurement(), name).await.into(),
        };
        let piece = rest.split_to(rest.len().min(MAX_CHUNK_BYTES));
        // After an empty piece the next question begins anew.
        self.leaving = (!piece.is_empty()).then_some(rest);
        piece.into()
    }

    /// The next piece from the enclave; an empty one is the end.
    pub(super) async fn keep(&mut self, name: CompiledName, bytes: &[u8]) {
        let Some(folder) = &self.launch.compiled else { return };
        // More than the folder takes is not kept anyway, so no more than that is held.
        let room = usize::try_from(folder.max_bytes).unwrap_or(usize::MAX).saturating_add(1);
        if !bytes.is_empty() {
            let taken = bytes.len().min(room.saturating_sub(self.coming.len()));
            self.coming.extend_from_slice(bytes.get(..taken).unwrap_or_default());
            return;
        }
        folder.keep(self.launch.measurement(), name, std::mem::take(&mut self.coming)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwork_types::B256;

    const MEASUREMENT: Measurement = Measurement::new(B256::repeat_byte(1));

    fn name(app: u8) -> CompiledName {
        CompiledName { app: [app; 32], policy: [9; 32] }
    }

    #[tokio::test]
    async fn keeps_programs_by_name_and_measurement() {
        let folder = tempfile::tempdir().unwrap();
        let kept = CompiledFolder::new(folder.path().join("compiled"), 100);
        assert!(kept.load(MEASUREMENT, name(1)).await.is_empty());
        kept.keep(MEASUREMENT, name(1), vec![1; 40]).await;
        kept.keep(MEASUREMENT, name(2), vec![2; 40]).await;
        kept.keep(MEASUREMENT, name(2), vec![3; 50]).await;
        assert_eq!(kept.load(MEASUREMENT, name(1)).await, [1; 40]);
        assert_eq!(kept.load(MEASUREMENT, name(2)).await, [3; 50]);
        assert!(kept.load(Measurement::new(B256::ZERO), name(1)).await.is_empty());
    }

    #[tokio::test]
    async fn the_longest_unused_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let kept = CompiledFolder::new(folder.path(), 100);
        for app in 1..=2 {
            kept.keep(MEASUREMENT, name(app), vec![app; 40]).await;
            let long_ago = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(app.into());
            let file = fs::File::options().append(true).open(kept.file(MEASUREMENT, &name(app))).unwrap();
            file.set_modified(long_ago).unwrap();
        }
        assert_eq!(kept.load(MEASUREMENT, name(1)).await, [1; 40], "used just now");
        kept.keep(MEASUREMENT, name(3), vec![3; 60]).await;
        assert!(kept.load(MEASUREMENT, name(2)).await.is_empty());
        assert_eq!(kept.load(MEASUREMENT, name(1)).await.len(), 40);
        kept.keep(MEASUREMENT, name(4), vec![4; 101]).await;
        assert!(kept.load(MEASUREMENT, name(4)).await.is_empty(), "larger than everything together may be");
        assert_eq!(kept.load(MEASUREMENT, name(3)).await.len(), 60);
    }
}
