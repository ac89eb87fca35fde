//! Searches this process's own memory.

use std::{
    fs::{self, File},
    ops::Range,
    os::unix::fs::FileExt,
};

/// Bytes read at once.
const BLOCK: usize = 1 << 16;
const MASK: u8 = 0xa5;

/// Bytes to search for, kept in another form so that the search does not find itself.
#[derive(Debug)]
pub(crate) struct Hidden(Vec<u8>);

impl Hidden {
    /// Remembers bytes.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        assert!(bytes.len() >= 16, "shorter bytes may occur by chance");
        Self(bytes.iter().map(|byte| byte ^ MASK).collect())
    }

    /// Remembers bytes backwards.
    pub(crate) fn reversed(bytes: &[u8]) -> Self {
        Self(bytes.iter().rev().map(|byte| byte ^ MASK).collect())
    }

    /// Fails when the bytes, or either half of them, lie in a writable page.
    #[track_caller]
    pub(crate) fn assert_gone(&self, what: &str) {
        let (front, back) = self.0.split_at(self.0.len() / 2);
        for (part, masked) in
            [("all", self.0.as_slice()), ("the first half", front), ("the second half", back)]
        {
            let places = places(masked);
            assert!(places.is_empty(), "{part} of {what} is still in memory: {places:?}");
        }
    }

    /// How often the bytes lie in writable pages.
    pub(crate) fn copies(&self) -> usize {
        places(&self.0).len()
    }
}

/// Where bytes lie, by the names of the mappings.
fn places(masked: &[u8]) -> Vec<String> {
    let memory = File::open("/proc/self/mem").unwrap();
    let mut block = vec![0; BLOCK];
    let own = {
        let start = block.as_ptr() as usize as u64;
        start..start + BLOCK as u64
    };
    let mut found = Vec::new();
    for line in fs::read_to_string("/proc/self/maps").unwrap().lines() {
        let Some((range, name)) = writable(line) else { continue };
        let mut at = range.start;
        while at < range.end {
            let wanted = usize::try_from((range.end - at).min(BLOCK as u64)).unwrap();
            // A stack's guard or a device cannot be read.
            let Ok(count @ 1..) = memory.read_at(block.get_mut(..wanted).unwrap(), at) else { break };
            let hits = hits(block.get(..count).unwrap(), masked);
            let elsewhere = hits.map(|offset| at + offset as u64).filter(|place| !own.contains(place));
            found.extend(elsewhere.map(|place| format!("{place:#x} {name}")));
            if count < wanted || at + count as u64 == range.end {
                break;
            }
            // Blocks overlap, so that nothing hides on a border.
            at += (count - masked.len() + 1) as u64;
        }
    }
    found.dedup();
    found
}

fn hits<'a>(block: &'a [u8], masked: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let first = masked.first().unwrap() ^ MASK;
    let starts = block.iter().enumerate().filter(move |(_, byte)| **byte == first).map(|(offset, _)| offset);
    starts.filter(move |offset| {
        let window = block.get(*offset..*offset + masked.len());
        window.is_some_and(|window| window.iter().zip(masked).all(|(byte, hidden)| byte ^ MASK == *hidden))
    })
}

/// Range and name of a mapping that can be written.
fn writable(line: &str) -> Option<(Range<u64>, String)> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let hex = |text| u64::from_str_radix(text, 16).ok();
    let range = hex(start)?..hex(end)?;
    let can_write = words.next()?.starts_with("rw");
    can_write.then(|| (range, words.nth(3).unwrap_or("anonymous").to_owned()))
}
