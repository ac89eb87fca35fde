//! Looks for a secret in the memory of processes, in files and in captured bytes.

use memchr::memmem;
use std::{
    fmt::Write,
    fs::{self, File},
    os::unix::fs::FileExt,
    path::Path,
};

/// Bytes of a process that are read at once.
const BLOCK: usize = 4 << 20;

/// A random secret and every form in which it could be written down.
#[derive(Debug)]
pub(crate) struct Canary {
    pub(crate) raw: [u8; 32],
    pub(crate) hex: String,
    forms: Vec<(String, Vec<u8>)>,
}

impl Canary {
    pub(crate) fn random() -> Self {
        Self::of(rand::random())
    }

    /// A secret that is known.
    pub(crate) fn of(raw: [u8; 32]) -> Self {
        let hex = hex::encode(raw);
        let mut forms = vec![
            ("raw bytes".to_owned(), raw.to_vec()),
            ("hex".to_owned(), hex.clone().into_bytes()),
            ("upper-case hex".to_owned(), hex.to_uppercase().into_bytes()),
            ("bytes backwards".to_owned(), raw.iter().rev().copied().collect()),
            ("decimal list".to_owned(), raw.map(|byte| byte.to_string()).join(",").into_bytes()),
        ];
        for (name, bytes) in [("raw bytes", &raw[..]), ("hex", hex.as_bytes())] {
            for offset in 0..3 {
                for (alphabet, url) in [("base64", false), ("base64url", true)] {
                    forms.push((
                        format!("{alphabet} of {name} at offset {offset}"),
                        base64_core(bytes, offset, url),
                    ));
                }
            }
        }
        Self { raw, hex, forms }
    }

    /// The first form that occurs in the bytes.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<&str> {
        self.forms.iter().find(|(_, form)| memmem::find(bytes, form).is_some()).map(|(name, _)| name.as_str())
    }

    fn longest(&self) -> usize {
        self.forms.iter().map(|(_, form)| form.len()).max().unwrap()
    }

    /// Where the secret lies in the readable memory of a process, and how many bytes were looked at.
    pub(crate) fn in_process(&self, pid: u32) -> (Option<String>, u64) {
        let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
        let (mut looked_at, mut block) = (0, vec![0; BLOCK]);
        for line in maps.lines() {
            let Some((start, end)) = readable(line) else { continue };
            let mut at = start;
            while at < end {
                let wanted = usize::try_from(end - at).unwrap_or(BLOCK).min(BLOCK);
                // A region may be gone by now, or be one that only the processor reads.
                let Ok(count @ 1..) = memory.read_at(&mut block[..wanted], at) else { break };
                looked_at += count as u64;
                if let Some(form) = self.find(&block[..count]) {
                    return (Some(format!("{form} in {line}")), looked_at);
                }
                // Blocks overlap, so that nothing hides on a border.
                let step =
                    if count < wanted || at + count as u64 == end { count } else { count - self.longest() };
                at += step as u64;
            }
        }
        (None, looked_at)
    }

    /// The first file under a folder that holds the secret, and how many bytes were looked at.
    pub(crate) fn in_files(&self, folder: &Path) -> (Option<String>, u64) {
        let mut looked_at = 0;
        for path in files(folder) {
            let Ok(bytes) = fs::read(&path) else { continue };
            looked_at += bytes.len() as u64;
            let named = self.find(path.as_os_str().as_encoded_bytes());
            if let Some(form) = named.or_else(|| self.find(&bytes)) {
                return (Some(format!("{form} in {}", path.display())), looked_at);
            }
        }
        (None, looked_at)
    }
}

/// Address range of a line of `/proc/PID/maps`, if it can be read.
fn readable(line: &str) -> Option<(u64, u64)> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let hex = |text| u64::from_str_radix(text, 16).ok();
    (rest.starts_with('r') && !line.ends_with("[vvar]") && !line.ends_with("[vsyscall]"))
        .then_some((hex(start)?, hex(end)?))
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found
}

/// The characters of a base64 text that depend on `bytes` alone, when they stand `offset` bytes behind a group's start.
fn base64_core(bytes: &[u8], offset: usize, url: bool) -> Vec<u8> {
    let alphabet = if url {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    } else {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    };
    let bits = bytes.iter().fold(String::new(), |mut bits, byte| {
        write!(bits, "{byte:08b}").unwrap();
        bits
    });
    let skipped = (6 - offset * 8 % 6) % 6;
    let groups = bits.as_bytes()[skipped..].chunks_exact(6);
    groups
        .map(|group| alphabet[usize::from_str_radix(std::str::from_utf8(group).unwrap(), 2).unwrap()])
        .collect()
}

/// Processes whose parent is `parent`.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let processes =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    processes.filter(|pid: &u32| parent_of(*pid) == Some(parent)).collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; state and parent follow it.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn every_form_is_found_wherever_it_stands() {
    let canary = Canary::random();
    assert_eq!(base64_core(b"Man", 0, false), b"TWFu");
    assert_eq!(base64_core(b"any carnal pleas", 1, false), base64_core(b"xany carnal pleas", 0, false)[2..]);
    for (name, form) in &canary.forms {
        let hay = [&[b'x'; 77][..], form, &[b'y'; 13]].concat();
        assert!(canary.find(&hay).is_some(), "{name}");
    }
    assert_eq!(canary.find(&[0; 4096]), None);
}
