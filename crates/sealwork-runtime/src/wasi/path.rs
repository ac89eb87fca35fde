//! Functions that take a path.

use super::{
    Answer, Errno, Guest,
    descriptor::{RIGHT_READ, RIGHT_WRITE, checked_flags},
    guest::Buffer,
};
use crate::{
    descriptors::{Descriptor, OpenFile},
    files::{Kind, NodeId, Resolved},
    process::Process,
};

const OPEN_CREATE: u32 = 1;
const OPEN_DIRECTORY: u32 = 2;
const OPEN_EXCLUSIVE: u32 = 4;
const OPEN_TRUNCATE: u32 = 8;

/// How a program wants to open a path.
#[derive(Clone, Copy)]
struct Wish {
    how: u32,
    rights: u64,
    flags: u16,
}

impl Wish {
    const fn has(self, flag: u32) -> bool {
        self.how & flag != 0
    }

    const fn writes(self) -> bool {
        self.rights & RIGHT_WRITE != 0 || self.has(OPEN_TRUNCATE)
    }
}

impl Process {
    fn directory(&self, fd: u32) -> Result<NodeId, Errno> {
        match self.descriptors.get(fd)? {
            Descriptor::Directory { node, .. } => Ok(node),
            Descriptor::File(_) | Descriptor::Stdin | Descriptor::Stdout | Descriptor::Stderr => {
                Err(Errno::NOTDIR)
            }
        }
    }

    fn resolve<'g>(&self, guest: &'g Guest<'_>, fd: u32, path: Buffer) -> Result<Resolved<'g>, Errno> {
        let path = guest.path(path)?;
        self.files.resolve(self.directory(fd)?, path)
    }

    pub(super) fn path_open(
        &mut self,
        guest: &mut Guest<'_>,
        fd: u32,
        _look: u32,
        path: u32,
        len: u32,
        how: u32,
        rights: u64,
        _inheriting: u64,
        flags: u32,
        opened: u32,
    ) -> Answer {
        guest.bytes(opened, 4)?;
        let wish = Wish { how, rights, flags: checked_flags(flags)? };
        let node = match self.resolve(guest, fd, Buffer { address: path, len })? {
            Resolved::Child { parent, name, node: None, wants_directory } => {
                if !wish.has(OPEN_CREATE) {
                    return Err(Errno::NOENT.into());
                }
                if wants_directory || wish.has(OPEN_DIRECTORY) {
                    return Err(Errno::INVAL.into());
                }
                self.files.create(parent, name, Kind::File(Vec::new()), self.clock.stamp_ns())?
            }
            known @ (Resolved::Itself(_) | Resolved::Child { .. }) => {
                if wish.has(OPEN_CREATE) && wish.has(OPEN_EXCLUSIVE) {
                    return Err(Errno::EXIST.into());
                }
                known.existing()?
            }
        };
        let fd = self.open_node(node, wish)?;
        Ok(guest.put_u32(opened, fd)?)
    }

    fn open_node(&mut self, node: NodeId, wish: Wish) -> Result<u32, super::Fail> {
        let descriptor = match &self.files.node(node)?.kind {
            Kind::Directory(_) if wish.writes() => return Err(Errno::ISDIR.into()),
            Kind::Directory(_) => Descriptor::Directory { node, preopen: None },
            Kind::File(_) if wish.has(OPEN_DIRECTORY) => return Err(Errno::NOTDIR.into()),
            Kind::File(_) => {
                if wish.writes() {
                    self.files.check_writable(node)?;
                }
                let (readable, writable) = (wish.rights & RIGHT_READ != 0, wish.rights & RIGHT_WRITE != 0);
                Descriptor::File(OpenFile { node, position: 0, readable, writable, flags: wish.flags })
            }
        };
        let fd = self.descriptors.add(descriptor)?;
        self.files.opened(node)?;
        if wish.has(OPEN_TRUNCATE) {
            self.files.resize(node, 0)?;
        }
        Ok(fd)
    }

    pub(super) fn path_create_directory(
        &mut self,
        guest: &mut Guest<'_>,
        fd: u32,
        path: u32,
        len: u32,
    ) -> Answer {
        match self.resolve(guest, fd, Buffer { address: path, len })? {
            Resolved::Child { parent, name, node: None, .. } => {
                Ok(self.files.create_directory(parent, name, self.clock.stamp_ns())?)
            }
            Resolved::Itself(_) | Resolved::Child { .. } => Err(Errno::EXIST.into()),
        }
    }

    pub(super) fn path_remove_directory(
        &mut self,
        guest: &mut Guest<'_>,
        fd: u32,
        path: u32,
        len: u32,
    ) -> Answer {
        match self.resolve(guest, fd, Buffer { address: path, len })? {
            Resolved::Child { parent, name, node: Some(node), .. } => {
                if !self.files.directory(node)?.is_empty() {
                    return Err(Errno::NOTEMPTY.into());
                }
                self.files.check_writable(parent)?;
                Ok(self.files.unlink(parent, name, self.clock.stamp_ns())?)
            }
            Resolved::Child { node: None, .. } => Err(Errno::NOENT.into()),
            Resolved::Itself(_) => Err(Errno::BUSY.into()),
        }
    }

    pub(super) fn path_unlink_file(&mut self, guest: &mut Guest<'_>, fd: u32, path: u32, len: u32) -> Answer {
        match self.resolve(guest, fd, Buffer { address: path, len })? {
            Resolved::Child { parent, name, node: Some(node), .. } => {
                self.files.file(node)?;
                self.files.check_writable(parent)?;
                Ok(self.files.unlink(parent, name, self.clock.stamp_ns())?)
            }
            Resolved::Child { node: None, .. } => Err(Errno::NOENT.into()),
            Resolved::Itself(_) => Err(Errno::ISDIR.into()),
        }
    }

    pub(super) fn path_rename(
        &mut self,
        guest: &mut Guest<'_>,
        from: u32,
        path: u32,
        len: u32,
        to: u32,
        new: u32,
        new_len: u32,
    ) -> Answer {
        let source = self.resolve(guest, from, Buffer { address: path, len })?;
        let target = self.resolve(guest, to, Buffer { address: new, len: new_len })?;
        let (
            Resolved::Child { parent: source, name, node, wants_directory: slash },
            Resolved::Child { parent: target, name: new_name, wants_directory: new_slash, .. },
        ) = (source, target)
        else {
            return Err(Errno::BUSY.into());
        };
        if slash || new_slash {
            self.files.directory(node.ok_or(Errno::NOENT)?)?;
        }
        self.files.check_writable(source)?;
        self.files.check_writable(target)?;
        Ok(self.files.rename((source, name), (target, new_name), self.clock.stamp_ns())?)
    }

    pub(super) fn path_filestat_get(
        &mut self,
        guest: &mut Guest<'_>,
        fd: u32,
        _look: u32,
        path: u32,
        len: u32,
        stat: u32,
    ) -> Answer {
        let node = self.resolve(guest, fd, Buffer { address: path, len })?.existing()?;
        self.put_filestat(guest, stat, node)
    }

    pub(super) fn path_filestat_set_times(
        &mut self,
        guest: &mut Guest<'_>,
        fd: u32,
        _look: u32,
        path: u32,
        len: u32,
        accessed: u64,
        modified: u64,
        flags: u32,
    ) -> Answer {
        let node = self.resolve(guest, fd, Buffer { address: path, len })?.existing()?;
        self.set_times(node, accessed, modified, flags)
    }

    /// There are no links: each file has one name.
    pub(super) fn path_link(
        &mut self,
        guest: &mut Guest<'_>,
        from: u32,
        _look: u32,
        path: u32,
        len: u32,
        to: u32,
        new: u32,
        new_len: u32,
    ) -> Answer {
        self.resolve(guest, from, Buffer { address: path, len })?.existing()?;
        self.resolve(guest, to, Buffer { address: new, len: new_len })?;
        Err(Errno::NOTSUP.into())
    }

    pub(super) fn path_symlink(
        &mut self,
        guest: &mut Guest<'_>,
        text: u32,
        text_len: u32,
        fd: u32,
        path: u32,
        len: u32,
    ) -> Answer {
        guest.path(Buffer { address: text, len: text_len })?;
        self.resolve(guest, fd, Buffer { address: path, len })?;
        Err(Errno::NOTSUP.into())
    }

    /// Nothing is a symbolic link, so an existing path is always the wrong kind.
    pub(super) fn path_readlink(
        &mut self,
        guest: &mut Guest<'_>,
        fd: u32,
        path: u32,
        len: u32,
        text: u32,
        text_len: u32,
        used: u32,
    ) -> Answer {
        guest.bytes(text, text_len)?;
        guest.bytes(used, 4)?;
        self.resolve(guest, fd, Buffer { address: path, len })?.existing()?;
        Err(Errno::INVAL.into())
    }
}
