//! Answers and refusals as OData words them.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use odata_filter::{Fault, all_are_unsupported, join_sentences};
use serde_json::json;

use super::address::NoResourceReason;
use crate::{
    bi::catalogue,
    error::Error,
    http::{
        negotiate::set_static_headers,
        problem::{self, with_retry_soon},
    },
};

/// The codes of refusals that OData words itself. They are not those of [`Code`](crate::error::Code): HTTP has statuses
/// here that no other face answers with. Each has one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ODataCode {
    BadUserInput,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    NotImplemented,
    ServiceUnavailable,
}

impl ODataCode {
    const fn as_str(self) -> &'static str {
        match self {
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::NotFound => "NOT_FOUND",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::NotAcceptable => "NOT_ACCEPTABLE",
            Self::NotImplemented => "NOT_IMPLEMENTED",
            Self::ServiceUnavailable => "SERVICE_UNAVAILABLE",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::BadUserInput => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::NotImplemented => StatusCode::NOT_IMPLEMENTED,
            Self::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Why a request is refused.
pub(super) enum ODataRefusal {
    /// As every other face refuses it.
    Failed(Error),
    /// As OData alone does: a code and a sentence.
    Worded(ODataCode, String),
}

impl From<Error> for ODataRefusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Vec<Fault>> for ODataRefusal {
    fn from(faults: Vec<Fault>) -> Self {
        let code = match all_are_unsupported(&faults) {
            true => ODataCode::NotImplemented,
            false => ODataCode::BadUserInput,
        };
        Self::Worded(code, join_sentences(&faults))
    }
}

/// An answer, or why there is none.
pub(super) type ODataResult = Result<Response, ODataRefusal>;

/// Refuses a request that has faults.
pub(super) fn require_no_faults(faults: Vec<Fault>) -> Result<(), ODataRefusal> {
    match faults.is_empty() {
        true => Ok(()),
        false => Err(faults.into()),
    }
}

/// The refusal of a client that accepts no media type that can be given.
pub(super) fn not_acceptable_refusal(message: &str) -> ODataRefusal {
    ODataRefusal::Worded(ODataCode::NotAcceptable, message.to_owned())
}

/// The refusal of an address at which there is nothing.
pub(super) fn no_resource_refusal(nowhere: NoResourceReason) -> ODataRefusal {
    match nowhere {
        NoResourceReason::Missing => {
            let names: Vec<&str> = catalogue::ALL.iter().map(|dataset| dataset.name).collect();
            let message = format!("There is no such dataset. There are {}.", names.join(", "));
            ODataRefusal::Worded(ODataCode::NotFound, message)
        }
        NoResourceReason::Key => {
            let message = "A key is one value, such as ('kpi_…') or (2025-03-01), with the name of the key before it or without.";
            ODataRefusal::Worded(ODataCode::BadUserInput, message.to_owned())
        }
        NoResourceReason::Unsupported => {
            let message = "Offered are the service document, $metadata, datasets, their /$count, and their rows by key; $batch and paths after rows are not.";
            ODataRefusal::Worded(ODataCode::NotImplemented, message.to_owned())
        }
    }
}

/// An answer with this body.
#[must_use]
pub(super) fn respond(body: Vec<u8>, content_type: &'static str, gzip: bool) -> Response {
    let mut response = body.into_response();
    let gzip = gzip.then_some((header::CONTENT_ENCODING, "gzip"));
    let fixed = [(header::CONTENT_TYPE, content_type)];
    set_static_headers(&mut response, fixed.into_iter().chain(gzip));
    response
}

/// The answer of a refusal: nothing but a code and a message, as some clients read nothing else. The request's id is in
/// its header alone.
#[must_use]
pub(super) fn respond_with_refusal(refusal: ODataRefusal) -> Response {
    let body =
        |code: &str, message: &str| Json(json!({ "error": { "code": code, "message": message } }));
    match refusal {
        ODataRefusal::Failed(error) => {
            error.log();
            let body = body(error.code().as_str(), &error.to_string());
            let response = (problem::error_status(&error), body).into_response();
            // Spreadsheets ask for a name and a password only where the answer offers Basic.
            problem::with_basic_challenge(
                problem::with_auth_or_retry_header(response, &error),
                &error,
            )
        }
        ODataRefusal::Worded(code, message) => {
            let mut response = (code.status(), body(code.as_str(), &message)).into_response();
            match code {
                ODataCode::MethodNotAllowed => {
                    let allowed = HeaderValue::from_static("GET, HEAD");
                    response.headers_mut().insert(header::ALLOW, allowed);
                    response
                }
                ODataCode::ServiceUnavailable => with_retry_soon(response),
                _ => response,
            }
        }
    }
}
