//! Measures adding and reading content: `bench_store DIR`; `cargo xtask bench store` runs it beside bare hashing.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for developers")]

use bytes::Bytes;
use futures::{StreamExt, stream};
use sealwork_ports::ByteStream;
use sealwork_store::{FileWalk, Keep, LocalOptions, LocalStore, Root, WalkLimits};
use sealwork_types::Sha256Digest;
use std::{hint::black_box, path::Path, time::Instant};

const CONTENT_BYTES: u32 = 512 << 20;
/// Size of the pieces in which content arrives, as from a socket.
const PIECE_BYTES: usize = 256 << 10;
/// Room for everything in one segment: nothing is flushed before the end.
const ONE_SEGMENT: u64 = 4 << 30;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let folder = std::env::args().nth(1).expect("usage: bench_store DIR");
    let folder = Path::new(&folder);
    let content = content();

    let started = Instant::now();
    for chunk in content.chunks(1 << 20) {
        black_box(Sha256Digest::of(chunk));
    }
    report("sha256::chunks/bytes=512MiB", started);

    let options = LocalOptions { segment_bytes: ONE_SEGMENT, ..LocalOptions::default() };
    let cached = LocalStore::open(folder.join("cached"), options).unwrap();
    let started = Instant::now();
    let root = add(&cached, &content, Keep::Unpinned).await;
    report("add::cached/bytes=512MiB", started);

    let started = Instant::now();
    let mut pieces = cached.cat(FileWalk::new(root.cid, WalkLimits::default()));
    let mut read = 0;
    while let Some(piece) = pieces.next().await {
        read += black_box(piece.unwrap()).len();
    }
    report("cat::cached/bytes=512MiB", started);
    assert_eq!(read, content.len());
    // Writing back what was cached must not be charged to the next measurement.
    cached.flush().await.unwrap();

    let durable = LocalStore::open(folder.join("durable"), LocalOptions::default()).unwrap();
    let started = Instant::now();
    assert_eq!(add(&durable, &content, Keep::Pinned).await, root);
    report("add::durable/bytes=512MiB", started);
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

fn report(name: &str, started: Instant) {
    let speed = f64::from(CONTENT_BYTES) / 1e6 / started.elapsed().as_secs_f64();
    println!(r#"{{"name":"{name}","unit":"MB/s","samples":[{speed}]}}"#);
}
