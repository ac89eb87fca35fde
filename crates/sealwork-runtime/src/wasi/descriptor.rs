//! What a descriptor is: state, size, times, names of pre-opened directories.

use super::{Answer, Errno, Guest, guest::offset};
use crate::{
    descriptors::{Descriptor, OpenFile},
    files::{Kind, NodeId},
    process::Process,
};

const TYPE_CHARACTER_DEVICE: u8 = 2;
const TYPE_DIRECTORY: u8 = 3;
const TYPE_REGULAR_FILE: u8 = 4;

pub(super) const RIGHT_READ: u64 = 1 << 1;
pub(super) const RIGHT_WRITE: u64 = 1 << 6;
/// Every right that preview 1 names.
const RIGHTS_ALL: u64 = (1 << 30) - 1;
/// Rights that only make sense on files: read, seek, tell, write, allocate, set size.
const RIGHTS_FILE_ONLY: u64 = 1 << 1 | 1 << 2 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 22;
/// `append`, `dsync`, `nonblock`, `rsync`, `sync`.
pub(super) const FLAGS_ALL: u32 = 0b1_1111;

/// Set a time to the given one, or to now; the bits of the modification time stand two to the left.
const TIME_GIVEN: u32 = 1;
const TIME_NOW: u32 = 2;
const TIME_MODIFIED_SHIFT: u32 = 2;

impl Process {
    pub(super) fn fd_advise(
        &mut self,
        _: &mut Guest<'_>,
        fd: u32,
        _start: u64,
        _len: u64,
        advice: u32,
    ) -> Answer {
        self.open_file(fd)?;
        if advice > 5 { Err(Errno::INVAL.into()) } else { Ok(()) }
    }

    pub(super) fn fd_allocate(&mut self, _: &mut Guest<'_>, fd: u32, start: u64, len: u64) -> Answer {
        let file = self.writable_file(fd)?;
        let end = start.checked_add(len).ok_or(Errno::FBIG)?;
        if end > self.files.node(file.node)?.size() { self.files.resize(file.node, end) } else { Ok(()) }
    }

    pub(super) fn fd_close(&mut self, _: &mut Guest<'_>, fd: u32) -> Answer {
        let descriptor = self.descriptors.take(fd)?;
        self.release(descriptor);
        Ok(())
    }

    fn release(&mut self, descriptor: Descriptor) {
        match descriptor {
            Descriptor::Directory { node, .. } | Descriptor::File(OpenFile { node, .. }) => {
                self.files.closed(node)
            }
            Descriptor::Stdin | Descriptor::Stdout | Descriptor::Stderr => {}
        }
    }

    pub(super) fn fd_renumber(&mut self, _: &mut Guest<'_>, from: u32, to: u32) -> Answer {
        let moved = self.descriptors.get(from)?;
        let replaced = self.descriptors.get(to)?;
        if from != to {
            self.descriptors.take(from)?;
            self.descriptors.set(to, moved)?;
            self.release(replaced);
        }
        Ok(())
    }

    pub(super) fn fd_sync(&mut self, _: &mut Guest<'_>, fd: u32) -> Answer {
        self.descriptors.get(fd)?;
        Ok(())
    }

    pub(super) fn fd_fdstat_get(&mut self, guest: &mut Guest<'_>, fd: u32, stat: u32) -> Answer {
        let (kind, flags, rights) = match self.descriptors.get(fd)? {
            Descriptor::Stdin => (TYPE_CHARACTER_DEVICE, 0, RIGHT_READ),
            Descriptor::Stdout | Descriptor::Stderr => (TYPE_CHARACTER_DEVICE, 0, RIGHT_WRITE),
            Descriptor::Directory { .. } => (TYPE_DIRECTORY, 0, RIGHTS_ALL & !RIGHTS_FILE_ONLY),
            Descriptor::File(file) => {
                let without_read = if file.readable { 0 } else { RIGHT_READ };
                let without_write = if file.writable { 0 } else { RIGHT_WRITE };
                (TYPE_REGULAR_FILE, file.flags, RIGHTS_ALL & !without_read & !without_write)
            }
        };
        let inheriting = if kind == TYPE_DIRECTORY { RIGHTS_ALL } else { 0 };
        let record = guest.bytes_mut(stat, 24)?;
        record.fill(0);
        guest.put(stat, &[kind])?;
        guest.put(offset(stat, 2)?, &flags.to_le_bytes())?;
        guest.put_u64(offset(stat, 8)?, rights)?;
        Ok(guest.put_u64(offset(stat, 16)?, inheriting)?)
    }

    pub(super) fn fd_fdstat_set_flags(&mut self, _: &mut Guest<'_>, fd: u32, flags: u32) -> Answer {
        let flags = checked_flags(flags)?;
        if let Descriptor::File(file) = self.descriptors.get(fd)? {
            self.descriptors.set(fd, Descriptor::File(OpenFile { flags, ..file }))?;
        }
        Ok(())
    }

    pub(super) fn fd_fdstat_set_rights(&mut self, _: &mut Guest<'_>, fd: u32, _: u64, _: u64) -> Answer {
        self.descriptors.get(fd)?;
        Err(Errno::NOTSUP.into())
    }

    pub(super) fn fd_filestat_get(&mut self, guest: &mut Guest<'_>, fd: u32, stat: u32) -> Answer {
        match self.descriptors.get(fd)? {
            Descriptor::Directory { node, .. } | Descriptor::File(OpenFile { node, .. }) => {
                self.put_filestat(guest, stat, node)
            }
            Descriptor::Stdin | Descriptor::Stdout | Descriptor::Stderr => {
                guest.bytes_mut(stat, 64)?.fill(0);
                Ok(guest.put(offset(stat, 16)?, &[TYPE_CHARACTER_DEVICE])?)
            }
        }
    }

    /// Writes the `filestat` record of a node.
    pub(super) fn put_filestat(&self, guest: &mut Guest<'_>, stat: u32, id: NodeId) -> Answer {
        let node = self.files.node(id)?;
        guest.bytes_mut(stat, 64)?.fill(0);
        guest.put_u64(stat, 1)?;
        guest.put_u64(offset(stat, 8)?, id.inode())?;
        guest.put(offset(stat, 16)?, &[file_type(&node.kind)])?;
        guest.put_u64(offset(stat, 24)?, 1)?;
        guest.put_u64(offset(stat, 32)?, node.size())?;
        guest.put_u64(offset(stat, 40)?, node.accessed_ns)?;
        guest.put_u64(offset(stat, 48)?, node.modified_ns)?;
        Ok(guest.put_u64(offset(stat, 56)?, node.modified_ns)?)
    }

    pub(super) fn fd_filestat_set_size(&mut self, _: &mut Guest<'_>, fd: u32, len: u64) -> Answer {
        let file = self.writable_file(fd)?;
        self.files.resize(file.node, len)
    }

    pub(super) fn fd_filestat_set_times(
        &mut self,
        _: &mut Guest<'_>,
        fd: u32,
        accessed: u64,
        modified: u64,
        flags: u32,
    ) -> Answer {
        match self.descriptors.get(fd)? {
            Descriptor::Directory { node, .. } | Descriptor::File(OpenFile { node, .. }) => {
                self.set_times(node, accessed, modified, flags)
            }
            Descriptor::Stdin | Descriptor::Stdout | Descriptor::Stderr => Err(Errno::INVAL.into()),
        }
    }

    pub(super) fn set_times(&mut self, id: NodeId, accessed: u64, modified: u64, flags: u32) -> Answer {
        self.files.check_writable(id)?;
        let now = self.clock.stamp_ns();
        let accessed = chosen_time(flags, accessed, now)?;
        let modified = chosen_time(flags >> TIME_MODIFIED_SHIFT, modified, now)?;
        let node = self.files.node_mut(id)?;
        node.accessed_ns = accessed.unwrap_or(node.accessed_ns);
        node.modified_ns = modified.unwrap_or(node.modified_ns);
        Ok(())
    }

    fn writable_file(&self, fd: u32) -> Result<OpenFile, Errno> {
        let file = self.open_file(fd)?;
        if file.writable { Ok(file) } else { Err(Errno::BADF) }
    }

    pub(super) fn fd_prestat_get(&mut self, guest: &mut Guest<'_>, fd: u32, stat: u32) -> Answer {
        let name = self.preopen(fd)?;
        guest.put_u32(stat, 0)?;
        Ok(guest.put_u32(offset(stat, 4)?, u32::try_from(name.len()).map_err(|_| Errno::OVERFLOW)?)?)
    }

    pub(super) fn fd_prestat_dir_name(
        &mut self,
        guest: &mut Guest<'_>,
        fd: u32,
        address: u32,
        len: u32,
    ) -> Answer {
        let name = self.preopen(fd)?;
        let out = guest.bytes_mut(address, len)?;
        out.get_mut(..name.len()).ok_or(Errno::NAMETOOLONG)?.copy_from_slice(name.as_bytes());
        Ok(())
    }

    fn preopen(&self, fd: u32) -> Result<&'static str, Errno> {
        match self.descriptors.get(fd)? {
            Descriptor::Directory { preopen: Some(name), .. } => Ok(name),
            Descriptor::Directory { preopen: None, .. }
            | Descriptor::File(_)
            | Descriptor::Stdin
            | Descriptor::Stdout
            | Descriptor::Stderr => Err(Errno::BADF),
        }
    }
}

/// The file type byte of a node.
pub(super) const fn file_type(kind: &Kind) -> u8 {
    match kind {
        Kind::Directory(_) => TYPE_DIRECTORY,
        Kind::File(_) => TYPE_REGULAR_FILE,
    }
}

/// Refuses flags that preview 1 does not name.
pub(super) fn checked_flags(flags: u32) -> Result<u16, Errno> {
    if flags & !FLAGS_ALL == 0 { u16::try_from(flags).map_err(|_| Errno::INVAL) } else { Err(Errno::INVAL) }
}

const fn chosen_time(flags: u32, time: u64, now: u64) -> Result<Option<u64>, Errno> {
    match (flags & TIME_GIVEN != 0, flags & TIME_NOW != 0) {
        (true, true) => Err(Errno::INVAL),
        (true, false) => Ok(Some(time)),
        (false, true) => Ok(Some(now)),
        (false, false) => Ok(None),
    }
}
