//! GraphQL over HTTP: reads one request, runs it once the guard admits it, and writes the answer; it signs nobody in
//! and refuses batches, uploads and changes by GET.

mod media;
mod reading;
mod respond;
mod settings;
mod stop;
#[cfg(test)]
mod tests;

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use async_graphql::{Executor, ServerError, Value, parser::types::OperationType, value};
use axum::{extract::Request, http::Method, response::Response};
use futures_util::FutureExt;
use graphql_guard::{Admitted, GraphqlParams};
use tokio::time::timeout;

pub use self::{
    media::MediaType,
    respond::{caller_refusal_response, refusal_response},
    settings::GraphqlSettings,
};
use self::{
    reading::AskedParams,
    respond::{
        OUR_FAULT, reason_from_validation_errors, respond_with_no_data_reason, respond_with_outcome,
    },
    stop::{NoDataReason, error_code},
};
use super::{admission::Overloaded, problem::panic_message};
use crate::{
    access::Caller,
    error::Code,
    graph::{COMPLEXITY, price},
};

/// A request that has come whole and that the guard admits.
pub struct ReceivedRequest {
    media: MediaType,
    admitted: Admitted,
    /// As it was asked, to say what it costs.
    asked: GraphqlParams,
    /// Whether the answer says it.
    wants_cost: bool,
    request_id: Arc<str>,
}

/// Takes in what is asked. It runs nothing, and asks nobody who calls.
///
/// # Errors
/// The answer, where it cannot be run.
pub async fn receive_request(
    http: Request,
    request_id: Arc<str>,
    settings: &GraphqlSettings,
) -> Result<ReceivedRequest, Response> {
    let media = media::negotiate_media(http.headers());
    let admitted = match media {
        Some(_) => admit(http, settings).await,
        None => Err(NoDataReason::NotAcceptable),
    };
    // A client that accepts neither type is still told so in one that it is likely to read.
    let media = media.unwrap_or(MediaType::Json);
    match admitted {
        Ok((admitted, AskedParams { params, wants_cost })) => Ok(ReceivedRequest {
            media,
            admitted,
            asked: params,
            wants_cost,
            request_id,
        }),
        Err(stop) => Err(respond_with_no_data_reason(media, stop, &request_id)),
    }
}

impl ReceivedRequest {
    /// Whether it changes something.
    #[must_use]
    pub fn is_mutation(&self) -> bool {
        self.admitted.operation == OperationType::Mutation
    }

    /// Runs it. `attach` adds what resolvers look up; what a change rests on is settled for the caller.
    pub async fn run<E: Executor>(
        self,
        executor: &E,
        settings: &GraphqlSettings,
        caller: Option<&Caller>,
        attach: impl FnOnce(async_graphql::Request) -> async_graphql::Request + Send,
    ) -> Response {
        let is_mutation = self.is_mutation();
        let request = attach(self.admitted.request);
        let ran = match caller {
            Some(caller) if is_mutation => {
                run_mutation(executor, request, settings.deadline, caller).await
            }
            _ => run_query(executor, request, settings.deadline).await,
        };
        let outcome = match ran {
            // Priced only now: working out the cost visits the whole document, which those that are let through need
            // not pay for.
            Err(NoDataReason::Failed(Code::QueryTooComplex, _)) => {
                Err(too_complex_stop(self.asked.clone(), settings).await)
            }
            Ok(response) if !is_mutation => refuse_partial_answer(response),
            outcome => outcome,
        };
        match outcome {
            Ok(mut response) => {
                if self.wants_cost
                    && let Some(cost) = estimate_cost(self.asked, settings).await
                {
                    response.extensions.insert("cost".to_owned(), cost);
                }
                respond_with_outcome(self.media, response, is_mutation, &self.request_id)
            }
            Err(stop) => respond_with_no_data_reason(self.media, stop, &self.request_id),
        }
    }

    /// The answer where there is more to do than can be done in time.
    #[must_use]
    pub fn into_overloaded_response(self) -> Response {
        let stop = NoDataReason::failure(Code::ServiceUnavailable, Overloaded::MESSAGE);
        respond_with_no_data_reason(self.media, stop, &self.request_id)
    }
}

async fn admit(
    http: Request,
    settings: &GraphqlSettings,
) -> Result<(Admitted, AskedParams), NoDataReason> {
    let by_get = http.method() == Method::GET;
    let asked = reading::read_params(http, settings).await?;
    // Admitting takes it apart; whole, it is needed where the refusal says what it costs.
    let admitted = graphql_guard::admit(asked.params.clone(), &settings.limits, settings.types)?;
    match admitted.operation {
        // GET is repeated by browsers and proxies without asking, and a link could make somebody change something.
        OperationType::Mutation if by_get => Err(NoDataReason::Method("POST")),
        OperationType::Query | OperationType::Mutation => Ok((admitted, asked)),
        OperationType::Subscription => {
            let message = "Subscriptions are not offered: poll `blueprint.revision` or `canvasDigest` to find out whether to read again.";
            Err(NoDataReason::failure(Code::BadUserInput, message))
        }
    }
}

/// What a request costs, for the answer of one that asks.
async fn estimate_cost(asked: GraphqlParams, settings: &GraphqlSettings) -> Option<Value> {
    let admitted = graphql_guard::admit(asked, &settings.limits, settings.types).ok()?;
    let requested = price::estimate_cost(admitted.request).await?;
    Some(value!({ "requested": requested, "most": COMPLEXITY }))
}

/// A refusal that says what the request would cost.
async fn too_complex_stop(asked: GraphqlParams, settings: &GraphqlSettings) -> NoDataReason {
    match graphql_guard::admit(asked, &settings.limits, settings.types) {
        Ok(admitted) => {
            let message = price::too_complex_sentence(price::estimate_cost(admitted.request).await);
            NoDataReason::failure(Code::QueryTooComplex, &message)
        }
        Err(rejection) => rejection.into(),
    }
}

/// A query for whose budget its fields were too much, or that could not be computed now, has no answer: half of one
/// would pass for all of it.
fn refuse_partial_answer(
    response: async_graphql::Response,
) -> Result<async_graphql::Response, NoDataReason> {
    let stops = |error: &&ServerError| {
        let code = error_code(error);
        matches!(code, Some(Code::QueryTooComplex | Code::ServiceUnavailable))
    };
    match response
        .errors
        .iter()
        .find(stops)
        .map(|error| (error_code(error), error.message.clone()))
    {
        Some((Some(code), message)) => Err(NoDataReason::failure(code, &message)),
        _ => Ok(response),
    }
}

/// Runs what changes something. A change that is done already is answered like one that was made, so it is to be as
/// safe; and what was given up while it was being kept may be done.
async fn run_mutation<E: Executor>(
    executor: &E,
    request: async_graphql::Request,
    deadline: Duration,
    caller: &Caller,
) -> Result<async_graphql::Response, NoDataReason> {
    let begun = Instant::now();
    let ran = run_query(executor, request, deadline).await;
    let left = deadline.saturating_sub(begun.elapsed());
    // Within what is left of the deadline, not a new one: the client waits for both together.
    let settled = match &ran {
        Ok(_) => timeout(left, caller.await_durable()).await,
        Err(_) => Ok(Ok(())),
    };
    match (ran, settled) {
        (Err(NoDataReason::Failed(Code::Timeout, _)), _) if caller.has_sent_commit() => {
            Err(outcome_unknown_stop())
        }
        // The sync did not end in time: it may have been kept.
        (_, Err(_)) => Err(outcome_unknown_stop()),
        (_, Ok(Err(error))) => {
            tracing::error!(%error, "what a change rests on may not be kept");
            Err(NoDataReason::failure(error.code(), &error.to_string()))
        }
        (ran, Ok(Ok(()))) => ran,
    }
}

fn outcome_unknown_stop() -> NoDataReason {
    let message = "The operation took too long while its changes were being saved. Check whether they were made before you try again.";
    NoDataReason::failure(Code::Timeout, message)
}

async fn run_query<E: Executor>(
    executor: &E,
    request: async_graphql::Request,
    deadline: Duration,
) -> Result<async_graphql::Response, NoDataReason> {
    // What a panic leaves behind dies with this request: nothing of it is looked at again.
    let running = AssertUnwindSafe(executor.execute(request)).catch_unwind();
    match timeout(deadline, running).await {
        Ok(Ok(response)) if was_never_run(&response) => {
            Err(reason_from_validation_errors(response.errors))
        }
        Ok(Ok(response)) => Ok(response),
        Ok(Err(panic)) => {
            tracing::error!(panic = panic_message(&*panic), "a resolver panicked");
            Err(NoDataReason::failure(Code::InternalServerError, OUR_FAULT))
        }
        Err(_) => {
            tracing::warn!(?deadline, "an operation was given up");
            let message = "The operation took too long and was cancelled.";
            Err(NoDataReason::failure(Code::Timeout, message))
        }
    }
}

/// Whether validation stopped the request. An operation that ran has data, or an error with the path of the field
/// that failed, or one of our codes; what validation says has none of these. An extension could say it outright,
/// but with any extension present async-graphql takes its slow way for every single field.
fn was_never_run(response: &async_graphql::Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| {
            error.path.is_empty() && error.source.is_none() && error_code(error).is_none()
        })
}
