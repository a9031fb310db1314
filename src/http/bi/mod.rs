//! `/bi/v1`: flat datasets for programs that draw charts, as CSV or a line of JSON each. It translates and streams; what
//! rows there are, and for whom, is the registry's to say.

pub mod asked;
pub mod form;
pub mod intake;
mod list;

use std::{io, time::Duration};

use axum::{
    body::Body,
    extract::{Extension, Path, Query as Sent, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    time::{Instant, timeout, timeout_at},
};
use tracing::Instrument;

pub use self::list::{pulled, serve as list};
use self::{
    asked::Asked,
    form::{Form, Writer},
};
use super::{
    App, RequestId,
    admission::{FEEDS, Slot, retry_soon},
    auth, etag,
};
use crate::{
    access::Caller,
    audit,
    bi::{
        catalogue,
        changes::{self, SyncToken},
        model::dataset::RowSource,
    },
    compute::Budget,
    database::Transaction,
    error::{Code, Error, Result},
};

/// How long a client may take for a piece, which has at least 64 KiB unless they are compressed to less: about a
/// kilobyte a second is taking something, less is holding a connection of the database for nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a feed may last: as long as it does, the database keeps what is changed and deleted meanwhile.
const LIFE: Duration = Duration::from_secs(30 * 60);
/// Where a pull stood: what to send as `updated_since` the next time.
const UPDATED_UNTIL: HeaderName = HeaderName::from_static("updated-until");

type Parameters = Vec<(String, String)>;

/// What was asked for, and by whom.
struct Feed {
    caller: Caller,
    asked: Asked,
    gzip: bool,
}

/// `GET /bi/v1/{dataset}.{csv,ndjson}`.
pub async fn serve(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    uri: Uri,
    method: Method,
    Path(file): Path<String>,
    headers: HeaderMap,
    sent: Result<Sent<Parameters>, QueryRejection>,
) -> Response {
    let feed = match read(&app, &id, &file, &headers, sent).await {
        Ok(Some(feed)) => feed,
        Ok(None) => return no_dataset(&id),
        Err(error) => return refused(&error, &id),
    };
    let (form, gzip) = (feed.asked.form, feed.gzip);
    if method == Method::HEAD {
        return dressed(StatusCode::OK.into_response(), form, gzip);
    }
    let slot = app.admission.feeds.enter(auth::account(&feed.caller));
    let Ok(slot) = slot.await else {
        return full(&id);
    };
    match answered(feed, slot, &uri, &headers, app.settings.deadline).await {
        Ok(response) => dressed(response, form, gzip),
        Err(error) => refused(&error, &id),
    }
}

/// The rows, or word that the client has them already.
async fn answered(
    mut feed: Feed,
    slot: Slot,
    uri: &Uri,
    headers: &HeaderMap,
    deadline: Duration,
) -> Result<Response> {
    let tx = feed.caller.snapshot().await?;
    let tag = tag(&feed, &tx, uri).await?;
    let known = tag.as_ref().is_some_and(|tag| etag::is_known(headers, tag));
    let until = match known {
        true => None,
        false => since(&mut feed, &tx).await?,
    };
    let mut response = match (known, feed.asked.query.limit) {
        (true, _) => {
            tx.commit().await?;
            StatusCode::NOT_MODIFIED.into_response()
        }
        (false, Some(limit)) => {
            let page = timeout(deadline, page(feed, tx, limit, uri)).await;
            page.unwrap_or(Err(Error::TookTooLong))?
        }
        (false, None) => whole(feed, tx, slot).await?,
    };
    if let Some(tag) = tag {
        etag::say(response.headers_mut(), &tag);
    }
    if let Some(until) = until.and_then(|mark| HeaderValue::from_str(&mark.text()).ok()) {
        response.headers_mut().insert(UPDATED_UNTIL, until);
    }
    Ok(response)
}

/// Finds what changed, where that is asked for, and where the pull stands. Of several pages that is where the first
/// one stood: the others do not say it.
async fn since(feed: &mut Feed, tx: &Transaction) -> Result<Option<SyncToken>> {
    let (caller, asked) = (&feed.caller, &mut feed.asked);
    if let Some(earlier) = asked.since {
        let changed = changes::changed(caller, tx, &asked.query, earlier).await?;
        asked.query.changed = Some(changed);
    }
    let query = &asked.query;
    match query.dataset.is_of_measurements() && query.after.is_none() {
        true => Ok(Some(changes::mark(caller, tx).await?)),
        false => Ok(None),
    }
}

/// A tag of the answer, found without making it: what is asked and by whom, and what has been done so far. Findings have
/// none: since when they are open is noted besides.
async fn tag(feed: &Feed, tx: &Transaction, uri: &Uri) -> Result<Option<String>> {
    if matches!(feed.asked.query.dataset.source, RowSource::Findings) {
        return Ok(None);
    }
    let caller = &feed.caller;
    let acts = audit::count_since(tx, caller.beginning_of_yesterday()).await?;
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
    Ok(Some(format!("W/{}", etag::of(&parts))))
}

async fn read(
    app: &App,
    id: &RequestId,
    file: &str,
    headers: &HeaderMap,
    sent: Result<Sent<Parameters>, QueryRejection>,
) -> Result<Option<Feed>> {
    // Who has not signed in is told that first, whatever they ask.
    let caller = auth::program(app, headers, id).await?;
    let named = file.rsplit_once('.');
    let named = named
        .and_then(|(name, extension)| Some((catalogue::named(name)?, Form::named(extension)?)));
    let Some((dataset, form)) = named else {
        return Ok(None);
    };
    caller.require_somewhere(dataset.permission)?;
    let Sent(parameters) = sent.map_err(|_| {
        Error::BadInput("What stands behind the question mark cannot be read.".to_owned())
    })?;
    let mut asked = asked::read(dataset, form, &parameters)?;
    asked.query.thresholds = app.thresholds.clone();
    asked.query.cube = Some(app.cube.clone());
    let budget = match asked.query.limit {
        Some(_) => Budget::of_page(),
        None => Budget::of_feed(),
    };
    Ok(Some(Feed {
        caller: caller.spending(budget),
        asked,
        gzip: takes_gzip(headers),
    }))
}

/// Whether the client takes gzip, and did not say that it would rather not.
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','));
    codings.any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let refused = |part: &str| {
            let quality = part.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok());
            quality == Some(0.0)
        };
        named && !parts.any(refused)
    })
}

/// A page: written whole, as the header in front of it says where the next one begins.
async fn page(feed: Feed, tx: Transaction, limit: u64, uri: &Uri) -> Result<Response> {
    let Feed {
        caller,
        asked,
        gzip,
    } = feed;
    let mut query = asked.query;
    let mut writer = Writer::new(asked.form, &query.columns, asked.besides, gzip);
    query.limit = Some(limit + 1);
    let mut rows = catalogue::rows(query, &caller, tx)?;
    let (mut left, mut last, mut more) = (limit, None, false);
    let mut body = Vec::new();
    while let Some(row) = rows.next().await? {
        if left == 0 {
            more = true;
            break;
        }
        left -= 1;
        writer.row(&row)?;
        if let Some(chunk) = writer.chunk()? {
            body.extend_from_slice(&chunk);
        }
        last = Some(row);
    }
    body.extend_from_slice(&writer.end()?);
    let mut response = body.into_response();
    if let Some(row) = last.filter(|_| more) {
        let next = next(uri, &row.place()?.cursor());
        if let Ok(link) = HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    Ok(response)
}

/// The same address, behind a cursor.
fn next(uri: &Uri, cursor: &str) -> String {
    let asked = uri.query().unwrap_or_default().split('&');
    let kept = asked.filter(|part| !part.is_empty() && !part.starts_with("after="));
    let all: Vec<String> = kept
        .map(str::to_owned)
        .chain([format!("after={cursor}")])
        .collect();
    format!("{}?{}", uri.path(), all.join("&"))
}

type Chunk = io::Result<Bytes>;

/// Every row, streamed. What goes wrong before the first bytes is told as a problem; what goes wrong later ends the
/// connection without an end, so that half of the rows never pass for all of them.
async fn whole(feed: Feed, tx: Transaction, slot: Slot) -> Result<Response> {
    let (sender, mut chunks) = mpsc::channel(2);
    let pouring = pour(feed, tx, sender);
    let poured = async move {
        let _slot = slot;
        let poured = pouring.await;
        if let Err(error) = &poured {
            tracing::warn!(%error, debug = ?error, "a feed was broken off");
        }
        poured
    };
    let poured = tokio::spawn(poured.in_current_span());
    let Some(first) = chunks.recv().await else {
        return match poured.await {
            Ok(Ok(())) => Err(Error::internal("a feed ended without a word")),
            Ok(Err(error)) => Err(error),
            Err(error) => Err(Error::internal(error)),
        };
    };
    let stream = stream::unfold(Some((Some(first), chunks)), following);
    Ok(Body::from_stream(stream).into_response())
}

/// A piece of a feed, or its end.
type Piece = Option<Bytes>;
/// What is left of a stream: a piece that is here already, and those to come.
type Left = Option<(Option<Piece>, Receiver<Piece>)>;

async fn following(left: Left) -> Option<(Chunk, Left)> {
    let (first, mut chunks) = left?;
    let piece = match first {
        Some(first) => Some(first),
        None => chunks.recv().await,
    };
    match piece {
        Some(Some(bytes)) => Some((Ok(bytes), Some((None, chunks)))),
        Some(None) => None,
        None => Some((Err(io::Error::other("the rows broke off")), None)),
    }
}

/// Sends the rows piece after piece, and in the end that there are no more. Whoever takes too little, or too long, is
/// given up, and gets no end.
async fn pour(feed: Feed, tx: Transaction, sender: Sender<Piece>) -> Result<()> {
    let Feed {
        caller,
        asked,
        gzip,
    } = feed;
    let end = Instant::now() + LIFE;
    let given = async |piece: Piece| {
        let taken = timeout(PATIENCE, sender.send(piece));
        matches!(timeout_at(end, taken).await, Ok(Ok(Ok(()))))
    };
    let mut writer = Writer::new(asked.form, &asked.query.columns, asked.besides, gzip);
    let mut rows = catalogue::rows(asked.query, &caller, tx)?;
    while let Some(row) = rows.next().await? {
        writer.row(&row)?;
        let Some(chunk) = writer.chunk()? else {
            continue;
        };
        if !given(Some(chunk)).await {
            tracing::info!("a feed ended before its rows: its client took too little or too long");
            return Ok(());
        }
        caller.budget.renew();
    }
    if given(Some(writer.end()?)).await {
        given(None).await;
    }
    Ok(())
}

/// The headers of an answer.
fn dressed(mut response: Response, form: Form, gzip: bool) -> Response {
    let fixed = [
        (header::CONTENT_TYPE, form.content_type()),
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::VARY, "Authorization, Accept-Encoding"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let gzip = gzip.then_some((header::CONTENT_ENCODING, "gzip"));
    for (name, value) in fixed.into_iter().chain(gzip) {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

fn refused(error: &Error, id: &RequestId) -> Response {
    auth::offering_basic(auth::failed(error, id), error)
}

fn no_dataset(id: &RequestId) -> Response {
    let names: Vec<&str> = catalogue::ALL.iter().map(|dataset| dataset.name).collect();
    let message = format!(
        "There is no such dataset. There are {}, each as .csv and as .ndjson.",
        names.join(", ")
    );
    auth::problem(StatusCode::NOT_FOUND, Code::NotFound, &message, id)
}

fn full(id: &RequestId) -> Response {
    let message = format!(
        "{FEEDS} feeds are being streamed already, or half of them to you. Try again when one has ended."
    );
    let code = Code::ServiceUnavailable;
    let status = StatusCode::SERVICE_UNAVAILABLE;
    retry_soon(auth::problem(status, code, &message, id))
}
