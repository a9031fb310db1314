//! The id of a request, which its answer's header, its log lines and its audit events share.
//!
//! tower-http has layers for this (`SetRequestId`, `PropagateRequestId`, `TraceLayer`). They are not used: the first
//! takes an id that the client sends for the request's own, so that anybody could write one id over many audit events,
//! and would need a layer before it that takes the header away; and its ids are header values, where the audit log and
//! every refusal want text. What is left is one middleware, `assign_request_id`, which measures and counts as well.

use std::sync::Arc;

use axum::http::HeaderName;

/// The header of every answer that has the id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, made here and never taken from outside, so that two requests cannot share one.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

impl RequestId {
    /// A new random id.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("req_{}", crate::id::new_hex()).into())
    }

    /// The id in the body of an answer that is made where none is known; the header still has the right one.
    #[must_use]
    pub fn unknown() -> Self {
        Self("".into())
    }
}
