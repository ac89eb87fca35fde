//! Memory and speed over 256 MiB. nextest runs each test in its own process, so the peak is this test's.

use crate::support::{Pattern, local};
use futures::StreamExt;
use sealwork_ports::Store;
use sealwork_types::Sha256Digest;
use std::time::Instant;

const SIZE: u64 = 256 << 20;

/// Peak resident memory of this process in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn rate(name: &str, start: Instant) -> String {
    let mib = f64::from(u32::try_from(SIZE >> 20).unwrap());
    format!("{name} {:.0} MiB/s", mib / start.elapsed().as_secs_f64())
}

#[expect(clippy::print_stderr, reason = "the rates are for whoever runs this test by hand")]
#[tokio::test(flavor = "multi_thread")]
async fn adding_and_reading_take_constant_memory_slow() {
    let dir = tempfile::tempdir().unwrap();
    let store = local(&dir);
    let before = peak_kib();
    let mut rates = Vec::new();
    let start = Instant::now();
    let cid = store.put(Pattern::stream(SIZE)).await.unwrap();
    rates.push(rate("add", start));
    let start = Instant::now();
    let mut content = store.get(&cid).await.unwrap();
    let mut left = SIZE;
    while let Some(piece) = content.next().await {
        left -= piece.unwrap().len() as u64;
    }
    rates.push(rate("cat", start));
    assert_eq!(left, 0);
    let grown = peak_kib() - before;
    let buffer = Pattern::bytes(1 << 20);
    let start = Instant::now();
    for _ in 0..SIZE >> 20 {
        std::hint::black_box(Sha256Digest::of(&buffer));
    }
    rates.push(rate("sha256", start));
    assert!(grown < 64 << 10, "grew by {grown} KiB");
    eprintln!("{}; grew by {grown} KiB", rates.join(", "));
}
