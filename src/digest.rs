//! Short digests, by which versions of a text are told apart.

use sha2::{Digest, Sha256};

/// The digest of a text: 16 hex digits.
#[must_use]
pub fn digest(text: &str) -> String {
    let bytes = Sha256::digest(text);
    bytes[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
