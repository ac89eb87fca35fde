//! One file node: a dag-pb message (`PBNode`) whose data field is a UnixFS message.
//!
//! ```text
//! PBNode { repeated PBLink Links = 2; bytes Data = 1 }      PBLink { bytes Hash = 1; string Name = 2; uint64 Tsize = 3 }
//! Data   { Type = 1; bytes Data = 2; filesize = 3; repeated uint64 blocksizes = 4; … }
//! ```
//! Links stand before the data, as dag-pb demands. Specification: <https://specs.ipfs.tech/unixfs/>.

use crate::{block::GeneralCid, error::DagError};
use bytes::{BufMut, Bytes, BytesMut};

/// Most links that a node may have. A block of 2 MiB could hold about 50,000; no importer makes more than 1,024.
pub(crate) const MAX_LINKS: usize = 8192;

const TYPE_RAW: u64 = 0;
const TYPE_FILE: u64 = 2;

/// A child of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The child.
    pub cid: GeneralCid,
    /// Bytes of file content below the child.
    pub content_bytes: u64,
    /// Bytes of all blocks below and with the child, repeated ones counted each time.
    pub tree_bytes: u64,
}

/// A node of a file: inline content, then children.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileNode {
    /// Content that stands in the node itself, before that of the children.
    pub inline: Bytes,
    /// Children in order.
    pub links: Vec<Link>,
}

impl FileNode {
    /// Bytes of content below the node; `None` when the sum overflows.
    pub fn content_bytes(&self) -> Option<u64> {
        let inline = u64::try_from(self.inline.len()).ok()?;
        self.links.iter().try_fold(inline, |sum, link| sum.checked_add(link.content_bytes))
    }

    /// The block's bytes.
    ///
    /// # Panics
    /// When the content's size does not fit 64 bits.
    pub fn encode(&self) -> Bytes {
        let mut unixfs = BytesMut::with_capacity(self.inline.len() + 16 + self.links.len() * 6);
        put_number(&mut unixfs, 1, TYPE_FILE);
        if !self.inline.is_empty() {
            put_bytes(&mut unixfs, 2, &self.inline);
        }
        put_number(&mut unixfs, 3, self.content_bytes().expect("a file is smaller than 2^64 bytes"));
        for link in &self.links {
            put_number(&mut unixfs, 4, link.content_bytes);
        }
        let mut node = BytesMut::with_capacity(unixfs.len() + 8 + self.links.len() * 52);
        for link in &self.links {
            let mut entry = BytesMut::with_capacity(52);
            put_bytes(&mut entry, 1, &link.cid.to_bytes());
            put_bytes(&mut entry, 2, b"");
            put_number(&mut entry, 3, link.tree_bytes);
            put_bytes(&mut node, 2, &entry);
        }
        put_bytes(&mut node, 1, &unixfs);
        node.freeze()
    }

    /// Reads the block `cid`. `block` may come from anybody who knows the right digest.
    ///
    /// # Errors
    /// [`DagError::Malformed`], [`DagError::Unsupported`] for what is not a file, [`DagError::Limit`] for too many
    /// links.
    pub fn decode(cid: &GeneralCid, block: &Bytes) -> Result<Self, DagError> {
        let malformed = |problem| DagError::Malformed { cid: *cid, problem };
        let mut hashes = Vec::new();
        let mut unixfs = None;
        for field in Fields::new(block) {
            match field.map_err(malformed)? {
                (2, Value::Bytes(entry)) if hashes.len() < MAX_LINKS => {
                    hashes.push(decode_link(entry).map_err(malformed)?);
                }
                (2, Value::Bytes(_)) => {
                    let (found, limit) = (MAX_LINKS as u64 + 1, MAX_LINKS as u64);
                    return Err(DagError::Limit { cid: *cid, what: "links or more", found, limit });
                }
                (1, Value::Bytes(data)) if unixfs.is_none() => unixfs = Some(data),
                (1 | 2, _) => return Err(malformed("a field is repeated or has the wrong type")),
                _ => return Err(malformed("unknown dag-pb field")),
            }
        }
        let unixfs = decode_unixfs(unixfs.ok_or_else(|| malformed("no UnixFS data"))?).map_err(malformed)?;
        if !matches!(unixfs.kind, Some(TYPE_RAW | TYPE_FILE)) {
            return Err(DagError::Unsupported {
                cid: *cid,
                found: "a UnixFS directory, link or unknown type",
            });
        }
        unixfs.join(block, &hashes).map_err(malformed)
    }
}

#[derive(Default)]
struct UnixFs<'a> {
    kind: Option<u64>,
    inline: Option<&'a [u8]>,
    file_size: Option<u64>,
    block_sizes: Vec<u64>,
}

impl UnixFs<'_> {
    fn join(self, block: &Bytes, links: &[(GeneralCid, u64)]) -> Result<FileNode, &'static str> {
        if links.len() != self.block_sizes.len() {
            return Err("links and block sizes differ in number");
        }
        // A child without content could be repeated without end at no cost to whoever made the tree.
        if self.block_sizes.contains(&0) {
            return Err("a child without content");
        }
        let link = |((cid, tree_bytes), content_bytes): (&(GeneralCid, u64), u64)| Link {
            cid: *cid,
            content_bytes,
            tree_bytes: *tree_bytes,
        };
        let links = links.iter().zip(self.block_sizes).map(link).collect();
        let inline = self.inline.map_or_else(Bytes::new, |inline| block.slice_ref(inline));
        let node = FileNode { inline, links };
        let content = node.content_bytes().ok_or("sizes overflow")?;
        if self.file_size.is_some_and(|declared| declared != content)
            || (self.file_size.is_none() && content > 0)
        {
            return Err("file size is not the sum of its parts");
        }
        Ok(node)
    }
}

fn decode_unixfs(data: &[u8]) -> Result<UnixFs<'_>, &'static str> {
    let mut unixfs = UnixFs::default();
    for field in Fields::new(data) {
        match field? {
            (1, Value::Number(kind)) if unixfs.kind.is_none() => unixfs.kind = Some(kind),
            (2, Value::Bytes(inline)) if unixfs.inline.is_none() => unixfs.inline = Some(inline),
            (3, Value::Number(size)) if unixfs.file_size.is_none() => unixfs.file_size = Some(size),
            (4, Value::Number(size)) if unixfs.block_sizes.len() < MAX_LINKS => unixfs.block_sizes.push(size),
            // Hash type, fan-out, mode and modification time say nothing about content.
            (5..=8, _) => {}
            _ => return Err("unexpected UnixFS field"),
        }
    }
    Ok(unixfs)
}

fn decode_link(entry: &[u8]) -> Result<(GeneralCid, u64), &'static str> {
    let (mut cid, mut tree_bytes) = (None, 0);
    for field in Fields::new(entry) {
        match field? {
            (1, Value::Bytes(hash)) if cid.is_none() => {
                let parsed = GeneralCid::try_from(hash).map_err(|_| "a link is not a CID")?;
                if parsed.encoded_len() != hash.len() {
                    return Err("a link has bytes behind its CID");
                }
                cid = Some(parsed);
            }
            (2, Value::Bytes(_)) => {}
            (3, Value::Number(size)) => tree_bytes = size,
            _ => return Err("unexpected link field"),
        }
    }
    Ok((cid.ok_or("a link without CID")?, tree_bytes))
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// Walks the fields of a protobuf message. Ends after the first error.
struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    const fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn field(&mut self) -> Result<(u64, Value<'a>), &'static str> {
        let tag = self.number()?;
        let value = match tag & 7 {
            0 => Value::Number(self.number()?),
            2 => {
                let len = usize::try_from(self.number()?).map_err(|_| "a length overflows")?;
                let (bytes, rest) = self.rest.split_at_checked(len).ok_or("a field is cut short")?;
                self.rest = rest;
                Value::Bytes(bytes)
            }
            _ => return Err("unexpected wire type"),
        };
        Ok((tag >> 3, value))
    }

    fn number(&mut self) -> Result<u64, &'static str> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or("a number is cut short")?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err("a number is too long");
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err("a number is too long")
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

fn put_varint(to: &mut BytesMut, mut number: u64) {
    while number >= 0x80 {
        to.put_u8((number & 0x7f).to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    to.put_u8(number.to_le_bytes()[0]);
}

fn put_number(to: &mut BytesMut, field: u64, number: u64) {
    put_varint(to, field << 3);
    put_varint(to, number);
}

fn put_bytes(to: &mut BytesMut, field: u64, bytes: &[u8]) {
    put_varint(to, field << 3 | 2);
    put_varint(to, bytes.len() as u64);
    to.put_slice(bytes);
}
