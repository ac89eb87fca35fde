//! Measures adding and reading content: `bench_store DIR`; `cargo xtask bench store` runs it beside bare hashing.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for developers")]

use bytes::Bytes;
use futures::{StreamExt, stream};
use rustix::time::{ClockId, clock_gettime};
use sealwork_ports::ByteStream;
use sealwork_store::{FileWalk, Keep, LocalOptions, LocalStore, Root, WalkLimits};
use sealwork_types::Sha256Digest;
use std::{
    fs::{self, File},
    hint::black_box,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

const CONTENT_BYTES: u32 = 512 << 20;
/// Size of the pieces in which content arrives, as from a socket.
const PIECE_BYTES: usize = 256 << 10;
/// Room for everything in one segment: nothing is flushed before the end.
const ONE_SEGMENT: u64 = 4 << 30;
const UNMEASURED: usize = 3;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let folder = std::env::args().nth(1).expect("usage: bench_store DIR");
    let folder = Path::new(&folder);
    let content = content();

    let clock = Clock::start();
    for chunk in content.chunks(1 << 20) {
        black_box(Sha256Digest::of(chunk));
    }
    clock.stop().report("sha256::chunks/bytes=512MiB");

    // Pages that the kernel hands out for the first time may have to come from a hypervisor, ten times slower. Rounds
    // before the measured one write as it does into what they free.
    for _ in 0..UNMEASURED {
        write(folder, &content);
        cached(folder, &content).await;
    }
    let clock = Clock::start();
    write(folder, &content);
    clock.stop().report("write::cached/bytes=512MiB");
    let (root, [named, added, read]) = cached(folder, &content).await;
    named.report("add::named/bytes=512MiB");
    added.report("add::cached/bytes=512MiB");
    read.report("cat::cached/bytes=512MiB");

    let durable = LocalStore::open(folder.join("durable"), LocalOptions::default()).unwrap();
    let clock = Clock::start();
    assert_eq!(add(&durable, &content, Keep::Pinned).await, root);
    clock.stop().report("add::durable/bytes=512MiB");
}

/// Names without storing, adds without flushing, reads.
async fn cached(folder: &Path, content: &Bytes) -> (Root, [Took; 3]) {
    let folder = folder.join("cached");
    let options = LocalOptions { segment_bytes: ONE_SEGMENT, ..LocalOptions::default() };
    let store = LocalStore::open(&folder, options).unwrap();
    let clock = Clock::start();
    add(&store, content, Keep::NameOnly).await;
    let named = clock.stop();

    let clock = Clock::start();
    let root = add(&store, content, Keep::Unpinned).await;
    let added = clock.stop();

    let clock = Clock::start();
    let mut pieces = store.cat(FileWalk::new(root.cid, WalkLimits::default()));
    let mut read = 0;
    while let Some(piece) = pieces.next().await {
        read += black_box(piece.unwrap()).len();
    }
    let took = clock.stop();
    assert_eq!(read, content.len());
    // Removed before it is closed: closing would flush what is still cached.
    fs::remove_dir_all(&folder).unwrap();
    (root, [named, added, took])
}

/// Writes the content to a file in pieces, and removes that.
fn write(folder: &Path, content: &[u8]) {
    fs::create_dir_all(folder).unwrap();
    let path = folder.join("plain");
    let mut file = File::create(&path).unwrap();
    content.chunks(1 << 20).for_each(|chunk| file.write_all(chunk).unwrap());
    fs::remove_file(&path).unwrap();
}

async fn add(store: &LocalStore, content: &Bytes, keep: Keep) -> Root {
    let pieces: Vec<_> = (0..content.len())
        .step_by(PIECE_BYTES)
        .map(|start| Ok(content.slice(start..content.len().min(start + PIECE_BYTES))))
        .collect();
    let content: ByteStream = stream::iter(pieces).boxed();
    store.add(content, store.profile(), keep).await.unwrap()
}

/// Bytes of which no two chunks are equal (xorshift), so that every block is new.
fn content() -> Bytes {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let words = (0..CONTENT_BYTES / 8).flat_map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.collect::<Vec<u8>>().into()
}

/// Measures wall time, and CPU time of all threads.
struct Clock {
    wall: Instant,
    cpu: Duration,
}

struct Took {
    wall: Duration,
    cpu: Duration,
}

impl Clock {
    fn start() -> Self {
        Self { wall: Instant::now(), cpu: cpu() }
    }

    fn stop(self) -> Took {
        Took { wall: self.wall.elapsed(), cpu: cpu() - self.cpu }
    }
}

impl Took {
    fn report(self, name: &str) {
        let speed = |took: Duration| f64::from(CONTENT_BYTES) / 1e6 / took.as_secs_f64();
        println!(r#"{{"name":"{name}","unit":"MB/s","samples":[{}]}}"#, speed(self.wall));
        println!(r#"{{"name":"{name} per CPU second","unit":"MB","samples":[{}]}}"#, speed(self.cpu));
    }
}

fn cpu() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap()
}
