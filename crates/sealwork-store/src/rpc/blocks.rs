//! Single blocks.

use super::{
    failure::Failure,
    query::{Options, parse_cid},
};
use crate::{
    block::{Block, MAX_BLOCK_BYTES},
    local::LocalStore,
};
use axum::{
    Json,
    body::Body,
    extract::{Multipart, Path, State, multipart::MultipartError},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use sealwork_ports::ErrorKind;
use sealwork_types::Codec;
use serde_json::{Value, json};

const RAW_BLOCK: &str = "application/vnd.ipld.raw";

pub(super) async fn put(
    State(store): State<LocalStore>,
    options: Options,
    form: Multipart,
) -> Result<Json<Value>, Failure> {
    let make = maker(&options)?;
    let pin = options.flag("pin", false)?;
    let data = only_file(form).await?;
    let block = make(data);
    let (cid, size) = (*block.cid(), block.data().len());
    store.put_block(block).await?;
    if pin {
        store.pin_root(cid).await?;
    }
    Ok(Json(json!({ "Key": cid.to_string(), "Size": size })))
}

pub(super) async fn get(State(store): State<LocalStore>, options: Options) -> Result<Response, Failure> {
    let block = store.block(options.cid()?).await?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], Body::from(block.data().clone()))
        .into_response())
}

pub(super) async fn stat(State(store): State<LocalStore>, options: Options) -> Result<Json<Value>, Failure> {
    let cid = options.cid()?;
    Ok(Json(json!({ "Key": cid.to_string(), "Size": store.block_len(&cid)? })))
}

/// `GET /ipfs/{cid}?format=raw`: the block alone, for clients that check it themselves.
pub(super) async fn gateway(
    State(store): State<LocalStore>,
    Path(cid): Path<String>,
    options: Options,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if options.text("format").map_or_else(|| !accepts.contains(RAW_BLOCK), |format| format != "raw") {
        let message = format!("only ?format=raw ({RAW_BLOCK}) is served");
        return Err(Failure::with_status(StatusCode::NOT_ACCEPTABLE, message));
    }
    let cid = parse_cid(&cid)?;
    let block = store.block(cid).await.map_err(|error| {
        if error.kind == ErrorKind::NotFound {
            Failure::with_status(StatusCode::NOT_FOUND, format!("block {cid} is not stored"))
        } else {
            error.into()
        }
    })?;
    let headers = [
        (header::CONTENT_TYPE, RAW_BLOCK.to_owned()),
        (header::CACHE_CONTROL, "public, max-age=29030400, immutable".to_owned()),
        (header::ETAG, format!("\"{cid}.raw\"")),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, Body::from(block.data().clone())).into_response())
}

/// How the options want a block to be named.
fn maker(options: &Options) -> Result<fn(Bytes) -> Block, Failure> {
    if options.text("mhtype").is_some_and(|hash| hash != "sha2-256") {
        return Err(Failure::bad_request("option \"mhtype\" must be sha2-256"));
    }
    match options.text("format").or(options.text("cid-codec")) {
        None | Some("raw" | "") => Ok(|data| Block::new(Codec::Raw, data)),
        Some("dag-pb" | "protobuf") => Ok(|data| Block::new(Codec::DagPb, data)),
        Some("v0") => Ok(Block::new_v0),
        Some(other) => Err(Failure::bad_request(format!("codec {other:.50?} is not one of raw, dag-pb"))),
    }
}

async fn only_file(mut form: Multipart) -> Result<Bytes, Failure> {
    let mut field = form
        .next_field()
        .await
        .map_err(broken)?
        .ok_or_else(|| Failure::bad_request("no file in the form"))?;
    let mut data = BytesMut::new();
    while let Some(piece) = field.chunk().await.map_err(broken)? {
        if piece.len() > MAX_BLOCK_BYTES - data.len() {
            let message = format!(
                "produced block is over {} MiB: big blocks can't be exchanged",
                MAX_BLOCK_BYTES >> 20
            );
            return Err(Failure::failed(message));
        }
        data.extend_from_slice(&piece);
    }
    Ok(data.freeze())
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function for map_err")]
pub(super) fn broken(error: MultipartError) -> Failure {
    Failure::bad_request(error.body_text())
}
