//! The disk under a worker's job log: what was not synced may be lost, or half of it may, when the process dies.

use crate::{faults::Faults, process::Life, trace::Trace};
use rand::{Rng, SeedableRng, rngs::StdRng};
use redb::StorageBackend;
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Smallest part of a write that a disk keeps or loses as a whole.
const SECTOR: usize = 512;

/// A disk that outlives the process.
#[derive(Clone, Debug)]
pub(crate) struct Disk(Arc<Mutex<State>>, Faults, Trace);

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    /// What was overwritten since the last sync, oldest first.
    unsynced: Vec<Overwritten>,
    /// Number of the opening that may use the disk.
    opening: u64,
}

#[derive(Debug)]
enum Overwritten {
    Bytes { offset: usize, before: Vec<u8> },
    Length { before: Vec<u8>, length: usize },
}

/// The disk as one process has it open.
#[derive(Debug)]
pub(crate) struct OpenDisk {
    disk: Disk,
    opening: u64,
    life: Life,
}

impl Disk {
    /// An empty disk.
    pub(crate) fn new(faults: Faults, trace: Trace) -> Self {
        Self(Arc::default(), faults, trace)
    }

    /// Opens it for a process; whoever had it open before has it no more.
    pub(crate) fn open(&self, life: Life) -> OpenDisk {
        let mut state = self.state();
        state.opening += 1;
        OpenDisk { disk: self.clone(), opening: state.opening, life }
    }

    /// The process died: of what was not synced, parts are lost. Nobody has the disk open any more.
    pub(crate) fn lose_power(&self) {
        let mut state = self.state();
        state.opening += 1;
        let lost = std::mem::take(&mut state.unsynced);
        // How many writes there are depends on keys, which are random: they take one number of the seed's together.
        let mut rng = StdRng::seed_from_u64(self.1.between(0..=u64::MAX));
        for overwritten in lost.into_iter().rev() {
            match overwritten {
                Overwritten::Bytes { offset, before } => tear(&mut state.bytes, offset, &before, &mut rng),
                Overwritten::Length { before, length } if rng.gen_ratio(1, 2) => {
                    state.bytes.truncate(length);
                    state.bytes.extend_from_slice(&before);
                }
                Overwritten::Length { .. } => {}
            }
        }
        drop(state);
        self.2.note("the disk loses what was not synced");
    }

    /// Everything on it.
    pub(crate) fn image(&self) -> Vec<u8> {
        self.state().bytes.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts some sectors of a write back to what they were.
fn tear(bytes: &mut [u8], offset: usize, before: &[u8], rng: &mut StdRng) {
    let whole = rng.gen_range(0..=2);
    for (number, sector) in before.chunks(SECTOR).enumerate() {
        let lost = match whole {
            0 => true,
            1 => false,
            _ => rng.gen_ratio(1, 2),
        };
        let start = offset.saturating_add(number.saturating_mul(SECTOR));
        if lost && let Some(place) = bytes.get_mut(start..start.saturating_add(sector.len())) {
            place.copy_from_slice(sector);
        }
    }
}

impl OpenDisk {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.state();
        if state.opening != self.opening {
            return Err(io::Error::other("the process is dead"));
        }
        Ok(state)
    }

    /// A sync is where a process dies, and where a full disk shows: what was written before it is on its way.
    fn may_sync(&self) -> io::Result<()> {
        drop(self.state()?);
        if self.life.passes("a sync") {
            // Whoever notices first: nothing of this process reaches the disk any more.
            self.disk.state().opening += 1;
            return Err(io::Error::other("the process is dead"));
        }
        if self.disk.1.roll(self.disk.1.rates.disk_full) {
            self.disk.2.note("the disk is full");
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

fn range(offset: u64, length: usize, all: usize) -> io::Result<std::ops::Range<usize>> {
    let start = usize::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
    let end = start.checked_add(length).filter(|end| *end <= all);
    end.map(|end| start..end).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

impl StorageBackend for OpenDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state()?.bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state()?;
        let place = range(offset, out.len(), state.bytes.len())?;
        out.copy_from_slice(state.bytes.get(place).unwrap_or_default());
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state()?;
        let length = state.bytes.len();
        let wanted = usize::try_from(len).map_err(|_| io::ErrorKind::InvalidInput)?;
        let before = state.bytes.get(wanted..).unwrap_or_default().to_vec();
        let length = length.min(wanted);
        state.unsynced.push(Overwritten::Length { before, length });
        state.bytes.resize(wanted, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.may_sync()?;
        let mut state = self.state()?;
        state.unsynced.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.2.watch("the job log", data);
        let mut state = self.state()?;
        let place = range(offset, data.len(), state.bytes.len())?;
        let before = state.bytes.get(place.clone()).unwrap_or_default().to_vec();
        state.unsynced.push(Overwritten::Bytes { offset: place.start, before });
        if let Some(bytes) = state.bytes.get_mut(place) {
            bytes.copy_from_slice(data);
        }
        Ok(())
    }
}
