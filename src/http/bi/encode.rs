//! Rows as CSV or as a line of JSON each, cell by cell into one buffer.

use std::{io::Write, mem};

use bytes::Bytes;
use chrono::{Datelike, NaiveDate, SecondsFormat};
use flate2::{Compression, write::GzEncoder};

use crate::{
    bi::{
        model::dataset::{Column, Type},
        model::value::ValueRef,
        source::row::DatasetRow,
    },
    error::{Error, Result},
    sheet::{Dialect, guarded},
};

/// How many bytes are collected before they are sent.
pub const CHUNK: usize = 64 * 1024;
/// Room for them, and for the row with which they are enough.
const CAPACITY: usize = CHUNK + 4 * 1024;

/// The column that is no dataset's own: where to go on behind the row.
pub const CURSOR: &str = "cursor";
/// The other one, that stands there where only what changed is asked for: whether a measurement has no row any more.
pub const IS_DELETED: &str = "is_deleted";

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedEncoding {
    Csv(Dialect),
    Ndjson,
}

impl FeedEncoding {
    /// The form that an extension names.
    #[must_use]
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension {
            "csv" => Some(Self::Csv(Dialect::Comma)),
            "ndjson" => Some(Self::Ndjson),
            _ => None,
        }
    }

    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Csv(_) => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

/// What stands behind the columns of a dataset.
#[derive(Clone, Copy, Debug, Default)]
pub struct Besides {
    /// Whether every row says whether it is one, or tells that a measurement has none any more.
    pub is_deleted: bool,
    /// Whether every row says where to go on behind it.
    pub cursor: bool,
}

/// Writes rows.
pub struct FeedWriter {
    lines: RowFormat,
    besides: Besides,
    /// What is written and not yet sent.
    written: Vec<u8>,
    gzip: Option<GzEncoder<Vec<u8>>>,
}

enum RowFormat {
    Csv(Dialect),
    /// What stands before each cell: `{"name":` or `,"name":`.
    Ndjson(Vec<String>),
}

impl FeedWriter {
    /// A writer that has written the heading, where the form has one.
    pub fn new(
        encoding: FeedEncoding,
        columns: &[&'static Column],
        besides: Besides,
        gzip: bool,
    ) -> Self {
        let names = columns.iter().map(|column| column.name);
        let names = names.chain(besides.is_deleted.then_some(IS_DELETED));
        let names: Vec<&str> = names.chain(besides.cursor.then_some(CURSOR)).collect();
        let mut written = Vec::with_capacity(CAPACITY);
        let lines = match encoding {
            FeedEncoding::Csv(dialect) => {
                if dialect == Dialect::ExcelDa {
                    written.extend_from_slice("\u{feff}".as_bytes());
                }
                let separator = char::from(dialect.separator()).to_string();
                written.extend_from_slice(names.join(&separator).as_bytes());
                written.extend_from_slice(b"\r\n");
                RowFormat::Csv(dialect)
            }
            FeedEncoding::Ndjson => {
                let before = names.iter().enumerate().map(|(at, name)| {
                    let open = if at == 0 { '{' } else { ',' };
                    format!("{open}\"{name}\":")
                });
                RowFormat::Ndjson(before.collect())
            }
        };
        Self {
            lines,
            besides,
            written,
            gzip: gzip.then(|| GzEncoder::new(Vec::new(), Compression::fast())),
        }
    }

    /// Writes a row.
    pub fn row(&mut self, row: &DatasetRow) -> Result<()> {
        let cursor = match self.besides.cursor {
            true => Some(row.place()?.cursor()),
            false => None,
        };
        let cursor = cursor.as_deref().map(ValueRef::Text);
        let is_deleted = self.besides.is_deleted;
        let besides = is_deleted.then(|| ValueRef::Boolean(row.is_deleted()));
        let besides = besides.into_iter().chain(cursor);
        let out = &mut self.written;
        match &self.lines {
            RowFormat::Csv(dialect) => {
                let begun = out.len();
                row.each(|column, cell| {
                    plain(out, column.of, cell, *dialect);
                    out.push(dialect.separator());
                })?;
                for cell in besides {
                    match cell {
                        ValueRef::Text(cursor) => out.extend_from_slice(cursor.as_bytes()),
                        other => bare(out, other),
                    }
                    out.push(dialect.separator());
                }
                out.truncate(out.len() - 1);
                if out.len() == begun {
                    // A line without anything would pass for none.
                    out.extend_from_slice(b"\"\"");
                }
                out.extend_from_slice(b"\r\n");
            }
            RowFormat::Ndjson(before) => {
                let mut before = before.iter();
                let mut write = |cell: ValueRef<'_>| {
                    out.extend_from_slice(before.next().map_or("", String::as_str).as_bytes());
                    json(out, cell);
                };
                row.each(|_, cell| write(cell))?;
                besides.for_each(&mut write);
                out.extend_from_slice(b"}\n");
            }
        }
        Ok(())
    }

    /// What has been written, once it is enough to be sent.
    pub fn chunk(&mut self) -> Result<Option<Bytes>> {
        if self.written.len() < CHUNK {
            return Ok(None);
        }
        self.taken(false).map(Some)
    }

    /// The rest.
    pub fn end(mut self) -> Result<Bytes> {
        self.taken(true)
    }

    fn taken(&mut self, last: bool) -> Result<Bytes> {
        let Some(gzip) = &mut self.gzip else {
            let next = Vec::with_capacity(CAPACITY);
            return Ok(mem::replace(&mut self.written, next).into());
        };
        gzip.write_all(&self.written).map_err(Error::internal)?;
        self.written.clear();
        if last {
            gzip.try_finish().map_err(Error::internal)?;
        }
        Ok(mem::take(gzip.get_mut()).into())
    }
}

/// A cell of CSV. Only what people wrote is guarded against becoming a formula, and needs quotes where it has a
/// separator, a quote or the end of a line in it.
fn plain(out: &mut Vec<u8>, of: Type, cell: ValueRef<'_>, dialect: Dialect) {
    match cell {
        ValueRef::Empty => {}
        ValueRef::Text(text) if matches!(of, Type::Text) => quoted(out, &guarded(text), dialect),
        ValueRef::Text(text) => out.extend_from_slice(text.as_bytes()),
        ValueRef::Number(number) => {
            let begun = out.len();
            written(out, &number);
            if out.ends_with(b".0") {
                out.truncate(out.len() - 2);
            }
            if dialect == Dialect::ExcelDa
                && let Some(point) = out[begun..].iter_mut().find(|byte| **byte == b'.')
            {
                *point = b',';
            }
        }
        other => bare(out, other),
    }
}

fn quoted(out: &mut Vec<u8>, text: &str, dialect: Dialect) {
    let special = |byte: u8| matches!(byte, b'"' | b'\r' | b'\n') || byte == dialect.separator();
    if !text.bytes().any(special) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

/// A cell of JSON.
pub fn json(out: &mut Vec<u8>, cell: ValueRef<'_>) {
    match cell {
        ValueRef::Empty => out.extend_from_slice(b"null"),
        ValueRef::Text(text) => written(out, text),
        ValueRef::Number(number) => written(out, &number),
        ValueRef::Integer(_) | ValueRef::Boolean(_) => bare(out, cell),
        ValueRef::Id(..) | ValueRef::Day(_) | ValueRef::Instant(_) => {
            out.push(b'"');
            bare(out, cell);
            out.push(b'"');
        }
    }
}

/// What both forms spell alike.
fn bare(out: &mut Vec<u8>, cell: ValueRef<'_>) {
    match cell {
        ValueRef::Id(prefix, id) => {
            out.extend_from_slice(prefix.as_bytes());
            out.push(b'_');
            let mut hex = [0; 32];
            out.extend_from_slice(id.simple().encode_lower(&mut hex).as_bytes());
        }
        ValueRef::Day(of) => day(out, of),
        ValueRef::Instant(at) => {
            let text = at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            out.extend_from_slice(text.as_bytes());
        }
        ValueRef::Integer(number) => written(out, &number),
        ValueRef::Boolean(truth) => out.extend_from_slice(if truth { b"true" } else { b"false" }),
        ValueRef::Empty | ValueRef::Text(_) | ValueRef::Number(_) => {}
    }
}

/// As JSON has it: a number in the shortest form that reads back the same. Writing into memory does not fail, nor does
/// any of these values.
fn written<V: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &V) {
    serde_json::to_writer(out, value).ok();
}

fn day(out: &mut Vec<u8>, day: NaiveDate) {
    let (year, month, of_month) = (day.year(), day.month(), day.day());
    let Ok(year) = u32::try_from(year) else {
        out.extend_from_slice(day.to_string().as_bytes());
        return;
    };
    if year > 9_999 {
        out.extend_from_slice(day.to_string().as_bytes());
        return;
    }
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
