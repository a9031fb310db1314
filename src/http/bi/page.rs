//! One page of a feed, written whole: the link in its header says where the next page begins.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use super::{encode::FeedWriter, pull::FeedRequest};
use crate::{bi::catalogue, database::Transaction, error::Result};

/// A page: written whole, as the header in front of it says where the next one begins. The address is the path and the
/// query that the client asked for.
pub(super) async fn respond_with_page(
    feed: FeedRequest,
    tx: Transaction,
    limit: u64,
    address: (&str, Option<&str>),
) -> Result<Response> {
    let FeedRequest {
        caller,
        params,
        gzip,
    } = feed;
    let mut query = params.query;
    let mut writer = FeedWriter::new(params.encoding, &query.columns, params.extra, gzip);
    // One row more than is sent tells whether there is a next page.
    query.limit = Some(limit + 1);
    let mut rows = catalogue::stream_rows(query, &caller, tx).await?;
    let (mut left, mut last, mut more) = (limit, None, false);
    let mut body = Vec::new();
    while let Some(row) = rows.next().await? {
        if left == 0 {
            more = true;
            break;
        }
        left -= 1;
        writer.write_row(&row)?;
        if let Some(chunk) = writer.take_full_chunk()? {
            body.extend_from_slice(&chunk);
        }
        last = Some(row);
    }
    body.extend_from_slice(&writer.finish()?);
    let mut response = body.into_response();
    if let Some(row) = last.filter(|_| more) {
        let next = next_url(address, &row.key()?.encode());
        if let Ok(link) = HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    Ok(response)
}

/// The same address, resuming after a cursor.
fn next_url((path, query): (&str, Option<&str>), cursor: &str) -> String {
    let asked = query.unwrap_or_default().split('&');
    let kept = asked.filter(|part| !part.is_empty() && !part.starts_with("after="));
    let all: Vec<String> = kept
        .map(str::to_owned)
        .chain([format!("after={cursor}")])
        .collect();
    format!("{path}?{}", all.join("&"))
}
