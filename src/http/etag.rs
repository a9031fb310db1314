//! Entity tags: what a client has already is not sent again.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// A tag of what makes an answer what it is, part by part.
#[must_use]
pub fn new(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // A part that ends earlier is not the beginning of the next one.
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(hash.finalize()))
}

/// Whether the client says that it has what this tag stands for.
#[must_use]
pub fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let tag = tag.trim_start_matches("W/");
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(|one| one.trim().trim_start_matches("W/"))
        .any(|one| one == tag || one == "*")
}

/// Says the tag of an answer.
pub fn insert(headers: &mut HeaderMap, tag: &str) {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
}
