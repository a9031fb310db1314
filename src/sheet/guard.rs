//! Texts that a spreadsheet would take for formulas, written so that it does not.

use std::borrow::Cow;

/// Whether a cell could begin after this, in the dialect of whoever opens the sheet: Excel takes the separator of its
/// own country, whichever one a sheet was written with, and knows quotes only where a cell begins.
fn is_separator(c: char) -> bool {
    matches!(c, ',' | ';' | '\t' | '\r' | '\n')
}

/// What spreadsheets skip, or do not show, before a formula.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Whether a spreadsheet might take a cell that begins like this for a formula. The signs of full width and the small
/// ones are the same to it.
pub(super) fn begins_like_formula(cell: &str) -> bool {
    cell.trim_start_matches(is_invisible).starts_with([
        '=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '−',
    ])
}

/// Whether a cell would be a formula but for the apostrophes before it.
fn needs_guard(cell: &str) -> bool {
    begins_like_formula(cell.trim_start_matches('\''))
}

/// A text as it is written: an apostrophe before what would be a formula wherever a cell could begin, and before what
/// already looks as if it had been given one, so that taking it off again is exact.
#[must_use]
pub(super) fn add_guard(text: &str) -> Cow<'_, str> {
    let cells = text.split_inclusive(is_separator);
    // Most texts need none, and are not copied.
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
pub(super) fn remove_guard(text: &str) -> Cow<'_, str> {
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
