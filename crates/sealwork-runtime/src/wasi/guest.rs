//! The program's memory. Every access is checked against its bounds; what lies outside is `FAULT`.

use super::errno::Errno;
use crate::convert::to_usize;

/// Most buffers in one scattered read or write, as on Linux.
const BUFFERS_MAX: u32 = 1_024;

/// A place in the program's memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buffer {
    pub(crate) address: u32,
    pub(crate) len: u32,
}

/// The program's memory during one call.
pub(crate) struct Guest<'m>(&'m mut [u8]);

impl<'m> Guest<'m> {
    pub(crate) const fn new(memory: &'m mut [u8]) -> Self {
        Self(memory)
    }

    pub(crate) fn bytes(&self, address: u32, len: u32) -> Result<&[u8], Errno> {
        let start = to_usize(address);
        let end = start.checked_add(to_usize(len)).ok_or(Errno::FAULT)?;
        self.0.get(start..end).ok_or(Errno::FAULT)
    }

    pub(crate) fn bytes_mut(&mut self, address: u32, len: u32) -> Result<&mut [u8], Errno> {
        let start = to_usize(address);
        let end = start.checked_add(to_usize(len)).ok_or(Errno::FAULT)?;
        self.0.get_mut(start..end).ok_or(Errno::FAULT)
    }

    fn array<const N: usize>(&self, address: u32) -> Result<[u8; N], Errno> {
        let start = to_usize(address);
        let end = start.checked_add(N).ok_or(Errno::FAULT)?;
        let bytes = self.0.get(start..end).ok_or(Errno::FAULT)?;
        bytes.try_into().map_err(|_| Errno::FAULT)
    }

    pub(crate) fn u8(&self, address: u32) -> Result<u8, Errno> {
        self.array(address).map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&self, address: u32) -> Result<u16, Errno> {
        self.array(address).map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&self, address: u32) -> Result<u32, Errno> {
        self.array(address).map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&self, address: u32) -> Result<u64, Errno> {
        self.array(address).map(u64::from_le_bytes)
    }

    pub(crate) fn put(&mut self, address: u32, bytes: &[u8]) -> Result<(), Errno> {
        let len = u32::try_from(bytes.len()).map_err(|_| Errno::OVERFLOW)?;
        self.bytes_mut(address, len)?.copy_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn put_u32(&mut self, address: u32, value: u32) -> Result<(), Errno> {
        self.put(address, &value.to_le_bytes())
    }

    pub(crate) fn put_u64(&mut self, address: u32, value: u64) -> Result<(), Errno> {
        self.put(address, &value.to_le_bytes())
    }

    /// A path, which must be UTF-8.
    pub(crate) fn path(&self, path: Buffer) -> Result<&str, Errno> {
        std::str::from_utf8(self.bytes(path.address, path.len)?).map_err(|_| Errno::ILSEQ)
    }

    /// The buffers of a scattered read or write, all inside the memory, and their lengths together.
    pub(crate) fn buffers(&self, list: Buffer) -> Result<(Vec<Buffer>, u32), Errno> {
        if list.len > BUFFERS_MAX {
            return Err(Errno::INVAL);
        }
        let mut buffers = Vec::with_capacity(to_usize(list.len));
        let mut total = 0_u32;
        for index in 0..list.len {
            let entry = index
                .checked_mul(8)
                .and_then(|offset| list.address.checked_add(offset))
                .ok_or(Errno::FAULT)?;
            let buffer = Buffer { address: self.u32(entry)?, len: self.u32(offset(entry, 4)?)? };
            self.bytes(buffer.address, buffer.len)?;
            total = total.checked_add(buffer.len).ok_or(Errno::INVAL)?;
            buffers.push(buffer);
        }
        Ok((buffers, total))
    }
}

/// Address of a field of a structure.
pub(crate) fn offset(address: u32, by: u32) -> Result<u32, Errno> {
    address.checked_add(by).ok_or(Errno::FAULT)
}
