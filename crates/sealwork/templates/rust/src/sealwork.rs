//! What a program that runs on Sealwork needs: its sealed input and its answer. No dependencies, no `unsafe`.
//!
//! A Sealwork program is an ordinary WASI preview 1 command. It gets arguments, standard input, environment variables
//! and a read-only directory `/in`; it answers by standard output, files in `/out` and its exit code. All of them are
//! opened and sealed inside the enclave, so nobody but the requester sees them. There is no network, no clock worth
//! trusting and no other file. Plain `std` reaches all of this too; the functions here add the checks and the error
//! texts that one forgets.
//!
//! Outside WebAssembly (tests, `cargo run`) the directories are `in` and `out` below the current directory, or
//! whatever the variables `SEALWORK_IN` and `SEALWORK_OUT` name.

use std::{
    error::Error,
    fmt,
    fs::{self, File},
    io::{self, BufReader, BufWriter, ErrorKind, Read, StdinLock},
    path::{Component, Path, PathBuf},
    process::ExitCode,
};

/// Result of a guest program: any error will do, since [`run`] only prints it.
pub type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// Size of the pieces that [`for_each_chunk`] and the buffered readers ask for, bytes.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// A file that could not be read or written.
#[derive(Debug)]
pub enum FileError {
    /// The name is empty, absolute or leaves the directory; use a relative name without `..`.
    Name(String),
    /// The system refused.
    Io {
        /// What was tried: `"read"`, `"write"`, ...
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not UTF-8.
    NotUtf8 {
        /// Which file.
        path: PathBuf,
        /// Offset of the first wrong byte.
        at: usize,
    },
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name:?} is no file name; use a relative name without `..`"),
            Self::Io { action, path, .. } => write!(f, "cannot {action} {}", path.display()),
            Self::NotUtf8 { path, at } => write!(f, "{} is not UTF-8, see byte {at}", path.display()),
        }
    }
}

impl Error for FileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Name(_) | Self::NotUtf8 { .. } => None,
        }
    }
}

/// Runs the program and turns its result into an exit code: 0, or 1 after printing the error and its causes to
/// standard error.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     sealwork_guest::run(|| {
///         println!("{} arguments", sealwork_guest::args().len());
///         Ok(())
///     })
/// }
/// ```
pub fn run(program: impl FnOnce() -> Result) -> ExitCode {
    match program() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", describe(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes in one line, separated by `: `.
pub fn describe(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// The arguments the requester gave, without the program's own name. Bytes that are not UTF-8 are replaced.
pub fn args() -> Vec<String> {
    std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect()
}

/// Standard input, buffered, to stream an input of any size.
pub fn stdin() -> StdinLock<'static> {
    io::stdin().lock()
}

/// Hands the whole of `reader` to `consume` in pieces of at most [`CHUNK_BYTES`], in constant memory, and returns
/// how many bytes there were.
///
/// # Errors
/// What `reader` or `consume` return.
pub fn for_each_chunk(mut reader: impl Read, mut consume: impl FnMut(&[u8]) -> Result) -> Result<u64> {
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut total = 0_u64;
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(count) => {
                consume(buffer.get(..count).unwrap_or_default())?;
                total = total.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Names of all files below `/in`, relative to it, with `/` between directories, in the order of their bytes. Empty when
/// the requester gave none.
///
/// # Errors
/// [`FileError::Io`] when a directory cannot be listed.
pub fn input_files() -> std::result::Result<Vec<String>, FileError> {
    let root = input_dir();
    let mut names = Vec::new();
    let mut pending = vec![(root, String::new())];
    while let Some((directory, prefix)) = pending.pop() {
        let failed = |source| FileError::Io { action: "list", path: directory.clone(), source };
        let entries = match fs::read_dir(&directory) {
            Err(error) if error.kind() == ErrorKind::NotFound && prefix.is_empty() => continue,
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type().map_err(failed)?.is_dir() {
                pending.push((entry.path(), format!("{name}/")));
            } else {
                names.push(name);
            }
        }
    }
    names.sort();
    Ok(names)
}

/// Opens a file of `/in` for streaming.
///
/// # Errors
/// [`FileError`] for a bad name or a file that cannot be opened.
pub fn open_input(name: &str) -> std::result::Result<BufReader<File>, FileError> {
    let path = resolve(&input_dir(), name)?;
    match File::open(&path) {
        Ok(file) => Ok(BufReader::with_capacity(CHUNK_BYTES, file)),
        Err(source) => Err(FileError::Io { action: "open", path, source }),
    }
}

/// Reads a whole file of `/in`.
///
/// # Errors
/// [`FileError`] for a bad name or a file that cannot be read.
pub fn read_input(name: &str) -> std::result::Result<Vec<u8>, FileError> {
    let path = resolve(&input_dir(), name)?;
    fs::read(&path).map_err(|source| FileError::Io { action: "read", path, source })
}

/// Reads a whole file of `/in` as text.
///
/// # Errors
/// [`FileError`] for a bad name, a file that cannot be read or that is not UTF-8.
pub fn read_input_text(name: &str) -> std::result::Result<String, FileError> {
    String::from_utf8(read_input(name)?).map_err(|error| FileError::NotUtf8 {
        path: input_dir().join(name),
        at: error.utf8_error().valid_up_to(),
    })
}

/// Creates (or truncates) a file of `/out` and the directories above it, for streaming. Call [`io::Write::flush`] at the
/// end: a writer that is merely dropped cannot report a full disk.
///
/// # Errors
/// [`FileError`] for a bad name or a file that cannot be created.
pub fn create_output(name: &str) -> std::result::Result<BufWriter<File>, FileError> {
    let path = output_path(name)?;
    match File::create(&path) {
        Ok(file) => Ok(BufWriter::with_capacity(CHUNK_BYTES, file)),
        Err(source) => Err(FileError::Io { action: "create", path, source }),
    }
}

/// Writes a whole file of `/out`, creating the directories above it.
///
/// # Errors
/// [`FileError`] for a bad name or a file that cannot be written.
pub fn write_output(name: &str, bytes: impl AsRef<[u8]>) -> std::result::Result<(), FileError> {
    let path = output_path(name)?;
    fs::write(&path, bytes).map_err(|source| FileError::Io { action: "write", path, source })
}

/// The directory of input files: `/in` on Sealwork.
pub fn input_dir() -> PathBuf {
    directory("SEALWORK_IN", "in")
}

/// The directory of output files: `/out` on Sealwork.
pub fn output_dir() -> PathBuf {
    directory("SEALWORK_OUT", "out")
}

fn directory(variable: &str, name: &str) -> PathBuf {
    if cfg!(target_family = "wasm") {
        return Path::new("/").join(name);
    }
    std::env::var_os(variable).map_or_else(|| PathBuf::from(name), PathBuf::from)
}

fn output_path(name: &str) -> std::result::Result<PathBuf, FileError> {
    let root = output_dir();
    let path = resolve(&root, name)?;
    match path.parent() {
        // `/out` exists on Sealwork; making it again is not allowed there.
        Some(parent) if !(cfg!(target_family = "wasm") && parent == root) => fs::create_dir_all(parent)
            .map_err(|source| FileError::Io { action: "create", path: parent.to_path_buf(), source })?,
        _ => {}
    }
    Ok(path)
}

fn resolve(root: &Path, name: &str) -> std::result::Result<PathBuf, FileError> {
    let plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if name.is_empty() || name.contains('\0') || !plain {
        return Err(FileError::Name(name.to_owned()));
    }
    Ok(root.join(name))
}
