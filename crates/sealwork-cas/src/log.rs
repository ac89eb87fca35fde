//! The release log on disk: entries, and the hashes of full subtrees.
//!
//! One write transaction per entry, synced before it returns. Reads see a consistent snapshot.

use crate::LogError;
use redb::{
    Database, ReadOnlyTable, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition,
};
use sealwork_protocol::merkle::{self, ProofError, Subtrees};
use sealwork_types::{B256, cas_wire::LogEntry};
use std::path::Path;

/// Index to leaf bytes.
const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("entries");
/// (Level, index) to the hash of a full subtree.
const SUBTREES: TableDefinition<'_, (u32, u64), &[u8; 32]> = TableDefinition::new("subtrees");

/// An append-only log of releases.
#[derive(Debug)]
pub(crate) struct ReleaseLog(Database);

/// The bytes that are hashed and kept for an entry.
pub(crate) fn leaf_bytes(entry: &LogEntry) -> Vec<u8> {
    serde_json::to_vec(entry).expect("numbers and hashes always serialize")
}

impl ReleaseLog {
    /// Opens the log, making an empty one if there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, LogError> {
        let database = Database::create(path)?;
        let write = database.begin_write()?;
        write.open_table(ENTRIES)?;
        write.open_table(SUBTREES)?;
        write.commit()?;
        Ok(Self(database))
    }

    /// Appends an entry, whose index this sets, and returns the new size. On disk when it returns.
    pub(crate) fn append(&self, mut entry: LogEntry) -> Result<u64, LogError> {
        let write = self.0.begin_write()?;
        let size = {
            let mut entries = write.open_table(ENTRIES)?;
            let mut subtrees = write.open_table(SUBTREES)?;
            let index = entries.len()?;
            entry.index = index;
            let bytes = leaf_bytes(&entry);
            let made = merkle::new_subtrees(&Stored(&subtrees), index, merkle::leaf_hash(&bytes))?;
            for (level, position, hash) in made {
                subtrees.insert((level, position), &hash.0)?;
            }
            entries.insert(index, &bytes[..])?;
            index.saturating_add(1)
        };
        write.commit()?;
        Ok(size)
    }

    /// Size and root.
    pub(crate) fn head(&self) -> Result<(u64, B256), LogError> {
        let snapshot = self.snapshot()?;
        Ok((snapshot.size, merkle::root(&Stored(&snapshot.subtrees), snapshot.size)?))
    }

    /// Entries `[from, from + count)`, fewer at the end.
    pub(crate) fn entries(&self, from: u64, count: u64) -> Result<Vec<LogEntry>, LogError> {
        let entries = self.0.begin_read()?.open_table(ENTRIES)?;
        entries
            .range(from..from.saturating_add(count))?
            .map(|row| {
                let (index, bytes) = row?;
                let damaged = LogError::Damaged { what: "entry", index: index.value() };
                serde_json::from_slice(bytes.value()).map_err(|_| damaged)
            })
            .collect()
    }

    /// Proof that entry `index` is in the log of `size` entries.
    pub(crate) fn prove_inclusion(&self, index: u64, size: u64) -> Result<Vec<B256>, LogError> {
        let snapshot = self.snapshot()?.at_least(size)?;
        merkle::prove_inclusion(&Stored(&snapshot.subtrees), index, size).map_err(range)
    }

    /// Proof that the log of `size` entries begins with the log of `from` entries.
    pub(crate) fn prove_consistency(&self, from: u64, size: u64) -> Result<Vec<B256>, LogError> {
        let snapshot = self.snapshot()?.at_least(size)?;
        merkle::prove_consistency(&Stored(&snapshot.subtrees), from, size).map_err(range)
    }

    fn snapshot(&self) -> Result<Snapshot, LogError> {
        let read = self.0.begin_read()?;
        Ok(Snapshot { size: read.open_table(ENTRIES)?.len()?, subtrees: read.open_table(SUBTREES)? })
    }
}

struct Snapshot {
    size: u64,
    subtrees: ReadOnlyTable<(u32, u64), &'static [u8; 32]>,
}

impl Snapshot {
    fn at_least(self, position: u64) -> Result<Self, LogError> {
        if position > self.size { Err(LogError::Range { position, size: self.size }) } else { Ok(self) }
    }
}

fn range(error: ProofError<LogError>) -> LogError {
    match error {
        ProofError::Range { position, size } => LogError::Range { position, size },
        ProofError::Read(error) => error,
    }
}

/// Hashes of full subtrees in a table.
struct Stored<'a, T>(&'a T);

impl<T: ReadableTable<(u32, u64), &'static [u8; 32]>> Subtrees for Stored<'_, T> {
    type Error = LogError;

    fn subtree(&self, level: u32, index: u64) -> Result<B256, LogError> {
        let hash = self.0.get((level, index))?.map(|hash| B256::from(*hash.value()));
        hash.ok_or(LogError::Damaged { what: "subtree", index })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwork_protocol::merkle::{MemoryTree, verify_consistency, verify_inclusion};
    use sealwork_types::{Address, cas_wire::LogKind};

    fn entry(time: u64) -> LogEntry {
        LogEntry {
            index: 0,
            time,
            kind: LogKind::Release,
            app: B256::repeat_byte(1),
            policy_hash: B256::repeat_byte(2),
            key_epoch: 0,
            enclave: Address::repeat_byte(3),
            measurement: B256::repeat_byte(4),
            evidence: B256::repeat_byte(5),
        }
    }

    #[test]
    fn keeps_entries_and_root_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.redb");
        let log = ReleaseLog::open(&path).unwrap();
        assert_eq!(log.head().unwrap(), (0, merkle::empty_root()));
        for time in 0..11 {
            assert_eq!(log.append(entry(time)).unwrap(), time + 1);
        }
        let before = (log.head().unwrap(), log.entries(0, 100).unwrap());
        drop(log);
        let log = ReleaseLog::open(&path).unwrap();
        assert_eq!((log.head().unwrap(), log.entries(0, 100).unwrap()), before);
        let indexes: Vec<u64> = log.entries(9, 5).unwrap().iter().map(|entry| entry.index).collect();
        assert_eq!(indexes, [9, 10]);
    }

    #[test]
    fn proofs_convince_a_verifier_that_keeps_its_own_tree() {
        let folder = tempfile::tempdir().unwrap();
        let log = ReleaseLog::open(&folder.path().join("log.redb")).unwrap();
        let mut tree = MemoryTree::new();
        let mut roots = vec![tree.root()];
        for time in 0..13 {
            log.append(entry(time)).unwrap();
            tree.push(merkle::leaf_hash(&leaf_bytes(&LogEntry { index: time, ..entry(time) })));
            roots.push(tree.root());
        }
        assert_eq!(log.head().unwrap(), (13, tree.root()));
        let path = log.prove_inclusion(4, 9).unwrap();
        let leaf = merkle::leaf_hash(&leaf_bytes(&LogEntry { index: 4, ..entry(4) }));
        assert!(verify_inclusion(leaf, 4, 9, &path, roots[9]));
        let path = log.prove_consistency(6, 13).unwrap();
        assert!(verify_consistency(6, roots[6], 13, roots[13], &path));
        assert!(matches!(log.prove_inclusion(0, 14), Err(LogError::Range { position: 14, size: 13 })));
        assert!(matches!(log.prove_consistency(9, 8), Err(LogError::Range { position: 9, size: 8 })));
    }
}
