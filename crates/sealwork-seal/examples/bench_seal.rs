//! Measures sealing and opening in memory on one core; `cargo xtask bench seal` runs it beside the bare cipher.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for developers")]

use rustix::time::{ClockId, clock_gettime};
use sealwork_seal::age::{Identity, OpenReader, Recipient, SealWriter, sealed_len};
use std::{
    io::{Read, Write},
    time::Duration,
};

const STREAM_BYTES: u32 = 256 << 20;
const FILE_BYTES: u32 = 1 << 10;
/// Small files are sealed and opened so often; their median is reported.
const FILES: usize = 301;

fn main() {
    let identity = Identity::generate().unwrap();
    let recipient = identity.recipient();
    let content = plaintext(STREAM_BYTES);
    let mut sealed = Vec::with_capacity(sealed_bytes(STREAM_BYTES));
    let mut opened = vec![0; sealed_bytes(STREAM_BYTES)];
    // Once before, so that fresh pages from the kernel are not measured.
    seal(&recipient, &content, &mut sealed);
    open(&identity, &sealed, &mut opened);
    assert!(opened.starts_with(&content), "opening gives back what was sealed");
    let took = timed(|| seal(&recipient, &content, &mut sealed));
    report("seal::stream/bytes=256MiB", "MB/s", megabytes_per_second(took));
    let took = timed(|| open(&identity, &sealed, &mut opened));
    report("open::stream/bytes=256MiB", "MB/s", megabytes_per_second(took));

    let content = plaintext(FILE_BYTES);
    let took = median(|| seal(&recipient, &content, &mut sealed));
    report("seal::file/bytes=1KiB", "ms", took.as_secs_f64() * 1e3);
    let took = median(|| open(&identity, &sealed, &mut opened));
    report("open::file/bytes=1KiB", "ms", took.as_secs_f64() * 1e3);
}

fn sealed_bytes(plaintext: u32) -> usize {
    sealed_len(1, plaintext.into()).try_into().unwrap()
}

fn plaintext(bytes: u32) -> Vec<u8> {
    (0..bytes).map(|index| index.to_le_bytes()[0] ^ index.to_le_bytes()[1]).collect()
}

fn seal(recipient: &Recipient, content: &[u8], sealed: &mut Vec<u8>) {
    sealed.clear();
    let mut writer = SealWriter::new(std::slice::from_ref(recipient), sealed).unwrap();
    writer.write_all(content).unwrap();
    writer.finish().unwrap();
}

fn open(identity: &Identity, sealed: &[u8], opened: &mut [u8]) {
    let mut reader = OpenReader::new(std::slice::from_ref(identity), sealed).unwrap();
    let mut filled = 0;
    loop {
        let read = reader.read(opened.get_mut(filled..).unwrap()).unwrap();
        if read == 0 {
            return;
        }
        filled += read;
    }
}

/// CPU time of this thread: what others do on the machine does not count. `openssl speed` measures alike.
fn timed(work: impl FnOnce()) -> Duration {
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
    let started = now();
    work();
    now() - started
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..FILES).map(|_| timed(&mut work)).collect();
    times.sort();
    times.get(FILES / 2).copied().unwrap()
}

fn megabytes_per_second(took: Duration) -> f64 {
    f64::from(STREAM_BYTES) / 1e6 / took.as_secs_f64()
}

fn report(name: &str, unit: &str, value: f64) {
    println!(r#"{{"name":"{name}","unit":"{unit}","samples":[{value}]}}"#);
}
