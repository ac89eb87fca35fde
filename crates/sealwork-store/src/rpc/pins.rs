//! Pins and upkeep.

use super::{failure::Failure, query::Options};
use crate::{
    block::{GeneralCid, cid_v1},
    local::LocalStore,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use sealwork_types::Codec;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

pub(super) async fn add(State(store): State<LocalStore>, options: Options) -> Result<Json<Value>, Failure> {
    if !options.flag("recursive", true)? {
        return Err(Failure::failed("only recursive pins are kept"));
    }
    let cids = options.cids()?;
    for cid in &cids {
        store.pin_root(*cid).await?;
    }
    Ok(named(&cids))
}

pub(super) async fn remove(
    State(store): State<LocalStore>,
    options: Options,
) -> Result<Json<Value>, Failure> {
    let cids = options.cids()?;
    for cid in &cids {
        if !store.unpin_root(*cid).await? {
            return Err(Failure::failed("not pinned or pinned indirectly"));
        }
    }
    Ok(named(&cids))
}

pub(super) async fn list(State(store): State<LocalStore>, options: Options) -> Result<Response, Failure> {
    let recursive = match options.text("type") {
        None | Some("" | "all" | "recursive") => true,
        Some("direct" | "indirect") => false,
        Some(other) => return Err(Failure::bad_request(format!("invalid type {other:.50?}"))),
    };
    let mut pins = if recursive { store.pins() } else { BTreeSet::new() };
    if options.text("arg").is_some() {
        let asked = options.cids()?;
        if let Some(missing) = asked.iter().find(|cid| !pins.contains(cid)) {
            return Err(Failure::failed(format!("path '{missing}' is not pinned")));
        }
        pins = asked.into_iter().collect();
    }
    if options.flag("stream", false)? {
        let line = |cid: &GeneralCid| json!({ "GeneralCid": cid.to_string(), "Type": "recursive" });
        return Ok(lines(pins.iter().map(line)));
    }
    let keys: Map<_, _> = pins.iter().map(|cid| (cid.to_string(), json!({ "Type": "recursive" }))).collect();
    Ok(Json(json!({ "Keys": keys })).into_response())
}

pub(super) async fn collect(State(store): State<LocalStore>) -> Result<Response, Failure> {
    let collected = store.gc().await?;
    // A key is the hash of a block here as in Kubo; how the block was read is no longer known.
    Ok(lines(
        collected
            .digests
            .into_iter()
            .map(|digest| json!({ "Key": { "/": cid_v1(Codec::Raw, digest).to_string() } })),
    ))
}

pub(super) async fn repo_stat(State(store): State<LocalStore>) -> Json<Value> {
    let usage = store.usage();
    Json(json!({
        "NumObjects": usage.blocks, "RepoSize": usage.file_bytes, "StorageMax": 0,
        "RepoPath": "", "Version": "sealwork-pack-1",
    }))
}

/// One JSON value per line.
pub(super) fn lines(values: impl Iterator<Item = Value>) -> Response {
    let body: String = values.map(|value| format!("{value}\n")).collect();
    ([("content-type", "application/json"), ("x-chunked-output", "1")], body).into_response()
}

fn named(cids: &[GeneralCid]) -> Json<Value> {
    Json(json!({ "Pins": cids.iter().map(GeneralCid::to_string).collect::<Vec<_>>() }))
}
