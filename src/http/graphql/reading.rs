//! Reads what was asked from a query string or a body; refuses batches, other media types, and bodies too long or too
//! slow.

use std::collections::HashMap;

use async_graphql::Variables;
use axum::{
    body::{Body, HttpBody},
    extract::{Query, Request},
    http::{Method, Uri},
};
use futures_util::StreamExt;
use graphql_guard::GraphqlParams;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::{settings::GraphqlSettings, stop::NoDataReason};
use crate::error::Code;
use crate::http::negotiate::is_json;

/// The part of a body that is too long is read and thrown away up to so many times the limit; then the connection is
/// closed.
const DISCARD_FACTOR: usize = 16;

/// An object that is checked to be one, and not looked into.
type UnparsedObject = HashMap<String, Box<RawValue>>;

/// What is asked, and whether the answer shall say what it cost: `"extensions": {"cost": true}`.
pub(super) struct AskedParams {
    pub params: GraphqlParams,
    pub wants_cost: bool,
}

pub(super) async fn read_params(
    http: Request,
    settings: &GraphqlSettings,
) -> Result<AskedParams, NoDataReason> {
    match *http.method() {
        Method::GET => params_from_uri(http.uri()),
        Method::POST => params_from_body(http, settings).await,
        _ => Err(NoDataReason::Method("GET, POST")),
    }
}

fn params_from_uri(uri: &Uri) -> Result<AskedParams, NoDataReason> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct UriParams {
        query: Option<String>,
        operation_name: Option<String>,
        variables: Option<String>,
        extensions: Option<String>,
    }
    let malformed = |_| NoDataReason::Malformed("The query string cannot be read.");
    let Query(asked) = Query::<UriParams>::try_from_uri(uri).map_err(malformed)?;
    let variables: Option<Variables> = parse_json_parameter(asked.variables.as_deref())?;
    let extensions: Option<UnparsedObject> = parse_json_parameter(asked.extensions.as_deref())?;
    build_params(asked.query, asked.operation_name, variables, extensions)
}

fn parse_json_parameter<'a, T: Deserialize<'a>>(
    text: Option<&'a str>,
) -> Result<Option<T>, NoDataReason> {
    let malformed =
        |_| NoDataReason::Malformed("`variables` and `extensions` must be JSON objects when sent.");
    // Forms send a parameter without a value where nothing was filled in.
    text.filter(|text| !text.is_empty())
        .map_or(Ok(None), |text| {
            serde_json::from_str(text).map_err(malformed)
        })
}

async fn params_from_body(
    http: Request,
    settings: &GraphqlSettings,
) -> Result<AskedParams, NoDataReason> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct BodyParams {
        query: Option<String>,
        operation_name: Option<String>,
        variables: Option<Variables>,
        extensions: Option<UnparsedObject>,
    }
    if !is_json(http.headers()) {
        return Err(NoDataReason::NotJson);
    }
    let reading = timeout(
        settings.arrival,
        collect_body(http.into_body(), settings.body),
    );
    let bytes = reading.await.unwrap_or(Err(NoDataReason::SlowBody))?;
    // The derived reader takes an array for an object, and a batch for a request.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(NoDataReason::Malformed(
            "Batches are not offered: send one request at a time.",
        ));
    }
    let asked: BodyParams = serde_json::from_slice(&bytes).map_err(|error| {
        // The two are told apart, as the first is repaired by changing a type and the second by looking at the text.
        // The error's own words are not repeated: they may quote the body.
        NoDataReason::Malformed(if error.is_data() {
            "`query` and `operationName` must be strings, `variables` and `extensions` objects."
        } else {
            "The body is not valid JSON."
        })
    })?;
    build_params(
        asked.query,
        asked.operation_name,
        asked.variables,
        asked.extensions,
    )
}

/// The parameters as the guard takes them; refused without a `query`.
fn build_params(
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<Variables>,
    extensions: Option<UnparsedObject>,
) -> Result<AskedParams, NoDataReason> {
    let extensions = extensions.unwrap_or_default();
    let Some(query) = query else {
        let is_persisted = extensions.contains_key("persistedQuery");
        return Err(match is_persisted {
            // The words by which clients that sent the hash of a query know that they have to send the query.
            true => NoDataReason::failure(
                Code::PersistedQueryNotSupported,
                "PersistedQueryNotSupported",
            ),
            false => NoDataReason::Malformed("The request has no `query`."),
        });
    };
    let wants_cost = extensions
        .get("cost")
        .is_some_and(|wants| wants.get() == "true");
    let params = GraphqlParams {
        query,
        operation_name: operation_name.filter(|name| !name.is_empty()),
        variables: variables.unwrap_or_default(),
    };
    Ok(AskedParams { params, wants_cost })
}

/// What is too long is thrown away as it comes in, up to a point: a client that may not finish sending
/// sees a broken connection in place of the answer.
async fn collect_body(body: Body, most: usize) -> Result<Vec<u8>, NoDataReason> {
    let too_large = || {
        let message = format!("The body is longer than {most} bytes.");
        NoDataReason::failure(Code::QueryTooLarge, &message)
    };
    let patience = most.saturating_mul(DISCARD_FACTOR);
    // What is announced as far too long is refused before any of it is read.
    if usize::try_from(body.size_hint().lower()).is_ok_and(|length| length > patience) {
        return Err(too_large());
    }
    // Not reserved by the announced length: a client can announce what it never sends.
    let mut bytes = Vec::new();
    let mut length = 0_usize;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| {
            NoDataReason::Malformed("The connection ended before the whole body had arrived.")
        })?;
        length = length.saturating_add(chunk.len());
        // Here the rest is not read any more: a client could keep the connection busy for ever.
        if length > patience {
            break;
        }
        if length <= most {
            bytes.extend_from_slice(&chunk);
        }
    }
    if length > most {
        return Err(too_large());
    }
    Ok(bytes)
}
