//! GraphQL over HTTP: reads one request, runs it once the guard admits it, and writes the answer; it signs nobody in and refuses batches, uploads and changes by GET.

mod reading;
#[cfg(test)]
mod tests;

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use async_graphql::{Executor, Pos, ServerError, Value, parser::types::OperationType};
use axum::{
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use serde::Serialize;
use tokio::time::timeout;

use super::{
    admission::{Overloaded, retry_soon},
    guard::{self, Admitted, Limits, Parameters, Rejection},
    media::{self, Media},
};
use crate::{
    access::Caller,
    compute,
    error::Code,
    graph::{drawn, price},
};

/// Errors in one answer; a flood of them helps nobody.
const MOST_ERRORS: usize = 20;

/// Characters of a message that may repeat what the client sent.
const LONGEST_MESSAGE: usize = 300;

const OUR_FAULT: &str =
    "Something went wrong on our side. If it happens again, report it with this request id.";

/// What one request may take.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub limits: Limits,
    /// Bytes of the body of a POST.
    pub body: usize,
    /// For a body to arrive, here and where people sign in.
    pub arrival: Duration,
    /// For the operation to run.
    pub deadline: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            body: 1024 * 1024,
            arrival: Duration::from_secs(10),
            deadline: Duration::from_secs(10),
        }
    }
}

/// A request that has come whole and that the guard admits.
pub struct Received {
    media: Media,
    admitted: Admitted,
    /// As it was asked, to say what it costs.
    asked: Parameters,
    request_id: Arc<str>,
}

/// Takes in what is asked. It runs nothing, and asks nobody who calls.
///
/// # Errors
/// The answer, where it cannot be run.
pub async fn take_in(
    http: Request,
    request_id: Arc<str>,
    settings: &Settings,
) -> Result<Received, Response> {
    let media = media::accepted(http.headers());
    let admitted = match media {
        Some(_) => admit(http, settings).await,
        None => Err(Stop::NotAcceptable),
    };
    let media = media.unwrap_or(Media::Json);
    match admitted {
        Ok((admitted, asked)) => Ok(Received {
            media,
            admitted,
            asked,
            request_id,
        }),
        Err(stop) => Err(stopped(media, stop, &request_id)),
    }
}

impl Received {
    /// Whether it changes something.
    #[must_use]
    pub fn is_mutation(&self) -> bool {
        self.admitted.operation == OperationType::Mutation
    }

    /// Runs it. `attach` adds what resolvers look up; what a change rests on is settled for the caller.
    pub async fn run<E: Executor>(
        self,
        executor: &E,
        settings: &Settings,
        caller: Option<&Caller>,
        attach: impl FnOnce(async_graphql::Request) -> async_graphql::Request + Send,
    ) -> Response {
        let is_mutation = self.is_mutation();
        let request = attach(self.admitted.request);
        let has_run = match caller {
            Some(caller) if is_mutation => {
                change(executor, request, settings.deadline, caller).await
            }
            _ => run(executor, request, settings.deadline).await,
        };
        let outcome = match has_run {
            Err(Stop::Failed(Code::QueryTooComplex, _)) => Err(priced(self.asked, settings).await),
            Ok(response) if !is_mutation => whole(response),
            outcome => outcome,
        };
        match outcome {
            Ok(response) => ran(self.media, response, is_mutation, &self.request_id),
            Err(stop) => stopped(self.media, stop, &self.request_id),
        }
    }

    /// The answer where there is more to do than can be done in time.
    #[must_use]
    pub fn overloaded(self) -> Response {
        let stop = Stop::failed(Code::ServiceUnavailable, Overloaded::MESSAGE);
        stopped(self.media, stop, &self.request_id)
    }
}

/// An answer that is one error and no data. Sign-in uses it too, and adds its own headers.
#[must_use]
pub fn refuse(
    media: Media,
    status: StatusCode,
    code: Code,
    message: &str,
    request_id: &str,
) -> Response {
    let error = error(code, message, Vec::new());
    refusal(media, status, vec![error], request_id)
}

/// Why there is no data to answer with.
enum Stop {
    /// The method cannot be used, or not for this; these can.
    Method(&'static str),
    NotAcceptable,
    NotJson,
    Malformed(&'static str),
    SlowBody,
    /// A well-formed request that did not run, or did not run to its end.
    Failed(Code, Vec<ServerError>),
}

impl Stop {
    fn failed(code: Code, message: &str) -> Self {
        Self::Failed(code, vec![error(code, message, Vec::new())])
    }
}

impl From<Rejection> for Stop {
    fn from(rejection: Rejection) -> Self {
        let Rejection {
            code,
            message,
            locations,
        } = rejection;
        Self::Failed(code, vec![error(code, &message, locations)])
    }
}

/// The one place where a stop becomes a status. Whatever ran to its end is 200.
///
/// Clients of plain JSON expect 200 for a well-formed request that was refused; faults of ours and matters of
/// size and rights have their status in both forms, so that proxies and monitors see them. A deadline is 504
/// and not 503: nothing says that trying again is safe or will be faster.
fn status(stop: &Stop, media: Media) -> StatusCode {
    match (stop, media) {
        (Stop::Method(_), _) => StatusCode::METHOD_NOT_ALLOWED,
        (Stop::NotAcceptable, _) => StatusCode::NOT_ACCEPTABLE,
        (Stop::NotJson, _) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        (Stop::Malformed(_), _) => StatusCode::BAD_REQUEST,
        (Stop::SlowBody, _) => StatusCode::REQUEST_TIMEOUT,
        (Stop::Failed(code, _), media) => match (code, media) {
            (Code::QueryTooLarge, _) => StatusCode::PAYLOAD_TOO_LARGE,
            (Code::Unauthenticated, _) => StatusCode::UNAUTHORIZED,
            (Code::Forbidden, _) => StatusCode::FORBIDDEN,
            (Code::NotFound, _) => StatusCode::NOT_FOUND,
            (Code::PullAgain, _) => StatusCode::GONE,
            (Code::RateLimited, _) => StatusCode::TOO_MANY_REQUESTS,
            (Code::Timeout, _) => StatusCode::GATEWAY_TIMEOUT,
            (Code::ServiceUnavailable, _) => StatusCode::SERVICE_UNAVAILABLE,
            (Code::InternalServerError, _) => StatusCode::INTERNAL_SERVER_ERROR,
            (
                Code::GraphqlParseFailed
                | Code::GraphqlValidationFailed
                | Code::BadUserInput
                | Code::OperationResolutionFailure
                | Code::QueryTooComplex,
                media,
            ) => match media {
                Media::Response => StatusCode::BAD_REQUEST,
                Media::Json => StatusCode::OK,
            },
        },
    }
}

async fn admit(http: Request, settings: &Settings) -> Result<(Admitted, Parameters), Stop> {
    let by_get = http.method() == Method::GET;
    let asked = reading::read(http, settings).await?;
    let again = asked.clone();
    let admitted = guard::admit(asked, &settings.limits)?;
    match admitted.operation {
        OperationType::Mutation if by_get => Err(Stop::Method("POST")),
        OperationType::Query | OperationType::Mutation => Ok((admitted, again)),
        OperationType::Subscription => {
            let message = "Subscriptions are not offered over plain HTTP.";
            Err(Stop::failed(Code::BadUserInput, message))
        }
    }
}

/// A refusal that says what the request would cost.
async fn priced(asked: Parameters, settings: &Settings) -> Stop {
    match guard::admit(asked, &settings.limits) {
        Ok(admitted) => {
            let message = price::refusal(price::cost(admitted.request).await);
            Stop::failed(Code::QueryTooComplex, &message)
        }
        Err(rejection) => rejection.into(),
    }
}

/// A query for whose budget its fields were too much, or that could not be computed now, has no answer: half of one would
/// pass for all of it.
fn whole(response: async_graphql::Response) -> Result<async_graphql::Response, Stop> {
    let stops = |error: &&ServerError| {
        let code = code(error);
        matches!(code, Some(Code::QueryTooComplex | Code::ServiceUnavailable))
    };
    match response
        .errors
        .iter()
        .find(stops)
        .map(|error| (code(error), error.message.clone()))
    {
        Some((Some(code), message)) => Err(Stop::failed(code, &message)),
        _ => Ok(response),
    }
}

/// Runs what changes something. A change that is done already is answered like one that was made, so it is to be as safe;
/// and what was given up while it was being kept may be done.
async fn change<E: Executor>(
    executor: &E,
    request: async_graphql::Request,
    deadline: Duration,
    caller: &Caller,
) -> Result<async_graphql::Response, Stop> {
    let begun = Instant::now();
    let ran = run(executor, request, deadline).await;
    let left = deadline.saturating_sub(begun.elapsed());
    let settled = match &ran {
        Ok(_) => timeout(left, caller.settle()).await,
        Err(_) => Ok(Ok(())),
    };
    match (ran, settled) {
        (Err(Stop::Failed(Code::Timeout, _)), _) if caller.has_sent() => Err(unknown()),
        (_, Err(_)) => Err(unknown()),
        (_, Ok(Err(error))) => {
            tracing::error!(%error, "what a change rests on may not be kept");
            Err(Stop::failed(error.code(), &error.to_string()))
        }
        (ran, Ok(Ok(()))) => ran,
    }
}

fn unknown() -> Stop {
    let message = "The operation took too long while its changes were being kept. Look whether they were made before you try again.";
    Stop::failed(Code::Timeout, message)
}

async fn run<E: Executor>(
    executor: &E,
    request: async_graphql::Request,
    deadline: Duration,
) -> Result<async_graphql::Response, Stop> {
    // What a panic leaves behind dies with this request: nothing of it is looked at again.
    let running = AssertUnwindSafe(executor.execute(request)).catch_unwind();
    match timeout(deadline, running).await {
        Ok(Ok(response)) if never_ran(&response) => Err(invalid(response.errors)),
        Ok(Ok(response)) => Ok(response),
        Ok(Err(panic)) => {
            tracing::error!(panic = said(&*panic), "a resolver panicked");
            Err(Stop::failed(Code::InternalServerError, OUR_FAULT))
        }
        Err(_) => {
            tracing::warn!(?deadline, "an operation was given up");
            let message = "The operation took too long and was given up.";
            Err(Stop::failed(Code::Timeout, message))
        }
    }
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)")
}

/// Whether validation stopped the request. An operation that ran has data, or an error with the path of the field
/// that failed, or one of our codes; what validation says has none of these. An extension could say it outright,
/// but with any extension present async-graphql takes its slow way for every single field.
fn never_ran(response: &async_graphql::Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response
            .errors
            .iter()
            .all(|error| error.path.is_empty() && error.source.is_none() && code(error).is_none())
}

fn invalid(errors: Vec<ServerError>) -> Stop {
    let kept: Vec<_> = errors.into_iter().take(MOST_ERRORS).map(named).collect();
    let code = kept.iter().find_map(code);
    Stop::Failed(code.unwrap_or(Code::GraphqlValidationFailed), kept)
}

/// async-graphql tells its two limits from faults of the document only by these sentences.
fn named(invalid: ServerError) -> ServerError {
    let code = match invalid.message.as_str() {
        "Query is too complex." | "Query is nested too deep." => Code::QueryTooComplex,
        _ => Code::GraphqlValidationFailed,
    };
    error(code, &without_input(&invalid.message), invalid.locations)
}

fn ran(
    media: Media,
    mut response: async_graphql::Response,
    is_mutation: bool,
    request_id: &str,
) -> Response {
    response.errors.truncate(MOST_ERRORS);
    for error in &mut response.errors {
        mask(error, request_id);
    }
    match fault(&response, is_mutation) {
        Some(code) => stopped(media, Stop::Failed(code, response.errors), request_id),
        None => bounded(media, json(&response), request_id),
    }
}

/// The answer, unless it is larger than one may be in spite of what its lists were counted to give.
fn bounded(media: Media, body: serde_json::Result<Vec<u8>>, request_id: &str) -> Response {
    match body {
        Ok(body) if body.len() as u64 > 2 * compute::BYTES => {
            let message = "The answer is larger than one may be. Ask for less at once.";
            // It has run, so this is no refusal of ours to run it.
            let status = StatusCode::OK;
            refuse(media, status, Code::QueryTooComplex, message, request_id)
        }
        body => written(media, StatusCode::OK, body),
    }
}

/// The fault of ours that left nothing to answer with: a client that looks at the status alone must not take it for an
/// answer. Where something was answered besides, it is one, and the fault stands in its errors.
fn fault(response: &async_graphql::Response, is_mutation: bool) -> Option<Code> {
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
            .any(|error| code(error) == Some(wanted))
    };
    // What failed behind the root of a mutation failed after the change was made: come again would be bad advice.
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
fn json(response: &async_graphql::Response) -> serde_json::Result<Vec<u8>> {
    let mut json = drawn::write(&response.data, br#"{"data":"#.to_vec())?;
    if !response.errors.is_empty() {
        json.extend_from_slice(br#","errors":"#);
        serde_json::to_writer(&mut json, &response.errors)?;
    }
    json.push(b'}');
    Ok(json)
}

/// Only an error that carries one of our codes was worded for the client.
fn mask(failed: &mut ServerError, request_id: &str) {
    failed.source = None;
    if code(failed).is_none() {
        let worded = if is_input(&failed.message) {
            error(
                Code::BadUserInput,
                &without_input(&failed.message),
                Vec::new(),
            )
        } else {
            let path = serde_json::to_string(&failed.path).unwrap_or_default();
            tracing::error!(path, message = failed.message, "a field failed");
            error(Code::InternalServerError, OUR_FAULT, Vec::new())
        };
        failed.message = worded.message;
        failed.extensions = worded.extensions;
    }
    sign(failed, request_id);
}

/// The two ways in which async-graphql words an argument that validation let pass and its type could not read.
fn is_input(message: &str) -> bool {
    message.starts_with("Failed to parse \"") || message.starts_with("Expected input type \"")
}

/// A message of async-graphql up to where it would repeat what was sent. Names of fields and types stay, and what our
/// own scalars say, which repeat nothing.
fn without_input(message: &str) -> String {
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
        None => return clipped(message),
        // The quotation mark before belongs to the type.
        Some(end) if message[end..].starts_with('"') => &message[..=end],
        Some(end) => return format!("{} does not contain this value.", clipped(&message[..end])),
    };
    clipped(kept) + "."
}

fn code(error: &ServerError) -> Option<Code> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Code::named(code),
        _ => None,
    }
}

fn stopped(media: Media, stop: Stop, request_id: &str) -> Response {
    let status = status(&stop, media);
    let malformed = |message: &str| vec![error(Code::BadUserInput, message, Vec::new())];
    match stop {
        Stop::Method(allowed) => {
            let message = format!(
                "This can only be asked by {}.",
                allowed.replace(", ", " or ")
            );
            let mut response = refusal(media, status, malformed(&message), request_id);
            let allowed = HeaderValue::from_static(allowed);
            response.headers_mut().insert(header::ALLOW, allowed);
            response
        }
        Stop::NotAcceptable => {
            let message =
                "Answers are written as application/graphql-response+json or application/json.";
            refusal(media, status, malformed(message), request_id)
        }
        Stop::NotJson => {
            let message = "The body must be sent as application/json, in UTF-8.";
            refusal(media, status, malformed(message), request_id)
        }
        Stop::Malformed(message) => refusal(media, status, malformed(message), request_id),
        Stop::SlowBody => {
            let message = "The body took too long to arrive.";
            let error = error(Code::Timeout, message, Vec::new());
            refusal(media, status, vec![error], request_id)
        }
        Stop::Failed(Code::ServiceUnavailable, errors) => {
            retry_soon(refusal(media, status, errors, request_id))
        }
        Stop::Failed(_, errors) => refusal(media, status, errors, request_id),
    }
}

fn refusal(
    media: Media,
    status: StatusCode,
    mut errors: Vec<ServerError>,
    request_id: &str,
) -> Response {
    #[derive(Serialize)]
    struct Refusal {
        errors: Vec<ServerError>,
    }
    for error in &mut errors {
        sign(error, request_id);
    }
    written(media, status, serde_json::to_vec(&Refusal { errors }))
}

fn error(code: Code, message: &str, locations: Vec<Pos>) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.locations = locations;
    error
        .extensions
        .get_or_insert_default()
        .set("code", code.as_str());
    error
}

fn sign(error: &mut ServerError, request_id: &str) {
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("requestId", request_id);
}

fn clipped(message: &str) -> String {
    match message.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.into(),
    }
}

fn written(media: Media, status: StatusCode, json: serde_json::Result<Vec<u8>>) -> Response {
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
            HeaderValue::from_static("Authorization, Accept"),
        ),
    ];
    (status, headers, body).into_response()
}
