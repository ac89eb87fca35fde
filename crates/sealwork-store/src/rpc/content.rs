//! Whole files.

use super::{blocks::broken, failure::Failure, pins::lines, query::Options};
use crate::{
    local::{Keep, LocalStore},
    unixfs::{FileWalk, Profile, Root, WalkLimits},
};
use axum::{
    body::Body,
    extract::{Multipart, State, multipart::Field},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{SinkExt, StreamExt, channel::mpsc, stream};
use sealwork_ports::{ErrorKind, PortError};
use serde_json::json;

/// Most files in one `add`.
const MAX_FILES: usize = 1024;

pub(super) async fn add(
    State(store): State<LocalStore>,
    options: Options,
    mut form: Multipart,
) -> Result<Response, Failure> {
    let profile = profile(&options, store.profile())?;
    let keep = match (options.flag("only-hash", false)?, options.flag("pin", true)?) {
        (true, _) => Keep::NameOnly,
        (false, true) => Keep::Pinned,
        (false, false) => Keep::Unpinned,
    };
    if options.flag("wrap-with-directory", false)? {
        return Err(Failure::failed("directories are not supported; add files one by one"));
    }
    let mut added = Vec::new();
    while let Some(field) = form.next_field().await.map_err(broken)? {
        if added.len() == MAX_FILES {
            return Err(Failure::failed(format!("more than {MAX_FILES} files")));
        }
        let name = field.file_name().map(ToOwned::to_owned);
        let root = add_field(&store, field, profile, keep).await?;
        let hash = root.cid.to_string();
        let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| hash.clone());
        added.push(json!({ "Name": name, "Hash": hash, "Size": root.tree_bytes.to_string() }));
    }
    if added.is_empty() {
        return Err(Failure::bad_request("no file in the form"));
    }
    Ok(lines(added.into_iter()))
}

/// Pumps the field into the store; the field borrows the request, the store wants a stream that owns its source.
async fn add_field(
    store: &LocalStore,
    mut field: Field<'_>,
    profile: Profile,
    keep: Keep,
) -> Result<Root, Failure> {
    let (mut sender, pieces) = mpsc::channel::<Result<Bytes, PortError>>(4);
    let pump = async move {
        loop {
            let piece = match field.chunk().await {
                Ok(Some(piece)) => Ok(piece),
                Ok(None) => break,
                Err(error) => Err(PortError::because(ErrorKind::Unavailable, "read the request", error)),
            };
            let failed = piece.is_err();
            // The other half is gone when the store has failed; its error is the answer.
            if sender.send(piece).await.is_err() || failed {
                break;
            }
        }
    };
    let (root, ()) = futures::join!(store.add(pieces.boxed(), profile, keep), pump);
    Ok(root?)
}

pub(super) async fn cat(State(store): State<LocalStore>, options: Options) -> Result<Response, Failure> {
    let (offset, length) = (options.number("offset")?.unwrap_or(0), options.number("length")?);
    let bytes = offset..offset.saturating_add(length.unwrap_or(u64::MAX));
    let mut content = store.cat(FileWalk::within(options.cid()?, WalkLimits::default(), bytes)).fuse();
    // The first piece decides whether the answer is a failure; a later one can only break the connection.
    let first = content.next().await.transpose()?;
    let body = stream::iter(first.map(Ok)).chain(content);
    let headers = [("content-type", "application/octet-stream"), ("x-stream-output", "1")];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// The profile that the options ask for; what they leave out is as in the store's own.
fn profile(options: &Options, own: Profile) -> Result<Profile, Failure> {
    let named = ["chunker", "cid-version", "raw-leaves", "max-file-links"];
    if named.iter().all(|name| options.text(name).is_none()) {
        return Ok(own);
    }
    let chunk = match options.text("chunker") {
        None => Some(own.chunk()),
        Some(chunker) => chunker.strip_prefix("size-").and_then(|size| size.parse().ok()),
    };
    let cid_version = options.number("cid-version")?.unwrap_or(own.cid_version());
    let raw_leaves = options.flag("raw-leaves", cid_version == 1)?;
    let width = options.number("max-file-links")?.map_or(Ok(own.width()), usize::try_from);
    let profile = chunk
        .zip(width.ok())
        .and_then(|(chunk, width)| Profile::custom(chunk, width, raw_leaves, cid_version));
    profile.ok_or_else(|| {
        Failure::bad_request(
            "expected chunker size-1 to size-1048576, max-file-links 2 to 1024, cid-version 0 or 1, \
             and raw-leaves only with cid-version 1",
        )
    })
}
