//! Answers and refusals as OData words them.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use odata_filter::{Fault, are_unsupported, sentences};
use serde_json::json;

use super::address::Nowhere;
use crate::{
    bi::catalogue,
    error::Error,
    http::problem::{self, retry_soon},
};

/// Why a request is not answered with what it asks for.
pub enum ODataRefusal {
    Failed(Error),
    Worded(StatusCode, &'static str, String),
}

impl From<Error> for ODataRefusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Vec<Fault>> for ODataRefusal {
    fn from(faults: Vec<Fault>) -> Self {
        let (status, code) = match are_unsupported(&faults) {
            true => (StatusCode::NOT_IMPLEMENTED, "NOT_IMPLEMENTED"),
            false => (StatusCode::BAD_REQUEST, "BAD_USER_INPUT"),
        };
        Self::Worded(status, code, sentences(&faults))
    }
}

/// What a request comes to.
pub type ODataResult = Result<Response, ODataRefusal>;

/// Goes on where nothing is wrong.
pub fn none_of(faults: Vec<Fault>) -> Result<(), ODataRefusal> {
    match faults.is_empty() {
        true => Ok(()),
        false => Err(faults.into()),
    }
}

/// A client takes nothing that can be given.
pub fn not_acceptable(message: &str) -> ODataRefusal {
    ODataRefusal::Worded(
        StatusCode::NOT_ACCEPTABLE,
        "NOT_ACCEPTABLE",
        message.to_owned(),
    )
}

/// There is nothing at the address, and why.
pub fn nowhere(nowhere: Nowhere) -> ODataRefusal {
    let (status, code, message) = match nowhere {
        Nowhere::Missing => {
            let names: Vec<&str> = catalogue::ALL.iter().map(|dataset| dataset.name).collect();
            let message = format!("There is no such dataset. There are {}.", names.join(", "));
            (StatusCode::NOT_FOUND, "NOT_FOUND", message)
        }
        Nowhere::Key => {
            let message = "A key is one value, such as ('kpi_…') or (2025-03-01), with the name of the key before it or without.";
            (
                StatusCode::BAD_REQUEST,
                "BAD_USER_INPUT",
                message.to_owned(),
            )
        }
        Nowhere::Unsupported => {
            let message = "Offered are the service document, $metadata, datasets, their /$count, and their rows by key; $batch and paths behind rows are not.";
            (
                StatusCode::NOT_IMPLEMENTED,
                "NOT_IMPLEMENTED",
                message.to_owned(),
            )
        }
    };
    ODataRefusal::Worded(status, code, message)
}

/// An answer with this body.
#[must_use]
pub fn respond(body: Vec<u8>, content_type: &'static str, gzip: bool) -> Response {
    let mut response = body.into_response();
    let gzip = gzip.then_some((header::CONTENT_ENCODING, "gzip"));
    let fixed = [(header::CONTENT_TYPE, content_type)];
    for (name, value) in fixed.into_iter().chain(gzip) {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A refusal as OData words it: nothing but a code and a message, as some clients take nothing else. The id of the
/// request stands in its header.
#[must_use]
pub fn refused(refusal: ODataRefusal) -> Response {
    let body =
        |code: &str, message: &str| Json(json!({ "error": { "code": code, "message": message } }));
    match refusal {
        ODataRefusal::Failed(error) => {
            error.log();
            let body = body(error.code().as_str(), &error.to_string());
            let response = (problem::status(&error), body).into_response();
            problem::offering_basic(problem::with_advice(response, &error), &error)
        }
        ODataRefusal::Worded(status, code, message) => {
            let mut response = (status, body(code, &message)).into_response();
            if status == StatusCode::METHOD_NOT_ALLOWED {
                let allowed = HeaderValue::from_static("GET, HEAD");
                response.headers_mut().insert(header::ALLOW, allowed);
            }
            if status == StatusCode::SERVICE_UNAVAILABLE {
                return retry_soon(response);
            }
            response
        }
    }
}
