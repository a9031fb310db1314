//! Every answer that is not a success and not GraphQL: its status, its code, its sentence and its advice.
//!
//! A problem is one JSON object, the same on every route:
//!
//! ```json
//! {"error": {"code": "FORBIDDEN", "message": "…", "requestId": "req_…"}}
//! ```
//!
//! OData words its refusals in another way, and GraphQL answers with a list of errors; both take the status and the
//! advice (how to sign in, when to try again) from here.

use std::any::Any;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{admission::Overloaded, request_id::RequestId};
use crate::error::{Code, Error};

/// An answer that says what went wrong, wherever it is not GraphQL's to say.
#[must_use]
pub fn problem_response(status: StatusCode, code: Code, message: &str, id: &RequestId) -> Response {
    let error = json!({ "code": code.as_str(), "message": message, "requestId": &*id.0 });
    with_no_store((status, Json(json!({ "error": error }))).into_response())
}

/// An answer that says why a request failed.
#[must_use]
pub fn error_response(error: &Error, id: &RequestId) -> Response {
    error.log();
    let response = problem_response(error_status(error), error.code(), &error.to_string(), id);
    with_auth_or_retry_header(response, error)
}

/// The status of an answer that says why a request failed.
#[must_use]
pub fn error_status(error: &Error) -> StatusCode {
    match error {
        Error::Refused(_) | Error::Conflict { .. } | Error::BadInput(_) | Error::TooComplex(_) => {
            StatusCode::BAD_REQUEST
        }
        Error::Forbidden(_) => StatusCode::FORBIDDEN,
        Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
        Error::PullAgain(_) => StatusCode::GONE,
        Error::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::TookTooLong | Error::Unknown(_) => StatusCode::GATEWAY_TIMEOUT,
        Error::Unavailable(_) | Error::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        Error::Stopped { cause, .. } => error_status(cause),
    }
}

/// Says how to sign in, or when to try again.
#[must_use]
pub fn with_auth_or_retry_header(mut response: Response, error: &Error) -> Response {
    let advice = match error {
        Error::Unauthenticated(_) => (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        Error::RateLimited { retry_after } => {
            (header::RETRY_AFTER, HeaderValue::from(*retry_after))
        }
        Error::Unavailable(_) | Error::Busy => (header::RETRY_AFTER, HeaderValue::from_static("1")),
        Error::Stopped { cause, .. } => return with_auth_or_retry_header(response, cause),
        _ => return response,
    };
    response.headers_mut().insert(advice.0, advice.1);
    response
}

/// Programs that know Basic alone are told that they may use it, where that is so.
#[must_use]
pub fn with_basic_challenge(mut response: Response, error: &Error) -> Response {
    if matches!(error, Error::Unauthenticated(_)) {
        let basic = HeaderValue::from_static(
            "Basic realm=\"the token is the password\", charset=\"UTF-8\"",
        );
        response
            .headers_mut()
            .append(header::WWW_AUTHENTICATE, basic);
    }
    response
}

/// An answer that says why a request failed, on a route whose clients may sign in by Basic too.
#[must_use]
pub fn error_response_offering_basic(error: &Error, id: &RequestId) -> Response {
    with_basic_challenge(error_response(error, id), error)
}

/// Nobody between us and the client keeps a copy.
#[must_use]
pub fn with_no_store(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}

/// The refusal of work that cannot be done in time.
#[must_use]
pub fn overloaded_response(id: &RequestId) -> Response {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    with_retry_soon(problem_response(
        status,
        Code::ServiceUnavailable,
        Overloaded::MESSAGE,
        id,
    ))
}

/// Says that trying again in a second may help.
#[must_use]
pub fn with_retry_soon(mut response: Response) -> Response {
    let second = HeaderValue::from_static("1");
    response.headers_mut().insert(header::RETRY_AFTER, second);
    response
}

/// The answer of an address at which there is nothing.
#[must_use]
pub fn not_found_response(id: &RequestId) -> Response {
    problem_response(
        StatusCode::NOT_FOUND,
        Code::NotFound,
        "There is nothing at this address.",
        id,
    )
}

/// The answer of an address that is asked by a method which it does not have.
#[must_use]
pub fn method_not_allowed_response(id: &RequestId) -> Response {
    let message = "This address does not support this method.";
    problem_response(
        StatusCode::METHOD_NOT_ALLOWED,
        Code::BadUserInput,
        message,
        id,
    )
}

/// What a panic said, for the log.
pub(super) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)")
}

/// The last net: a panic outside of GraphQL is answered as JSON instead of a dropped connection.
pub fn panic_response(panic: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!(panic = panic_message(&*panic), "a handler panicked");
    let message = "An internal error occurred.";
    problem_response(
        StatusCode::INTERNAL_SERVER_ERROR,
        Code::InternalServerError,
        message,
        &RequestId::unknown(),
    )
}
