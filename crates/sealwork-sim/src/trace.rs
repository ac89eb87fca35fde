//! What happened in a run: a digest that is equal when a seed is run again, the lines behind it, and the watch for bytes
//! that nobody outside an enclave may see.

use memchr::memmem::Finder;
use sealwork_types::{B256, Sha256Digest};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::time::Instant;

/// Standard input of every task begins with it.
pub(crate) const INPUT_CANARY: &[u8] = b"canary-of-the-input:";
/// Standard output of every task begins with it: what the program makes of the other one.
pub(crate) const OUTPUT_CANARY: &[u8] = b"CANARY-OF-THE-INPUT:";

/// The story of one run.
#[derive(Clone)]
pub struct Trace(Arc<Mutex<Story>>);

struct Story {
    started: Instant,
    digest: Sha256Digest,
    lines: Option<Vec<String>>,
    violations: Vec<String>,
    events: u64,
}

impl Trace {
    /// An empty story; `keep` keeps its lines.
    pub fn begin(keep: bool) -> Self {
        Self(Arc::new(Mutex::new(Story {
            started: Instant::now(),
            digest: Sha256Digest::new(),
            lines: keep.then(Vec::new),
            violations: Vec::new(),
            events: 0,
        })))
    }

    /// Notes something. The text must not depend on keys or ids, which are random.
    pub fn note(&self, text: impl fmt::Display) {
        let mut story = self.lock();
        let line = format!("{:>9} ms  {text}", story.started.elapsed().as_millis());
        story.digest.update(line.as_bytes());
        story.events += 1;
        if let Some(lines) = &mut story.lines {
            lines.push(line);
        }
    }

    /// Notes something that must never happen.
    pub fn violation(&self, text: impl fmt::Display) {
        self.note(format_args!("VIOLATION {text}"));
        self.lock().violations.push(text.to_string());
    }

    /// Looks for plaintext in bytes that somebody outside an enclave sees.
    pub fn watch(&self, place: &str, bytes: &[u8]) {
        for canary in [INPUT_CANARY, OUTPUT_CANARY] {
            if Finder::new(canary).find(bytes).is_some() {
                self.violation(format_args!("plaintext in {place}"));
            }
        }
    }

    /// Milliseconds since the start.
    pub fn elapsed_ms(&self) -> u128 {
        self.lock().started.elapsed().as_millis()
    }

    /// What must not have happened and did.
    pub fn violations(&self) -> Vec<String> {
        self.lock().violations.clone()
    }

    /// Digest of the story, and how many things happened.
    pub fn digest(&self) -> (B256, u64) {
        let story = self.lock();
        (story.digest.clone().finish(), story.events)
    }

    /// The lines, if they were kept.
    pub fn lines(&self) -> Vec<String> {
        self.lock().lines.clone().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Story> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").finish_non_exhaustive()
    }
}
