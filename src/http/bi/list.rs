//! `GET /bi/v1`: which datasets there are, and what is in them.

use axum::{
    Json,
    extract::{Extension, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{
    access::Caller,
    bi::{
        catalogue,
        model::dataset::{Column, ColumnType, Dataset, SeriesPeriods},
        series::Dimension,
    },
    error::Result,
    http::{
        app::App, auth, forwarded::forwarded_prefix, problem::error_response_offering_basic,
        request_id::RequestId,
    },
    judgement::period::Grain,
};

/// Answers with every dataset that the caller may pull from.
pub async fn serve(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    headers: HeaderMap,
) -> Response {
    let caller = match auth::identify_program(&app, &headers, &id).await {
        Ok(caller) => caller,
        Err(error) => return error_response_offering_basic(&error, &id),
    };
    match pullable_datasets(&caller) {
        Ok(pulled) => {
            let prefix = forwarded_prefix(&headers, app.forwarded_hops);
            let told = pulled.into_iter();
            let told: Vec<Value> = told
                .map(|dataset| describe_dataset(dataset, prefix))
                .collect();
            Json(json!({ "datasets": told })).into_response()
        }
        Err(error) => error_response_offering_basic(&error, &id),
    }
}

/// Every dataset that somebody may pull from; they are refused where there is none.
pub fn pullable_datasets(caller: &Caller) -> Result<Vec<&'static Dataset>> {
    let mut pulled = Vec::new();
    for dataset in catalogue::ALL.iter().copied() {
        match caller.require_reach(dataset.permission) {
            Ok(_) => pulled.push(dataset),
            Err(error) if pulled.is_empty() => return Err(error),
            Err(_) => {}
        }
    }
    Ok(pulled)
}

fn describe_dataset(dataset: &Dataset, prefix: &str) -> Value {
    let columns: Vec<Value> = dataset.columns.iter().map(describe_column).collect();
    let filters = dataset.filters.iter();
    let filters: Vec<Value> = filters
        .map(|filter| json!({ "name": filter.name, "column": filter.column }))
        .collect();
    let mut told = json!({
        "name": dataset.name,
        "description": dataset.description,
        "permission": dataset.permission.as_str(),
        "csv": format!("{prefix}/bi/v1/{}.csv", dataset.name),
        "ndjson": format!("{prefix}/bi/v1/{}.ndjson", dataset.name),
        "rangeOfDays": dataset.needs_days,
        "day": dataset.day,
        "uncounted": dataset.published_only,
        "updatedSince": dataset.is_of_measurements(),
        "filters": filters,
        "columns": columns,
    });
    if dataset.series_periods() == Some(SeriesPeriods::Asked) {
        told["grain"] = json!(Grain::ALL.map(Grain::as_str));
    }
    if dataset.is_series() {
        told["by"] = json!(Dimension::ALL.map(Dimension::as_str));
    }
    told
}

fn describe_column(column: &Column) -> Value {
    let mut told = json!({
        "name": column.name,
        "type": column.of.name(),
        "nullable": column.nullable,
        "description": column.description,
    });
    match column.of {
        ColumnType::Id(prefix) => told["prefix"] = prefix.into(),
        ColumnType::Word(words) => told["words"] = words().into(),
        _ => {}
    }
    told
}
