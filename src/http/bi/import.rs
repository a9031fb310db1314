//! `POST /bi/v1/measurements.csv` and `feedback.csv`: figures and answers by the sheet. It takes the body as it comes
//! into a file, records one sheet at a time, and tells what became of it or every fault; what may be recorded is for
//! the slices to say.

use std::{io::ErrorKind, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::{Extension, Path, Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use clap::ValueEnum;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout, timeout_at},
};
use tracing::Instrument;

use super::params::QueryPairs;
use crate::{
    access::Caller,
    error::{Code, Error, Result, UserError},
    feedback,
    http::{
        admission::Slot,
        app::App,
        auth,
        problem::{
            error_response_offering_basic, method_not_allowed_response, problem_response,
            with_no_store,
        },
        request_id::RequestId,
        server::ServerRequestGuard,
    },
    kpi,
    policy::Action,
    sheet::{Dialect, SheetSpool, SpooledSheet},
};

/// How much of a sheet has to come in how long, at the least, unless it ends before.
const LEAST: (usize, Duration) = (60 * 1024, Duration::from_secs(60));
/// How long a sheet may take to come.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// Bytes that are written into the file at once.
const AT_ONCE: usize = 1 << 20;

/// How a sheet is to be taken.
struct SheetOptions {
    dialect: Option<Dialect>,
    dry_run: bool,
}

/// What was done to a sheet before it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SheetCoding {
    Identity,
    Gzip,
}

/// Why nothing was taken in.
enum SheetRejection {
    /// What was asked cannot be done.
    Failed(Error),
    /// The request itself is answered otherwise.
    Answered(Response),
}

impl From<Error> for SheetRejection {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What a sheet holds.
#[derive(Clone, Copy)]
enum SheetKind {
    Measurements,
    Feedback,
}

impl SheetKind {
    fn from_file_name(file: &str) -> Option<Self> {
        match file {
            "measurements.csv" => Some(Self::Measurements),
            "feedback.csv" => Some(Self::Feedback),
            _ => None,
        }
    }

    const fn action(self) -> Action {
        match self {
            Self::Measurements => Action::RecordMeasurement,
            Self::Feedback => Action::RecordFeedback,
        }
    }

    /// What the audit log calls taking it in.
    const fn act_name(self) -> &'static str {
        match self {
            Self::Measurements => "kpiMeasurementsImport",
            Self::Feedback => "feedbackImport",
        }
    }

    /// Bytes of the longest one.
    fn max_bytes(self, app: &App) -> u64 {
        match self {
            Self::Measurements => app.longest_sheet,
            Self::Feedback => app.longest_sheet.min(feedback::sheet::LONGEST),
        }
    }

    /// Takes it in, and tells what became of it.
    async fn import(self, caller: &Caller, sheet: SpooledSheet, dry_run: bool) -> Result<Value> {
        match self {
            Self::Measurements => {
                let imported = kpi::sheet::import(caller, sheet, dry_run).await?;
                let (rows, done) = (imported.rows, imported.done);
                Ok(
                    json!({ "rows": rows, "recorded": done.recorded, "corrected": done.corrected,
                    "unchanged": done.unchanged, "acts": imported.acts, "dryRun": dry_run }),
                )
            }
            Self::Feedback => {
                let imported = feedback::sheet::import(caller, sheet, dry_run).await?;
                let (rows, done) = (imported.rows, imported.done);
                Ok(
                    json!({ "rows": rows, "recorded": done.recorded, "unchanged": done.unchanged,
                    "unroutable": done.unroutable, "dryRun": dry_run }),
                )
            }
        }
    }
}

/// What a sheet comes with.
type SentQuery = Result<Query<QueryPairs>, QueryRejection>;

/// `POST /bi/v1/{file}`, where `file` is a sheet that is taken in.
pub async fn serve(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    Path(file): Path<String>,
    said: SentQuery,
    request: Request,
) -> Response {
    match SheetKind::from_file_name(&file) {
        Some(what) => respond(what, &app, &id, said, request).await,
        None => method_not_allowed_response(&id),
    }
}

async fn respond(
    what: SheetKind,
    app: &App,
    id: &RequestId,
    said: SentQuery,
    request: Request,
) -> Response {
    let done = import_request(what, app, id, said, request).await;
    done.map_or_else(|no| no.into_response(id), |done| Json(done).into_response())
}

async fn import_request(
    what: SheetKind,
    app: &App,
    id: &RequestId,
    said: SentQuery,
    request: Request,
) -> Result<Value, SheetRejection> {
    let under_way = request.extensions().get::<ServerRequestGuard>().cloned();
    let headers = request.headers().clone();
    let (caller, options, coding, slot) =
        authorise_import_and_take_slot(what, app, id, said, &headers).await?;
    let most = what.max_bytes(app);
    let came = spool_body(most, request, id).await?;
    let (came, slot) = match coding {
        SheetCoding::Identity => (came, slot),
        SheetCoding::Gzip => decompress(came, most, slot, id).await?,
    };
    let sheet = came.finish(options.dialect);
    // Only now that all of it is here: a slow sender would otherwise keep everybody else from recording.
    let turn = app
        .admission
        .sheets
        .wait_for_slot(auth::slot_holder_of(&caller))
        .await;
    let turn = turn.map_err(|_| busy_rejection("Another sheet is being recorded.", id))?;
    // Anew, since a sheet may take half an hour to come: its rows carry the moment at which they are recorded, and nobody
    // records who may not any more.
    let caller = identify_sender(what, app, &headers, id).await?;
    // In a task of its own: a sheet that has come is seen through, whether or not its sender waits for it.
    let recording = async move {
        let _held = (slot, turn, under_way);
        let done = what.import(&caller, sheet, options.dry_run).await;
        audit_if_refused(&caller, done).await
    };
    let recording = tokio::spawn(recording.in_current_span());
    Ok(recording.await.map_err(Error::internal)??)
}

/// Whoever may send a sheet, how it is to be taken, and leave to send it: all that is known before the first byte of
/// it.
async fn authorise_import_and_take_slot(
    what: SheetKind,
    app: &App,
    id: &RequestId,
    said: SentQuery,
    headers: &HeaderMap,
) -> Result<(Caller, SheetOptions, SheetCoding, Slot), SheetRejection> {
    // Before a byte of the sheet is read: who may record nothing need not send it.
    let caller = identify_sender(what, app, headers, id).await?;
    let Query(parameters) =
        said.map_err(|_| Error::BadInput("The query string cannot be parsed.".to_owned()))?;
    let options = parse_options(&parameters)?;
    let Some(coding) = read_csv_coding(headers) else {
        let message = "Send the sheet as `text/csv`, in UTF-8, as it is or compressed with gzip.";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(SheetRejection::new(status, Code::BadUserInput, message, id));
    };
    match app
        .admission
        .uploads
        .wait_for_slot(auth::slot_holder_of(&caller))
        .await
    {
        Ok(slot) => Ok((caller, options, coding, slot)),
        Err(_) => Err(busy_rejection(
            "Too many sheets are coming in, or two of yours.",
            id,
        )),
    }
}

/// Whoever sends a sheet, if they may record what it holds.
async fn identify_sender(
    what: SheetKind,
    app: &App,
    headers: &HeaderMap,
    id: &RequestId,
) -> Result<Caller> {
    let caller = auth::identify_program(app, headers, id).await?;
    let caller = caller.with_act_name(what.act_name());
    audit_if_refused(&caller, caller.require_reach(what.action())).await?;
    Ok(caller)
}

/// A result whose refusal is in the audit log.
async fn audit_if_refused<T>(caller: &Caller, result: Result<T>) -> Result<T> {
    if let Err(Error::Forbidden(forbidden)) = &result {
        caller.audit_refusal(forbidden).await?;
    }
    result
}

fn parse_options(parameters: &QueryPairs) -> Result<SheetOptions> {
    let mut faults = Vec::new();
    let (mut dialect, mut dry_run) = (None, None);
    for (name, value) in parameters {
        let known = match name.as_str() {
            "dialect" => dialect.replace(value).is_none(),
            "dry_run" => dry_run.replace(value).is_none(),
            _ => false,
        };
        if !known {
            faults.push("A sheet takes the parameters dialect and dry_run, each once.".to_owned());
            break;
        }
    }
    let read = |text: &String| Dialect::from_str(text, false);
    let dialect = dialect.map(read).transpose().unwrap_or_else(|_| {
        faults.push("`dialect` is comma or excel-da.".to_owned());
        None
    });
    let dry_run = match dry_run.map(String::as_str) {
        Some("true") => true,
        None | Some("false") => false,
        Some(_) => {
            faults.push("`dry_run` is true or false.".to_owned());
            false
        }
    };
    match faults.is_empty() {
        true => Ok(SheetOptions { dialect, dry_run }),
        false => Err(Error::BadInput(faults.join(" "))),
    }
}

/// How the body is coded, where it is said to be CSV: no form of a page in a browser can say so, which is why Basic may be
/// taken here.
fn read_csv_coding(headers: &HeaderMap) -> Option<SheetCoding> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let mut said = text(header::CONTENT_TYPE).unwrap_or_default().split(';');
    let csv = said.next().unwrap_or_default().trim();
    let foreign = said.any(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let utf_8 = value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8");
        name.trim().eq_ignore_ascii_case("charset") && !utf_8
    });
    let coding = match text(header::CONTENT_ENCODING) {
        None => SheetCoding::Identity,
        Some(coding) if coding.eq_ignore_ascii_case("identity") => SheetCoding::Identity,
        Some(coding) if coding.eq_ignore_ascii_case("gzip") => SheetCoding::Gzip,
        Some(_) => return None,
    };
    (csv.eq_ignore_ascii_case("text/csv") && !foreign).then_some(coding)
}

/// The body, once all of it has come.
async fn spool_body(
    most: u64,
    request: Request,
    id: &RequestId,
) -> Result<SheetSpool, SheetRejection> {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    // Refused before it is sent. A sheet without a length is counted as it comes.
    if announced.is_some_and(|length| length > most) {
        return Err(too_large_rejection(most, id));
    }
    let spool = SheetSpool::new(most).map_err(Error::internal)?;
    match timeout(LONGEST, spool_into(spool, request.into_body())).await {
        Ok(came) => came?.ok_or_else(|| too_large_rejection(most, id)),
        Err(_) => Err(slow_upload_error().into()),
    }
}

/// The sheet as it was before it was compressed. It keeps its slot to the end, also where its sender has gone: nothing
/// interrupts the thread that unpacks it.
async fn decompress(
    spool: SheetSpool,
    most: u64,
    slot: Slot,
    id: &RequestId,
) -> Result<(SheetSpool, Slot), SheetRejection> {
    let unpacking = spawn_blocking(move || (spool.decompress(most), slot)).await;
    let (plain, slot) = unpacking.map_err(Error::internal)?;
    let plain = plain.map_err(|error| match error.kind() {
        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof => {
            let message =
                "The sheet cannot be unpacked: it is incomplete, or not compressed with gzip.";
            Error::BadInput(message.to_owned())
        }
        _ => Error::internal(error),
    })?;
    let plain = plain.ok_or_else(|| too_large_rejection(most, id))?;
    Ok((plain, slot))
}

fn slow_upload_error() -> Error {
    Error::BadInput("The sheet took too long to arrive. Nothing was recorded.".to_owned())
}

/// Takes the body into the file piece by piece; nothing where it is too large.
async fn spool_into(mut spool: SheetSpool, body: Body) -> Result<Option<SheetSpool>> {
    let mut pieces = body.into_data_stream();
    let mut held = Vec::with_capacity(AT_ONCE);
    let (mut came, mut due) = (0_usize, Instant::now() + LEAST.1);
    loop {
        let piece = timeout_at(due, pieces.next())
            .await
            .map_err(|_| slow_upload_error())?;
        let ended = piece.is_none();
        if let Some(piece) = piece {
            let broken =
                |_| Error::BadInput("The sheet is incomplete: its end did not arrive.".to_owned());
            let piece = piece.map_err(broken)?;
            came += piece.len();
            if came >= LEAST.0 {
                // A new minute begins with every 60 KiB: a rate, where one deadline for the whole would have to fit
                // the largest sheet.
                (came, due) = (0, Instant::now() + LEAST.1);
            }
            held.extend_from_slice(&piece);
        }
        if held.len() >= AT_ONCE || ended {
            // Files block. One call for each megabyte, since sending each piece to another thread would cost more
            // than writing it.
            let written = spawn_blocking(move || {
                let taken = spool.write(&held);
                held.clear();
                taken.map(|taken| (taken, spool, held))
            });
            let written = written.await.map_err(Error::internal)?;
            let (taken, back, emptied) = written.map_err(Error::internal)?;
            (spool, held) = (back, emptied);
            if !taken {
                return Ok(None);
            }
        }
        if ended {
            return Ok(Some(spool));
        }
    }
}

fn too_large_rejection(most: u64, id: &RequestId) -> SheetRejection {
    let message = format!(
        "A sheet has at most {} MB. Send it in several, by year or by KPI.",
        most >> 20
    );
    let status = StatusCode::PAYLOAD_TOO_LARGE;
    SheetRejection::new(status, Code::BadUserInput, &message, id)
}

fn busy_rejection(why: &str, id: &RequestId) -> SheetRejection {
    let message = format!("{why} Nothing of this one was recorded. Try again in a moment.");
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let mut response = problem_response(status, Code::ServiceUnavailable, &message, id);
    let headers = response.headers_mut();
    // Longer than elsewhere: what is waited for is a sheet, and not a query.
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    SheetRejection::Answered(response)
}

impl SheetRejection {
    fn new(status: StatusCode, code: Code, message: &str, id: &RequestId) -> Self {
        Self::Answered(problem_response(status, code, message, id))
    }

    /// The answer: the first faults are told, each with its line and column.
    fn into_response(self, id: &RequestId) -> Response {
        match self {
            Self::Answered(response) => response,
            Self::Failed(Error::Refused(faults)) => {
                let status = StatusCode::BAD_REQUEST;
                let faults: Vec<Value> = faults.iter().map(describe_fault).collect();
                let error = json!({
                    "code": Code::BadUserInput.as_str(),
                    "message": "The sheet has faults, and nothing of it was recorded.",
                    "requestId": &*id.0,
                    "faults": faults,
                });
                with_no_store((status, Json(json!({ "error": error }))).into_response())
            }
            Self::Failed(error) => error_response_offering_basic(&error, id),
        }
    }
}

/// A fault, with the place that its sentence begins with for programs.
fn describe_fault(fault: &UserError) -> Value {
    let mut place = fault.field.iter();
    let line = place.next().and_then(|line| line.parse::<u64>().ok());
    json!({
        "line": line,
        "column": place.next(),
        "code": async_graphql::Value::from(fault.code).into_json().unwrap_or_default(),
        "message": fault.message,
    })
}
