//! `GET /bi/v1/{dataset}.{csv,ndjson}`: the rows of one dataset, whole or by the page, or word that the client has
//! them.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{Extension, Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use futures_util::stream::empty;
use tokio::time::timeout;

use super::{
    encode::FeedEncoding,
    page,
    params::{self, QueryPairs},
    pull::FeedRequest,
    stream,
};
use crate::{
    audit,
    bi::{
        catalogue,
        changes::{self, SyncToken},
    },
    compute::Budget,
    database::Transaction,
    error::{Code, Error, Result},
    http::{
        admission::{FEEDS, Slot},
        app::App,
        auth,
        forwarded::forwarded_prefix,
        negotiate::{EntityTag, accepts_gzip, set_static_headers},
        problem::{error_response_offering_basic, problem_response, with_retry_soon},
        request_id::RequestId,
    },
};

/// Where a pull stood: what to send as `updated_since` the next time.
pub const UPDATED_UNTIL: HeaderName = HeaderName::from_static("updated-until");

/// `GET /bi/v1/{dataset}.{csv,ndjson}`.
pub async fn serve(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    uri: Uri,
    method: Method,
    Path(file): Path<String>,
    headers: HeaderMap,
    sent: Result<Query<QueryPairs>, QueryRejection>,
) -> Response {
    let feed = match parse_request(&app, &id, &file, &headers, sent).await {
        Ok(Some(feed)) => feed,
        Ok(None) => return no_dataset_response(&id),
        Err(error) => return error_response_offering_basic(&error, &id),
    };
    let (encoding, gzip) = (feed.params.encoding, feed.gzip);
    if method == Method::HEAD {
        return match respond_to_head(feed, &uri, &headers).await {
            Ok(response) => with_headers(response, encoding, gzip),
            Err(error) => error_response_offering_basic(&error, &id),
        };
    }
    let slot = app
        .admission
        .feeds
        .wait_for_slot(auth::slot_holder_of(&feed.caller));
    let Ok(slot) = slot.await else {
        return overloaded_response(&id);
    };
    let path = format!(
        "{}{}",
        forwarded_prefix(&headers, app.forwarded_hops),
        uri.path()
    );
    match respond(feed, slot, (&uri, &path), &headers, app.settings.deadline).await {
        Ok(response) => with_headers(response, encoding, gzip),
        Err(error) => error_response_offering_basic(&error, &id),
    }
}

/// What the rows come with, read in the snapshot of the rows: a tag of another moment would promise rows that were not
/// sent.
struct FeedMarks {
    tag: Option<EntityTag>,
    /// Whether the client has the rows already.
    is_known: bool,
    /// Where the pull stands, also for who has the rows already.
    until: Option<SyncToken>,
}

impl FeedMarks {
    async fn load(
        feed: &mut FeedRequest,
        tx: &Transaction,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Self> {
        let tag = entity_tag(feed, tx, uri).await?;
        let is_known = tag
            .as_ref()
            .is_some_and(|tag| tag.matches_if_none_match(headers));
        if !is_known {
            find_changes_if_asked(feed, tx).await?;
        }
        let until = load_sync_token(feed, tx).await?;
        Ok(Self {
            tag,
            is_known,
            until,
        })
    }

    fn insert_into(self, mut response: Response) -> Response {
        if let Some(tag) = self.tag {
            tag.insert_into(response.headers_mut());
        }
        let until = self.until.map(|mark| HeaderValue::from_str(&mark.encode()));
        if let Some(Ok(until)) = until {
            response.headers_mut().insert(UPDATED_UNTIL, until);
        }
        response
    }
}

/// What the rows would come with, or word that the client has them already. Reads no rows, and so takes no slot.
async fn respond_to_head(
    mut feed: FeedRequest,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Response> {
    let tx = feed.caller.begin_snapshot().await?;
    catalogue::refuse_unanswerable(&feed.params.query, &feed.caller, &tx).await?;
    let marks = FeedMarks::load(&mut feed, &tx, uri, headers).await?;
    tx.commit().await?;
    let response = match marks.is_known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        // Of no known length: the empty body's would be told as that of the rows.
        false => Body::from_stream(empty::<Result<Bytes, Infallible>>()).into_response(),
    };
    Ok(marks.insert_into(response))
}

/// The rows, or word that the client has them already. The path is that which the client asked for, in front of proxies.
async fn respond(
    mut feed: FeedRequest,
    slot: Slot,
    (uri, path): (&Uri, &str),
    headers: &HeaderMap,
    deadline: Duration,
) -> Result<Response> {
    let tx = feed.caller.begin_snapshot().await?;
    let marks = FeedMarks::load(&mut feed, &tx, uri, headers).await?;
    let response = match (marks.is_known, feed.params.query.limit) {
        (true, _) => {
            tx.commit().await?;
            StatusCode::NOT_MODIFIED.into_response()
        }
        (false, Some(limit)) => {
            let page = timeout(
                deadline,
                page::respond_with_page(feed, tx, limit, (path, uri.query())),
            )
            .await;
            page.unwrap_or(Err(Error::TookTooLong))?
        }
        (false, None) => stream::respond(feed, tx, slot).await?,
    };
    Ok(marks.insert_into(response))
}

/// Finds what changed since an earlier pull, where that is asked for.
async fn find_changes_if_asked(feed: &mut FeedRequest, tx: &Transaction) -> Result<()> {
    let (caller, params) = (&feed.caller, &mut feed.params);
    if let Some(earlier) = params.since {
        let changed =
            changes::find_measurements_changed_since(caller, tx, &params.query, earlier).await?;
        params.query.changed = Some(changed);
    }
    Ok(())
}

/// Where the pull stands. Of several pages that is where the first one stood: the others do not say it.
async fn load_sync_token(feed: &FeedRequest, tx: &Transaction) -> Result<Option<SyncToken>> {
    let query = &feed.params.query;
    match query.dataset.is_of_measurements() && query.after.is_none() {
        true => Ok(Some(changes::current_sync_token(&feed.caller, tx).await?)),
        false => Ok(None),
    }
}

/// Weak tag of the answer, made without running the query: of version, account, token, URL, day and number of audit
/// events. Findings have none: `open_since` is written without an audit event.
async fn entity_tag(feed: &FeedRequest, tx: &Transaction, uri: &Uri) -> Result<Option<EntityTag>> {
    if !feed.params.query.dataset.is_fully_audited() {
        return Ok(None);
    }
    let caller = &feed.caller;
    let acts = audit::count_changes_since(tx, caller.beginning_of_yesterday()).await?;
    let account = caller
        .account()
        .map(|id| id.to_string())
        .unwrap_or_default();
    let token = caller.token.map(|id| id.to_string()).unwrap_or_default();
    let asked = uri.path_and_query().map_or("", |asked| asked.as_str());
    let (today, acts) = (caller.today.to_string(), acts.to_be_bytes());
    let parts: [&[u8]; 6] = [
        env!("CARGO_PKG_VERSION").as_bytes(),
        account.as_bytes(),
        token.as_bytes(),
        asked.as_bytes(),
        today.as_bytes(),
        &acts,
    ];
    Ok(Some(EntityTag::weak(&parts)))
}

async fn parse_request(
    app: &App,
    id: &RequestId,
    file: &str,
    headers: &HeaderMap,
    sent: Result<Query<QueryPairs>, QueryRejection>,
) -> Result<Option<FeedRequest>> {
    // Who has not signed in is told that first, whatever they ask.
    let caller = auth::identify_program(app, headers, id).await?;
    let named = file.rsplit_once('.');
    let named = named.and_then(|(name, extension)| {
        Some((
            catalogue::find_dataset(name)?,
            FeedEncoding::from_extension(extension)?,
        ))
    });
    let Some((dataset, encoding)) = named else {
        return Ok(None);
    };
    caller.require_reach(dataset.permission)?;
    let Query(parameters) =
        sent.map_err(|_| Error::BadInput("The query string cannot be parsed.".to_owned()))?;
    let mut params = params::parse_params(dataset, encoding, &parameters)?;
    params.query.thresholds = app.thresholds.clone();
    params.query.cache = Some(app.bi_cache.clone());
    let budget = match params.query.limit {
        Some(_) => Budget::for_row_page(),
        // A whole feed may be of any length, and pays by the piece.
        None => Budget::for_feed(),
    };
    Ok(Some(FeedRequest {
        caller: caller.with_budget(budget),
        params,
        gzip: accepts_gzip(headers),
    }))
}

/// The headers of an answer.
fn with_headers(mut response: Response, encoding: FeedEncoding, gzip: bool) -> Response {
    let fixed = [
        (header::CONTENT_TYPE, encoding.content_type()),
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::VARY, "Authorization, Accept-Encoding"),
    ];
    let gzip = gzip.then_some((header::CONTENT_ENCODING, "gzip"));
    set_static_headers(&mut response, fixed.into_iter().chain(gzip));
    response
}

fn no_dataset_response(id: &RequestId) -> Response {
    let names: Vec<&str> = catalogue::ALL.iter().map(|dataset| dataset.name).collect();
    let message = format!(
        "There is no such dataset. There are {}, each as .csv and as .ndjson.",
        names.join(", ")
    );
    problem_response(StatusCode::NOT_FOUND, Code::NotFound, &message, id)
}

fn overloaded_response(id: &RequestId) -> Response {
    let message = format!(
        "{FEEDS} feeds are being streamed already, or half as many to you. Try again when one has ended."
    );
    let code = Code::ServiceUnavailable;
    let status = StatusCode::SERVICE_UNAVAILABLE;
    with_retry_soon(problem_response(status, code, &message, id))
}
