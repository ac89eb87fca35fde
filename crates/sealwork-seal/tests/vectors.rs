//! Golden vectors for Solidity, TypeScript and later versions: `spec/vectors/seal.json` and `seal-files.json`.
//!
//! `UPDATE=1` rewrites the first one. Sealed files are random, so it writes the second one only when that is absent; what
//! it holds must open for ever.
#![expect(clippy::unwrap_used, reason = "test helpers outside of test functions")]

use sealwork_seal::{
    Secret,
    age::{Identity, OpenReader, SealWriter},
    binding::{InputBinding, OutputBinding},
    bundle::{InputHead, InputReader, OutputBundle, OutputFile, read_output, write_input, write_output},
    kdf,
    padding::padme,
    sign::SigningKey,
};
use sealwork_types::{
    Address, AppId, B256, Sha256Digest, TaskId, abi::LogHead, domains, order::SigningDomain,
};
use serde_json::{Value, json};
use std::{
    env, fs,
    io::Read,
    path::{Path, PathBuf},
};

const DOMAIN: SigningDomain = SigningDomain { chain_id: 31_337, market: Address::repeat_byte(0x11) };

#[test]
fn golden_vectors_hold() {
    check(&path("seal.json"), &vectors(), env::var_os("UPDATE").is_some());
}

fn vectors() -> Value {
    json!({
        "about": "sealwork-seal: labels, encodings and hashes. Numbers are JSON numbers, bytes are hex.",
        "kdf": kdf_vectors(),
        "padme": padme_vectors(),
        "identities": Vec::from([0, 1, 0xff].map(identity_vector)),
        "input_binding": { "fields": input_fields(), "bytes": hex::encode(input_binding(7).to_bytes()) },
        "output_binding": { "fields": output_fields(), "bytes": hex::encode(output_binding(5).to_bytes()) },
        "input_plaintext": { "sha256": sha256(&input_plaintext()), "bytes": hex::encode(input_plaintext()) },
        "output_plaintext": { "sha256": sha256(&output_plaintext()), "bytes": hex::encode(output_plaintext()) },
        "signature": signature_vector(),
    })
}

/// Label, secret, context.
type KdfCase<'a> = (&'static str, &'a [u8], &'a [&'a [u8]]);

fn kdf_vectors() -> Vec<Value> {
    let cases: [KdfCase<'_>; 5] = [
        (domains::APP_SECRET, b"", &[]),
        (domains::APP_SECRET, b"secret", &[]),
        (domains::APP_SECRET, b"secret", &[b""]),
        (domains::APP_INPUT_IDENTITY, &[7; 32], &[&[1; 32], &[0, 0, 0, 9]]),
        (domains::TASK_RANDOMNESS, &[7; 32], &[b"ab", b"c"]),
    ];
    let vector = |(label, secret, context): KdfCase<'_>| {
        json!({
            "label": label,
            "secret": hex::encode(secret),
            "context": context.iter().map(hex::encode).collect::<Vec<_>>(),
            "key": kdf::derive(label, secret, context).expose(|key| hex::encode(key)),
        })
    };
    cases.into_iter().map(vector).collect()
}

fn padme_vectors() -> Vec<Value> {
    let lengths =
        [0, 1, 2, 7, 8, 9, 10, 63, 64, 65, 100, 1_000, 4_097, 65_537, 1_000_003, 1 << 40, (1 << 40) + 1];
    lengths.into_iter().map(|len: u64| json!({ "len": len, "padded": padme(len) })).collect()
}

fn identity_vector(seed: u8) -> Value {
    let identity = identity(seed);
    let recipient = identity.recipient();
    json!({
        "seed": hex::encode([seed; 32]),
        "identity": identity.to_text().expose(Clone::clone),
        "recipient_sha256": sha256(recipient.as_bytes()),
        "recipient_text_sha256": sha256(recipient.to_string().as_bytes()),
        "recipient_digest": hex::encode(recipient.digest()),
    })
}

fn signature_vector() -> Value {
    let key = SigningKey::from_bytes(Secret::new([0x42; 32])).unwrap();
    let head = LogHead { size: 3, root: B256::repeat_byte(0x33), timestamp: 1_700_000_000 };
    json!({
        "key": hex::encode([0x42; 32]),
        "address": key.address().to_string(),
        "domain": { "chain_id": DOMAIN.chain_id, "market": DOMAIN.market.to_string() },
        "message": { "type": "LogHead", "size": 3, "root": hex::encode([0x33; 32]), "timestamp": 1_700_000_000 },
        "hash": hex::encode(DOMAIN.signing_hash(&head)),
        "signature": hex::encode(key.sign(&DOMAIN, &head)),
    })
}

#[test]
fn sealed_files_of_earlier_versions_open() {
    let path = path("seal-files.json");
    let identities = [identity(1)];
    if env::var_os("UPDATE").is_some() && !path.exists() {
        let (input, output) = (seal(&input_plaintext()), seal(&output_plaintext()));
        check(&path, &json!({ "seed": hex::encode([1; 32]), "input": input, "output": output }), true);
    }
    let files: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let sealed = |name: &str| hex::decode(files[name].as_str().unwrap()).unwrap();

    let input = sealed("input");
    let reader = OpenReader::new(&identities, &input[..]).unwrap();
    let (binding, bound) = InputReader::new(reader).read_binding().unwrap();
    let (head, files_reader) = bound.read_head(1_000).unwrap();
    let (files, mut stdin) = files_reader.read_files().unwrap();
    let mut stdin_bytes = Vec::new();
    stdin.read_to_end(&mut stdin_bytes).unwrap();
    stdin.finish().unwrap();
    assert_eq!(binding, input_binding(head.body_len().unwrap()));
    assert_eq!((head, files, &stdin_bytes[..]), (input_head(), vec![b"1,2\n".to_vec()], &b"stdin"[..]));

    let output = sealed("output");
    let (binding, bundle) = read_output(OpenReader::new(&identities, &output[..]).unwrap(), 1_000).unwrap();
    assert_eq!((binding, bundle.clone()), (output_binding(bundle.body_len().unwrap()), output_bundle()));
}

fn seal(plaintext: &[u8]) -> String {
    let mut writer = SealWriter::new(&[identity(1).recipient()], Vec::new()).unwrap();
    std::io::Write::write_all(&mut writer, plaintext).unwrap();
    hex::encode(writer.finish().unwrap())
}

fn identity(seed: u8) -> Identity {
    Identity::from_seed(Secret::new([seed; 32]))
}

fn input_binding(body_len: u64) -> InputBinding {
    InputBinding {
        domain: DOMAIN,
        requester: Address::repeat_byte(0x22),
        app: AppId::new(B256::repeat_byte(0x33)),
        output_recipient: B256::repeat_byte(0x44),
        nonce: [0x55; 16],
        expiry: 1_700_000_000,
        body_len,
    }
}

fn input_fields() -> Value {
    json!({
        "chain_id": DOMAIN.chain_id, "market": DOMAIN.market.to_string(), "requester": hex::encode([0x22; 20]),
        "app": hex::encode([0x33; 32]), "output_recipient": hex::encode([0x44; 32]), "nonce": hex::encode([0x55; 16]),
        "expiry": 1_700_000_000, "body_len": 7,
    })
}

fn output_binding(body_len: u64) -> OutputBinding {
    OutputBinding {
        domain: DOMAIN,
        task: TaskId::new(B256::repeat_byte(0x66)),
        input_digest: B256::repeat_byte(0x77),
        status: 1,
        body_len,
    }
}

fn output_fields() -> Value {
    json!({
        "chain_id": DOMAIN.chain_id, "market": DOMAIN.market.to_string(), "task": hex::encode([0x66; 32]),
        "input_digest": hex::encode([0x77; 32]), "status": 1, "body_len": 5,
    })
}

fn input_head() -> InputHead {
    InputHead {
        args: vec!["--term".to_owned(), "größer".to_owned()],
        files: vec![("data/a.csv".to_owned(), 4)],
        stdin_len: 5,
    }
}

fn input_plaintext() -> Vec<u8> {
    let mut bytes = Vec::new();
    let binding = input_binding(input_head().body_len().unwrap());
    write_input(&mut bytes, &binding, &input_head(), [&b"1,2\n"[..]], &b"stdin"[..]).unwrap();
    bytes
}

fn output_bundle() -> OutputBundle {
    OutputBundle {
        exit_code: -1,
        stdout: b"answer\n".to_vec(),
        stderr: b"warning\n".to_vec(),
        files: vec![OutputFile { name: "model/weights".to_owned(), bytes: vec![9; 10] }],
    }
}

fn output_plaintext() -> Vec<u8> {
    let mut bytes = Vec::new();
    let binding = output_binding(output_bundle().body_len().unwrap());
    write_output(&mut bytes, &binding, &output_bundle()).unwrap();
    bytes
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256Digest::of(bytes))
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors").join(name)
}

fn check(path: &Path, found: &Value, update: bool) {
    if update {
        fs::write(path, serde_json::to_string_pretty(found).unwrap() + "\n").unwrap();
    }
    let committed: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert!(committed == *found, "{} differs; UPDATE=1 rewrites it on purpose", path.display());
}
