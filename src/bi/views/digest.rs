//! Digests that tell apart versions of the views and of the policy.

use sha2::{Digest, Sha256};

use crate::access;

/// The digest of the policy's rules: a reach that was written down under other rules is no longer true.
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
