//! The simulated vendor, from key file to claims.
#![expect(clippy::unwrap_used, reason = "test helpers outside of test functions")]

use sealwork_attest::{EvidenceError, Roots, verify};
use sealwork_ports::QuoteProvider;
use sealwork_simtee::{KeyFileError, SimEnclave, SimPlatform, SimRoot, measure_file};
use sealwork_types::{B256, Measurement, Sha256Digest, evidence::TeeKind};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

const MEASUREMENT: Measurement = Measurement::new(B256::repeat_byte(1));

fn roots(root: &SimRoot) -> Roots {
    Roots { sim: vec![root.public_key()] }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn evidence_of_a_certified_platform_is_verified() {
    let root = SimRoot::generate().unwrap();
    let platform = root.certify("machine 1", 4).unwrap();
    for round in 0..16 {
        let evidence = platform.quote(MEASUREMENT, &[round; 64], round % 2 == 0, 1_000).unwrap();
        let claims = verify(&evidence, &roots(&root), 1_000).unwrap();
        assert_eq!((claims.measurement, claims.report_data), (MEASUREMENT, [round; 64]));
        assert_eq!((claims.platform_svn, claims.debug), (4, round % 2 == 0));
        assert_eq!(claims.hardware_id, Sha256Digest::of(b"machine 1"));
        let stranger = SimRoot::generate().unwrap();
        let refused = verify(&evidence, &roots(&stranger), 1_000);
        assert_eq!(refused, Err(EvidenceError::Untrusted { tee: TeeKind::Sim, roots: 1 }));
    }
}

#[test]
fn an_enclave_provides_evidence_about_itself() {
    let root = SimRoot::generate().unwrap();
    let enclave = SimEnclave::new(root.certify("machine", 1).unwrap(), MEASUREMENT).debuggable();
    assert_eq!(enclave.tee(), TeeKind::Sim);
    let claims = verify(&enclave.quote(&[3; 64]).unwrap(), &roots(&root), u64::MAX).unwrap();
    assert!(claims.debug && claims.measurement == MEASUREMENT && claims.issued_at > Some(1_700_000_000));
}

#[test]
fn the_root_of_a_network_is_made_once_and_kept_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/root.json");
    let made = SimRoot::load_or_create(&path).unwrap();
    let read = SimRoot::load_or_create(&path).unwrap();
    assert_eq!(made.public_key(), read.public_key());
    assert_eq!(mode(&path), 0o600);
    let evidence = read.certify("m", 1).unwrap().quote(MEASUREMENT, &[0; 64], false, 5).unwrap();
    assert!(verify(&evidence, &roots(&made), 5).is_ok());
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing temporary is left");
}

#[test]
fn a_platform_survives_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("platform.json");
    let root = SimRoot::generate().unwrap();
    let platform = root.certify("machine", 2).unwrap();
    assert!(SimPlatform::load(&path).unwrap().is_none());
    platform.save(&path).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert!(
        matches!(platform.save(&path), Err(KeyFileError::Io { .. })),
        "an existing key is never overwritten"
    );
    let loaded = SimPlatform::load(&path).unwrap().unwrap();
    assert_eq!(loaded.certificate(), platform.certificate());
    let evidence = loaded.quote(MEASUREMENT, &[0; 64], false, 5).unwrap();
    assert!(verify(&evidence, &roots(&root), 5).is_ok());
}

#[test]
fn key_files_that_are_public_damaged_or_of_another_kind_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.json");
    SimRoot::load_or_create(&path).unwrap();
    assert!(matches!(SimPlatform::load(&path), Err(KeyFileError::Malformed { .. })));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let error = SimRoot::load_or_create(&path).unwrap_err();
    assert!(matches!(error, KeyFileError::Permissions { mode: 0o644, .. }), "{error}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, "{\"sim_root\":\"0x1234\"}").unwrap();
    assert!(matches!(SimRoot::load_or_create(&path), Err(KeyFileError::Crypto { .. })));
    fs::write(&path, "").unwrap();
    assert!(matches!(SimRoot::load_or_create(&path), Err(KeyFileError::Malformed { .. })));
}

#[test]
fn a_program_is_measured_by_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program");
    let bytes = vec![7; 200_000];
    fs::write(&path, &bytes).unwrap();
    assert_eq!(measure_file(&path).unwrap().get(), Sha256Digest::of(&bytes));
    assert!(measure_file(&folder.path().join("absent")).is_err());
}
