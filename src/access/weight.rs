//! The bound on the text of one blueprint, checked at every commit that may exceed it: whoever loads a whole blueprint
//! into memory knows the most that it takes.

use entity::id::BlueprintId;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::Value as Json;

use crate::{
    database::Transaction,
    error::{Error, Result, UserErrorCode},
    fields::{FieldSpec, touchpoint},
};

/// Most bytes of all texts of one blueprint, archived parts included: 2 MiB.
pub const MOST_BYTES: u64 = 2 * 1024 * 1024;

/// Most bytes of a written row that cause no summing up. Short rows are bounded by the number of rows in a blueprint,
/// and the sum reads all of it.
const SHORT: usize = 256;

/// The tables with a column `blueprint_id`, and their columns of text; those of [`DESCRIBED`] are added.
const TEXTS: &[(&str, &[&str])] = &[
    ("phase", &["name", "customer_goal", "timing", "prompt"]),
    ("touchpoint", &["name"]),
    ("transition", &["condition"]),
    ("responsibility", &["tasks", "note", "reason"]),
    ("insight", &["text", "whys", "answer"]),
    ("source", &["title", "link", "note"]),
    ("improvement", &["title", "description", "result"]),
    ("scenario", &["name", "note"]),
    ("promise", &["text"]),
    ("evaluation", &["by_name", "conflict", "note"]),
];

/// Tables whose described fields are listed in `fields`.
const DESCRIBED: &[(&str, &[FieldSpec])] = &[("touchpoint", touchpoint::FIELDS)];

/// Whether the row in an event's body holds more than [`SHORT`] bytes of text.
pub(super) fn has_long_text(body: Option<&Json>) -> bool {
    body.is_some_and(|body| text_byte_count(body) > SHORT)
}

fn text_byte_count(body: &Json) -> usize {
    match body {
        Json::String(text) => text.len(),
        Json::Array(items) => items.iter().map(text_byte_count).sum(),
        Json::Object(fields) => fields.values().map(text_byte_count).sum(),
        _ => 0,
    }
}

/// Refuses a commit after which a blueprint would hold more than [`MOST_BYTES`]. Reads every text of the blueprint.
///
/// # Errors
/// LIMIT_EXCEEDED, which says how many KiB it would hold.
pub(super) async fn refuse_heavy_blueprint(tx: &Transaction, blueprint: BlueprintId) -> Result<()> {
    let held = |(table, columns): &(&str, &[&str])| {
        let described = DESCRIBED.iter().filter(|(of, _)| of == table);
        let described = described.flat_map(|(_, fields)| fields.iter());
        let texts = described.filter(|field| field.is_text);
        let lengths = columns
            .iter()
            .copied()
            .chain(texts.map(|field| field.column))
            // Bytes and not characters, as memory holds bytes; cast, since some of these columns hold JSON. One NULL
            // would make the whole sum NULL.
            .map(|column| format!("COALESCE(octet_length(CAST({column} AS text)), 0)"));
        let lengths: Vec<String> = lengths.collect();
        format!(
            "(SELECT COALESCE(SUM({}), 0) FROM {table} WHERE blueprint_id = $1)",
            lengths.join(" + ")
        )
    };
    let all: Vec<String> = TEXTS.iter().map(held).collect();
    // One statement for all tables: the locks of the act are held meanwhile.
    let sql = format!("SELECT CAST({} AS bigint) AS bytes", all.join(" + "));
    let statement =
        Statement::from_sql_and_values(tx.get_database_backend(), sql, [blueprint.into()]);
    let row = tx.query_one_raw(statement).await?;
    let bytes: i64 = row.map_or(Ok(0), |row| row.try_get("", "bytes"))?;
    if u64::try_from(bytes).unwrap_or_default() <= MOST_BYTES {
        return Ok(());
    }
    let message = format!(
        "With this the blueprint would hold {} KiB of text; {} KiB is the most. Shorten what is long, or make two \
         blueprints of it.",
        bytes / 1024,
        MOST_BYTES / 1024
    );
    Err(Error::fault(
        "",
        UserErrorCode::LimitExceeded,
        None,
        message,
    ))
}
