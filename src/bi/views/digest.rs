//! The digest that tells apart versions of the policy.

use crate::{access, digest::digest};

/// The digest of the policy's rules: a reach that was written down under other rules is no longer true.
pub(super) fn policy_digest() -> String {
    digest(&access::RULES.concat())
}
