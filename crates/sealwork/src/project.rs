//! App projects: the `sealwork.toml` beside the source, creating one, compiling one.

use crate::failure::{self, Failure};
use anyhow::{Context, Result, bail};
use sealwork_types::{
    manifest::is_app_name,
    params::MAX_MODULE_BYTES,
    policy::{AcceptedEnclave, Limits},
};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const PROJECT_FILE: &str = "sealwork.toml";
const TARGET: &str = "wasm32-wasip1";
/// Debian's second Rust toolchain, which carries the standard library's source for a wasm build.
const DEBIAN_CARGO: &str = "/usr/share/cargo/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LIBC: &str = "/usr/lib/wasm32-wasi";

/// `sealwork.toml`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Project {
    /// Short name, `[a-z0-9-]`.
    pub(crate) name: String,
    /// One line for people.
    #[serde(default)]
    pub(crate) description: String,
    /// The module, relative to this file.
    pub(crate) module: PathBuf,
    /// Limits of one run; what is not named has its default.
    #[serde(default)]
    pub(crate) limits: LimitsTable,
    /// Environment variables of the program.
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
    /// Enclaves that may get the app's keys; by default the enclave program on this machine.
    #[serde(default)]
    pub(crate) enclaves: Vec<AcceptedEnclave>,
}

/// `[limits]`
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitsTable {
    memory_bytes: Option<u64>,
    time_ms: Option<u64>,
    fuel: Option<u64>,
    output_bytes: Option<u64>,
    files_bytes: Option<u64>,
}

impl LimitsTable {
    pub(crate) fn limits(&self) -> Limits {
        let default = Limits::default();
        Limits {
            memory_bytes: self.memory_bytes.unwrap_or(default.memory_bytes),
            time_ms: self.time_ms.unwrap_or(default.time_ms),
            fuel: self.fuel.unwrap_or(default.fuel),
            output_bytes: self.output_bytes.unwrap_or(default.output_bytes),
            files_bytes: self.files_bytes.unwrap_or(default.files_bytes),
        }
    }
}

impl Project {
    /// Reads the project in `folder`.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(PROJECT_FILE);
        let text = fs::read_to_string(&path).map_err(|error| {
            Failure::new(
                failure::FAILED,
                format!("there is no {PROJECT_FILE} in {} ({error})", folder.display()),
            )
            .hint("`sealwork new NAME` creates a project")
        })?;
        let project: Self = toml::from_str(&text).with_context(|| format!("read {}", path.display()))?;
        if !is_app_name(&project.name) {
            bail!("{}: name is {:?}, expected 1 to 64 of a-z, 0-9 and -", path.display(), project.name);
        }
        Ok(project)
    }

    /// The compiled module.
    pub(crate) fn module(&self, folder: &Path) -> Result<Vec<u8>> {
        let path = folder.join(&self.module);
        let bytes = fs::read(&path).map_err(|error| {
            Failure::new(failure::FAILED, format!("there is no module at {} ({error})", path.display()))
                .hint("`sealwork build` compiles the project")
        })?;
        check_module(&path, &bytes)?;
        Ok(bytes)
    }
}

fn check_module(path: &Path, bytes: &[u8]) -> Result<()> {
    if bytes.len() > MAX_MODULE_BYTES {
        bail!("{} has {} bytes, the limit is {MAX_MODULE_BYTES}", path.display(), bytes.len());
    }
    if !bytes.starts_with(b"\0asm\x01\0\0\0") {
        bail!("{} is not a WebAssembly module", path.display());
    }
    Ok(())
}

/// A file of the project template.
struct Template {
    path: &'static str,
    content: &'static str,
}

const TEMPLATE: &[Template] = &[
    Template { path: "Cargo.toml", content: include_str!("../templates/rust/Cargo.toml.in") },
    Template { path: "src/main.rs", content: include_str!("../templates/rust/src/main.rs") },
    Template { path: "src/sealwork.rs", content: include_str!("../templates/rust/src/sealwork.rs") },
    Template { path: PROJECT_FILE, content: include_str!("../templates/rust/sealwork.toml.in") },
    Template { path: "README.md", content: include_str!("../templates/rust/README.md") },
    Template { path: ".gitignore", content: include_str!("../templates/rust/.gitignore") },
];

/// Creates a project folder.
pub(crate) fn create(folder: &Path) -> Result<String> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !is_app_name(name) {
        return Err(Failure::new(failure::FAILED, format!("{name:?} cannot name an app"))
            .hint("use 1 to 64 of a-z, 0-9 and -")
            .into());
    }
    if folder.exists() {
        bail!(
            Failure::new(failure::FAILED, format!("{} exists already", folder.display()))
                .hint("choose another name")
        );
    }
    for Template { path, content } in TEMPLATE {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(&path, content.replace("{{name}}", name))
            .with_context(|| format!("write {}", path.display()))?;
    }
    Ok(name.to_owned())
}

/// Compiles the Rust project in `folder` and puts the module where `sealwork.toml` names it.
pub(crate) fn build(folder: &Path) -> Result<PathBuf> {
    let project = Project::read(folder)?;
    let mut command = compiler(folder)?;
    let target_folder = folder.join("target");
    command.env("CARGO_TARGET_DIR", fs::canonicalize(folder)?.join("target"));
    let status = command.status().with_context(|| format!("start {command:?}"))?;
    if !status.success() {
        bail!(Failure::new(failure::FAILED, "the compiler failed; its messages stand above"));
    }
    let built = newest_module(&target_folder.join(TARGET).join("release"))?;
    let module = folder.join(&project.module);
    let bytes = fs::read(&built)?;
    check_module(&built, &bytes)?;
    fs::write(&module, bytes).with_context(|| format!("write {}", module.display()))?;
    Ok(module)
}

/// A cargo that can make wasm here: the user's own if it has the target, else Debian's.
fn compiler(folder: &Path) -> Result<Command> {
    if has_target() {
        let mut command = Command::new("cargo");
        command.args(["build", "--release", "--target", TARGET]).current_dir(folder);
        return Ok(command);
    }
    if [DEBIAN_CARGO, DEBIAN_RUSTC, DEBIAN_LIBC].iter().all(|path| Path::new(path).exists()) {
        return Ok(debian(folder));
    }
    Err(Failure::new(failure::FAILED, format!("this machine has no Rust standard library for {TARGET}"))
        .hint(format!(
            "with rustup: `rustup target add {TARGET}`; on Debian without it: \
             `apt-get install rustc-web cargo-web rust-web-src wasi-libc lld libclang-rt-14-dev-wasm32`"
        ))
        .into())
}

/// Which compiler `build` would use.
pub(crate) fn describe_compiler() -> Result<String> {
    compiler(Path::new("."))
        .map(|command| format!("{} makes {TARGET}", command.get_program().to_string_lossy()))
}

fn has_target() -> bool {
    let output = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    output.is_ok_and(|output| {
        output.status.success() && Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
    })
}

fn debian(folder: &Path) -> Command {
    let mut command = Command::new(DEBIAN_CARGO);
    command
        .args(["build", "--release", "-Zbuild-std=std,panic_abort", "--target", TARGET])
        .current_dir(folder)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC", DEBIAN_RUSTC)
        .env("CARGO_TARGET_WASM32_WASIP1_LINKER", "wasm-ld")
        .env(
            "CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS",
            format!(
                "-Clink-self-contained=no -Clink-arg={DEBIAN_LIBC}/crt1-command.o -Clink-arg=-L{DEBIAN_LIBC}"
            ),
        )
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("RUSTFLAGS");
    command
}

fn newest_module(folder: &Path) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    let modules = entries.filter_map(Result::ok).map(|entry| entry.path());
    modules
        .filter(|path| path.extension().is_some_and(|extension| extension == "wasm"))
        .max_by_key(|path| path.metadata().and_then(|metadata| metadata.modified()).ok())
        .context("the build made no .wasm file; is this a binary crate with a main function?")
}
