//! Rows of a feed as CSV or as a line of JSON each, cell by cell into one buffer, compressed where the client takes it.

use std::{io::Write, mem};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};

use crate::{
    bi::{
        model::dataset::{Column, ColumnType},
        model::value::ValueRef,
        source::row::DatasetRow,
    },
    error::{Error, Result},
    http::row::{CHUNK, JsonRowWriter, write_plain_cell},
    json::JsonWriter,
    sheet::{CsvCells, Dialect},
};

/// Room for a chunk, and for the row with which it is full.
const CAPACITY: usize = CHUNK + 4 * 1024;

/// The column that is no dataset's own: the cursor that resumes after the row.
pub const CURSOR: &str = "cursor";
/// The other one, of feeds of changes: whether the measurement has no row any more.
const IS_DELETED: &str = "is_deleted";

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedEncoding {
    Csv {
        dialect: Dialect,
        /// Whether texts that a spreadsheet would run as formulas are preceded by an apostrophe.
        guarded: bool,
    },
    Ndjson,
}

impl FeedEncoding {
    /// The form that an extension names.
    #[must_use]
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension {
            "csv" => Some(Self::Csv {
                dialect: Dialect::Comma,
                guarded: true,
            }),
            "ndjson" => Some(Self::Ndjson),
            _ => None,
        }
    }

    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Csv { .. } => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

/// The columns after those of a dataset.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExtraColumns {
    /// `is_deleted`: whether the row is a tombstone.
    pub is_deleted: bool,
    /// `cursor`: where to resume after the row.
    pub cursor: bool,
}

/// Writes rows.
pub struct FeedWriter {
    rows: RowBuffer,
    extra: ExtraColumns,
    gzip: Option<GzEncoder<Vec<u8>>>,
}

/// Rows that are written and not yet sent.
enum RowBuffer {
    Csv(CsvCells),
    Ndjson(JsonRowWriter, JsonWriter),
}

impl RowBuffer {
    fn written_bytes(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Csv(cells) => cells.bytes(),
            Self::Ndjson(_, out) => out.bytes(),
        }
    }
}

impl FeedWriter {
    /// A writer that has written the headings, where the format has them.
    pub fn new(
        encoding: FeedEncoding,
        columns: &[&'static Column],
        extra: ExtraColumns,
        gzip: bool,
    ) -> Self {
        let names = columns.iter().map(|column| column.name);
        let names = names.chain(extra.is_deleted.then_some(IS_DELETED));
        let names = names.chain(extra.cursor.then_some(CURSOR));
        let rows = match encoding {
            FeedEncoding::Csv { dialect, guarded } => {
                let cells = CsvCells::new(dialect, names, CAPACITY);
                RowBuffer::Csv(if guarded { cells } else { cells.unguarded() })
            }
            FeedEncoding::Ndjson => {
                let buffer = JsonWriter::appending_to(Vec::with_capacity(CAPACITY));
                RowBuffer::Ndjson(JsonRowWriter::new(names), buffer)
            }
        };
        Self {
            rows,
            extra,
            gzip: gzip.then(|| GzEncoder::new(Vec::new(), Compression::fast())),
        }
    }

    /// Writes a row.
    pub fn write_row(&mut self, row: &DatasetRow) -> Result<()> {
        let cursor = match self.extra.cursor {
            true => Some(row.key()?.encode()),
            false => None,
        };
        let is_deleted = self.extra.is_deleted.then(|| row.is_tombstone());
        match &mut self.rows {
            RowBuffer::Csv(cells) => {
                row.for_each_cell(|column, cell| write_csv_cell(cells, column.of, cell))?;
                if let Some(is_deleted) = is_deleted {
                    write_csv_cell(cells, ColumnType::Boolean, ValueRef::Boolean(is_deleted));
                }
                if let Some(cursor) = cursor {
                    cells.raw(|out| out.extend_from_slice(cursor.as_bytes()));
                }
                cells.end_row();
            }
            RowBuffer::Ndjson(object, out) => {
                let is_deleted = is_deleted.map(ValueRef::Boolean);
                let cursor = cursor.as_deref().map(ValueRef::Text);
                object.write(out, row, is_deleted.into_iter().chain(cursor))?;
                out.raw("\n");
            }
        }
        Ok(())
    }

    /// What has been written, once it is enough to be sent.
    pub fn take_full_chunk(&mut self) -> Result<Option<Bytes>> {
        if self.rows.written_bytes().len() < CHUNK {
            return Ok(None);
        }
        self.take_bytes(false).map(Some)
    }

    /// The rest.
    pub fn finish(mut self) -> Result<Bytes> {
        self.take_bytes(true)
    }

    fn take_bytes(&mut self, last: bool) -> Result<Bytes> {
        let written = self.rows.written_bytes();
        let Some(gzip) = &mut self.gzip else {
            // The written buffer is given away whole, without a copy; the next one is made as large at once.
            let next = Vec::with_capacity(CAPACITY);
            return Ok(mem::replace(written, next).into());
        };
        gzip.write_all(written).map_err(Error::internal)?;
        written.clear();
        if last {
            gzip.try_finish().map_err(Error::internal)?;
        }
        // What the encoder has given so far may be less than was written, or nothing: it holds back what it has not
        // packed yet.
        Ok(mem::take(gzip.get_mut()).into())
    }
}

/// A cell of CSV. Only what people wrote is guarded against becoming a formula.
fn write_csv_cell(cells: &mut CsvCells, of: ColumnType, cell: ValueRef<'_>) {
    let is_danish = cells.dialect() == Dialect::ExcelDa;
    match cell {
        ValueRef::Empty => cells.raw(|_| {}),
        ValueRef::Text(text) if matches!(of, ColumnType::Text) => cells.text(text),
        // Words of the API: capital letters and underscores.
        ValueRef::Text(text) => cells.raw(|out| out.extend_from_slice(text.as_bytes())),
        ValueRef::Number(number) => cells.raw(|out| write_number(out, number, is_danish)),
        other => cells.raw(|out| write_plain_cell(out, other)),
    }
}

/// A number in the shortest form that reads back the same. For programs whole ones have a point as well: a reader that
/// guesses types by what it meets first would else take the column for one of whole numbers, and round what comes later.
fn write_number(out: &mut Vec<u8>, number: f64, is_danish: bool) {
    let begun = out.len();
    // Writing into memory does not fail, nor does a number.
    serde_json::to_writer(&mut *out, &number).ok();
    if is_danish && out.ends_with(b".0") {
        out.truncate(out.len() - 2);
    }
    if is_danish && let Some(point) = out[begun..].iter_mut().find(|byte| **byte == b'.') {
        *point = b',';
    }
}
