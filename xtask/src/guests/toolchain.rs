//! Debian's Rust for wasm32-wasip1: the standard library is built from source, the linker is LLVM's.

use anyhow::{Context, Result, bail};
use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const TARGET: &str = "wasm32-wasip1";
const PACKAGES: [&str; 6] =
    ["rustc-web", "cargo-web", "rust-web-src", "wasi-libc", "lld", "libclang-rt-14-dev-wasm32"];
const RUSTC: &str = "/usr/bin/rustc";
const CARGO: &str = "/usr/bin/cargo";
const LINKER: &str = "/usr/bin/wasm-ld";
const LIBC: &str = "/usr/lib/wasm32-wasi";
const STD_SOURCE: &str = "/usr/lib/rustlib/src/rust/library";

/// Installs what is missing, or says how.
pub(crate) fn ensure() -> Result<()> {
    let crt = format!("{LIBC}/crt1-command.o");
    let is_complete =
        || [RUSTC, CARGO, LINKER, STD_SOURCE, crt.as_str()].iter().all(|path| Path::new(path).exists());
    if is_complete() {
        return Ok(());
    }
    let manual = format!("apt-get update && apt-get install -y {}", PACKAGES.join(" "));
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if !(is_root && Path::new("/usr/bin/apt-get").exists()) {
        bail!("the WebAssembly toolchain is missing; on Debian 12 run as root: {manual}");
    }
    for arguments in [&["update"][..], &["install", "-y", "--no-install-recommends"]] {
        let mut apt = Command::new("apt-get");
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        if arguments.contains(&"install") {
            apt.args(PACKAGES);
        }
        succeed(&mut apt)?;
    }
    if is_complete() { Ok(()) } else { bail!("the toolchain is still not complete after: {manual}") }
}

/// Names everything outside of the sources that the bytes of a module depend on.
pub(crate) fn identity() -> Result<String> {
    let mut text = String::from(
        "# The modules of the examples are built with exactly this. Written by `cargo xtask guests`.\n",
    );
    text.push_str(&succeed(Command::new(RUSTC).arg("--version").env_remove("LD_LIBRARY_PATH"))?);
    for package in ["rust-web-src", "wasi-libc", "lld-14"] {
        let format = "-f=${Package} ${Version}\n";
        text.push_str(&succeed(Command::new("dpkg-query").args(["--show", format, package]))?);
    }
    Ok(text)
}

/// Builds the package `name` in `stage` and returns the bytes of its module.
pub(crate) fn build(stage: &Path, target: &Path, name: &str) -> Result<Vec<u8>> {
    // The sources must lie in the registry cache before their place is known.
    let mut fetch = clean_cargo(stage, target);
    if stage.join("Cargo.lock").exists() {
        fetch.args(["fetch", "--locked", "--quiet"]);
    } else {
        fetch.args(["generate-lockfile", "--quiet"]);
    }
    succeed(&mut fetch)?;
    let mut cargo = clean_cargo(stage, target);
    cargo
        .args([
            "build",
            "--release",
            "--locked",
            "--quiet",
            "-Zbuild-std=std,panic_abort",
            "--target",
            TARGET,
        ])
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_WASM32_WASIP1_LINKER", LINKER)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(target)?);
    succeed(&mut cargo)?;
    let module = target.join(TARGET).join("release").join(format!("{name}.wasm"));
    fs::read(&module).with_context(|| format!("read {}", module.display()))
}

/// Cargo without anything that the caller's environment would change in the build.
fn clean_cargo(stage: &Path, target: &Path) -> Command {
    let mut cargo = Command::new(CARGO);
    for (name, _) in std::env::vars_os().filter(|(name, _)| influences_a_build(name)) {
        cargo.env_remove(name);
    }
    cargo
        .current_dir(stage)
        .env("RUSTC", RUSTC)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_INCREMENTAL", "0");
    cargo
}

fn influences_a_build(name: &OsStr) -> bool {
    /// Where packages come from does not matter: the lock file has their hashes.
    const HARMLESS: [&str; 6] =
        ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR", "CARGO_SOURCE_", "CARGO_TERM_"];
    let name = name.to_string_lossy();
    let of_rust = ["CARGO", "RUST", "LD_LIBRARY_PATH", "SOURCE_DATE_EPOCH"]
        .iter()
        .any(|prefix| name.starts_with(prefix));
    of_rust && !HARMLESS.iter().any(|prefix| name.starts_with(prefix))
}

/// Compiler flags, separated as cargo wants them. They are the same for all guests, or cargo would build the standard
/// library anew for each. The remapped paths are not part of cargo's symbol hashes.
fn flags(target: &Path) -> Result<OsString> {
    let mut flags: Vec<OsString> = [
        "-Clink-self-contained=no".to_owned(),
        format!("-Clink-arg={LIBC}/crt1-command.o"),
        format!("-Clink-arg=-L{LIBC}"),
        format!("--remap-path-prefix={STD_SOURCE}=/std"),
    ]
    .map(OsString::from)
    .into();
    let mut remap = |from: &Path, to: &str| {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(from);
        flag.push(to);
        flags.push(flag);
    };
    remap(&target.join("stage"), "=/guests");
    for registry in registries()? {
        remap(&registry, "=/registry");
    }
    Ok(flags.join(OsStr::new("\u{1f}")))
}

/// Directories with unpacked packages.
fn registries() -> Result<Vec<PathBuf>> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    let source = home.context("neither CARGO_HOME nor HOME is set")?.join("registry/src");
    if !source.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(source)? {
        found.push(entry?.path());
    }
    found.sort();
    Ok(found)
}

/// Runs a command and returns its standard output.
fn succeed(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("start {}", command.get_program().display()))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed with {}:\n{errors}", command.get_program().display(), output.status);
    }
    String::from_utf8(output.stdout).context("output is UTF-8")
}

#[cfg(test)]
mod tests {
    use super::influences_a_build;
    use std::ffi::OsStr;

    #[test]
    fn keeps_only_variables_that_do_not_change_the_bytes() {
        for name in
            ["RUSTFLAGS", "CARGO_PROFILE_RELEASE_LTO", "RUSTUP_TOOLCHAIN", "LD_LIBRARY_PATH", "RUSTC_WRAPPER"]
        {
            assert!(influences_a_build(OsStr::new(name)), "{name}");
        }
        for name in ["CARGO_HOME", "CARGO_REGISTRIES_CRATES_IO_PROTOCOL", "CARGO_HTTP_PROXY", "PATH", "HOME"]
        {
            assert!(!influences_a_build(OsStr::new(name)), "{name}");
        }
    }
}
