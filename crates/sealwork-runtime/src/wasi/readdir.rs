//! Listing a directory.

use super::{Answer, Errno, Guest, descriptor::file_type, guest::offset};
use crate::{descriptors::Descriptor, files::NodeId, process::Process};

/// Size of the record before each name.
const RECORD_BYTES: u32 = 24;
/// Cookies 1 and 2 stand for `.` and `..`; those of names follow.
const DOTS: u64 = 2;

impl Process {
    pub(super) fn fd_readdir(
        &mut self,
        guest: &mut Guest<'_>,
        fd: u32,
        address: u32,
        len: u32,
        cookie: u64,
        used: u32,
    ) -> Answer {
        guest.bytes(address, len)?;
        let id = match self.descriptors.get(fd)? {
            Descriptor::Directory { node, .. } => node,
            Descriptor::File(_) | Descriptor::Stdin | Descriptor::Stdout | Descriptor::Stderr => {
                return Err(Errno::NOTDIR.into());
            }
        };
        let directory = self.files.directory(id)?;
        let dots =
            [(1, ".", id), (DOTS, "..", directory.parent())].into_iter().filter(|(at, ..)| *at > cookie);
        let names = directory
            .after(cookie.saturating_sub(DOTS))
            .map(|(at, name, node)| (at.saturating_add(DOTS), name, node));
        let mut listing = Listing { guest, address, left: len };
        for (next, name, node) in dots.chain(names) {
            let kind = self.files.node(node).map_or(0, |node| file_type(&node.kind));
            if !listing.entry(next, name, (node, kind))? {
                break;
            }
        }
        let written = len.saturating_sub(listing.left);
        self.owe_for(written);
        Ok(guest.put_u32(used, written)?)
    }
}

/// A buffer being filled; the last entry may be cut off, which tells the program to come again with more room.
struct Listing<'g, 'm> {
    guest: &'g mut Guest<'m>,
    address: u32,
    left: u32,
}

impl Listing<'_, '_> {
    /// Adds an entry; returns whether there is room for more.
    fn entry(&mut self, next: u64, name: &str, (node, kind): (NodeId, u8)) -> Result<bool, Errno> {
        let name_len = u32::try_from(name.len()).map_err(|_| Errno::OVERFLOW)?;
        let mut record = Vec::with_capacity(name.len().saturating_add(24));
        record.extend_from_slice(&next.to_le_bytes());
        record.extend_from_slice(&node.inode().to_le_bytes());
        record.extend_from_slice(&name_len.to_le_bytes());
        record.extend_from_slice(&u32::from(kind).to_le_bytes());
        record.extend_from_slice(name.as_bytes());
        let len = RECORD_BYTES.saturating_add(name_len);
        let fits = len.min(self.left);
        self.guest.put(self.address, record.get(..crate::convert::to_usize(fits)).unwrap_or_default())?;
        self.left = self.left.saturating_sub(fits);
        self.address = offset(self.address, fits)?;
        Ok(self.left > 0)
    }
}
