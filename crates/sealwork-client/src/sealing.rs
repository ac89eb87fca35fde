//! Sealing an input and uploading it in one pass, in constant memory.

use crate::{
    AppView, Client, ClientError,
    streams::{StreamWriter, pipe},
};
use sealwork_seal::{
    HashingWriter, Secret,
    age::{Recipient, SealWriter},
    binding::InputBinding,
    bundle::{BundleError, InputHead, write_input},
};
use sealwork_types::{B256, order::TaskParams};
use std::{
    fs::File,
    io::{self, BufReader, Cursor, Read},
    path::{Path, PathBuf},
};

/// Where bytes come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file, read while it is sealed. It must not change meanwhile.
    File(PathBuf),
    /// Bytes in memory.
    Bytes(Vec<u8>),
}

/// A file for the program's `/in`.
#[derive(Clone, Debug)]
pub struct InputFile {
    /// Name under `/in`.
    pub name: String,
    /// Its bytes.
    pub source: Source,
}

/// Everything that is sealed for a program.
#[derive(Clone, Debug)]
pub struct RunInput {
    /// Arguments behind the program's name.
    pub args: Vec<String>,
    /// Files in `/in`.
    pub files: Vec<InputFile>,
    /// Standard input.
    pub stdin: Source,
}

/// A sealed and uploaded input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SealedInput {
    pub(crate) params: TaskParams,
    pub(crate) sealed_bytes: u64,
}

impl Source {
    fn open(&self) -> Result<(Box<dyn Read + Send>, u64), ClientError> {
        match self {
            Self::Bytes(bytes) => Ok((Box::new(Cursor::new(bytes.clone())), bytes.len() as u64)),
            Self::File(path) => {
                let failed = |error: io::Error| unusable(Some(path), &error);
                let file = File::open(path).map_err(failed)?;
                let metadata = file.metadata().map_err(failed)?;
                if !metadata.is_file() {
                    return Err(unusable(Some(path), &"it is not a regular file, so its size is not known"));
                }
                Ok((Box::new(BufReader::with_capacity(1 << 18, file)), metadata.len()))
            }
        }
    }
}

impl Client {
    /// Seals an input to the app's key and stores it.
    pub(crate) async fn seal_input(
        &self,
        app: &AppView,
        input: RunInput,
        expiry: u64,
    ) -> Result<SealedInput, ClientError> {
        let recipient = self.recipient(app).await?;
        let nonce = Secret::<[u8; 16]>::random().map_err(|error| unusable(None, &error))?;
        let (head, readers) = open_all(&input)?;
        let binding = InputBinding {
            domain: self.network.anchors.domain,
            requester: self.address(),
            app: app.id,
            output_recipient: self.output_identity().recipient().digest(),
            nonce: nonce.expose(|bytes| *bytes),
            expiry,
            body_len: head.body_len().map_err(|error| unusable(None, &error))?,
        };
        let (writer, upload) = pipe();
        let sealing = tokio::task::spawn_blocking(move || seal(writer, &recipient, &binding, &head, readers));
        let (stored, sealed) = tokio::join!(self.parts.store.put(upload), sealing);
        let (input_digest, sealed_bytes) = match sealed.map_err(|error| unusable(None, &error))? {
            Ok(sealed) => sealed,
            Err(SealFailure::Input(problem)) => return Err(unusable(None, &problem)),
            // The pipe broke under the sealer because the upload ended; the upload's error is the one that explains.
            Err(SealFailure::Upload) => {
                return Err(stored.map_or_else(Into::into, |_| unusable(None, &"upload ended")));
            }
        };
        Ok(SealedInput { params: TaskParams { input_cid: stored?, input_digest }, sealed_bytes })
    }
}

/// Which side of the pipe failed.
enum SealFailure {
    Input(String),
    Upload,
}

type Readers = (Vec<Box<dyn Read + Send>>, Box<dyn Read + Send>);

fn open_all(input: &RunInput) -> Result<(InputHead, Readers), ClientError> {
    let mut files = Vec::new();
    let mut readers = Vec::new();
    for file in &input.files {
        let (reader, length) = file.source.open()?;
        files.push((file.name.clone(), length));
        readers.push(reader);
    }
    let (stdin, stdin_len) = input.stdin.open()?;
    Ok((InputHead { args: input.args.clone(), files, stdin_len }, (readers, stdin)))
}

fn seal(
    out: StreamWriter,
    recipient: &Recipient,
    binding: &InputBinding,
    head: &InputHead,
    (files, stdin): Readers,
) -> Result<(B256, u64), SealFailure> {
    let upload = |_| SealFailure::Upload;
    let input = |error: &dyn std::fmt::Display| SealFailure::Input(error.to_string());
    let hashing = HashingWriter::new(out);
    let mut sealer =
        SealWriter::new(std::slice::from_ref(recipient), hashing).map_err(|error| input(&error))?;
    write_input(&mut sealer, binding, head, files, stdin).map_err(|error| {
        if matches!(error, BundleError::Write(_)) { SealFailure::Upload } else { input(&error) }
    })?;
    let hashing = sealer.finish().map_err(|_| SealFailure::Upload)?;
    let (out, digest, length) = hashing.finish();
    out.finish().map_err(upload)?;
    Ok((digest, length))
}

fn unusable(path: Option<&Path>, problem: &dyn std::fmt::Display) -> ClientError {
    ClientError::Input { path: path.map(Path::to_path_buf), problem: problem.to_string() }
}
