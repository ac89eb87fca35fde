//! The member's secret: 32 bytes in a file that only its owner can read.

use crate::CasError;
use sealwork_seal::Secret;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Reads the secret, or makes one if there is no file. The file is complete and on disk before this returns.
pub(crate) fn load_or_create(path: &Path) -> Result<Secret<[u8; 32]>, CasError> {
    let wrap = |action| move |source| CasError::State { action, path: path.to_owned(), source };
    match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => return other.map_err(wrap("read the member secret in")),
    }
    let secret = Secret::random()?;
    match create(path, &secret) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            read(path).map_err(wrap("read the member secret in"))
        }
        other => other.map(|()| secret).map_err(wrap("write the member secret to")),
    }
}

fn read(path: &Path) -> io::Result<Secret<[u8; 32]>> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "others can read it; `chmod 600` it"));
    }
    if metadata.len() != 32 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "not 32 bytes long; restore it from a backup",
        ));
    }
    Secret::try_fill(|bytes| file.read_exact(bytes))
}

fn create(path: &Path, secret: &Secret<[u8; 32]>) -> io::Result<()> {
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    let linked = secret
        .expose(|bytes| file.write_all(bytes))
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&temporary, path));
    fs::remove_file(&temporary)?;
    linked?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_a_secret_once_and_keeps_it_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("member.secret");
        let made = load_or_create(&path).unwrap().expose(|bytes| *bytes);
        assert_eq!(load_or_create(&path).unwrap().expose(|bytes| *bytes), made);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn refuses_a_file_that_others_can_read_or_that_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("member.secret");
        load_or_create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(load_or_create(&path), Err(CasError::State { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, [1; 31]).unwrap();
        assert!(matches!(load_or_create(&path), Err(CasError::State { .. })));
    }
}
