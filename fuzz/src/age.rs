//! Sealed files, armor, recipients and identities, beside a second implementation of the format (the `age` crate).

use crate::{
    memory::{bounded, linear},
    seeds::{Seed, chosen},
};
use age::secrecy::ExposeSecret;
use age_core::format::{FileKey, Stanza};
use arbitrary::{Result, Unstructured};
use aws_lc_rs::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey},
    hmac::{self, HMAC_SHA256},
};
use hpke::{Deserializable, OpModeR, aead::ChaCha20Poly1305, kdf::HkdfSha256, kem::XWing};
use sealwork_seal::{
    Secret,
    age::{Identity, MAX_HEADER_BYTES, OpenError, OpenReader, Recipient, dearmor},
};
use std::{io::Read, iter, sync::LazyLock};

const VECTORS: &str = include_str!("../../spec/vectors/seal-files.json");
const KIND: &str = "mlkem768x25519";
const SEED: [u8; 32] = [1; 32];
const CHUNK: usize = 64 * 1024;
/// A header is kept twice while it is read; a reader has two chunks and a buffer.
const BASE: usize = 8 * MAX_HEADER_BYTES + 4 * CHUNK;

static IDENTITY: LazyLock<[Identity; 1]> = LazyLock::new(|| [Identity::from_seed(Secret::new(SEED))]);
static SEALED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let vectors: serde_json::Value = serde_json::from_str(VECTORS).expect("the vectors are JSON");
    alloy_primitives::hex::decode(vectors["input"].as_str().expect("a sealed file")).expect("hexadecimal")
});
/// The sealed file's stanza with its text, and its key.
static FILE: LazyLock<(Vec<u8>, FileKey)> = LazyLock::new(|| {
    let start = SEALED.iter().position(|byte| *byte == b'\n').expect("a first line") + 1;
    let end = SEALED.windows(4).position(|window| window == b"\n---").expect("a last line") + 1;
    let decryptor = age::Decryptor::new(&SEALED[..]).expect("a header");
    let spy = Spy::default();
    let _ = decryptor.decrypt(iter::once(&spy as &dyn age::Identity));
    (SEALED[start..end].to_vec(), spy.0.into_inner().expect("the file is for this identity"))
});

pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind % 5 {
        0 => compare(rest),
        1 => armor(rest),
        2 => text(rest),
        3 => drop(chunks(&mut Unstructured::new(rest))),
        _ => header(rest),
    }
}

fn open(file: &[u8]) -> Result<Vec<u8>, OpenError> {
    let mut plaintext = Vec::new();
    OpenReader::new(&*IDENTITY, file)?.read_to_end(&mut plaintext)?;
    Ok(plaintext)
}

/// Both implementations open the same files, except that ours refuses hybrid stanzas that no honest writer makes,
/// headers above its limit, and bodies without the short line that must end them (the age crate still takes those).
fn compare(file: &[u8]) {
    let ours = bounded(linear(BASE, 8, file), || open(file));
    let theirs = open_with_age(file);
    match (&ours, &theirs) {
        (Ok(ours), theirs) => assert!(theirs.as_ref() == Some(ours), "the age crate reads another file"),
        (Err(OpenError::Header(error)), Some(_)) => {
            use sealwork_seal::age::HeaderError::{Line, LowOrder, Stanza, TooLarge};
            let is_body = matches!(error, Line { expected, .. } if expected.contains("base64"));
            let is_known = is_body || matches!(error, Stanza { .. } | LowOrder | TooLarge { .. });
            assert!(is_known, "only we refuse: {error}");
        }
        (Err(error), Some(_)) => panic!("only we refuse: {error}"),
        (Err(_), None) => {}
    }
}

fn open_with_age(file: &[u8]) -> Option<Vec<u8>> {
    let decryptor = age::Decryptor::new(file).ok()?;
    let mut plaintext = Vec::new();
    let spy = Spy::default();
    decryptor.decrypt(iter::once(&spy as &dyn age::Identity)).ok()?.read_to_end(&mut plaintext).ok()?;
    Some(plaintext)
}

/// Opens hybrid stanzas with the `hpke` crate and remembers the file key.
#[derive(Default)]
struct Spy(std::cell::RefCell<Option<FileKey>>);

impl age::Identity for Spy {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        let [argument] = stanza.args.as_slice() else { return None };
        if stanza.tag != KIND {
            return None;
        }
        let secret = <XWing as hpke::Kem>::PrivateKey::from_bytes(&SEED).ok()?;
        let encapsulated =
            <XWing as hpke::Kem>::EncappedKey::from_bytes(&base64(argument.as_bytes())?).ok()?;
        let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeR::Base,
            &secret,
            &encapsulated,
            b"age-encryption.org/mlkem768x25519",
            &stanza.body,
            &[],
        );
        let key = <[u8; 16]>::try_from(opened.ok()?).ok()?;
        *self.0.borrow_mut() = Some(FileKey::new(Box::new(key)));
        Some(Ok(FileKey::new(Box::new(key))))
    }
}

/// Plain base64 without padding, for letters that were checked by the reader.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut word, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in text {
        word = word << 6 | u32::try_from(ALPHABET.iter().position(|other| other == letter)?).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(word >> bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// Accepted armor holds the bytes of its base64 lines, and the age crate reads the same.
fn armor(text: &[u8]) {
    let Ok(bytes) = bounded(linear(4096, 4, text), || dearmor(text)) else { return };
    let lines = text.trim_ascii().split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let letters: Vec<u8> = lines
        .filter(|line| !line.starts_with(b"-"))
        .flatten()
        .copied()
        .filter(|letter| *letter != b'=')
        .collect();
    assert_eq!(base64(&letters), Some(bytes.clone()));
    let mut theirs = Vec::new();
    let read = age::armor::ArmoredReader::new(text).read_to_end(&mut theirs);
    assert!(read.is_err() || theirs == bytes);
}

/// A key has one text.
fn text(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(recipient) = Recipient::parse(text) {
        assert_eq!(recipient.to_string(), text);
        assert_eq!(Recipient::from_bytes(recipient.as_bytes()), Ok(recipient));
    }
    if let Ok(identity) = Identity::parse(text) {
        identity.to_text().expose(|again| assert_eq!(again, text));
    }
    if let Ok(recipient) = Recipient::from_bytes(bytes) {
        assert_eq!(recipient.to_string().parse(), Ok(recipient));
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(HMAC_SHA256, key));
    parts.iter().for_each(|part| context.update(part));
    context.sign().as_ref().try_into().expect("32 bytes")
}

fn derive(salt: &[u8], info: &[u8]) -> [u8; 32] {
    mac(&mac(salt, &[FILE.1.expose_secret()]), &[info, &[1]])
}

/// A file with the right MAC over whatever header, and the given sealed chunks.
fn file(before: &[u8], behind: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut file = [b"age-encryption.org/v1\n", before, &FILE.0, behind, b"---"].concat();
    let mac = mac(&derive(&[], b"header"), &[&file]);
    file.push(b' ');
    file.extend(letters(&mac).bytes());
    file.push(b'\n');
    file.extend([9; 16]);
    file.extend(payload);
    file
}

fn letters(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bit = |index: usize| bytes.get(index / 8).map_or(0, |byte| byte >> (7 - index % 8) & 1);
    let letter =
        |start: usize| (start..start + 6).fold(0, |value, index| value << 1 | usize::from(bit(index)));
    (0..bytes.len() * 8).step_by(6).map(|start| char::from(ALPHABET[letter(start)])).collect()
}

fn seal(number: u8, last: bool, plaintext: &[u8]) -> Vec<u8> {
    let key = UnboundKey::new(&CHACHA20_POLY1305, &derive(&[9; 16], b"payload")).expect("32 bytes");
    let mut nonce = [0; 12];
    (nonce[10], nonce[11]) = (number, u8::from(last));
    let mut sealed = plaintext.to_vec();
    let nonce = Nonce::assume_unique_for_key(nonce);
    LessSafeKey::new(key).seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed).expect("a short chunk");
    sealed
}

/// Authentic chunks in any order, length and mark: a file opens exactly if it is what a writer makes.
fn chunks(script: &mut Unstructured<'_>) -> Result<()> {
    let count = script.int_in_range(0..=3_u8)?;
    let (mut payload, mut plaintext, mut good) = (Vec::new(), Vec::new(), count > 0);
    for position in 0..count {
        let is_last = position + 1 == count;
        let usual = if is_last { script.int_in_range(0..=300)? } else { CHUNK };
        let len =
            if script.ratio(1, 6)? { *script.choose(&[0, 1, CHUNK - 1, CHUNK, CHUNK + 1])? } else { usual };
        let number = if script.ratio(1, 10)? { script.arbitrary()? } else { position };
        let mark = if script.ratio(1, 10)? { script.arbitrary()? } else { is_last };
        let shape = if is_last { len <= CHUNK && (len > 0 || count == 1) } else { len == CHUNK };
        good &= shape && number == position && mark == is_last;
        let chunk = vec![script.arbitrary()?; len];
        payload.extend(seal(number, mark, &chunk));
        plaintext.extend(chunk);
    }
    let length = if script.ratio(1, 8)? { script.len().min(20) } else { 0 };
    let behind = script.bytes(length)?;
    payload.extend(behind);
    let opened = open(&file(b"", b"", &payload));
    if good && behind.is_empty() {
        assert!(opened.is_ok_and(|opened| opened == plaintext));
    } else {
        assert!(opened.is_err(), "a file that no writer makes was opened");
    }
    Ok(())
}

/// Any text as further stanzas, under the right MAC.
fn header(rest: &[u8]) {
    let (split, rest) = rest.split_first().unwrap_or((&0, &[]));
    let (before, behind) = rest.split_at(usize::from(*split).min(rest.len()));
    compare(&file(before, behind, &seal(0, true, b"hello")));
}

pub fn seeds() -> Vec<Seed> {
    let armored = format!(
        "-----BEGIN AGE ENCRYPTED FILE-----\n{}\nYWJj\n-----END AGE ENCRYPTED FILE-----\n",
        "YWdl".repeat(16)
    );
    let identity = IDENTITY[0].to_text().expose(String::clone);
    vec![
        chosen("file", 0, &*SEALED),
        chosen("crafted-file", 0, file(b"", b"", &seal(0, true, b"hello"))),
        chosen("armor", 1, armored),
        chosen("recipient", 2, IDENTITY[0].recipient().to_string()),
        chosen("recipient-bytes", 2, IDENTITY[0].recipient().as_bytes()),
        chosen("identity", 2, identity),
        chosen("one-chunk", 3, [1, 0, 90, 9, 9, 9, 9]),
        chosen("chunks", 3, (0..60).collect::<Vec<u8>>()),
        chosen("header", 4, b"\x00-> X25519 abc\nAAAA\n"),
        chosen("header-before", 4, b"\x0e-> grease a b\n\n-> scrypt x 1\nAAAA\n"),
    ]
}
