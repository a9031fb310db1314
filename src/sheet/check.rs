//! Checks the bytes on their way to the CSV reader: what is malformed, or longer than its bounds, is refused at its
//! line and column. The reader itself takes anything for CSV and rows of any size.

use std::{
    collections::VecDeque,
    io::{self, Read},
};

use super::{
    bounds::{MOST_COLUMNS, SheetBounds},
    cell::CellRef,
};
use crate::error::UserErrorCode;

/// A fault of the text, on its way through the reader's errors, which are all `io::Error`s.
#[derive(Clone, Debug)]
pub(super) struct MalformedCsv {
    pub place: CellRef,
    pub code: UserErrorCode,
    pub message: String,
}

impl std::fmt::Display for MalformedCsv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for MalformedCsv {}

/// The state after the last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ScanState {
    /// Before the first cell of a row.
    Row,
    /// Before a further cell.
    Cell,
    /// In a cell without quotation marks.
    Plain,
    /// In one with.
    Quoted,
    /// After a quotation mark inside such a one: it ends there, or the mark is written twice.
    Closing,
}

/// A source whose bytes are well-formed CSV, up to its first error.
pub(super) struct CsvCheckingReader<R> {
    source: R,
    separator: u8,
    bounds: SheetBounds,
    state: ScanState,
    /// The beginning of the present row, and the column of the present cell.
    place: CellRef,
    line: u64,
    row: u64,
    cell_bytes: usize,
    row_bytes: usize,
    after_return: bool,
    starts: VecDeque<CellRef>,
    malformed: Option<MalformedCsv>,
}

impl<R> CsvCheckingReader<R> {
    pub(super) fn new(source: R, separator: u8, bounds: SheetBounds) -> Self {
        Self {
            source,
            separator,
            bounds,
            state: ScanState::Row,
            place: CellRef::first(),
            line: 1,
            row: 1,
            cell_bytes: 0,
            row_bytes: 0,
            after_return: false,
            starts: VecDeque::new(),
            malformed: None,
        }
    }

    /// The place of the next row that the reader has not returned yet: it reads ahead.
    pub(super) fn next_row_start(&mut self) -> Option<CellRef> {
        self.starts.pop_front()
    }

    /// The place of the last byte that was read.
    pub(super) fn last_byte_place(&self) -> &CellRef {
        &self.place
    }

    fn malformed(&self, code: UserErrorCode, message: impl Into<String>) -> MalformedCsv {
        MalformedCsv {
            place: self.place.clone(),
            code,
            message: message.into(),
        }
    }

    fn scan_byte(&mut self, byte: u8) -> Result<(), MalformedCsv> {
        let ends_line = matches!(byte, b'\n' | b'\r');
        // A line ends at \n, at \r, or at both.
        let second = byte == b'\n' && std::mem::take(&mut self.after_return);
        self.after_return = byte == b'\r';
        if byte == 0 {
            let message = "There is a NUL character. Save the sheet as \"CSV UTF-8\".";
            return Err(self.malformed(UserErrorCode::Invalid, message));
        }
        self.count_byte()?;
        let quoted = matches!(self.state, ScanState::Quoted);
        match (self.state, byte) {
            (ScanState::Row | ScanState::Cell, b'"') => self.begin_cell(ScanState::Quoted),
            (ScanState::Closing, b'"') => self.state = ScanState::Quoted,
            (ScanState::Quoted, b'"') => self.state = ScanState::Closing,
            (ScanState::Quoted, _) => {}
            // An empty line is no row: the reader skips it, so no beginning is noted for it.
            (ScanState::Row, _) if ends_line => {}
            (_, _) if ends_line => self.state = ScanState::Row,
            (ScanState::Row, _) if byte == self.separator => {
                self.begin_cell(ScanState::Plain);
                self.end_cell()?;
            }
            (_, _) if byte == self.separator => self.end_cell()?,
            (ScanState::Row | ScanState::Cell, _) => self.begin_cell(ScanState::Plain),
            (ScanState::Plain, b'"') => {
                let message = "A quotation mark stands in a cell that does not begin with one. Put the cell into \
                               quotation marks, and write each of its own twice.";
                return Err(self.malformed(UserErrorCode::Invalid, message));
            }
            (ScanState::Closing, _) => {
                let message = format!(
                    "Something follows the quotation mark that ends this cell on line {}. A quotation mark inside a \
                     cell is written twice.",
                    self.line
                );
                return Err(self.malformed(UserErrorCode::Invalid, message));
            }
            (ScanState::Plain, _) => {}
        }
        if ends_line && !second {
            self.line += 1;
            self.row += u64::from(!quoted);
        }
        Ok(())
    }

    /// Begins a cell, and with the first one a row.
    fn begin_cell(&mut self, state: ScanState) {
        if self.state == ScanState::Row {
            self.place = CellRef {
                line: self.line,
                row: self.row,
                column: Some(0),
                heading: String::new(),
            };
            self.starts.push_back(self.place.with_column(None, ""));
            // The byte that begins it is counted already.
            (self.cell_bytes, self.row_bytes) = (1, 1);
        }
        self.state = state;
    }

    fn end_cell(&mut self) -> Result<(), MalformedCsv> {
        self.state = ScanState::Cell;
        self.cell_bytes = 0;
        self.place.column = self.place.column.map(|column| column + 1);
        if self.place.column.is_some_and(|at| at >= MOST_COLUMNS) {
            let message = format!("There are more than {MOST_COLUMNS} columns.");
            return Err(self.malformed(UserErrorCode::LimitExceeded, message));
        }
        Ok(())
    }

    fn count_byte(&mut self) -> Result<(), MalformedCsv> {
        self.cell_bytes += 1;
        self.row_bytes += 1;
        if self.state == ScanState::Row {
            return Ok(());
        }
        let (what, longest) = if self.cell_bytes > self.bounds.cell {
            ("cell", self.bounds.cell)
        } else if self.row_bytes > self.bounds.row {
            ("row", self.bounds.row)
        } else {
            return Ok(());
        };
        let message = format!(
            "This {what} is longer than {}. A quotation mark that is never closed makes one of all that follows.",
            format_bytes(longest)
        );
        Err(self.malformed(UserErrorCode::TooLong, message))
    }
}

/// A number of bytes, for people.
fn format_bytes(bytes: usize) -> String {
    match bytes >> 20 {
        0 => format!("{} KiB", bytes >> 10),
        mebibytes => format!("{mebibytes} MiB"),
    }
}

impl<R: Read> Read for CsvCheckingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(malformed) = self.malformed.take() {
            return Err(io::Error::other(malformed));
        }
        let length = self.source.read(buffer)?;
        // The reader would take the rest of the file for one cell and say nothing.
        if length == 0 && self.state == ScanState::Quoted {
            let message = "The quotation mark that begins this cell is never closed.";
            return Err(io::Error::other(
                self.malformed(UserErrorCode::Invalid, message),
            ));
        }
        for (at, byte) in buffer.iter().take(length).enumerate() {
            if let Err(malformed) = self.scan_byte(*byte) {
                // What stands before it is read first.
                self.malformed = Some(malformed);
                if at > 0 {
                    return Ok(at);
                }
                return self.read(buffer);
            }
        }
        Ok(length)
    }
}
