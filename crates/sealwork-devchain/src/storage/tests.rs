use super::*;
use crate::{chain::Chain, config::Config, error::DevchainError};
use redb::{StorageBackend, backends::InMemoryBackend};
use std::{
    io,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

/// A disk with so many bytes.
#[derive(Clone, Debug)]
struct SmallDisk {
    disk: Arc<InMemoryBackend>,
    size: Arc<AtomicU64>,
    /// Held while the disk is not to finish.
    gate: Arc<Mutex<()>>,
}

impl SmallDisk {
    fn new() -> Self {
        let size = Arc::new(AtomicU64::new(u64::MAX));
        Self { disk: Arc::new(InMemoryBackend::new()), size, gate: Arc::default() }
    }
}

impl StorageBackend for SmallDisk {
    fn len(&self) -> io::Result<u64> {
        self.disk.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        if length > self.size.load(SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.disk.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        let _gate = self.gate.lock().unwrap();
        self.disk.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.write(offset, data)
    }
}

fn open(disk: &SmallDisk) -> Chain {
    let store = Store::File(FileStore::with_backend(disk.clone()).unwrap());
    let tip = Arc::new(Tip::default());
    let storage = Storage::with_store(store, Durability::BeforeAnswer, Arc::clone(&tip)).unwrap();
    Chain::with_storage(&Config::default(), storage, tip, 1_000).unwrap()
}

#[test]
fn a_full_disk_stops_the_chain_with_a_typed_error_and_what_was_stored_reopens() {
    let disk = SmallDisk::new();
    let size = Arc::clone(&disk.size);
    let mut chain = open(&disk);
    for _ in 0..20 {
        chain.mine(1_000).unwrap();
    }
    chain.storage().flush().unwrap();
    // As much as there is, and not a byte more.
    size.store(disk.len().unwrap(), SeqCst);
    let error = loop {
        let storage = chain.storage();
        // Blocks with large changes, so that the free pages are used up soon.
        for number in 0u64..50 {
            let address = alloy_primitives::Address::left_padding_from(
                &(chain.head().number() * 50 + number).to_be_bytes(),
            );
            if chain.edit(address, 1_000, |account| account.nonce = 1).is_err() {
                break;
            }
        }
        if let Err(error) = storage.flush() {
            break error;
        }
    };
    let StorageError::Stopped { newest: Some(newest), cause } = error else { panic!("{error:?}") };
    assert!(matches!(*cause, StorageError::Full), "{cause:?}");
    assert!(newest >= 20);
    assert!(chain.mine(1_000).is_err(), "nothing can be built on what is not stored");
    assert_eq!(chain.tip().head().number(), newest, "clients see what is stored");
    assert!(chain.storage().block(newest).unwrap().is_some());
    assert!(chain.storage().block(newest + 1).unwrap().is_none());
    drop(chain);
    size.store(u64::MAX, SeqCst);
    let mut chain = open(&disk);
    assert_eq!(chain.head().number(), newest);
    chain.mine(1_000).unwrap();
    chain.storage().flush().unwrap();
}

#[test]
fn memory_and_file_hold_the_same() -> Result<(), DevchainError> {
    let directory = tempfile::tempdir().unwrap();
    let path = Some(directory.path().join("chain.redb"));
    for config in [Config::default(), Config { path, ..Config::default() }] {
        let mut chain = Chain::open(&config, true, 1_000, Arc::default())?;
        for _ in 0..700 {
            chain.mine(1_000).unwrap();
        }
        let storage = chain.storage();
        storage.flush().unwrap();
        let mut numbers = Vec::new();
        storage
            .headers(100..=650, &mut |header| {
                numbers.push(header.number);
                Ok(header.number < 600)
            })
            .unwrap();
        assert_eq!(numbers, (100..=600).collect::<Vec<_>>());
        for number in [0, 1, 300, 444, 699, 700] {
            let block = storage.block(number).unwrap().unwrap();
            assert_eq!(storage.block_number(block.hash).unwrap(), Some(number));
            assert_eq!(block.header.hash_slow(), block.hash);
        }
        assert!(storage.block(701).unwrap().is_none());
        chain.rollback(650).unwrap();
        assert!(storage.block(51).unwrap().is_none());
        assert_eq!(storage.block(50).unwrap().unwrap().hash, chain.head().hash);
        chain.mine(1_000).unwrap();
        storage.flush().unwrap();
        assert_eq!(
            storage.block(51).unwrap().unwrap().header.parent_hash,
            storage.block(50).unwrap().unwrap().hash
        );
    }
    Ok(())
}

#[test]
fn clients_see_a_block_when_it_is_stored_and_not_before() {
    let disk = SmallDisk::new();
    let mut chain = open(&disk);
    let storage = chain.storage();
    let mut news = chain.tip().news();
    let busy = disk.gate.lock().unwrap();
    let block = chain.mine(1_000).unwrap();
    assert_eq!((chain.head().number(), chain.tip().head().number()), (1, 0));
    assert!(storage.block(1).unwrap().is_none());
    assert!(storage.block_number(block.hash).unwrap().is_none());
    let mut numbers = Vec::new();
    let mut visit = |header: Header| {
        numbers.push(header.number);
        Ok(true)
    };
    storage.headers(0..=5, &mut visit).unwrap();
    assert!(news.try_recv().is_err());
    drop(busy);
    storage.wait(storage.ticket()).unwrap();
    storage.headers(0..=5, &mut visit).unwrap();
    assert_eq!(numbers, [0, 0, 1]);
    assert_eq!(chain.tip().head().number(), 1);
    assert_eq!(storage.block(1).unwrap().unwrap().hash, block.hash);
    assert!(news.try_recv().is_ok());
}
