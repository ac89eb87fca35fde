//! ASCII armor, strict, for files that arrive as text. Sealwork itself writes binary files only.

use super::base64;

const BEGIN: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";
const END: &[u8] = b"-----END AGE ENCRYPTED FILE-----";
const COLUMNS: usize = 64;

/// Why armor was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArmorError {
    /// The first line is another one.
    #[error("expected the line \"-----BEGIN AGE ENCRYPTED FILE-----\"")]
    Begin,
    /// A line is not 64 letters of base64, or a last one not at most 64 with padding.
    #[error("armor line {line} is not base64 of 64 columns (the last line may be shorter)")]
    Line {
        /// Number of the line, from 1.
        line: usize,
    },
    /// There is no end line.
    #[error("expected the line \"-----END AGE ENCRYPTED FILE-----\"")]
    End,
    /// Something other than white space follows the end line.
    #[error("armor goes on behind its end line")]
    Trailing,
}

/// Turns armored text into the bytes of the file. Needs memory for all of it.
///
/// # Errors
/// [`ArmorError`] unless the text is strict armor: white space around it, LF or CRLF, 64 columns, canonical base64.
pub fn dearmor(text: &[u8]) -> Result<Vec<u8>, ArmorError> {
    let mut bytes = Vec::with_capacity(text.len().div_ceil(4).saturating_mul(3));
    let mut lines = text
        .trim_ascii_start()
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    if lines.next() != Some(BEGIN) {
        return Err(ArmorError::Begin);
    }
    let mut short = false;
    let mut number = 1_usize;
    for line in lines.by_ref() {
        number = number.saturating_add(1);
        if line.starts_with(END) {
            let clean =
                line == END || line.strip_prefix(END).is_some_and(|rest| rest.trim_ascii().is_empty());
            let rest_is_blank = lines.all(|line| line.trim_ascii().is_empty());
            return if clean && rest_is_blank { Ok(bytes) } else { Err(ArmorError::Trailing) };
        }
        let wrong = ArmorError::Line { line: number };
        if short || line.is_empty() || line.len() > COLUMNS {
            return Err(wrong);
        }
        let decoded = base64::decode_padded(line).ok_or(wrong)?;
        short = line.len() < COLUMNS || line.ends_with(b"=");
        bytes.extend(decoded);
    }
    Err(ArmorError::End)
}
