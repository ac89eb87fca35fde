//! Error numbers of WASI preview 1, and how a call ends.

use crate::batch::Exit;

/// An error number as the program sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) u32);

impl Errno {
    pub(crate) const SUCCESS: Self = Self(0);
    pub(crate) const BADF: Self = Self(8);
    pub(crate) const BUSY: Self = Self(10);
    pub(crate) const EXIST: Self = Self(20);
    pub(crate) const FAULT: Self = Self(21);
    pub(crate) const FBIG: Self = Self(22);
    pub(crate) const ILSEQ: Self = Self(25);
    pub(crate) const INVAL: Self = Self(28);
    pub(crate) const ISDIR: Self = Self(31);
    pub(crate) const MFILE: Self = Self(33);
    pub(crate) const NAMETOOLONG: Self = Self(37);
    pub(crate) const NOENT: Self = Self(44);
    pub(crate) const NOSPC: Self = Self(51);
    pub(crate) const NOTDIR: Self = Self(54);
    pub(crate) const NOTEMPTY: Self = Self(55);
    pub(crate) const NOTSUP: Self = Self(58);
    pub(crate) const OVERFLOW: Self = Self(61);
    pub(crate) const ROFS: Self = Self(69);
    pub(crate) const SPIPE: Self = Self(70);
    pub(crate) const XDEV: Self = Self(75);
    pub(crate) const NOTCAPABLE: Self = Self(76);
}

/// Why a call did not succeed.
#[derive(Debug)]
pub(crate) enum Fail {
    /// The program gets an error number and goes on.
    Errno(Errno),
    /// The run ends.
    End(Exit),
}

impl From<Errno> for Fail {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}
