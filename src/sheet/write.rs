//! Writes CSV: cells and rows into a buffer, or a whole sheet into whatever takes bytes.
//!
//! This is the only writer of CSV, sheets and feeds alike. The crate `csv` writes the same bytes, field by field
//! through a state machine; a feed writes tens of millions of cells of which most are known to need no quotation marks.

use std::io::{self, Write};

use super::{
    dialect::{Dialect, MARK},
    guard::add_guard,
};

/// Cells of CSV in a buffer: separators and the ends of lines are its own to write.
#[derive(Debug)]
pub struct CsvCells {
    bytes: Vec<u8>,
    dialect: Dialect,
    /// Whether texts are guarded against being taken for formulas.
    guarded: bool,
    /// Where the current row begins in `bytes`; nothing before its first cell.
    row: Option<usize>,
}

impl CsvCells {
    /// The beginning of a sheet: the mark that Excel knows UTF-8 by, where the dialect has it, and the headings.
    #[must_use]
    pub fn new<'h>(
        dialect: Dialect,
        headings: impl IntoIterator<Item = &'h str>,
        capacity: usize,
    ) -> Self {
        let mut cells = Self {
            bytes: Vec::with_capacity(capacity),
            dialect,
            guarded: true,
            row: None,
        };
        if dialect == Dialect::ExcelDa {
            cells.bytes.extend_from_slice(MARK);
        }
        for heading in headings {
            cells.plain(heading);
        }
        cells.end_row();
        cells
    }

    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Bytes that are written and not yet taken.
    #[must_use]
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// A cell that cannot have a separator, a quotation mark or the end of a line in it, written by the caller.
    pub fn raw(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        match self.row {
            Some(_) => self.bytes.push(self.dialect.separator()),
            None => self.row = Some(self.bytes.len()),
        }
        write(&mut self.bytes);
    }

    /// A cell as it is, in quotation marks where it needs them.
    pub fn plain(&mut self, text: &str) {
        let separator = self.dialect.separator();
        let special = |byte: u8| matches!(byte, b'"' | b'\r' | b'\n') || byte == separator;
        let is_quoted = text.bytes().any(special);
        self.raw(|bytes| {
            if !is_quoted {
                return bytes.extend_from_slice(text.as_bytes());
            }
            bytes.push(b'"');
            bytes.extend_from_slice(text.replace('"', "\"\"").as_bytes());
            bytes.push(b'"');
        });
    }

    /// A text that people wrote, guarded against being taken for a formula unless programs read it.
    pub fn text(&mut self, text: &str) {
        match self.guarded {
            true => self.plain(&add_guard(text)),
            false => self.plain(text),
        }
    }

    /// The same without the guard: for programs, which join texts with those of other sources.
    #[must_use]
    pub fn unguarded(self) -> Self {
        Self {
            guarded: false,
            ..self
        }
    }

    /// Ends a row.
    pub fn end_row(&mut self) {
        if self.row.take() == Some(self.bytes.len()) {
            // Readers skip an empty line, and would lose a row of one empty cell.
            self.bytes.extend_from_slice(b"\"\"");
        }
        self.bytes.extend_from_slice(b"\r\n");
    }
}

/// A sheet that is being written, row by row.
pub struct CsvWriter<W: Write> {
    sink: W,
    cells: CsvCells,
}

impl<W: Write> CsvWriter<W> {
    /// Begins a sheet with its headings.
    pub fn new(sink: W, dialect: Dialect, headings: &[&str]) -> io::Result<Self> {
        let cells = CsvCells::new(dialect, headings.iter().copied(), 0);
        Ok(Self { sink, cells })
    }

    /// A text that people wrote, guarded against being taken for a formula.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.cells.text(text);
        Ok(())
    }

    /// A word, an id, a day or a whole number: what this program spelled, as it is. A number is never guarded, or no
    /// program would add it up.
    pub fn plain(&mut self, text: &str) -> io::Result<()> {
        self.cells.plain(text);
        Ok(())
    }

    /// A number, with the dialect's decimal point.
    pub fn number(&mut self, number: f64) -> io::Result<()> {
        let text = self.cells.dialect().format_number(number);
        self.plain(&text)
    }

    /// A cell with nothing in it.
    pub fn empty(&mut self) -> io::Result<()> {
        self.plain("")
    }

    /// Ends a row, and writes it.
    pub fn end_row(&mut self) -> io::Result<()> {
        self.cells.end_row();
        self.sink.write_all(&self.cells.bytes)?;
        self.cells.bytes.clear();
        Ok(())
    }

    /// Gives back what it was written into. Headings without a row below them are written here.
    pub fn finish(mut self) -> io::Result<W> {
        self.sink.write_all(&self.cells.bytes)?;
        Ok(self.sink)
    }
}
