//! Sheets: rows of cells as spreadsheets save and open them (CSV), read with every fault at its line and column and
//! written so that no text becomes a formula. It knows no blueprint, and holds one row at a time.

mod cell;
mod check;
mod read;
mod spool;
mod write;

use std::borrow::Cow;

use async_graphql::Enum;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

pub use cell::{BETWEEN, Cell, Place, escaped, items, parted, told, unescaped};
pub use read::{Columns, Reader, Row};
pub use spool::{Spool, Spooled};
pub use write::Writer;

#[cfg(test)]
mod tests;

/// Longest cell that is read, in bytes.
pub const LONGEST_CELL: usize = 1 << 20;
/// Longest row that is read, in bytes.
pub const LONGEST_ROW: usize = 4 << 20;
/// Longest row that is read of a sheet of short ones, in bytes.
pub const LONGEST_SHORT_ROW: usize = 64 << 10;
/// Most columns of a sheet that is read.
pub const MOST_COLUMNS: usize = 200;

/// How large a sheet may be that is read.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Rows below the headings.
    pub rows: usize,
    /// Bytes of a cell.
    pub cell: usize,
    /// Bytes of a row.
    pub row: usize,
}

impl Bounds {
    /// So many rows that people wrote.
    #[must_use]
    pub const fn rows(rows: usize) -> Self {
        Self {
            rows,
            cell: LONGEST_CELL,
            row: LONGEST_ROW,
        }
    }

    /// So many rows of a few short cells, as programs write them.
    #[must_use]
    pub const fn short_rows(rows: usize) -> Self {
        Self {
            rows,
            cell: LONGEST_SHORT_ROW,
            row: LONGEST_SHORT_ROW,
        }
    }
}

/// The mark at the beginning by which Excel knows UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// How a spreadsheet program writes CSV. On reading it is known by the heading line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum, Enum)]
#[serde(rename_all = "kebab-case")]
#[graphql(name = "SheetDialect")]
pub enum Dialect {
    /// RFC 4180: commas between cells, a decimal point.
    #[default]
    Comma,
    /// Excel as it is set up in Denmark and most of Europe: semicolons between cells, a decimal comma, and a mark at
    /// the beginning that says UTF-8.
    ExcelDa,
}

impl Dialect {
    /// What stands between two cells.
    #[must_use]
    pub const fn separator(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::ExcelDa => b';',
        }
    }

    /// The one that a heading line is written in; a comma where it has but one cell.
    fn of(heading: &[u8]) -> Self {
        let count = |separator| heading.iter().filter(|byte| **byte == separator).count();
        if count(b';') > count(b',') {
            Self::ExcelDa
        } else {
            Self::Comma
        }
    }

    /// A number in the shortest form that reads back the same.
    #[must_use]
    pub fn number(self, number: f64) -> String {
        let text = number.to_string();
        match self {
            Self::Comma => text,
            Self::ExcelDa => text.replace('.', ","),
        }
    }

    /// A finite number as this dialect writes it; nothing where the text is none.
    #[must_use]
    pub fn read_number(self, text: &str) -> Option<f64> {
        let digits = text.bytes().any(|byte| byte.is_ascii_digit());
        let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'e' | b'E');
        let (point, other) = match self {
            Self::Comma => ('.', ','),
            Self::ExcelDa => (',', '.'),
        };
        // A point in a Danish number groups thousands; whoever wrote 1.500 may mean either.
        let written = text
            .chars()
            .all(|c| c == point || u8::try_from(c).is_ok_and(plain));
        if !digits || !written || text.contains(other) {
            return None;
        }
        let number: f64 = text.replace(point, ".").parse().ok()?;
        number.is_finite().then_some(number)
    }
}

/// Whether a cell could begin behind this, in the dialect of whoever opens the sheet: Excel takes the separator of its
/// own country, whichever one a sheet was written with, and knows quotes only where a cell begins.
fn is_separator(c: char) -> bool {
    matches!(c, ',' | ';' | '\t' | '\r' | '\n')
}

/// What spreadsheets skip, or do not show, before a formula.
fn is_unseen(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Whether a spreadsheet might take a cell that begins like this for a formula. The signs of full width and the small
/// ones are the same to it.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches(is_unseen).starts_with([
        '=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '−',
    ])
}

/// Whether a cell would be a formula but for the apostrophes before it.
fn needs_guard(cell: &str) -> bool {
    is_formula(cell.trim_start_matches('\''))
}

/// A text as it is written: an apostrophe before what would be a formula wherever a cell could begin, and before what
/// already looks as if it had been given one, so that taking it off again is exact.
#[must_use]
pub fn guarded(text: &str) -> Cow<'_, str> {
    let cells = text.split_inclusive(is_separator);
    if !cells.clone().any(needs_guard) {
        return text.into();
    }
    let mut guarded = String::with_capacity(text.len() + 2);
    for cell in cells {
        if needs_guard(cell) {
            guarded.push('\'');
        }
        guarded.push_str(cell);
    }
    guarded.into()
}

/// A text as it was before it was guarded.
fn unguarded(text: &str) -> Cow<'_, str> {
    let cells = text.split_inclusive(is_separator);
    let guard = |cell: &str| cell.starts_with('\'') && needs_guard(cell);
    if !cells.clone().any(guard) {
        return text.into();
    }
    cells
        .map(|cell| if guard(cell) { &cell[1..] } else { cell })
        .collect::<String>()
        .into()
}
