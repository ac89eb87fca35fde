//! The program's table of open files.

use crate::convert::to_usize;
use crate::{files::NodeId, wasi::Errno};

/// Most descriptors open at once.
const OPEN_MAX: usize = 1_024;

/// What a descriptor stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Descriptor {
    Stdin,
    Stdout,
    Stderr,
    Directory {
        node: NodeId,
        /// Name under which the program finds it at its start.
        preopen: Option<&'static str>,
    },
    File(OpenFile),
}

/// An open file. A descriptor is never duplicated, so the position lives here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenFile {
    pub(crate) node: NodeId,
    pub(crate) position: u64,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// `fdflags` as the program set them.
    pub(crate) flags: u16,
}

/// Descriptors by number.
#[derive(Debug, Default)]
pub(crate) struct Descriptors(Vec<Option<Descriptor>>);

impl Descriptors {
    pub(crate) fn get(&self, fd: u32) -> Result<Descriptor, Errno> {
        self.0.get(to_usize(fd)).copied().flatten().ok_or(Errno::BADF)
    }

    /// Puts a changed descriptor back.
    pub(crate) fn set(&mut self, fd: u32, descriptor: Descriptor) -> Result<(), Errno> {
        *self.0.get_mut(to_usize(fd)).ok_or(Errno::BADF)? = Some(descriptor);
        Ok(())
    }

    /// Opens the lowest free number.
    pub(crate) fn add(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        let index = self.0.iter().position(Option::is_none).unwrap_or(self.0.len());
        if index >= OPEN_MAX {
            return Err(Errno::MFILE);
        }
        match self.0.get_mut(index) {
            Some(place) => *place = Some(descriptor),
            None => self.0.push(Some(descriptor)),
        }
        u32::try_from(index).map_err(|_| Errno::MFILE)
    }

    pub(crate) fn take(&mut self, fd: u32) -> Result<Descriptor, Errno> {
        self.0.get_mut(to_usize(fd)).and_then(Option::take).ok_or(Errno::BADF)
    }
}
