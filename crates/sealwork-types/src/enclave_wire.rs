//! Messages between an enclave and its host: one pipe each way, length-bounded frames, strictly ordered.
//!
//! A frame is a little-endian `u32` length, then that many bytes of `postcard`. The enclave reads nothing else from its
//! host and has no other way out; the host sees ciphertext and public documents only.
//!
//! ```text
//! host                                   enclave
//!  Init ───────────────────────────────►  makes its keys
//!  ◄───────────────────────────── Ready
//!  Attest ─────────────────────────────►
//!  ◄────────────── Quote / TlsOpen,Out     (any number; answered by QuoteReply / TlsIn)
//!  ◄────────────────────────── Attested
//!  Task ───────────────────────────────►
//!  ◄────────────── TlsOpen, TlsOut         (key release)
//!  ◄────── NeedModule, or NeedCompiled     (one Chunk for each)
//!  Chunk… ─────────────────────────────►
//!  ◄───────────── NeedInput, Progress      (one Chunk for each NeedInput)
//!  ◄─────────────────────────── Output…
//!  ◄─────────────────── Done or Refused
//! ```

use crate::{
    Address, AppId, B256, Bytes, DealId, ManifestHash,
    abi::{Batch, Grant, Receipt},
    batch::BatchedTask,
    evidence::Evidence,
    generated::params::MAX_FRAME_BYTES,
    network::TrustAnchors,
    order::SignedRequest,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::io::{self, Read, Write};

/// Data bytes in one `Chunk`, `Output` or TLS frame.
pub const MAX_CHUNK_BYTES: usize = 1 << 20;

/// What the host says.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToEnclave {
    /// First message: whom to trust. Digest goes into every evidence.
    Init {
        /// JSON of [`TrustAnchors`]; `postcard` cannot carry all of its types.
        anchors: Vec<u8>,
        /// Which evidence the host can provide.
        tee: crate::evidence::TeeKind,
    },
    /// Convince the CAS and get a grant.
    Attest {
        /// Seconds since 1970. The enclave uses the host's time only to refuse, never to blame somebody.
        now: u64,
    },
    /// Answer to `Quote`.
    QuoteReply(Result<EvidenceFrame, String>),
    /// TLS bytes from the member of the last `TlsNeed`; empty at its end of stream or when it cannot be reached.
    TlsIn(Bytes),
    /// Run a task.
    Task(Box<TaskFrame>),
    /// Bytes of the module or of the sealed input, as asked; empty at the end.
    Chunk(Bytes),
    /// Leave.
    Stop,
}

/// What the enclave says.
#[derive(Debug, Serialize, Deserialize)]
pub enum FromEnclave {
    /// Keys are made.
    Ready {
        /// Address of the signing key.
        enclave: Address,
        /// What the enclave gave up; for the host's log only.
        sandbox: SandboxReport,
    },
    /// Needs evidence with this report data (64 bytes).
    Quote {
        /// What the evidence must carry.
        report_data: Vec<u8>,
    },
    /// Open a connection to CAS member number `member` of the anchors. Replaces an open one to the same member.
    TlsOpen {
        /// Index into `cas_members`.
        member: u32,
    },
    /// TLS bytes to a member.
    TlsOut {
        /// Index into `cas_members`.
        member: u32,
        /// TLS records.
        bytes: Bytes,
    },
    /// Wants the next TLS bytes of a member.
    TlsNeed {
        /// Index into `cas_members`.
        member: u32,
    },
    /// The CAS granted this key.
    Attested {
        /// JSON of the grant and its signatures ([`GrantFrame`]).
        grant: Vec<u8>,
    },
    /// Wants the next `Chunk` of the module.
    NeedModule,
    /// Wants the next `Chunk` of the sealed input.
    NeedInput,
    /// A step of the task began.
    Progress(Step),
    /// Next bytes of the sealed output.
    Output(Bytes),
    /// The task is done; the receipt may be settled.
    Done {
        /// JSON of [`DoneFrame`], or of [`BatchDone`] when the task frame asked for several tasks.
        done: Vec<u8>,
    },
    /// The task or request was refused without a receipt. The enclave can go on.
    Refused {
        /// Whether trying again (another CAS member, fresh bytes) can help.
        retryable: bool,
        /// What was wrong. Never contains plaintext.
        reason: String,
    },
    /// Wants the next `Chunk` of what an earlier enclave let the host keep under this name; none is an empty one.
    NeedCompiled(CompiledName),
    /// Lets the host keep the next bytes of a compiled program; empty at the end. The host cannot use or change them.
    KeepCompiled {
        /// Under which name to keep all of them.
        name: CompiledName,
        /// Opaque.
        bytes: Bytes,
    },
}

/// Names a compiled program among those of one measurement: another app or policy has other keys to authenticate it with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompiledName {
    /// App.
    pub app: [u8; 32],
    /// SHA-256 of the policy, which names the code.
    pub policy: [u8; 32],
}

/// What an enclave gave up before it read its first message. Each field says whether this kernel granted it; the system
/// call filter is not listed because no enclave starts without it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each named")]
pub struct SandboxReport {
    /// File system and network rules deny everything.
    pub landlock: bool,
    /// Own user and network name space.
    pub namespaces: bool,
    /// All capabilities are gone.
    pub capabilities: bool,
    /// Memory cannot be swapped out.
    pub memory_locked: bool,
}

/// Steps an enclave reports while it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// The key was released.
    KeyReleased,
    /// The program starts.
    Running,
    /// The output is being sealed.
    Sealing,
}

/// Evidence in a frame.
#[derive(Debug, Serialize, Deserialize)]
pub struct EvidenceFrame {
    /// Format.
    pub tee: crate::evidence::TeeKind,
    /// Raw bytes.
    pub bytes: Vec<u8>,
}

impl From<Evidence> for EvidenceFrame {
    fn from(evidence: Evidence) -> Self {
        Self { tee: evidence.tee, bytes: evidence.bytes.to_vec() }
    }
}

impl From<EvidenceFrame> for Evidence {
    fn from(frame: EvidenceFrame) -> Self {
        Self { tee: frame.tee, bytes: frame.bytes.into() }
    }
}

/// A task as the host describes it. Nothing in it is trusted: the enclave checks hashes, signatures and bindings.
#[derive(Debug, Serialize, Deserialize)]
pub struct TaskFrame {
    /// Seconds since 1970.
    pub now: u64,
    /// Deal.
    pub deal: [u8; 32],
    /// Index in the deal, of the first task if there are several.
    pub index: u32,
    /// Tasks that follow each other and run on the same input: 1, or up to [`MAX_BATCH_TASKS`] for one statement.
    ///
    /// [`MAX_BATCH_TASKS`]: crate::batch::MAX_BATCH_TASKS
    pub count: u32,
    /// After so many milliseconds no further task of a batch is begun. Only to be quick: the first one always runs.
    pub budget_ms: u64,
    /// JSON of [`SignedRequest`].
    pub request: Vec<u8>,
    /// Manifest bytes.
    pub manifest: Vec<u8>,
    /// Policy bytes.
    pub policy: Vec<u8>,
    /// The output recipient's bytes; the order names their digest.
    pub output_recipient: Vec<u8>,
}

impl TaskFrame {
    /// The deal's id.
    pub fn deal_id(&self) -> DealId {
        DealId::new(B256::from(self.deal))
    }
}

/// A grant with its signatures, as JSON inside [`FromEnclave::Attested`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantFrame {
    /// The statement.
    pub grant: Grant,
    /// Signatures, ascending by member address.
    pub signatures: Vec<Bytes>,
}

/// A finished task, as JSON inside [`FromEnclave::Done`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoneFrame {
    /// The statement.
    pub receipt: Receipt,
    /// Signature by the enclave key.
    pub signature: Bytes,
}

/// Several finished tasks under one signature, as JSON inside [`FromEnclave::Done`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchDone {
    /// The statement; its tally says how many tasks were done.
    pub statement: Batch,
    /// Signature by the enclave key.
    pub signature: Bytes,
    /// How each task ended, in order.
    pub tasks: Vec<BatchedTask>,
}

/// Names used by hosts for logs: which app a task frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskLabel {
    /// App.
    pub app: AppId,
    /// Manifest.
    pub manifest: ManifestHash,
}

/// Why a frame could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The other side closed the pipe between two frames.
    #[error("the other side of the enclave pipe is gone")]
    Closed,
    /// Too long, refused before reading.
    #[error("frame of {found} bytes, the limit is {limit}")]
    TooLarge {
        /// Length announced.
        found: usize,
        /// Length allowed.
        limit: usize,
    },
    /// Not a message of this version, or bytes behind it.
    #[error("frame is not a known message")]
    Malformed,
    /// The pipe failed.
    #[error("enclave pipe failed")]
    Io(#[from] io::Error),
}

/// Encodes a message as a frame.
///
/// # Errors
/// [`FrameError::TooLarge`] when the message exceeds [`MAX_FRAME_BYTES`].
pub fn encode_frame<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let mut frame = postcard::serialize_with_flavor(message, Framed(vec![0; HEADER_BYTES]))
        .map_err(|_| FrameError::Malformed)?;
    let found = frame.len().saturating_sub(HEADER_BYTES);
    let length = u32::try_from(found).ok().filter(|_| found <= MAX_FRAME_BYTES);
    let header = length.ok_or(FrameError::TooLarge { found, limit: MAX_FRAME_BYTES })?.to_le_bytes();
    if let Some(room) = frame.first_chunk_mut() {
        *room = header;
    }
    Ok(frame)
}

const HEADER_BYTES: usize = 4;

/// A body that is written behind the room for its header, so that a chunk is copied once.
struct Framed(Vec<u8>);

impl postcard::ser_flavors::Flavor for Framed {
    type Output = Vec<u8>;

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.0)
    }
}

/// Decodes a frame's body.
///
/// # Errors
/// [`FrameError::Malformed`] unless the bytes are exactly one message.
pub fn decode_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, FrameError> {
    match postcard::take_from_bytes(body) {
        Ok((message, [])) => Ok(message),
        _ => Err(FrameError::Malformed),
    }
}

/// Checks an announced frame length.
///
/// # Errors
/// [`FrameError::TooLarge`].
pub fn frame_length(header: [u8; 4]) -> Result<usize, FrameError> {
    let found = usize::try_from(u32::from_le_bytes(header)).map_err(|_| FrameError::Malformed)?;
    if found > MAX_FRAME_BYTES {
        return Err(FrameError::TooLarge { found, limit: MAX_FRAME_BYTES });
    }
    Ok(found)
}

/// Writes one message and flushes.
///
/// # Errors
/// [`FrameError`] when it is too large or the pipe fails.
pub fn write_message<T: Serialize>(mut pipe: impl Write, message: &T) -> Result<(), FrameError> {
    pipe.write_all(&encode_frame(message)?)?;
    pipe.flush()?;
    Ok(())
}

/// Reads one message.
///
/// # Errors
/// [`FrameError::Closed`] at a clean end; otherwise what was wrong.
pub fn read_message<T: DeserializeOwned>(mut pipe: impl Read) -> Result<T, FrameError> {
    let mut header = [0; 4];
    match pipe.read_exact(&mut header) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(FrameError::Closed),
        other => other?,
    }
    let mut body = vec![0; frame_length(header)?];
    pipe.read_exact(&mut body)?;
    decode_body(&body)
}

/// The anchors of an `Init` message.
///
/// # Errors
/// [`FrameError::Malformed`] unless they are valid JSON of the right shape.
pub fn decode_anchors(bytes: &[u8]) -> Result<TrustAnchors, FrameError> {
    serde_json::from_slice(bytes).map_err(|_| FrameError::Malformed)
}

/// The request of a task frame.
///
/// # Errors
/// [`FrameError::Malformed`] unless it is valid JSON of the right shape.
pub fn decode_request(bytes: &[u8]) -> Result<SignedRequest, FrameError> {
    serde_json::from_slice(bytes).map_err(|_| FrameError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_round_trip_and_have_a_fixed_shape() {
        let frame = encode_frame(&FromEnclave::Output(Bytes::from_static(&[7, 8]))).unwrap();
        assert_eq!(hex::encode(&frame), "0400000009020708");
        assert!(
            matches!(read_message(&frame[..]).unwrap(), FromEnclave::Output(bytes) if bytes[..] == [7, 8])
        );
    }

    #[test]
    fn oversized_truncated_and_unknown_frames_are_refused() {
        let huge = u32::MAX.to_le_bytes();
        assert!(matches!(read_message::<ToEnclave>(&huge[..]), Err(FrameError::TooLarge { .. })));
        assert!(matches!(read_message::<ToEnclave>(&[][..]), Err(FrameError::Closed)));
        assert!(matches!(read_message::<ToEnclave>(&[9, 0, 0, 0, 1][..]), Err(FrameError::Io(_))));
        assert!(matches!(read_message::<ToEnclave>(&[1, 0, 0, 0, 99][..]), Err(FrameError::Malformed)));
        let trailing = [&[2, 0, 0, 0][..], &postcard::to_stdvec(&ToEnclave::Stop).unwrap(), &[0]].concat();
        assert!(matches!(read_message::<ToEnclave>(&trailing[..]), Err(FrameError::Malformed)));
    }
}
