//! Files sealed here are opened by npm `age-encryption` and the other way round, under keys made on both sides.
//!
//! Needs node and `npm install` in `tests/interop`; without them the test says so, and fails when `CI` is set.
#![expect(clippy::unwrap_used, reason = "test helpers outside of test functions")]

use sealwork_seal::age::{Identity, OpenReader, Recipient, SealWriter};
use std::{
    env, fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::Command,
};

const SIZES: [usize; 7] = [0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_003];
const KEYS: [&str; 2] = ["rust", "npm"];

#[test]
fn files_open_across_implementations_in_both_directions() {
    let interop = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
    if !interop.join("node_modules/age-encryption").exists() {
        let notice =
            "NOT TESTED: run `npm install` in crates/sealwork-seal/tests/interop to test against npm age";
        assert!(env::var_os("CI").is_none(), "{notice}");
        io::stderr().write_all(notice.as_bytes()).unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    node(&interop, "keygen", directory);
    Identity::generate()
        .unwrap()
        .to_text()
        .expose(|text| fs::write(directory.join("rust.identity"), text))
        .unwrap();
    for size in SIZES {
        fs::write(directory.join(format!("{size}.plain")), plaintext(size)).unwrap();
        for key in KEYS {
            let sealed = fs::File::create(directory.join(format!("{key}.{size}.sealed"))).unwrap();
            let mut writer = SealWriter::new(&[identity(directory, key).recipient()], sealed).unwrap();
            writer.write_all(&plaintext(size)).unwrap();
            writer.finish().unwrap();
        }
    }
    node(&interop, "run", directory);
    for key in KEYS {
        let identity = identity(directory, key);
        let recipient = fs::read_to_string(directory.join(format!("{key}.recipient"))).unwrap();
        assert_eq!(Recipient::parse(&recipient), Ok(identity.recipient()), "{key}");
        let identities = [identity];
        for size in SIZES {
            let opened = fs::read(directory.join(format!("{key}.{size}.opened"))).unwrap();
            assert!(opened == plaintext(size), "npm opened {key} {size} to something else");
            let sealed = fs::File::open(directory.join(format!("{key}.{size}.npm-sealed"))).unwrap();
            let mut opened = Vec::new();
            OpenReader::new(&identities, sealed).unwrap().read_to_end(&mut opened).unwrap();
            assert!(opened == plaintext(size), "we opened {key} {size} to something else");
        }
    }
}

fn identity(directory: &Path, key: &str) -> Identity {
    Identity::parse(&fs::read_to_string(directory.join(format!("{key}.identity"))).unwrap()).unwrap()
}

fn plaintext(size: usize) -> Vec<u8> {
    (0..size).map(|i| u8::try_from(i * 7 % 253).unwrap()).collect()
}

fn node(interop: &Path, command: &str, directory: &Path) {
    let output = Command::new("node").arg(interop.join("interop.mjs")).arg(command).arg(directory).output();
    let output = output.expect("node is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
