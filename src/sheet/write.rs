//! Writes a sheet, cell by cell and row by row, into whatever takes bytes. It holds nothing but a small buffer.

use std::io::{self, Write};

use csv::{Terminator, WriterBuilder};

use super::{
    dialect::{Dialect, MARK},
    guard::guarded,
};

/// A sheet that is being written.
pub struct Writer<W: Write> {
    rows: csv::Writer<W>,
    dialect: Dialect,
}

impl<W: Write> Writer<W> {
    /// Begins a sheet with its headings.
    pub fn new(mut sink: W, dialect: Dialect, headings: &[&str]) -> io::Result<Self> {
        if dialect == Dialect::ExcelDa {
            sink.write_all(MARK)?;
        }
        let rows = WriterBuilder::new()
            .delimiter(dialect.separator())
            .terminator(Terminator::CRLF)
            .from_writer(sink);
        let mut writer = Self { rows, dialect };
        for heading in headings {
            writer.plain(heading)?;
        }
        writer.end_row()?;
        Ok(writer)
    }

    /// A text that people wrote, guarded against being taken for a formula.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.plain(&guarded(text))
    }

    /// A word, an id, a day or a whole number: what this program spelled, as it is. A number is never guarded, or no
    /// program would add it up.
    pub fn plain(&mut self, text: &str) -> io::Result<()> {
        Ok(self.rows.write_field(text)?)
    }

    /// A number, with the dialect's decimal point.
    pub fn number(&mut self, number: f64) -> io::Result<()> {
        let text = self.dialect.number(number);
        self.plain(&text)
    }

    /// A cell with nothing in it.
    pub fn empty(&mut self) -> io::Result<()> {
        self.plain("")
    }

    /// Ends a row.
    pub fn end_row(&mut self) -> io::Result<()> {
        Ok(self.rows.write_record(None::<&[u8]>)?)
    }

    /// Writes out what is held back, and gives back what it was written into.
    pub fn finish(self) -> io::Result<W> {
        self.rows
            .into_inner()
            .map_err(|error| io::Error::other(error.error().to_string()))
    }
}
