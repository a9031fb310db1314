//! The way in: routes, limits, request ids, and what is answered when nothing else answers.
//!
//! A request passes, from the outside in: its id and its span ([`request_id`]), the net for panics, the hosts that are
//! served ([`host`]), CORS, the share of its client ([`admission`]), and its handler, which signs the caller in ([`auth`]), waits for a slot of a queue, and
//! works. Whatever is refused on the way is worded by [`problem`], whatever is negotiated by [`negotiate`]. The
//! handlers reach the rest of the program through [`App`] alone.

pub mod admission;
mod app;
pub mod auth;
pub mod bi;
pub mod client;
mod compress;
pub mod forwarded;
pub mod graphql;
mod host;
pub mod metrics;
pub mod negotiate;
mod network;
pub mod odata;
pub mod picture;
pub mod problem;
pub mod request_id;
mod row;
pub mod server;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::HttpBody,
    extract::{DefaultBodyLimit, Extension, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowHeaders, AllowOrigin, CorsLayer},
};
use tracing::Instrument;

use self::{
    admission::{Overloaded, RequestsByClient},
    client::RequestSource,
    metrics::Metrics,
    problem::with_retry_soon,
    request_id::{REQUEST_ID, RequestId},
};
pub use self::{
    app::{App, AppParts},
    host::ServedHosts,
};
use crate::{access::Caller, batch::Loaders, canvas::shared::RequestCanvases, error::Code};

/// Every route with its limits.
pub fn router(app: App) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list(app.cors_origins.clone()))
        .allow_methods([Method::GET, Method::POST])
        // Whichever a page sends, such as those of tracing and of clients' own names: nothing is allowed by a header
        // that browsers send by themselves, such as a cookie.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            REQUEST_ID,
            header::RETRY_AFTER,
            header::ETAG,
            header::LINK,
            bi::feed::UPDATED_UNTIL,
            odata::headers::ODATA_VERSION,
            odata::headers::PREFERENCE_APPLIED,
        ])
        .max_age(Duration::from_secs(600));
    let metrics = app.metrics.clone();
    let shares = RequestsByClient::new(app.requests_of_one_client);
    let (hops, hosts) = (app.forwarded_hops, app.hosts);
    let task_runtime = app.task_runtime.clone();
    let worked_on = Router::new()
        .route("/auth/login", post(auth::login))
        .route("/auth/refresh", post(auth::refresh))
        .route("/auth/logout", post(auth::logout))
        .route("/blueprints/{file}", get(picture::serve))
        .route("/bi/v1", get(bi::list::serve))
        .route(
            "/bi/v1/{file}",
            get(bi::feed::serve).post(bi::import::serve),
        )
        .merge(odata::routes())
        .layer(middleware::from_fn(compress::compress_answers))
        .layer(middleware::from_fn(move |request, next: Next| {
            let task_runtime = task_runtime.clone();
            async move { task_runtime.run_while_awaited(next.run(request)).await }
        }));
    let served = Router::new()
        .route("/graphql", any(serve_graphql))
        .merge(worked_on)
        .layer(middleware::from_fn(move |request, next| {
            enforce_client_share(shares.clone(), hops, request, next)
        }))
        .layer(DefaultBodyLimit::max(app.settings.body));
    served
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(serve_ready))
        .fallback(|id: Extension<RequestId>| async move { problem::not_found_response(&id.0) })
        .method_not_allowed_fallback(|id: Extension<RequestId>| async move {
            problem::method_not_allowed_response(&id.0)
        })
        .with_state(app)
        .layer(cors)
        .layer(middleware::from_fn(move |id, request, next| {
            host::refuse_other_hosts(hosts, id, request, next)
        }))
        .layer(CatchPanicLayer::custom(problem::panic_response))
        .layer(middleware::from_fn_with_state(metrics, assign_request_id))
}

/// What the server is doing, for whoever watches it; at an address of its own.
pub fn monitoring_router(app: &App) -> Router {
    let metrics = app.metrics.clone();
    Router::new().route("/metrics", get(|| async move { metrics.serve() }))
}

/// Takes in what is asked before a slot is taken for it, and finds out who asks only then: neither a client that is
/// slow to send nor a queue that is long costs the database anything.
async fn serve_graphql(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let bearer = match auth::Bearer::from_headers(&app, &headers) {
        Ok(bearer) => bearer,
        Err(error) => return graphql::caller_refusal_response(&error, &headers, &id),
    };
    // A large body is taken in only from an identified caller: whoever sends a token that has ended must not fill the
    // memory.
    let caller = match has_small_body(&request) {
        true => None,
        false => match bearer.identify(&app, &id).await {
            Ok(caller) => Some(caller),
            Err(error) => return graphql::caller_refusal_response(&error, &headers, &id),
        },
    };
    let asked = match graphql::receive_request(request, Arc::clone(&id.0), &app.settings).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    let queue = match asked.is_mutation() {
        true => &app.admission.mutations,
        false => &app.admission.queries,
    };
    let Ok(slot) = queue.wait_for_slot(bearer.slot_holder()).await else {
        return asked.into_overloaded_response();
    };
    let task_runtime = app.task_runtime.clone();
    let work = async move {
        let _slot = slot;
        let caller = match caller {
            Some(caller) => Ok(caller),
            None => bearer.identify(&app, &id).await,
        };
        match caller {
            Ok(caller) => {
                let run = asked.run(&app.api, &app.settings, Some(&caller), |request| {
                    attach_caller(request, caller.clone())
                        .data(app.key.clone())
                        .data(app.bi_cache.clone())
                });
                compress::compress_answer(negotiate::accepts_gzip(&headers), run.await).await
            }
            Err(error) => graphql::caller_refusal_response(&error, &headers, &id),
        }
    };
    task_runtime.run_while_awaited(work).await
}

/// Whether a body is so small that it is taken in before it is known who sends it; one of which the length is not said
/// may be as long as it likes.
fn has_small_body(request: &Request) -> bool {
    let length = request.body().size_hint().upper();
    length.is_some_and(|length| length <= SMALL)
}

/// Bytes of a body that is small.
const SMALL: u64 = 64 * 1024;

fn attach_caller(request: async_graphql::Request, caller: Caller) -> async_graphql::Request {
    request
        .data(Loaders::new(caller.clone()))
        .data(RequestCanvases::default())
        .data(caller)
}

/// Gives every request an id, says it in the answer and with whatever is logged on the way, and counts it.
async fn assign_request_id(
    State(metrics): State<Metrics>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = RequestId::random();
    request.extensions_mut().insert(id.clone());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let route = metrics::route_of(&request);
    let begun = Instant::now();
    // Of the highest level, so that what is logged has its id whatever the filter leaves out.
    let span = tracing::error_span!("request", request_id = &*id.0);
    let mut response = next.run(request).instrument(span.clone()).await;
    metrics.count_response(&route, response.status(), begun.elapsed());
    let status = response.status().as_u16();
    span.in_scope(|| tracing::debug!(%method, path, status, "answered"));
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, value);
    }
    // What an answer is, is what it says it is: no browser guesses a page into it.
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

/// Refuses what goes beyond the share of one client.
async fn enforce_client_share(
    shares: RequestsByClient,
    hops: usize,
    request: Request,
    next: Next,
) -> Response {
    let client = RequestSource::from_request(request.extensions(), request.headers());
    match shares.admit_request(client.address(hops)) {
        Ok(_share) => next.run(request).await,
        Err(Overloaded) => {
            let id = request.extensions().get::<RequestId>().cloned();
            problem::overloaded_response(&id.unwrap_or_else(RequestId::unknown))
        }
    }
}

/// Ready unless the database is broken; a server that is only busy stays ready.
async fn serve_ready(State(app): State<App>, Extension(id): Extension<RequestId>) -> Response {
    let Some(trouble) = app.store.find_trouble().await else {
        return "ready".into_response();
    };
    let (status, code) = (StatusCode::SERVICE_UNAVAILABLE, Code::ServiceUnavailable);
    with_retry_soon(problem::problem_response(
        status,
        code,
        &trouble.to_string(),
        &id,
    ))
}
