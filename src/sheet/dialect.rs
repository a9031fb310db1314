//! The two ways in which spreadsheet programs write CSV.

use async_graphql::Enum;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// The mark at the beginning by which Excel knows UTF-8.
pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";

/// The CSV dialect of a spreadsheet program. On reading, the header line determines it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum, Enum)]
#[serde(rename_all = "kebab-case")]
#[graphql(name = "SheetDialect")]
pub enum Dialect {
    /// RFC 4180: commas between cells, a decimal point.
    #[default]
    Comma,
    /// Excel as it is set up in Denmark and most of Europe: semicolons between cells, a decimal comma, and a byte order
    /// mark for UTF-8.
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
    pub(super) fn from_heading(heading: &[u8]) -> Self {
        let count = |separator| heading.iter().filter(|byte| **byte == separator).count();
        // By the headings alone: the numbers below them may hold decimal commas.
        if count(b';') > count(b',') {
            Self::ExcelDa
        } else {
            Self::Comma
        }
    }

    /// The dialect of a first line such as `sep=;`, by which Excel is told what parts the cells; nothing where the
    /// line is none of these.
    ///
    /// # Errors
    /// A sentence: no dialect has this separator, or the dialect that was asked for has another.
    pub(super) fn from_separator_line(
        line: &[u8],
        asked: Option<Self>,
    ) -> Result<Option<Self>, String> {
        let line = String::from_utf8_lossy(line);
        // Excel saves the line again with the separators of the other columns behind it.
        let line = line.trim_matches([' ', '"']);
        let (Some(name), Some(rest)) = (line.get(..4), line.get(4..)) else {
            return Ok(None);
        };
        let Some(separator) = rest.chars().next() else {
            return Ok(None);
        };
        let is_alone = rest.chars().all(|c| c == separator || c == '"');
        if !name.eq_ignore_ascii_case("sep=") || !is_alone {
            return Ok(None);
        }
        let all = Self::value_variants().iter().copied();
        let found = all
            .into_iter()
            .find(|dialect| char::from(dialect.separator()) == separator);
        match (found, asked) {
            (None, _) => Err(format!(
                "Cells cannot be parted by {separator:?}. Save the sheet with commas or semicolons between them."
            )),
            (Some(found), Some(asked)) if found != asked => Err(format!(
                "This line says {separator:?}, and the dialect that was asked for has {:?}. Take the line out, or ask for the other dialect.",
                char::from(asked.separator())
            )),
            (found, _) => Ok(found),
        }
    }

    /// A number in the shortest form that reads back the same.
    #[must_use]
    pub fn format_number(self, number: f64) -> String {
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
