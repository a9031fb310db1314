//! `/bi/odata/v4`: flat datasets for Power Query, Excel, Tableau and whatever else speaks OData 4.0. It reads, and gives
//! one page at a time; what rows there are, and for whom, is the registry's to say.
//!
//! `options` reads the query options, whose `$filter` the crate `odata-filter` parses and `bind` gives its meaning;
//! `page` answers.

pub mod address;
mod answer;
pub mod bind;
pub mod headers;
pub mod metadata;
pub mod options;
mod page;
pub mod range;
#[cfg(test)]
mod tests;
pub mod token;

use axum::{
    Router,
    extract::{Extension, Path, State, rejection::PathRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header},
    response::Response,
    routing::any,
};
use odata_filter::{Fault, Literal};
use tokio::time::timeout;

use self::{
    address::{Nowhere, Target},
    answer::{
        ODataCode, ODataRefusal, ODataResult, none_of, not_acceptable, nowhere, refused, respond,
    },
    options::{ResourceKind, Sent},
    page::ODataWriter,
};
use super::{
    admission::{Overloaded, Slot},
    app::App,
    auth, bi,
    negotiate::accepts_gzip,
    request_id::RequestId,
};
use crate::{
    access::Caller,
    bi::{catalogue, model::dataset::Dataset},
    compute::Budget,
    error::Error,
};

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// The routes of the service.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/bi/odata/v4", any(serve_root))
        .route("/bi/odata/v4/", any(serve_root))
        .route("/bi/odata/v4/{*path}", any(serve_below))
}

/// The parts of a request that an answer depends on.
struct ODataRequest<'r> {
    app: &'r App,
    id: &'r RequestId,
    method: &'r Method,
    uri: &'r Uri,
    headers: &'r HeaderMap,
}

async fn serve_root(
    app: State<App>,
    id: Extension<RequestId>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    serve((app, id), method, uri, headers, Ok(Path(String::new()))).await
}

async fn serve_below(
    app: State<App>,
    id: Extension<RequestId>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    serve((app, id), method, uri, headers, path).await
}

async fn serve(
    (State(app), Extension(id)): (State<App>, Extension<RequestId>),
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    let request = ODataRequest {
        app: &app,
        id: &id,
        method: &method,
        uri: &uri,
        headers: &headers,
    };
    let path = path.map(|Path(path)| path).ok();
    let mut response = match request.answer(path.as_deref()).await {
        Ok(response) => response,
        Err(refusal) => refused(refusal),
    };
    let fixed = [
        (headers::ODATA_VERSION, "4.0"),
        (header::CACHE_CONTROL, "private, no-cache"),
        (
            header::VARY,
            "Authorization, Accept, Accept-Encoding, Prefer",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fixed {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

impl ODataRequest<'_> {
    async fn answer(&self, path: Option<&str>) -> ODataResult {
        // Who has not signed in is told that first, whatever they ask.
        let caller = auth::program(self.app, self.headers, self.id).await?;
        let caller = caller.with_budget(Budget::for_page());
        let target = address::target(path.unwrap_or("?"));
        // `$batch` is sent by POST: told that only GET works, its client would look in the wrong place.
        if !matches!(target, Err(Nowhere::Unsupported))
            && ![Method::GET, Method::HEAD].contains(self.method)
        {
            let message = "Everything here is read with GET.".to_owned();
            return Err(ODataRefusal::Worded(ODataCode::MethodNotAllowed, message));
        }
        if let Some(fault) = headers::refused_version(self.headers) {
            return Err(vec![fault].into());
        }
        let sent = options::sent(self.uri.query().unwrap_or_default());
        match target.map_err(nowhere)? {
            Target::Service => self.service(&caller, &sent),
            Target::Metadata => self.metadata(&caller, &sent),
            Target::Rows(dataset) => self.rows(&caller, dataset, &sent).await,
            Target::Count(dataset) => self.count(&caller, dataset, &sent).await,
            Target::Row(dataset, key) => self.row(&caller, dataset, &key, &sent).await,
        }
    }

    fn writer<'a>(&'a self, root: &'a str, sent: &Sent) -> Result<ODataWriter<'a>, ODataRefusal> {
        let format = options::one(sent, "$format");
        let Some(level) = headers::level(self.headers, format) else {
            let message =
                "This is answered as application/json, with odata.metadata=minimal or none.";
            return Err(not_acceptable(message));
        };
        Ok(ODataWriter {
            root,
            uri: self.uri,
            level,
            gzip: accepts_gzip(self.headers),
            size: headers::page_size(self.headers)
                .unwrap_or(page::USUAL)
                .min(bi::params::LARGEST_PAGE),
        })
    }

    fn root(&self) -> String {
        address::root(self.headers, self.uri, self.app.forwarded_hops)
    }

    fn service(&self, caller: &Caller, sent: &Sent) -> ODataResult {
        let pulled = bi::list::pulled(caller)?;
        none_of(options::refuse_all_but_format(sent))?;
        let root = self.root();
        let writer = self.writer(&root, sent)?;
        let body = writer.list("", &metadata::service(&pulled))?;
        Ok(respond(body, writer.level.content_type(), writer.gzip))
    }

    /// It is XML, whatever is accepted: clients ask for it with the headers that they ask for rows with.
    fn metadata(&self, caller: &Caller, sent: &Sent) -> ODataResult {
        let pulled = bi::list::pulled(caller)?;
        none_of(options::refuse_all_but_format(sent))?;
        match options::one(sent, "$format") {
            None | Some("xml" | "application/xml") => {
                let body = metadata::document(&pulled).into_bytes();
                Ok(respond(body, "application/xml; charset=utf-8", false))
            }
            Some(_) => Err(not_acceptable("$metadata is answered as application/xml.")),
        }
    }

    async fn rows(&self, caller: &Caller, dataset: &'static Dataset, sent: &Sent) -> ODataResult {
        caller.require_somewhere(dataset.permission)?;
        let params = self.params(dataset, ResourceKind::Rows, sent)?;
        let root = self.root();
        let writer = self.writer(&root, sent)?;
        let body = match self.is_head() {
            true => Vec::new(),
            false => {
                let _slot = self.slot(caller).await?;
                self.within(writer.rows(caller, params)).await?
            }
        };
        let mut response = respond(body, writer.level.content_type(), writer.gzip);
        let applied = headers::page_size(self.headers).map(|_| writer.size);
        let applied =
            applied.map(|size| HeaderValue::from_str(&format!("odata.maxpagesize={size}")));
        if let Some(Ok(applied)) = applied {
            response.headers_mut().insert(PREFERENCE_APPLIED, applied);
        }
        Ok(response)
    }

    /// A number as text, whatever is accepted, as the standard has it.
    async fn count(&self, caller: &Caller, dataset: &'static Dataset, sent: &Sent) -> ODataResult {
        caller.require_somewhere(dataset.permission)?;
        let params = self.params(dataset, ResourceKind::Count, sent)?;
        let body = match self.is_head() {
            true => Vec::new(),
            false => {
                let _slot = self.slot(caller).await?;
                let count = async {
                    let tx = caller.snapshot().await?;
                    catalogue::count(&params.query, caller, &tx).await
                };
                self.within(count).await?.to_string().into_bytes()
            }
        };
        Ok(respond(body, "text/plain; charset=utf-8", false))
    }

    async fn row(
        &self,
        caller: &Caller,
        dataset: &'static Dataset,
        key: &Literal,
        sent: &Sent,
    ) -> ODataResult {
        caller.require_somewhere(dataset.permission)?;
        if !options::is_found_by_key(dataset) {
            let (name, key) = (dataset.name, dataset.key);
            let message = format!(
                "{name} is read for a range of days, so its rows are not offered by their keys alone: say both in `$filter`, {key} and the day."
            );
            return Err(vec![Fault::unsupported(message)].into());
        }
        let params = self.params(dataset, ResourceKind::Row(key), sent)?;
        let root = self.root();
        let writer = self.writer(&root, sent)?;
        let body = match self.is_head() {
            true => Some(Vec::new()),
            false => {
                let _slot = self.slot(caller).await?;
                self.within(writer.row(caller, params)).await?
            }
        };
        match body {
            Some(body) => Ok(respond(body, writer.level.content_type(), writer.gzip)),
            None => {
                let message = format!("There is no such row of {}.", dataset.name);
                Err(ODataRefusal::Worded(ODataCode::NotFound, message))
            }
        }
    }

    fn params(
        &self,
        dataset: &'static Dataset,
        subject: ResourceKind<'_>,
        sent: &Sent,
    ) -> Result<options::ODataParams, ODataRefusal> {
        let mut params = options::parse_options(dataset, subject, sent)?;
        params.query.thresholds = self.app.thresholds.clone();
        params.query.store = Some(self.app.cube.clone());
        Ok(params)
    }

    /// Work that somebody waits for, given up at the deadline of every request. Given up, or with its client gone, it is
    /// dropped, and with it its statement.
    async fn within<T>(
        &self,
        made: impl Future<Output = crate::error::Result<T>>,
    ) -> crate::error::Result<T> {
        let made = timeout(self.app.settings.deadline, made).await;
        made.unwrap_or(Err(Error::TookTooLong))
    }

    fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }

    async fn slot(&self, caller: &Caller) -> Result<Slot, ODataRefusal> {
        let slot = self.app.admission.pages.enter(auth::account(caller)).await;
        slot.map_err(|_| {
            let message = Overloaded::MESSAGE.to_owned();
            ODataRefusal::Worded(ODataCode::ServiceUnavailable, message)
        })
    }
}
