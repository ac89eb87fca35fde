//! Bounds on what an instance may allocate in the host.

use crate::convert::to_u64;
use wasmtime::ResourceLimiter;

/// Most elements of all tables together; the largest known guests (language runtimes) need about 65,000.
const TABLE_ELEMENTS_MAX: usize = 1 << 20;
const TABLES_MAX: usize = 8;

/// Counts linear memory and tables of one instance.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory_bytes: u64,
    table_elements: usize,
    /// Whether a request for linear memory was refused.
    pub(crate) memory_refused: bool,
    /// Whether the newest request for linear memory was granted.
    granted: bool,
    /// Whether the host failed to give what was granted.
    pub(crate) host_failed: bool,
}

impl Limiter {
    pub(crate) const fn new(memory_bytes: u64) -> Self {
        Self { memory_bytes, table_elements: 0, memory_refused: false, granted: false, host_failed: false }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _max: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let granted = to_u64(desired) <= self.memory_bytes;
        self.memory_refused |= !granted;
        self.granted = granted;
        Ok(granted)
    }

    /// A refusal is an answer to the program. A grant that the host then could not keep is the host's failure, for
    /// which the program must not be blamed.
    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.host_failed |= self.granted;
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _max: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.table_elements.saturating_add(desired.saturating_sub(current));
        let granted = total <= TABLE_ELEMENTS_MAX;
        if granted {
            self.table_elements = total;
        }
        Ok(granted)
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        TABLES_MAX
    }

    fn memories(&self) -> usize {
        1
    }
}
