//! The id of a request, which its answer's header, its log lines and its audit events share.

use std::sync::Arc;

use axum::http::HeaderName;

/// The header that says the id in every answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, made here and never taken from outside, so that two requests cannot share one.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

impl RequestId {
    /// A new random id.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("req_{}", crate::id::random()).into())
    }

    /// The id of an answer that is made where no id is known; its header has the right one.
    #[must_use]
    pub fn unknown() -> Self {
        Self("".into())
    }
}
