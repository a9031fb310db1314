//! One cell: its place as people find it, and its text as a value of a type.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, NaiveDate, Utc};

use super::{dialect::Dialect, guard::remove_guard};
use crate::{
    error::{Error, UserError, UserErrorCode},
    input::Faults,
    scalar::{self, Date},
    text::quote_for_message,
};

/// Ends an item of a list in a cell.
const BAR: char = '|';

/// The place of a row or a cell in a sheet.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellRef {
    /// The line of the text, from 1.
    pub line: u64,
    /// The row as a spreadsheet numbers it, which lags behind where cells hold several lines.
    pub row: u64,
    /// The column, from 0; nothing where the whole row is meant, or a column that the sheet does not have.
    pub column: Option<usize>,
    /// What the column is called, where it is known.
    pub heading: String,
}

impl CellRef {
    /// The beginning of a sheet.
    pub(super) fn first() -> Self {
        Self {
            line: 1,
            row: 1,
            ..Self::default()
        }
    }

    /// Another column of the same row.
    #[must_use]
    pub fn with_column(&self, column: Option<usize>, heading: &str) -> Self {
        Self {
            column,
            heading: heading.to_owned(),
            ..self.clone()
        }
    }

    /// The place for programs: the line, and what the column is called.
    #[must_use]
    pub fn fault_path(&self) -> String {
        format!("{}.{}", self.line, self.heading)
    }

    /// Notes a fault here; its message begins with the place in words.
    pub fn add_fault(&self, code: UserErrorCode, message: impl fmt::Display, faults: &mut Faults) {
        faults.add(&self.fault_path(), code, None, format!("{self}: {message}"));
    }

    /// Notes faults that were found without their place, here.
    pub fn add_faults(&self, found: Vec<UserError>, faults: &mut Faults) {
        for fault in found {
            self.add_fault(fault.code, fault.message, faults);
        }
    }

    /// A fault here that ends reading.
    pub(super) fn to_error(&self, code: UserErrorCode, message: impl fmt::Display) -> Error {
        Error::fault(&self.fault_path(), code, None, format!("{self}: {message}"))
    }
}

impl fmt::Display for CellRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line {}", self.line)?;
        if self.row != self.line {
            write!(f, " (row {})", self.row)?;
        }
        match (self.column, self.heading.as_str()) {
            (Some(column), "") => write!(f, ", column {}", column_letters(column)),
            (Some(column), heading) => write!(f, ", column {} ({heading})", column_letters(column)),
            (None, "") => Ok(()),
            (None, heading) => write!(f, ", {heading}"),
        }
    }
}

/// A column as spreadsheets call it: A, B, …, Z, AA, …
fn column_letters(column: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        let last = u8::try_from((rest - 1) % 26).unwrap_or_default();
        letters.insert(0, char::from(b'A' + last));
        rest = (rest - 1) / 26;
    }
    letters.into_iter().collect()
}

/// A cell of a row that is being read.
#[derive(Clone, Debug)]
pub struct SheetCell<'r> {
    pub(super) raw: &'r str,
    pub(super) dialect: Dialect,
    pub place: CellRef,
}

impl<'r> SheetCell<'r> {
    /// Whether it is empty, or blank.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.raw.trim().is_empty()
    }

    /// A text, without the guard against formulas; nothing where the cell is empty. A formula is a fault: a sheet holds
    /// values.
    pub fn parse_text(&self, faults: &mut Faults) -> Option<Cow<'r, str>> {
        if self.is_empty() {
            return None;
        }
        if self.raw.trim_start().starts_with('=') {
            let message = "This is a formula. Write its value, or for a text that begins with = put an apostrophe before it.";
            self.place
                .add_fault(UserErrorCode::Invalid, message, faults);
        }
        Some(remove_guard(self.raw))
    }

    /// Parses a cell that is not free text; a fault where it cannot be parsed, nothing where it is empty.
    fn parse<T>(
        &self,
        read: impl FnOnce(&str) -> Option<T>,
        expected: impl FnOnce() -> String,
        faults: &mut Faults,
    ) -> Option<T> {
        let text = self.raw.trim();
        if text.is_empty() {
            return None;
        }
        let read = read(text);
        if read.is_none() {
            let message = format!("\"{}\" is not {}.", quote_for_message(text), expected());
            self.place
                .add_fault(UserErrorCode::Invalid, message, faults);
        }
        read
    }

    /// A number.
    pub fn parse_number(&self, faults: &mut Faults) -> Option<f64> {
        let dialect = self.dialect;
        let read = |text: &str| dialect.read_number(text);
        let expected = || format!("a number such as {}", dialect.format_number(0.5));
        self.parse(read, expected, faults)
    }

    /// Whether it holds something; adds a fault where it is empty.
    pub fn require_filled(&self, faults: &mut Faults) -> bool {
        if self.is_empty() {
            let message = "This cannot be empty.";
            self.place
                .add_fault(UserErrorCode::Required, message, faults);
        }
        !self.is_empty()
    }

    /// A whole number, also with a fraction of nothing: programs write 29.0 in a column that has gaps.
    pub fn parse_integer(&self, faults: &mut Faults) -> Option<i32> {
        let dialect = self.dialect;
        let read = |text: &str| dialect.read_number(text)?.to_string().parse().ok();
        let is_whole = |number: f64| number.fract() == 0.0;
        let expected = || match dialect.read_number(self.raw.trim()).is_some_and(is_whole) {
            true => format!("between {} and {}", i32::MIN, i32::MAX),
            false => "a whole number".to_owned(),
        };
        self.parse(read, expected, faults)
    }

    /// A day; also as Excel writes it in Denmark and its neighbours, where it is Excel that wrote it.
    pub fn parse_day(&self, faults: &mut Faults) -> Option<NaiveDate> {
        let local: &[&str] = match self.dialect {
            Dialect::Comma => &[],
            Dialect::ExcelDa => &["%d-%m-%Y", "%d.%m.%Y", "%d/%m/%Y"],
        };
        let read = |text: &str| {
            let mut days = local
                .iter()
                .filter_map(|format| NaiveDate::parse_from_str(text, format).ok());
            let day = Date::from_iso(text).map(NaiveDate::from);
            day.or_else(|| days.next().filter(|_| text.len() == 10))
        };
        let expected = || match self.dialect {
            Dialect::Comma => "a day such as 2026-11-22".to_owned(),
            Dialect::ExcelDa => "a day such as 2026-11-22 or 22-11-2026".to_owned(),
        };
        self.parse(read, expected, faults)
    }

    /// A moment.
    pub fn parse_moment(&self, faults: &mut Faults) -> Option<DateTime<Utc>> {
        let expected = || "a moment such as 2026-11-22T09:30:00Z".to_owned();
        self.parse(scalar::parse_moment, expected, faults)
    }

    /// Yes or no, also as Excel says it in Danish and in English.
    pub fn parse_flag(&self, faults: &mut Faults) -> Option<bool> {
        let read = |text: &str| match text.to_lowercase().as_str() {
            "yes" | "true" | "1" | "x" | "ja" | "sand" => Some(true),
            "no" | "false" | "0" | "nej" | "falsk" => Some(false),
            _ => None,
        };
        self.parse(read, || "yes or no".to_owned(), faults)
    }

    /// One of several words, however its letters are cased and its parts joined.
    pub fn parse_word<T: Copy>(
        &self,
        all: &[T],
        spelled: fn(T) -> &'static str,
        faults: &mut Faults,
    ) -> Option<T> {
        let read = |text: &str| {
            // People type "in review" for IN_REVIEW.
            let text = text.to_uppercase().replace([' ', '-'], "_");
            all.iter().copied().find(|word| spelled(*word) == text)
        };
        let expected = || {
            let words: Vec<&str> = all.iter().map(|word| spelled(*word)).collect();
            format!("one of {}", words.join(", "))
        };
        self.parse(read, expected, faults)
    }

    /// The items of a list of plain texts.
    pub fn parse_list(&self, faults: &mut Faults) -> Vec<String> {
        let text = self.parse_text(faults).unwrap_or_default();
        split_items(&text).map(unescape_item).collect()
    }
}

/// The separator of a list that is written into one cell.
pub const ITEM_SEPARATOR: &str = " | ";

/// An item of such a list, with a backslash before what would end it or begin its link.
#[must_use]
pub fn escape_item(item: &str) -> String {
    let mut text = String::with_capacity(item.len());
    for c in item.chars() {
        if is_special(c) {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

/// An item as it was before it was escaped. A backslash before anything else is one.
#[must_use]
pub fn unescape_item(item: &str) -> String {
    let mut text = String::with_capacity(item.len());
    let mut rest = item.chars().peekable();
    while let Some(c) = rest.next() {
        let meant = if c == '\\' {
            rest.next_if(|next| is_special(*next))
        } else {
            None
        };
        text.push(meant.unwrap_or(c));
    }
    text
}

const fn is_special(c: char) -> bool {
    matches!(c, '\\' | BAR | '<')
}

/// The items of a list, still escaped, without blanks around them and without empty ones.
pub fn split_items(list: &str) -> impl Iterator<Item = &str> {
    let mut literal = false;
    list.split(move |c| {
        let ends = c == BAR && !literal;
        literal = c == '\\' && !literal;
        ends
    })
    .map(str::trim)
    .filter(|item| !item.is_empty())
}

/// An item taken apart where this character first stands in it without a backslash.
#[must_use]
pub fn split_item_at(item: &str, at: char) -> Option<(&str, &str)> {
    let mut literal = false;
    let place = item.find(move |c| {
        let found = c == at && !literal;
        literal = c == '\\' && !literal;
        found
    })?;
    Some((&item[..place], &item[place + at.len_utf8()..]))
}
