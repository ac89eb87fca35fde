//! Reading, writing and positions.

use super::{Answer, Errno, Fail, Guest, guest::Buffer};
use crate::{
    batch::Exit,
    convert::{size_of_u64, to_u64},
    descriptors::{Descriptor, OpenFile},
    process::Process,
    stdin::STDIN_CHUNK_BYTES,
};
use std::io;

const APPEND: u16 = 1;
const WHENCE_SET: u32 = 0;
const WHENCE_CURRENT: u32 = 1;
const WHENCE_END: u32 = 2;

/// How a read goes on.
pub(super) enum Read {
    /// It is answered.
    Done,
    /// Bytes of standard input have to be fetched for this buffer.
    Stdin(Buffer),
}

impl Process {
    pub(super) fn fd_read(
        &mut self,
        guest: &mut Guest<'_>,
        fd: u32,
        list: Buffer,
        read: u32,
    ) -> Result<Read, Fail> {
        guest.bytes(read, 4)?;
        let (buffers, _) = guest.buffers(list)?;
        match self.descriptors.get(fd)? {
            Descriptor::Stdin => Ok(match buffers.into_iter().find(|buffer| buffer.len > 0) {
                Some(buffer) => Read::Stdin(buffer),
                None => {
                    guest.put_u32(read, 0)?;
                    Read::Done
                }
            }),
            Descriptor::File(file) => {
                let count = self.read_file(guest, file, file.position, &buffers)?;
                let position = file.position.saturating_add(u64::from(count));
                self.descriptors.set(fd, Descriptor::File(OpenFile { position, ..file }))?;
                guest.put_u32(read, count)?;
                Ok(Read::Done)
            }
            Descriptor::Directory { .. } => Err(Errno::ISDIR.into()),
            Descriptor::Stdout | Descriptor::Stderr => Err(Errno::BADF.into()),
        }
    }

    /// Hands over what the driving loop read.
    pub(super) fn finish_stdin(
        &mut self,
        guest: &mut Guest<'_>,
        buffer: Buffer,
        count: io::Result<usize>,
        read: u32,
    ) -> Answer {
        self.deadline = self.deadline.checked_add(self.stdin.take_waited()).unwrap_or(self.deadline);
        let count = count.map_err(|error| Fail::End(Exit::StdinFailed(error)))?;
        let count = u32::try_from(count.min(STDIN_CHUNK_BYTES)).map_err(|_| Errno::OVERFLOW)?.min(buffer.len);
        self.owe_for(count);
        self.stdin.copy_to(guest.bytes_mut(buffer.address, count)?);
        Ok(guest.put_u32(read, count)?)
    }

    pub(super) fn fd_pread(
        &mut self,
        guest: &mut Guest<'_>,
        fd: u32,
        list: u32,
        count: u32,
        start: u64,
        read: u32,
    ) -> Answer {
        let (buffers, _) = guest.buffers(Buffer { address: list, len: count })?;
        let count = self.read_file(guest, self.open_file(fd)?, start, &buffers)?;
        Ok(guest.put_u32(read, count)?)
    }

    fn read_file(
        &mut self,
        guest: &mut Guest<'_>,
        file: OpenFile,
        start: u64,
        buffers: &[Buffer],
    ) -> Result<u32, Fail> {
        if !file.readable {
            return Err(Errno::BADF.into());
        }
        let content = self.files.file(file.node)?;
        let start = start.min(to_u64(content.len()));
        let mut rest = content.get(size_of_u64(start)..).unwrap_or_default();
        let mut total = 0_u32;
        for buffer in buffers {
            let len = u32::try_from(rest.len()).unwrap_or(u32::MAX).min(buffer.len);
            let (now, later) = rest.split_at(crate::convert::to_usize(len));
            guest.put(buffer.address, now)?;
            total = total.saturating_add(len);
            rest = later;
        }
        self.owe_for(total);
        Ok(total)
    }

    pub(super) fn fd_write(
        &mut self,
        guest: &mut Guest<'_>,
        fd: u32,
        list: u32,
        count: u32,
        written: u32,
    ) -> Answer {
        guest.bytes(written, 4)?;
        let (buffers, total) = guest.buffers(Buffer { address: list, len: count })?;
        self.owe_for(total);
        match self.descriptors.get(fd)? {
            Descriptor::Stdout => {
                let stdout = self.extend_stdout(u64::from(total))?;
                for buffer in buffers {
                    stdout.extend_from_slice(guest.bytes(buffer.address, buffer.len)?);
                }
            }
            Descriptor::Stderr => {
                for buffer in buffers {
                    self.stderr.write(guest.bytes(buffer.address, buffer.len)?);
                }
            }
            Descriptor::File(file) => {
                let end = to_u64(self.files.file(file.node)?.len());
                let start = if file.flags & APPEND == 0 { file.position } else { end };
                self.write_file(guest, file, start, (&buffers, total))?;
                let position = start.saturating_add(u64::from(total));
                self.descriptors.set(fd, Descriptor::File(OpenFile { position, ..file }))?;
            }
            Descriptor::Directory { .. } => return Err(Errno::ISDIR.into()),
            Descriptor::Stdin => return Err(Errno::BADF.into()),
        }
        Ok(guest.put_u32(written, total)?)
    }

    pub(super) fn fd_pwrite(
        &mut self,
        guest: &mut Guest<'_>,
        fd: u32,
        list: u32,
        count: u32,
        start: u64,
        written: u32,
    ) -> Answer {
        guest.bytes(written, 4)?;
        let (buffers, total) = guest.buffers(Buffer { address: list, len: count })?;
        self.owe_for(total);
        let file = self.open_file(fd)?;
        self.write_file(guest, file, start, (&buffers, total))?;
        Ok(guest.put_u32(written, total)?)
    }

    fn write_file(
        &mut self,
        guest: &Guest<'_>,
        file: OpenFile,
        start: u64,
        data: (&[Buffer], u32),
    ) -> Answer {
        if !file.writable {
            return Err(Errno::BADF.into());
        }
        let (buffers, total) = data;
        let mut room = self.files.writable(file.node, start, u64::from(total), self.clock.stamp_ns())?;
        for buffer in buffers {
            let bytes = guest.bytes(buffer.address, buffer.len)?;
            let (now, later) = room.split_at_mut_checked(bytes.len()).ok_or(Errno::FBIG)?;
            now.copy_from_slice(bytes);
            room = later;
        }
        Ok(())
    }

    pub(super) fn fd_seek(
        &mut self,
        guest: &mut Guest<'_>,
        fd: u32,
        by: i64,
        whence: u32,
        position: u32,
    ) -> Answer {
        guest.bytes(position, 8)?;
        let file = self.open_file(fd)?;
        let from = match whence {
            WHENCE_SET => 0,
            WHENCE_CURRENT => file.position,
            WHENCE_END => to_u64(self.files.file(file.node)?.len()),
            _ => return Err(Errno::INVAL.into()),
        };
        let target = from.checked_add_signed(by).ok_or(Errno::INVAL)?;
        self.descriptors.set(fd, Descriptor::File(OpenFile { position: target, ..file }))?;
        Ok(guest.put_u64(position, target)?)
    }

    pub(super) fn fd_tell(&mut self, guest: &mut Guest<'_>, fd: u32, position: u32) -> Answer {
        let file = self.open_file(fd)?;
        Ok(guest.put_u64(position, file.position)?)
    }

    /// A descriptor that has a position.
    pub(super) fn open_file(&self, fd: u32) -> Result<OpenFile, Errno> {
        match self.descriptors.get(fd)? {
            Descriptor::File(file) => Ok(file),
            Descriptor::Directory { .. } => Err(Errno::ISDIR),
            Descriptor::Stdin | Descriptor::Stdout | Descriptor::Stderr => Err(Errno::SPIPE),
        }
    }
}
