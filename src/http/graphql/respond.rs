//! Writes answers of GraphQL: masks errors that nobody worded for the client, bounds their number and the size of the
//! whole, and signs each error with the request's id.

use async_graphql::{ServerError, Value};
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{
    media::{self, MediaType},
    stop::{NoDataReason, coded_error, error_code, no_data_reason_status},
};
use crate::{
    compute,
    error::{Code, Error},
    graph::direct_json,
    http::{
        problem::{self, with_retry_soon},
        request_id::RequestId,
    },
};

/// Errors in one answer; a flood of them helps nobody.
pub(super) const MOST_ERRORS: usize = 20;

/// Characters of a message that may repeat what the client sent.
pub(super) const LONGEST_MESSAGE: usize = 300;

/// What a client is told of a fault of ours.
pub(super) const OUR_FAULT: &str =
    "An internal error occurred. If it happens again, report it with this request id.";

/// An answer that is one error and no data. Sign-in uses it too, and adds its own headers.
#[must_use]
pub fn refusal_response(
    media: MediaType,
    status: StatusCode,
    code: Code,
    message: &str,
    request_id: &str,
) -> Response {
    let error = coded_error(code, message, Vec::new());
    respond_with_errors(media, status, vec![error], request_id)
}

/// A GraphQL request that did not run because nobody could be told to be calling.
#[must_use]
pub fn caller_refusal_response(error: &Error, headers: &HeaderMap, id: &RequestId) -> Response {
    error.log();
    let media = media::negotiate_media(headers).unwrap_or(MediaType::Json);
    let status = problem::error_status(error);
    let response = refusal_response(media, status, error.code(), &error.to_string(), &id.0);
    problem::with_auth_or_retry_header(response, error)
}

/// What validation found, as a stop.
pub(super) fn reason_from_validation_errors(errors: Vec<ServerError>) -> NoDataReason {
    let kept: Vec<_> = errors
        .into_iter()
        .take(MOST_ERRORS)
        .map(with_validation_code)
        .collect();
    // The code of the first stands for the whole in the status.
    let code = kept.iter().find_map(error_code);
    NoDataReason::Failed(code.unwrap_or(Code::GraphqlValidationFailed), kept)
}

/// async-graphql tells its two limits from faults of the document only by these sentences.
fn with_validation_code(invalid: ServerError) -> ServerError {
    let code = match invalid.message.as_str() {
        "Query is too complex." | "Query is nested too deep." => Code::QueryTooComplex,
        _ => Code::GraphqlValidationFailed,
    };
    coded_error(
        code,
        &strip_input_from_message(&invalid.message),
        invalid.locations,
    )
}

/// Writes what an operation answered, with every error masked that was not worded for the client.
pub(super) fn respond_with_outcome(
    media: MediaType,
    mut response: async_graphql::Response,
    is_mutation: bool,
    request_id: &str,
) -> Response {
    // Before they are masked, since each of those that nobody worded is logged.
    response.errors.truncate(MOST_ERRORS);
    for error in &mut response.errors {
        mask_error(error, request_id);
    }
    match find_server_fault_code(&response, is_mutation) {
        Some(code) => respond_with_no_data_reason(
            media,
            NoDataReason::Failed(code, response.errors),
            request_id,
        ),
        None => respond_unless_too_large(media, to_json(&response), request_id),
    }
}

/// The answer, unless it is larger than one may be in spite of what its lists were counted to give.
fn respond_unless_too_large(
    media: MediaType,
    body: serde_json::Result<Vec<u8>>,
    request_id: &str,
) -> Response {
    match body {
        // Twice the budget, which counts texts and not the punctuation of JSON around them.
        Ok(body) if body.len() as u64 > 2 * compute::BYTES => {
            let message = "The answer would be too large. Ask for less at once.";
            // It has run, so this is no refusal of ours to run it.
            let status = StatusCode::OK;
            refusal_response(media, status, Code::QueryTooComplex, message, request_id)
        }
        body => json_response(media, StatusCode::OK, body),
    }
}

/// The fault of ours that left nothing to answer with: a client that looks at the status alone must not take it for an
/// answer. Where something was answered besides, it is one, and the fault stands in its errors.
fn find_server_fault_code(response: &async_graphql::Response, is_mutation: bool) -> Option<Code> {
    let is_empty = match &response.data {
        Value::Null => true,
        Value::Object(roots) => roots.values().all(|root| *root == Value::Null),
        _ => false,
    };
    if !is_empty {
        return None;
    }
    let has = |wanted| {
        response
            .errors
            .iter()
            .any(|error| error_code(error) == Some(wanted))
    };
    // What failed after the root of a mutation failed after the change was made: come again would be bad advice.
    let may_be_done = is_mutation && response.errors.iter().any(|error| error.path.len() > 1);
    let unavailable = has(Code::ServiceUnavailable);
    if has(Code::InternalServerError) || (unavailable && may_be_done) {
        return Some(Code::InternalServerError);
    }
    if has(Code::Timeout) {
        return Some(Code::Timeout);
    }
    unavailable.then_some(Code::ServiceUnavailable)
}

/// Written straight from its own type: on a detour through `serde_json::Value` the keys would lose their order.
fn to_json(response: &async_graphql::Response) -> serde_json::Result<Vec<u8>> {
    let mut json = direct_json::write_response(&response.data, br#"{"data":"#.to_vec())?;
    if !response.errors.is_empty() {
        json.extend_from_slice(br#","errors":"#);
        serde_json::to_writer(&mut json, &response.errors)?;
    }
    if !response.extensions.is_empty() {
        json.extend_from_slice(br#","extensions":"#);
        serde_json::to_writer(&mut json, &response.extensions)?;
    }
    json.push(b'}');
    Ok(json)
}

/// Only an error that carries one of our codes was worded for the client.
fn mask_error(failed: &mut ServerError, request_id: &str) {
    failed.source = None;
    if error_code(failed).is_none() {
        let worded = if is_invalid_argument_message(&failed.message) {
            coded_error(
                Code::BadUserInput,
                &strip_input_from_message(&failed.message),
                Vec::new(),
            )
        } else {
            let path = serde_json::to_string(&failed.path).unwrap_or_default();
            // The message goes to the log before it is replaced: the client gets the request's id to ask about it.
            tracing::error!(path, message = failed.message, "a field failed");
            coded_error(Code::InternalServerError, OUR_FAULT, Vec::new())
        };
        failed.message = worded.message;
        failed.extensions = worded.extensions;
    }
    add_request_id(failed, request_id);
}

/// The two ways in which async-graphql words an argument that validation let pass and its type could not read.
fn is_invalid_argument_message(message: &str) -> bool {
    message.starts_with("Failed to parse \"") || message.starts_with("Expected input type \"")
}

/// A message of async-graphql up to where it would repeat what was sent. Names of fields and types stay, and what our
/// own scalars say, which repeat nothing.
pub(super) fn strip_input_from_message(message: &str) -> String {
    const BEFORE_INPUT: [&str; 3] = [
        "\", found ",
        " does not contain value \"",
        " does not contain the value \"",
    ];
    let end = BEFORE_INPUT
        .iter()
        .filter_map(|before| message.find(before))
        .min();
    let kept = match end {
        None => return clip(message),
        // The quotation mark before belongs to the type.
        Some(end) if message[end..].starts_with('"') => &message[..=end],
        Some(end) => return format!("{} does not contain this value.", clip(&message[..end])),
    };
    clip(kept) + "."
}

/// Writes why an operation has no answer.
pub(super) fn respond_with_no_data_reason(
    media: MediaType,
    stop: NoDataReason,
    request_id: &str,
) -> Response {
    let status = no_data_reason_status(&stop, media);
    let malformed = |message: &str| vec![coded_error(Code::BadUserInput, message, Vec::new())];
    match stop {
        NoDataReason::Method(allowed) => {
            let message = format!(
                "This can only be asked by {}.",
                allowed.replace(", ", " or ")
            );
            let mut response = respond_with_errors(media, status, malformed(&message), request_id);
            let allowed = HeaderValue::from_static(allowed);
            response.headers_mut().insert(header::ALLOW, allowed);
            response
        }
        NoDataReason::NotAcceptable => {
            let message =
                "Answers are written as application/graphql-response+json or application/json.";
            respond_with_errors(media, status, malformed(message), request_id)
        }
        NoDataReason::NotJson => {
            let message = "The body must be sent as application/json, in UTF-8.";
            respond_with_errors(media, status, malformed(message), request_id)
        }
        NoDataReason::Malformed(message) => {
            respond_with_errors(media, status, malformed(message), request_id)
        }
        NoDataReason::SlowBody => {
            let message = "The body took too long to arrive.";
            let error = coded_error(Code::Timeout, message, Vec::new());
            respond_with_errors(media, status, vec![error], request_id)
        }
        NoDataReason::Failed(Code::ServiceUnavailable, errors) => {
            with_retry_soon(respond_with_errors(media, status, errors, request_id))
        }
        NoDataReason::Failed(_, errors) => respond_with_errors(media, status, errors, request_id),
    }
}

fn respond_with_errors(
    media: MediaType,
    status: StatusCode,
    mut errors: Vec<ServerError>,
    request_id: &str,
) -> Response {
    #[derive(Serialize)]
    struct ErrorsBody {
        errors: Vec<ServerError>,
    }
    for error in &mut errors {
        add_request_id(error, request_id);
    }
    json_response(media, status, serde_json::to_vec(&ErrorsBody { errors }))
}

fn add_request_id(error: &mut ServerError, request_id: &str) {
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("requestId", request_id);
}

pub(super) fn clip(message: &str) -> String {
    match message.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.into(),
    }
}

fn json_response(
    media: MediaType,
    status: StatusCode,
    json: serde_json::Result<Vec<u8>>,
) -> Response {
    let body = match json {
        Ok(body) => body,
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let headers = [
        (header::CONTENT_TYPE, media.content_type()),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::VARY,
            // An answer differs by who asks and by the media type: no cache in between may mix them up.
            HeaderValue::from_static("Authorization, Accept"),
        ),
    ];
    (status, headers, body).into_response()
}
