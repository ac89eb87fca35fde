//! All 143 C2SP test vectors for age, from the npm package `cctv-age` 0.2.0.
//!
//! They are not part of this repository. The test looks into `SEALWORK_CCTV_DIR`, else where `npm install` in
//! `tests/interop` puts them; without them it says so, and fails when `CI` is set. The vectors' X25519 and scrypt
//! stanzas, which Sealwork does not use, are opened by the `age` crate's identities; header, MAC, payload, armor and
//! hybrid stanzas are ours.

use super::{
    HeaderError, Identity, OpenError, OpenReader, base64, dearmor,
    header::{FileKey, Stanza},
    hybrid::Wrapped,
};
use crate::Secret;
use age::secrecy::ExposeSecret;
use sealwork_types::Sha256Digest;
use std::{env, fs, io::Read, path::PathBuf};

const COUNT: usize = 143;

#[derive(Debug, Default)]
struct Vector {
    name: String,
    expect: String,
    payload: Option<String>,
    identities: Vec<String>,
    passphrases: Vec<String>,
    armored: bool,
    file: Vec<u8>,
}

#[test]
fn every_cctv_vector_gives_its_stated_result_and_payload() {
    let Some(vectors) = load() else { return };
    assert_eq!(vectors.len(), COUNT, "another version of cctv-age is installed, expected 0.2.0");
    let wrong: Vec<_> =
        vectors.iter().filter_map(|vector| Some((&vector.name, check(vector).err()?))).collect();
    assert!(wrong.is_empty(), "{} of {COUNT} vectors differ: {wrong:#?}", wrong.len());
}

fn check(vector: &Vector) -> Result<(), String> {
    let (released, result) = open(vector);
    if result != vector.expect {
        return Err(format!("expected {}, found {result}", vector.expect));
    }
    let digest = hex::encode(Sha256Digest::of(&released));
    match &vector.payload {
        Some(expected) if *expected != digest => Err(format!("expected payload {expected}, found {digest}")),
        None if !released.is_empty() => Err(format!("released {} bytes, expected none", released.len())),
        _ => Ok(()),
    }
}

/// What was released, and the result in the words of the vectors.
fn open(vector: &Vector) -> (Vec<u8>, &'static str) {
    let mut released = Vec::new();
    let binary = match vector.armored.then(|| dearmor(&vector.file)) {
        Some(Err(_)) => return (released, "armor failure"),
        Some(Ok(binary)) => binary,
        None => vector.file.clone(),
    };
    let ours = vector.identities.iter().map(|text| Identity::parse(text)).collect::<Result<Vec<_>, _>>();
    let opened = match ours {
        Ok(identities) if vector.passphrases.is_empty() => OpenReader::new(&identities, &binary[..]),
        _ => OpenReader::with(&binary[..], |stanzas| unwrap(vector, stanzas)),
    };
    let opened = opened.and_then(|mut reader| reader.read_to_end(&mut released).map_err(OpenError::from));
    let result = match opened {
        Ok(_) => "success",
        // The vectors count the payload's nonce to the header.
        Err(OpenError::Header(_) | OpenError::Payload(super::PayloadError::Nonce { .. })) => "header failure",
        Err(OpenError::NoMatch) => "no match",
        Err(OpenError::HeaderMac) => "HMAC failure",
        Err(OpenError::Payload(_)) => "payload failure",
        Err(OpenError::Io(error)) => panic!("{error}"),
    };
    (released, result)
}

fn unwrap(vector: &Vector, stanzas: &[Stanza]) -> Result<Option<FileKey>, HeaderError> {
    let malformed = HeaderError::Stanza { expected: "shape that the age crate accepts" };
    if stanzas.len() > 1 && stanzas.iter().any(|stanza| stanza.kind == "scrypt") {
        return Err(malformed);
    }
    let identities = vector.identities.iter().map(|text| any_identity(text));
    let mut identities: Vec<Box<dyn Unwrap>> = identities.collect();
    identities.extend(vector.passphrases.iter().map(|passphrase| {
        let mut identity = age::scrypt::Identity::new(passphrase.clone().into());
        identity.set_max_work_factor(16);
        Box::new(Foreign(identity)) as Box<dyn Unwrap>
    }));
    for stanza in stanzas {
        for identity in &identities {
            if let Some(key) = identity.unwrap(stanza).map_err(|error| error.unwrap_or(malformed.clone()))? {
                return Ok(Some(key));
            }
        }
    }
    Ok(None)
}

fn any_identity(text: &str) -> Box<dyn Unwrap> {
    match Identity::parse(text) {
        Ok(identity) => Box::new(identity),
        Err(_) => Box::new(Foreign(text.parse::<age::x25519::Identity>().unwrap())),
    }
}

/// An identity of any kind. The error is empty when the age crate has another one.
trait Unwrap {
    fn unwrap(&self, stanza: &Stanza) -> Result<Option<FileKey>, Option<HeaderError>>;
}

impl Unwrap for Identity {
    fn unwrap(&self, stanza: &Stanza) -> Result<Option<FileKey>, Option<HeaderError>> {
        Wrapped::parse(stanza)?.map_or(Ok(None), |wrapped| Ok(wrapped.unwrap(self)?))
    }
}

struct Foreign<I>(I);

impl<I: age::Identity> Unwrap for Foreign<I> {
    fn unwrap(&self, stanza: &Stanza) -> Result<Option<FileKey>, Option<HeaderError>> {
        assert_ne!(stanza.kind, "", "the parser lets no empty type through");
        let stanza = age_core::format::Stanza {
            tag: stanza.kind.clone(),
            args: stanza.arguments.clone(),
            body: stanza.body.clone(),
        };
        match self.0.unwrap_stanza(&stanza) {
            None
            | Some(Err(age::DecryptError::DecryptionFailed | age::DecryptError::KeyDecryptionFailed)) => {
                Ok(None)
            }
            Some(Ok(key)) => Ok(Some(Secret::new(*key.expose_secret()))),
            Some(Err(_)) => Err(None),
        }
    }
}

fn load() -> Option<Vec<Vector>> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/interop/node_modules/cctv-age");
    let directory = env::var_os("SEALWORK_CCTV_DIR").map_or(beside, PathBuf::from);
    let Ok(module) = fs::read_to_string(directory.join("index.js")) else {
        let notice = format!(
            "NOT TESTED: no age test vectors in {}; run `npm install` in crates/sealwork-seal/tests/interop",
            directory.display()
        );
        assert!(env::var_os("CI").is_none(), "{notice}");
        std::io::Write::write_all(&mut std::io::stderr(), notice.as_bytes()).unwrap();
        return None;
    };
    Some(module.lines().filter_map(module_line).collect())
}

/// `var NAME_default = __toBinary("BASE64");`
fn module_line(line: &str) -> Option<Vector> {
    let (name, rest) = line.strip_prefix("var ")?.split_once("_default = __toBinary(\"")?;
    let bytes = base64::decode_padded(rest.split('"').next()?.as_bytes()).unwrap();
    Some(parse(name, &bytes))
}

fn parse(name: &str, bytes: &[u8]) -> Vector {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap();
    let mut vector = Vector { name: name.to_owned(), file: bytes[end + 2..].to_vec(), ..Vector::default() };
    for line in std::str::from_utf8(&bytes[..end]).unwrap().lines() {
        let (key, value) = line.split_once(": ").unwrap();
        match key {
            "expect" => vector.expect = value.to_owned(),
            "payload" => vector.payload = Some(value.to_owned()),
            "identity" => vector.identities.push(value.to_owned()),
            "passphrase" => vector.passphrases.push(value.to_owned()),
            "armored" => vector.armored = value == "yes",
            "compressed" => vector.file = miniz_oxide::inflate::decompress_to_vec_zlib(&vector.file).unwrap(),
            "comment" | "file key" => {}
            other => panic!("{name}: unknown key {other}"),
        }
    }
    vector
}
