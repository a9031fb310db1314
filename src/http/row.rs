//! Rows of a dataset as JSON objects, and the spelling of cells that CSV and JSON share: feeds and OData write the same
//! values alike.

use chrono::{Datelike, NaiveDate, SecondsFormat};

use crate::{
    bi::{model::value::ValueRef, source::row::DatasetRow},
    error::Result,
    json::{JsonWriter, write_unquoted_id},
};

/// Bytes that are collected before they are sent or compressed.
pub(super) const CHUNK: usize = 64 * 1024;

/// Writes rows as JSON objects whose keys are spelled once, not row by row.
#[derive(Debug)]
pub(super) struct JsonRowWriter {
    /// What stands before each value: `{"name":` or `,"name":`.
    keys: Vec<String>,
}

impl JsonRowWriter {
    /// Objects with these keys, of which there is at least one.
    #[must_use]
    pub(super) fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let keys = names.into_iter().enumerate().map(|(at, name)| {
            let open = if at == 0 { '{' } else { ',' };
            format!("{open}\"{name}\":")
        });
        Self {
            keys: keys.collect(),
        }
    }

    /// Writes a row's cells and those after them, as far as there are keys: what a row has besides, to be ordered by,
    /// is not shown.
    pub(super) fn write<'v>(
        &self,
        out: &mut JsonWriter,
        row: &DatasetRow,
        further: impl IntoIterator<Item = ValueRef<'v>>,
    ) -> Result<()> {
        let mut keys = self.keys.iter();
        let mut write = |cell: ValueRef<'_>| {
            if let Some(key) = keys.next() {
                out.raw(key);
                write_json_cell(out, cell);
            }
        };
        row.for_each_cell(|_, cell| write(cell))?;
        further.into_iter().for_each(&mut write);
        out.raw("}");
        Ok(())
    }
}

/// A cell as JSON.
fn write_json_cell(out: &mut JsonWriter, cell: ValueRef<'_>) {
    match cell {
        ValueRef::Empty => out.raw("null"),
        ValueRef::Text(text) => out.value(text),
        ValueRef::Number(number) => out.value(&number),
        ValueRef::Integer(_) | ValueRef::Boolean(_) => write_plain_cell(out.bytes(), cell),
        ValueRef::Id(..) | ValueRef::Day(_) | ValueRef::Instant(_) => {
            out.raw("\"");
            write_plain_cell(out.bytes(), cell);
            out.raw("\"");
        }
    }
}

/// A cell whose spelling needs neither quotation marks nor escapes in any format; nothing for any other.
pub(super) fn write_plain_cell(out: &mut Vec<u8>, cell: ValueRef<'_>) {
    match cell {
        ValueRef::Id(prefix, id) => write_unquoted_id(out, prefix, id),
        ValueRef::Day(day) => write_day(out, day),
        ValueRef::Instant(at) => {
            let text = at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            out.extend_from_slice(text.as_bytes());
        }
        ValueRef::Integer(number) => {
            // Writing into memory does not fail, nor does a whole number.
            serde_json::to_writer(out, &number).ok();
        }
        ValueRef::Boolean(truth) => out.extend_from_slice(if truth { b"true" } else { b"false" }),
        ValueRef::Empty | ValueRef::Text(_) | ValueRef::Number(_) => {}
    }
}

/// A day as `2025-03-01`. By hand, because formatting it costs more than all other cells of a row of facts together.
fn write_day(out: &mut Vec<u8>, day: NaiveDate) {
    let (year, month, of_month) = (day.year(), day.month(), day.day());
    let year = match u32::try_from(year) {
        Ok(year) if year <= 9_999 => year,
        // ISO 8601 gives years beyond four digits a sign, which chrono knows.
        _ => return out.extend_from_slice(day.to_string().as_bytes()),
    };
    let digit = |number: u32| b'0' + u8::try_from(number % 10).unwrap_or_default();
    out.extend_from_slice(&[
        digit(year / 1_000),
        digit(year / 100),
        digit(year / 10),
        digit(year),
        b'-',
        digit(month / 10),
        digit(month),
        b'-',
        digit(of_month / 10),
        digit(of_month),
    ]);
}
