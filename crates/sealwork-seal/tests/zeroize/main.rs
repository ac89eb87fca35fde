//! Secrets are gone from this process's memory once they are dropped: every writable page is searched for them.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a panic is a failed test")]

mod memory;

use memory::Hidden;
use sealwork_seal::{
    Secret,
    age::{Identity, OpenReader, SealWriter},
    kdf,
    sign::SigningKey,
};
use std::io::{Read, Write};

/// A secret that was never anywhere but in its [`Secret`].
fn random() -> (Secret<[u8; 32]>, Hidden) {
    let secret = Secret::<[u8; 32]>::random().unwrap();
    let hidden = secret.expose(|bytes| Hidden::new(bytes));
    (secret, hidden)
}

#[test]
fn the_search_finds_what_is_there() {
    let (secret, hidden) = random();
    assert!(hidden.copies() >= 1);
    let copy = secret.expose(|bytes| bytes.to_vec());
    assert!(hidden.copies() >= 2);
    drop((secret, std::hint::black_box(copy)));
}

#[test]
fn a_secret_leaves_nothing_behind_even_after_moves() {
    let (secret, hidden) = random();
    let moved = Some(Box::new((1, secret)));
    drop(moved);
    hidden.assert_gone("a secret");
}

#[test]
fn a_secret_that_was_copied_out_of_a_slice_leaves_its_source_only() {
    let (first, hidden) = random();
    let second = first.expose(|bytes| Secret::<[u8; 32]>::from_slice(bytes)).unwrap();
    drop(first);
    assert_eq!(hidden.copies(), 1);
    drop(second);
    hidden.assert_gone("a secret made of a slice");
}

#[test]
fn derived_keys_and_what_they_were_derived_from_are_gone() {
    let (secret, hidden) = random();
    let key = secret.expose(|secret| kdf::derive("sealwork/v1/app/secret", secret, &[b"context"]));
    let derived = key.expose(|bytes| Hidden::new(bytes));
    drop((secret, key));
    hidden.assert_gone("the secret that a key was derived from");
    derived.assert_gone("a derived key");
}

#[test]
fn signing_keys_are_gone() {
    let key = SigningKey::generate().unwrap();
    let hidden = key.secret_bytes().expose(|bytes| Hidden::new(bytes));
    // k256 keeps scalars as numbers, least significant byte first.
    let number = key.secret_bytes().expose(|bytes| Hidden::reversed(bytes));
    let signature = key.sign_hash(sealwork_types::B256::repeat_byte(3));
    drop(key);
    assert_eq!(signature.len(), 65);
    hidden.assert_gone("a signing key");
    number.assert_gone("a signing key's number");
}

#[test]
fn identities_are_gone() {
    let (seed, hidden) = random();
    let identity = Identity::from_seed(seed);
    let text = identity.to_text();
    let letters = text.expose(|text| Hidden::new(text.as_bytes()));
    let again = text.expose(|text| Identity::parse(text)).unwrap();
    assert_eq!(again.recipient(), identity.recipient());
    drop((identity, again, text));
    hidden.assert_gone("an identity's seed");
    letters.assert_gone("an identity's text");
}

#[test]
fn plaintext_is_gone_after_sealing_and_opening() {
    let identity = [Identity::generate().unwrap()];
    let (secret, hidden) = random();
    let sealed = secret.expose(|plaintext| {
        let mut writer = SealWriter::new(&[identity[0].recipient()], Vec::new()).unwrap();
        writer.write_all(plaintext).unwrap();
        writer.finish().unwrap()
    });
    drop(secret);
    hidden.assert_gone("sealed plaintext");
    let opened = Secret::<[u8; 32]>::try_fill(|bytes| {
        OpenReader::new(&identity, &sealed[..]).map_err(std::io::Error::from)?.read_exact(bytes)
    });
    assert!(hidden.copies() >= 1);
    drop(opened.unwrap());
    hidden.assert_gone("opened plaintext");
}

#[test]
fn a_writer_that_is_dropped_in_the_middle_leaves_nothing() {
    let identity = Identity::generate().unwrap();
    let (secret, hidden) = random();
    let mut writer = SealWriter::new(&[identity.recipient()], Vec::new()).unwrap();
    secret.expose(|plaintext| writer.write_all(plaintext)).unwrap();
    drop((secret, writer));
    hidden.assert_gone("a chunk that was never sealed");
}
