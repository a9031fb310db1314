//! `/bi/odata/v4`: flat datasets for Power Query, Excel, Tableau and whatever else speaks OData 4.0. It reads, and
//! gives one page at a time; what rows there are, and for whom, is the catalogue's to say. HEAD is answered as GET is,
//! with the same headers; the server leaves the body out.
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
    http::{HeaderMap, HeaderValue, Method, Uri, header},
    response::Response,
    routing::any,
};
use odata_filter::{Fault, Literal};
use tokio::time::timeout;

use self::{
    address::{NoResourceReason, ODataResource},
    answer::{
        ODataCode, ODataRefusal, ODataResult, no_resource_refusal, not_acceptable_refusal,
        require_no_faults, respond, respond_with_refusal,
    },
    options::ResourceKind,
    page::ODataWriter,
};
use super::{
    admission::{Overloaded, Slot},
    app::App,
    auth,
    bi::{self, params::QueryPairs},
    negotiate::{accepts_gzip, set_static_headers},
    request_id::RequestId,
};
use crate::{
    access::Caller,
    bi::{catalogue, model::dataset::Dataset},
    compute::Budget,
    error::Error,
};

/// The routes of the service.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/bi/odata/v4", any(serve_root))
        .route("/bi/odata/v4/", any(serve_root))
        .route("/bi/odata/v4/{*path}", any(serve_path_below_root))
}

/// The parts of a request that an answer depends on.
struct ODataRequestParts<'r> {
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

async fn serve_path_below_root(
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
    let request = ODataRequestParts {
        app: &app,
        id: &id,
        method: &method,
        uri: &uri,
        headers: &headers,
    };
    let path = path.map(|Path(path)| path).ok();
    let mut response = match request.answer(path.as_deref()).await {
        Ok(response) => response,
        Err(refusal) => respond_with_refusal(refusal),
    };
    let fixed = [
        (headers::ODATA_VERSION, "4.0"),
        (header::CACHE_CONTROL, "private, no-cache"),
        (
            header::VARY,
            "Authorization, Accept, Accept-Encoding, Prefer",
        ),
    ];
    set_static_headers(&mut response, fixed);
    response
}

impl ODataRequestParts<'_> {
    async fn answer(&self, path: Option<&str>) -> ODataResult {
        // Who has not signed in is told that first, whatever they ask.
        let caller = auth::identify_program(self.app, self.headers, self.id).await?;
        let caller = caller.with_budget(Budget::for_row_page());
        let target = address::parse_resource(path.unwrap_or("?"));
        // `$batch` is sent by POST: told that only GET works, its client would look in the wrong place.
        if !matches!(target, Err(NoResourceReason::Unsupported))
            && ![Method::GET, Method::HEAD].contains(self.method)
        {
            let message = "Everything here is read with GET.".to_owned();
            return Err(ODataRefusal::Worded(ODataCode::MethodNotAllowed, message));
        }
        if let Some(fault) = headers::version_fault(self.headers) {
            return Err(vec![fault].into());
        }
        let sent = options::parse_query_pairs(self.uri.query().unwrap_or_default());
        match target.map_err(no_resource_refusal)? {
            ODataResource::Service => self.answer_service_document(&caller, &sent),
            ODataResource::Metadata => self.answer_metadata(&caller, &sent),
            ODataResource::Rows(dataset) => self.answer_rows(&caller, dataset, &sent).await,
            ODataResource::Count(dataset) => self.answer_row_count(&caller, dataset, &sent).await,
            ODataResource::Row(dataset, key) => {
                self.answer_row(&caller, dataset, &key, &sent).await
            }
        }
    }

    fn new_writer<'a>(
        &'a self,
        root: &'a str,
        sent: &QueryPairs,
    ) -> Result<ODataWriter<'a>, ODataRefusal> {
        let format = options::single_option_value(sent, "$format");
        let Some(level) = headers::negotiate_metadata_level(self.headers, format) else {
            let message =
                "This is answered as application/json, with odata.metadata=minimal or none.";
            return Err(not_acceptable_refusal(message));
        };
        Ok(ODataWriter {
            root,
            uri: self.uri,
            level,
            gzip: accepts_gzip(self.headers),
            size: headers::preferred_page_size(self.headers)
                .unwrap_or(page::USUAL)
                .min(bi::params::LARGEST_PAGE),
        })
    }

    fn service_root(&self) -> String {
        address::service_root(self.headers, self.uri, self.app.forwarded_hops)
    }

    fn answer_service_document(&self, caller: &Caller, sent: &QueryPairs) -> ODataResult {
        let pulled = bi::list::pullable_datasets(caller)?;
        require_no_faults(options::faults_of_options_except_format(sent))?;
        let root = self.service_root();
        let writer = self.new_writer(&root, sent)?;
        let body = writer.write_list("", &metadata::service_document_entries(&pulled))?;
        Ok(respond(body, writer.level.content_type(), writer.gzip))
    }

    /// It is XML, whatever is accepted: clients ask for it with the headers that they ask for rows with.
    fn answer_metadata(&self, caller: &Caller, sent: &QueryPairs) -> ODataResult {
        let pulled = bi::list::pullable_datasets(caller)?;
        require_no_faults(options::faults_of_options_except_format(sent))?;
        match options::single_option_value(sent, "$format") {
            None | Some("xml" | "application/xml") => {
                let body = metadata::metadata_document(&pulled).into_bytes();
                Ok(respond(body, "application/xml; charset=utf-8", false))
            }
            Some(_) => Err(not_acceptable_refusal(
                "$metadata is answered as application/xml.",
            )),
        }
    }

    async fn answer_rows(
        &self,
        caller: &Caller,
        dataset: &'static Dataset,
        sent: &QueryPairs,
    ) -> ODataResult {
        caller.require_reach(dataset.permission)?;
        let params = self.parse_params(dataset, ResourceKind::Rows, sent)?;
        let root = self.service_root();
        let writer = self.new_writer(&root, sent)?;
        let _slot = self.take_slot(caller).await?;
        let body = self
            .run_within_deadline(writer.write_rows(caller, params))
            .await?;
        let mut response = respond(body, writer.level.content_type(), writer.gzip);
        let applied = headers::preferred_page_size(self.headers).map(|_| writer.size);
        let applied =
            applied.map(|size| HeaderValue::from_str(&format!("odata.maxpagesize={size}")));
        if let Some(Ok(applied)) = applied {
            response
                .headers_mut()
                .insert(headers::PREFERENCE_APPLIED, applied);
        }
        Ok(response)
    }

    /// A number as text, whatever is accepted, as the standard has it.
    async fn answer_row_count(
        &self,
        caller: &Caller,
        dataset: &'static Dataset,
        sent: &QueryPairs,
    ) -> ODataResult {
        caller.require_reach(dataset.permission)?;
        let params = self.parse_params(dataset, ResourceKind::Count, sent)?;
        let _slot = self.take_slot(caller).await?;
        let count = async {
            let tx = caller.begin_snapshot().await?;
            catalogue::count_rows(&params.query, caller, &tx).await
        };
        let count = self.run_within_deadline(count).await?;
        let body = count.to_string().into_bytes();
        Ok(respond(body, "text/plain; charset=utf-8", false))
    }

    async fn answer_row(
        &self,
        caller: &Caller,
        dataset: &'static Dataset,
        key: &Literal,
        sent: &QueryPairs,
    ) -> ODataResult {
        caller.require_reach(dataset.permission)?;
        if !options::is_readable_by_key_alone(dataset) {
            let (name, key) = (dataset.name, dataset.key);
            let message = format!(
                "{name} is read for a range of days, so its rows are not offered by their keys alone: say both in `$filter`, {key} and the day."
            );
            return Err(vec![Fault::unsupported(message)].into());
        }
        let params = self.parse_params(dataset, ResourceKind::Row(key), sent)?;
        let root = self.service_root();
        let writer = self.new_writer(&root, sent)?;
        let _slot = self.take_slot(caller).await?;
        let body = self
            .run_within_deadline(writer.write_row(caller, params))
            .await?;
        match body {
            Some(body) => Ok(respond(body, writer.level.content_type(), writer.gzip)),
            None => {
                let message = format!("There is no such row of {}.", dataset.name);
                Err(ODataRefusal::Worded(ODataCode::NotFound, message))
            }
        }
    }

    fn parse_params(
        &self,
        dataset: &'static Dataset,
        subject: ResourceKind<'_>,
        sent: &QueryPairs,
    ) -> Result<options::ParsedODataOptions, ODataRefusal> {
        let mut params = options::parse_options(dataset, subject, sent)?;
        params.query.thresholds = self.app.thresholds.clone();
        params.query.cache = Some(self.app.bi_cache.clone());
        Ok(params)
    }

    /// Work that somebody waits for, given up at the deadline of every request. Given up, or with its client gone, it
    /// is dropped, and with it its statement.
    async fn run_within_deadline<T>(
        &self,
        made: impl Future<Output = crate::error::Result<T>>,
    ) -> crate::error::Result<T> {
        let made = timeout(self.app.settings.deadline, made).await;
        made.unwrap_or(Err(Error::TookTooLong))
    }

    async fn take_slot(&self, caller: &Caller) -> Result<Slot, ODataRefusal> {
        let slot = self
            .app
            .admission
            .pages
            .wait_for_slot(auth::slot_holder_of(caller))
            .await;
        slot.map_err(|_| {
            let message = Overloaded::MESSAGE.to_owned();
            ODataRefusal::Worded(ODataCode::ServiceUnavailable, message)
        })
    }
}
