//! What views and reaches that were written down are told apart by.

use sha2::{Digest, Sha256};

use crate::access;

/// The rules themselves: under others, what was written down of a reach is no longer so.
pub(super) fn policy_digest() -> String {
    digest(&access::RULES.concat())
}

pub(super) fn digest(text: &str) -> String {
    let bytes = Sha256::digest(text);
    bytes[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
