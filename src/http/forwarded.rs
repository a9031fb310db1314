//! What trusted proxies say of the address that their client asked.

use axum::http::{HeaderMap, HeaderName};

use super::negotiate::list_header_items;

pub const FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// What the outermost of the trusted proxies says in a header.
#[must_use]
pub fn forwarded_value(headers: &HeaderMap, name: HeaderName, hops: usize) -> Option<&str> {
    let said: Vec<&str> = list_header_items(headers, name).collect();
    // A proxy that says it anew instead of adding to it leaves fewer than there are hops.
    match hops {
        0 => None,
        // Counted from the end: what stands before was written by the client, and can say anything.
        hops => said.get(said.len().saturating_sub(hops)).copied(),
    }
}

/// The part of the path that the outermost of the trusted proxies takes away; empty where it takes none.
#[must_use]
pub fn forwarded_prefix(headers: &HeaderMap, hops: usize) -> &str {
    forwarded_value(headers, FORWARDED_PREFIX, hops)
        .map(|prefix| prefix.trim_end_matches('/'))
        .filter(|prefix| is_plain_path(prefix))
        .unwrap_or_default()
}

/// Whether it can stand at the beginning of a path, and nowhere else in an address.
fn is_plain_path(prefix: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
    prefix.starts_with('/') && !prefix.starts_with("//") && prefix.chars().all(plain)
}
