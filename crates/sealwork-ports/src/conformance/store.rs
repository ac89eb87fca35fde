//! What every `Store` must do.

use crate::{ByteStream, ErrorKind, PortError, Store};
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use sealwork_types::{Cid, Codec, Sha256Digest, manifest::document_cid};

/// Makes a stream of pieces.
pub fn byte_stream(pieces: Vec<Bytes>) -> ByteStream {
    stream::iter(pieces.into_iter().map(Ok)).boxed()
}

/// Checks a store that holds nothing of the suite yet.
///
/// # Panics
/// When the store breaks a promise of the port; the message says which.
pub async fn store_suite(store: &dyn Store) {
    small_content_is_one_raw_block(store).await;
    content_of_any_size_comes_back(store).await;
    equal_bytes_get_the_equal_name(store).await;
    absent_content_is_not_found(store).await;
    ranges_are_cut_out_of_content(store).await;
    reading_small_content_honors_its_limit(store).await;
    pins_are_idempotent(store).await;
    a_failed_source_fails_the_put(store).await;
}

async fn small_content_is_one_raw_block(store: &dyn Store) {
    for text in ["", "a", "small document"] {
        let cid = put(store, vec![Bytes::from_static(text.as_bytes())]).await;
        assert_eq!(cid, document_cid(Sha256Digest::of(text.as_bytes())), "name of {text:?}");
        let back = store.get_small(&cid, text.len()).await.expect("content that was put can be read");
        assert_eq!(back, text, "bytes of {text:?}");
        let stat = store.stat(&cid).await.expect("content that was put has a size");
        assert_eq!((stat.content_bytes, stat.blocks), (text.len() as u64, 1), "size of {text:?}");
    }
}

async fn content_of_any_size_comes_back(store: &dyn Store) {
    for size in [1, 1000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5_000_000] {
        let content = pattern(size);
        let cid = put(store, vec![content.clone()]).await;
        assert_eq!(
            read(store, &cid).await.expect("content that was put can be read"),
            content,
            "{size} bytes"
        );
        let stat = store.stat(&cid).await.expect("content that was put has a size");
        assert_eq!(stat.content_bytes, size as u64, "size of {size} bytes");
    }
}

async fn equal_bytes_get_the_equal_name(store: &dyn Store) {
    let content = pattern(2_500_000);
    let whole = put(store, vec![content.clone()]).await;
    let pieces = content.chunks(77_777).map(Bytes::copy_from_slice).collect();
    assert_eq!(put(store, pieces).await, whole, "the name depends on how the stream is cut");
}

async fn absent_content_is_not_found(store: &dyn Store) {
    for codec in [Codec::Raw, Codec::DagPb] {
        let absent = Cid::new(codec, Sha256Digest::of(b"nobody stored this"));
        assert_kind(read(store, &absent).await, ErrorKind::NotFound, "get");
        assert_kind(store.get_small(&absent, 10).await, ErrorKind::NotFound, "get_small");
        assert_kind(store.stat(&absent).await, ErrorKind::NotFound, "stat");
        assert_kind(store.pin(&absent).await, ErrorKind::NotFound, "pin");
        store.unpin(&absent).await.expect("unpin is idempotent");
    }
}

async fn ranges_are_cut_out_of_content(store: &dyn Store) {
    const MIB: usize = 1 << 20;
    for size in [0, 10, 3 * MIB + 5] {
        let content = pattern(size);
        let cid = put(store, vec![content.clone()]).await;
        let ends = [0, 1, 9, MIB - 1, MIB, MIB + 1, 2 * MIB, 3 * MIB + 5, 5 * MIB];
        for (start, end) in ends.into_iter().flat_map(|start| ends.map(|end| (start, end))) {
            let expected = content.slice(start.min(size)..end.clamp(start.min(size), size));
            let stream = store.get_range(&cid, start as u64..end as u64).await;
            let bytes = drain(stream.expect("content that was put can be read in part")).await;
            assert_eq!(bytes.expect("so can its bytes"), expected, "bytes {start} to {end} of {size}");
        }
    }
}

async fn reading_small_content_honors_its_limit(store: &dyn Store) {
    for size in [100, 3_000_000] {
        let content = pattern(size);
        let cid = put(store, vec![content.clone()]).await;
        assert_kind(store.get_small(&cid, size - 1).await, ErrorKind::Limit, "get_small");
        let back = store.get_small(&cid, size).await.expect("content of exactly the limit can be read");
        assert_eq!(back, content, "{size} bytes");
    }
}

async fn pins_are_idempotent(store: &dyn Store) {
    let cid = put(store, vec![pattern(1_100_000)]).await;
    for _ in 0..2 {
        store.pin(&cid).await.expect("what is pinned can be pinned");
    }
    for _ in 0..2 {
        store.unpin(&cid).await.expect("what is not pinned can be unpinned");
    }
    store.pin(&cid).await.expect("what is still stored can be pinned again");
    read(store, &cid).await.expect("pinned content can be read");
}

async fn a_failed_source_fails_the_put(store: &dyn Store) {
    let failure = PortError::new(ErrorKind::Unavailable, "source went away");
    let content = stream::iter([Ok(Bytes::from_static(b"first half")), Err(failure)]).boxed();
    assert_kind(store.put(content).await, ErrorKind::Unavailable, "put");
    let half = document_cid(Sha256Digest::of(b"first half"));
    assert_kind(read(store, &half).await, ErrorKind::NotFound, "get of half a content");
}

async fn put(store: &dyn Store, pieces: Vec<Bytes>) -> Cid {
    store.put(byte_stream(pieces)).await.expect("the store takes content")
}

async fn read(store: &dyn Store, cid: &Cid) -> Result<Bytes, PortError> {
    drain(store.get(cid).await?).await
}

async fn drain(mut stream: ByteStream) -> Result<Bytes, PortError> {
    let mut all = BytesMut::new();
    while let Some(piece) = stream.next().await {
        all.extend_from_slice(&piece?);
    }
    Ok(all.freeze())
}

fn assert_kind<T>(result: Result<T, PortError>, kind: ErrorKind, what: &str) {
    assert_eq!(result.err().map(|error| error.kind), Some(kind), "kind of failure of {what}");
}

/// Bytes without a short period, so that chunks differ.
fn pattern(size: usize) -> Bytes {
    (0..=u8::MAX).cycle().zip((0..251_u8).cycle()).map(|(a, b)| a ^ b.rotate_left(3)).take(size).collect()
}
