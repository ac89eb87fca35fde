//! Pieces of streams that both stores use.

use crate::unixfs::BATCH_BYTES;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use sealwork_ports::{ByteStream, ErrorKind, PortError};

/// Takes pieces until they are worth a trip to another thread; tells whether the stream ended.
pub(crate) async fn gather(content: &mut ByteStream) -> Result<(Vec<Bytes>, bool), PortError> {
    let (mut pieces, mut bytes) = (Vec::new(), 0);
    while bytes < BATCH_BYTES {
        let Some(piece) = content.next().await else { return Ok((pieces, true)) };
        let piece = piece?;
        bytes += piece.len();
        if !piece.is_empty() {
            pieces.push(piece);
        }
    }
    Ok((pieces, false))
}

/// Reads a stream that has at most `limit` bytes.
pub(crate) async fn read_all(mut content: ByteStream, limit: usize) -> Result<Bytes, PortError> {
    let mut all = BytesMut::new();
    while let Some(piece) = content.next().await {
        let piece = piece?;
        if piece.len() > limit - all.len() {
            return Err(PortError::new(ErrorKind::Limit, format!("read content of more than {limit} bytes")));
        }
        all.extend_from_slice(&piece);
    }
    Ok(all.freeze())
}
