//! Options and arguments of a command: a list of pairs, since `arg` may be repeated.

use super::failure::Failure;
use crate::block::GeneralCid;
use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};

/// Most arguments that one command takes.
const MAX_ARGS: usize = 256;

/// The query string of a command.
#[derive(Debug)]
pub(super) struct Options(Vec<(String, String)>);

impl Options {
    /// The value of an option.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A switch; an empty value means yes.
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool, Failure> {
        match self.text(name) {
            None => Ok(default),
            Some("" | "true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(other) => {
                Err(Failure::bad_request(format!("option {name:?} is {other:.50?}, expected true or false")))
            }
        }
    }

    /// A number.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Failure> {
        let wrong =
            |text: &str| Failure::bad_request(format!("option {name:?} is {text:.50?}, expected a number"));
        self.text(name).map(|text| text.parse().map_err(|_| wrong(text))).transpose()
    }

    /// All arguments as CIDs; at least one.
    pub(super) fn cids(&self) -> Result<Vec<GeneralCid>, Failure> {
        let args: Vec<_> = self.0.iter().filter(|(key, _)| key == "arg").map(|(_, value)| value).collect();
        if args.is_empty() || args.len() > MAX_ARGS {
            return Err(Failure::bad_request(format!(
                "found {} arguments, expected 1 to {MAX_ARGS}",
                args.len()
            )));
        }
        args.into_iter().map(|arg| parse_cid(arg)).collect()
    }

    /// The only argument, a CID.
    pub(super) fn cid(&self) -> Result<GeneralCid, Failure> {
        match self.cids()?.as_slice() {
            [cid] => Ok(*cid),
            cids => Err(Failure::bad_request(format!("found {} arguments, expected 1", cids.len()))),
        }
    }
}

/// Reads a CID, with or without `/ipfs/` before it.
pub(super) fn parse_cid(text: &str) -> Result<GeneralCid, Failure> {
    let bare = text.strip_prefix("/ipfs/").unwrap_or(text);
    GeneralCid::try_from(bare)
        .map_err(|error| Failure::bad_request(format!("invalid path {text:.100?}: {error}")))
}

impl<S: Send + Sync> FromRequestParts<S> for Options {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Query(pairs) = Query::from_request_parts(parts, state)
            .await
            .map_err(|error| Failure::bad_request(error.body_text()))?;
        Ok(Self(pairs))
    }
}
