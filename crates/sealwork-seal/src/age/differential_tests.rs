//! Whole files against independent code: the `age` crate's header and payload, the `hpke` crate's key schedule.

use super::{Identity, OpenReader, RECIPIENT_BYTES, SealWriter, base64, tests::identity};
use age::secrecy::ExposeSecret;
use age_core::format::{FileKey, Stanza};
use hpke::{
    Deserializable, Kem as _, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::XWing,
};
use std::{
    collections::HashSet,
    io::{Read, Write},
    iter,
};

const KIND: &str = "mlkem768x25519";
const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";

struct OtherRecipient([u8; RECIPIENT_BYTES]);

impl age::Recipient for OtherRecipient {
    fn wrap_file_key(&self, key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), age::EncryptError> {
        let public = <XWing as hpke::Kem>::PublicKey::from_bytes(&self.0).unwrap();
        let (encapsulated, body) = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeS::Base,
            &public,
            INFO,
            key.expose_secret(),
            &[],
        )
        .unwrap();
        let args = vec![base64::encode(&encapsulated.to_bytes())];
        Ok((vec![Stanza { tag: KIND.to_owned(), args, body }], HashSet::from(["postquantum".to_owned()])))
    }
}

struct OtherIdentity([u8; 32]);

impl age::Identity for OtherIdentity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        if stanza.tag != KIND {
            return None;
        }
        let secret = <XWing as hpke::Kem>::PrivateKey::from_bytes(&self.0).unwrap();
        let encapsulated = base64::decode(stanza.args[0].as_bytes()).unwrap();
        let encapsulated = <XWing as hpke::Kem>::EncappedKey::from_bytes(&encapsulated).unwrap();
        let key = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeR::Base,
            &secret,
            &encapsulated,
            INFO,
            &stanza.body,
            &[],
        );
        let key = key.ok()?.try_into().unwrap();
        Some(Ok(FileKey::new(Box::new(key))))
    }
}

fn plaintexts() -> impl Iterator<Item = Vec<u8>> {
    let small = (0..40).map(|len| vec![0xa5; len]);
    small.chain([65_535, 65_536, 65_537, 131_072, 200_000].map(|len| vec![0x5a; len]))
}

#[test]
fn other_code_opens_what_we_seal() {
    let recipient = identity(1).recipient();
    for plaintext in plaintexts() {
        let mut writer = SealWriter::new(std::slice::from_ref(&recipient), Vec::new()).unwrap();
        writer.write_all(&plaintext).unwrap();
        let sealed = writer.finish().unwrap();
        let other = OtherIdentity([1; 32]);
        let decryptor = age::Decryptor::new(&sealed[..]).unwrap();
        let mut opened = Vec::new();
        decryptor
            .decrypt(iter::once(&other as &dyn age::Identity))
            .unwrap()
            .read_to_end(&mut opened)
            .unwrap();
        assert!(opened == plaintext, "{} bytes", plaintext.len());
    }
}

#[test]
fn we_open_what_other_code_seals() {
    let identities: [Identity; 1] = [identity(1)];
    for plaintext in plaintexts() {
        let other = OtherRecipient(*identities[0].recipient().as_bytes());
        let encryptor = age::Encryptor::with_recipients(iter::once(&other as &dyn age::Recipient)).unwrap();
        let mut sealed = Vec::new();
        let mut writer = encryptor.wrap_output(&mut sealed).unwrap();
        writer.write_all(&plaintext).unwrap();
        writer.finish().unwrap();
        let mut opened = Vec::new();
        OpenReader::new(&identities, &sealed[..]).unwrap().read_to_end(&mut opened).unwrap();
        assert!(opened == plaintext, "{} bytes", plaintext.len());
    }
}

#[test]
fn both_derive_the_same_public_key() {
    for seed in 0..20 {
        let secret = <XWing as hpke::Kem>::PrivateKey::from_bytes(&[seed; 32]).unwrap();
        let public = XWing::sk_to_pk(&secret).to_bytes();
        assert!(identity(seed).recipient().as_bytes()[..] == public[..], "seed {seed}");
    }
}
