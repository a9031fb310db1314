//! The types of the schema as the guard holds documents and variables against them.

use std::sync::LazyLock;

use async_graphql::Value;
use graphql_guard::{ScalarParser, SchemaTypes};

use super::schema_sdl;
use crate::scalar::{Date, parse_moment};

/// The types of the schema. Expensive to make: once for a process.
#[expect(
    clippy::panic,
    reason = "the schema is the program's own, and every test of the API reads it"
)]
pub static SCHEMA_TYPES: LazyLock<SchemaTypes> = LazyLock::new(|| {
    SchemaTypes::parse(&schema_sdl(), &SCALARS)
        .unwrap_or_else(|error| panic!("the schema cannot be read: {error}"))
});

const SCALARS: [(&str, ScalarParser); 3] = [
    ("Date", |value| {
        let day = text_of(value).and_then(Date::from_iso);
        day.map(|_| ())
            .ok_or_else(|| "This is not a day such as 2026-11-22.".to_owned())
    }),
    ("DateTime", |value| {
        let moment = text_of(value).and_then(parse_moment);
        moment
            .map(|_| ())
            .ok_or_else(|| "This is not a moment such as 2026-11-22T09:30:00Z.".to_owned())
    }),
    ("JSON", |value| match has_private_key(value) {
        true => Err("A key here is kept for the reader of JSON itself.".to_owned()),
        false => Ok(()),
    }),
];

/// Whether an object has a key that `serde_json` takes for an instruction: its value would be read as JSON again, past
/// the limits that it was counted by.
fn has_private_key(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            name.starts_with("$serde_json::private") || has_private_key(value)
        }),
        Value::List(items) => items.iter().any(has_private_key),
        _ => false,
    }
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}
