//! Finds the start section of a module. The engine does not tell whether there is one.

/// Magic number and version.
const PREAMBLE_BYTES: usize = 8;
const START_SECTION: u8 = 8;

/// Whether a module that the engine accepted runs code when it is instantiated.
pub(crate) fn has_start_section(module: &[u8]) -> bool {
    let mut rest = module.get(PREAMBLE_BYTES..).unwrap_or_default();
    while let Some((id, after)) = rest.split_first() {
        let Some((size, content)) = leb128(after) else { return false };
        if *id == START_SECTION {
            return true;
        }
        rest = content.get(size..).unwrap_or_default();
    }
    false
}

/// An unsigned LEB128 number of at most 32 bits, and what follows it.
fn leb128(mut bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for shift in (0..35).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        value |= usize::from(byte & 0x7f) << shift;
        bytes = rest;
        if byte & 0x80 == 0 {
            return Some((value, bytes));
        }
    }
    None
}
