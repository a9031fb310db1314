//! Reads a sheet row by row: dialect and columns from its heading line, then one row at a time.

use std::{
    collections::HashMap,
    io::{BufRead, Chain, Cursor, Read},
};

use csv::{ByteRecord, ErrorKind, ReaderBuilder};

use super::{
    bounds::{MOST_COLUMNS, SheetBounds},
    cell::{CellRef, SheetCell},
    check::{CsvCheckingReader, MalformedCsv},
    dialect::{Dialect, MARK},
};
use crate::{
    error::{Error, Result, UserErrorCode},
    input::Faults,
    text::quote_for_message,
};

/// The advice for a text that is not UTF-8.
const SAVE_AS: &str = "Save the sheet as \"CSV UTF-8\".";

/// An iterator over the rows of a sheet. A fault of one row is that row's item, and reading goes on; a fault of the
/// text itself (encoding, quotation marks, length) is the last item.
pub struct SheetReader<R> {
    rows: csv::Reader<CsvCheckingReader<Chain<Cursor<Vec<u8>>, R>>>,
    dialect: Dialect,
    headings: SheetRow,
    /// Rows that may still come, the headings included.
    left: usize,
    most: usize,
    ended: bool,
}

/// A row: its place, and its cells as they were written.
#[derive(Clone, Debug)]
pub struct SheetRow {
    pub place: CellRef,
    cells: Vec<String>,
    dialect: Dialect,
}

/// The indices of the known columns that a sheet has.
#[derive(Clone, Debug, Default)]
pub struct SheetColumns(HashMap<&'static str, usize>);

impl<R: BufRead> SheetReader<R> {
    /// Opens a sheet with at most `most` rows below its headings.
    pub fn open(source: R, most: usize) -> Result<Self> {
        Self::open_as(source, SheetBounds::with_rows(most), None)
    }

    /// Opens a sheet in a dialect, or in the one that its heading line shows.
    ///
    /// # Errors
    /// It cannot be read, is no UTF-8, or has no headings.
    pub fn open_as(mut source: R, bounds: SheetBounds, dialect: Option<Dialect>) -> Result<Self> {
        let mut head = Vec::new();
        let limit = bounds.cell as u64;
        // Only the lines up to the first that holds something are looked at in advance, and no more of them than a cell
        // may have: a file without an end of line must not come into memory.
        let first = CellRef::first();
        loop {
            let before = head.len();
            let rest = limit.saturating_sub(before as u64);
            let read = source.by_ref().take(rest).read_until(b'\n', &mut head);
            read.map_err(|error| unreadable_error(&first, &error))?;
            let line = head.get(before..).unwrap_or_default();
            let line = line.strip_prefix(MARK).unwrap_or(line);
            if head.len() == before || !line.trim_ascii().is_empty() {
                break;
            }
        }
        // "Unicode text" of Excel is UTF-16: said in words, since byte after byte would be told to be no UTF-8.
        if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || head.contains(&0) {
            let message = format!("This is UTF-16, or no text at all. {SAVE_AS}");
            return Err(first.to_error(UserErrorCode::Invalid, message));
        }
        if head.starts_with(MARK) {
            head.drain(..MARK.len());
        }
        let mut lines = head.split(|byte| matches!(byte, b'\n' | b'\r'));
        let line = lines.find(|line| !line.trim_ascii().is_empty());
        let line = line.unwrap_or_default();
        let separator_line = Dialect::from_separator_line(line, dialect)
            .map_err(|message| first.to_error(UserErrorCode::Invalid, message))?;
        let dialect = separator_line
            .or(dialect)
            .unwrap_or_else(|| Dialect::from_heading(line));
        let source = Cursor::new(head).chain(source);
        let checked = CsvCheckingReader::new(source, dialect.separator(), bounds);
        let rows = ReaderBuilder::new()
            .has_headers(false)
            // Rows that are too wide are refused in `decode_and_check_row`, which names their place as people find it,
            // and reading goes on.
            .flexible(true)
            .delimiter(dialect.separator())
            .from_reader(checked);
        let headings = SheetRow {
            place: first.clone(),
            cells: Vec::new(),
            dialect,
        };
        let mut reader = Self {
            rows,
            dialect,
            headings,
            // One more, for the headings, and one for the line before them.
            left: bounds.rows + 1 + usize::from(separator_line.is_some()),
            most: bounds.rows,
            ended: false,
        };
        if separator_line.is_some() {
            reader.next_row()?;
        }
        let Some(headings) = reader.next_row()? else {
            let message = "The sheet is empty. Its first line names the columns.";
            return Err(first.to_error(UserErrorCode::Required, message));
        };
        reader.headings = headings;
        Ok(reader)
    }
}

impl<R: Read> SheetReader<R> {
    /// The dialect of the sheet.
    #[cfg(test)]
    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Which of the known columns the sheet has, however their letters are cased and their words joined. Unknown ones,
    /// and those that stand there twice, are faults.
    pub fn columns(&self, known: &[&'static str], faults: &mut Faults) -> SheetColumns {
        self.find_columns_with_aliases(known, &[], faults)
    }

    /// [`SheetReader::columns`], where columns have further names: pairs of such a name and that of the column.
    pub fn find_columns_with_aliases(
        &self,
        known: &[&'static str],
        aliases: &[(&str, &'static str)],
        faults: &mut Faults,
    ) -> SheetColumns {
        let mut columns = HashMap::new();
        for (at, heading) in self.headings.cells.iter().enumerate() {
            let told = quote_for_message(heading.trim());
            let place = self.headings.place.with_column(Some(at), "");
            let said = fold_heading(heading);
            let other = || aliases.iter().find(|(name, _)| fold_heading(name) == said);
            let found = known.iter().find(|name| fold_heading(name) == said);
            let found = found.or_else(|| other().map(|(_, name)| name));
            match found {
                // Excel saves empty columns at the end of a sheet; that their cells are empty too is checked row by
                // row.
                None if told.is_empty() => {}
                None => {
                    let message = format!(
                        "There is no column \"{told}\". The columns are {}.",
                        known.join(", ")
                    );
                    place.add_fault(UserErrorCode::Invalid, message, faults);
                }
                Some(name) => {
                    if columns.insert(*name, at).is_some() {
                        let message = format!("The column {name} is there twice.");
                        place.add_fault(UserErrorCode::Duplicate, message, faults);
                    }
                }
            }
        }
        SheetColumns(columns)
    }

    /// The next row that is not empty, with a cell for each heading.
    fn next_row(&mut self) -> Result<Option<SheetRow>> {
        let mut record = ByteRecord::new();
        loop {
            match self.rows.read_byte_record(&mut record) {
                Ok(false) => return Ok(None),
                Ok(true) => {}
                Err(error) => {
                    self.ended = true;
                    return Err(self.convert_csv_error(error));
                }
            }
            let place = self.rows.get_mut().next_row_start().unwrap_or_default();
            let row = self.decode_and_check_row(&record, place)?;
            // Excel saves rows that were cleared as separators alone.
            if row.cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let Some(left) = self.left.checked_sub(1) else {
                self.ended = true;
                let message = format!("There are more than {} rows.", self.most);
                return Err(row.place.to_error(UserErrorCode::LimitExceeded, message));
            };
            self.left = left;
            return Ok(Some(row));
        }
    }

    /// A row as text, as wide as the headings.
    fn decode_and_check_row(&self, record: &ByteRecord, place: CellRef) -> Result<SheetRow> {
        let mut cells = Vec::with_capacity(record.len().min(MOST_COLUMNS));
        let width = self.headings.cells.len();
        for (at, bytes) in record.iter().enumerate() {
            let name = self.headings.cells.get(at).map_or("", |name| name.trim());
            let here = || place.with_column(Some(at), &quote_for_message(name));
            let text = std::str::from_utf8(bytes).map_err(|wrong| {
                let byte = bytes.get(wrong.valid_up_to()).copied().unwrap_or_default();
                let message = format!("The byte {byte:02X} is no UTF-8. {SAVE_AS}");
                here().to_error(UserErrorCode::Invalid, message)
            })?;
            // The headings themselves are read when there is no width yet.
            let beyond = width > 0 && name.is_empty();
            if beyond && !text.trim().is_empty() {
                let message = "This cell is under no heading.";
                return Err(here().to_error(UserErrorCode::Invalid, message));
            }
            if at < width || width == 0 {
                cells.push(text.to_owned());
            }
        }
        // Many programs leave out the separators behind the last cell that holds something.
        cells.resize(cells.len().max(width), String::new());
        Ok(SheetRow {
            place,
            cells,
            dialect: self.dialect,
        })
    }

    fn convert_csv_error(&self, error: csv::Error) -> Error {
        let here = self.rows.get_ref().last_byte_place();
        match error.into_kind() {
            ErrorKind::Io(error) => match error.downcast::<MalformedCsv>() {
                Ok(wrong) => {
                    let at = wrong
                        .place
                        .column
                        .and_then(|at| self.headings.cells.get(at));
                    let name = at.map_or_else(String::new, |name| quote_for_message(name.trim()));
                    wrong
                        .place
                        .with_column(wrong.place.column, &name)
                        .to_error(wrong.code, wrong.message)
                }
                Err(error) => unreadable_error(here, &error),
            },
            // The rest is about texts and typed rows, of which it is asked for none.
            _ => here.to_error(UserErrorCode::Invalid, "This is no CSV."),
        }
    }
}

fn unreadable_error(place: &CellRef, error: &std::io::Error) -> Error {
    place.to_error(
        UserErrorCode::Invalid,
        format!("It cannot be read: {error}."),
    )
}

impl<R: Read> Iterator for SheetReader<R> {
    type Item = Result<SheetRow>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = self.next_row().transpose();
        self.ended |= row.is_none();
        row
    }
}

impl SheetColumns {
    /// Whether the sheet has this column.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The cell of a row in this column; nothing where the sheet does not have it.
    #[must_use]
    pub fn cell<'r>(&self, row: &'r SheetRow, name: &str) -> Option<SheetCell<'r>> {
        let at = *self.0.get(name)?;
        Some(SheetCell {
            raw: row.cells.get(at)?,
            dialect: row.dialect,
            place: self.cell_ref(row, name),
        })
    }

    /// Adds a fault for each of these columns that the sheet does not have.
    pub fn add_missing_column_faults(&self, names: &[&str], faults: &mut Faults) {
        for name in names.iter().filter(|name| !self.has(name)) {
            let message = format!("There is no column \"{name}\", and it takes one.");
            CellRef::first().add_fault(UserErrorCode::Required, message, faults);
        }
    }

    /// The place of this column in a row.
    #[must_use]
    pub fn cell_ref(&self, row: &SheetRow, name: &str) -> CellRef {
        self.cell_ref_at(&row.place, name)
    }

    /// The place of this column in the row at a place.
    #[must_use]
    pub fn cell_ref_at(&self, row: &CellRef, name: &str) -> CellRef {
        row.with_column(self.0.get(name).copied(), name)
    }
}

/// A heading as it is compared: small letters and digits alone.
fn fold_heading(heading: &str) -> String {
    let letters = heading.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}
