//! How each kind of field is written into a cell and read from one. What a cell holds is what a document holds.

use std::{borrow::Cow, io};

use entity::words::StoredWord;
use sea_orm::Value;

use super::cells::TouchpointTableWriter;
use crate::{
    document::part_field::{BoundedPartValue, EvidenceItem, PartFieldKind},
    fields::kinds::{
        BoundedInteger, EvidenceItems, InitialWord, MonthlyRate, NameList, OptionalText,
        OptionalWord, WordWithInitial, YesNo,
    },
    input::Faults,
    sheet::{SheetCell, split_item_at, split_items, unescape_item},
};

/// A kind that is a column of the table.
pub(super) trait CellFieldKind: PartFieldKind {
    /// The value of a cell, with a fault where it is spelled wrong; an empty cell is the value of a new row.
    fn read_cell(cell: &SheetCell<'_>, faults: &mut Faults) -> Self::Part;

    /// Writes the next cell of a row.
    fn write_cell(part: &Self::Part, cells: &mut TouchpointTableWriter) -> io::Result<()>;
}

impl CellFieldKind for OptionalText {
    fn read_cell(cell: &SheetCell<'_>, faults: &mut Faults) -> Self::Part {
        cell.parse_text(faults).map(Cow::into_owned)
    }

    fn write_cell(part: &Self::Part, cells: &mut TouchpointTableWriter) -> io::Result<()> {
        cells.write_text(part.as_deref())
    }
}

impl<W: StoredWord> CellFieldKind for OptionalWord<W>
where
    Self: PartFieldKind<Part = Option<W>>,
    Option<W>: Into<Value>,
{
    fn read_cell(cell: &SheetCell<'_>, faults: &mut Faults) -> Self::Part {
        cell.parse_word(W::ALL, W::as_str, faults)
    }

    fn write_cell(part: &Self::Part, cells: &mut TouchpointTableWriter) -> io::Result<()> {
        cells.write_word(part.map(W::as_str))
    }
}

impl<W: InitialWord + Into<Value> + BoundedPartValue> CellFieldKind for WordWithInitial<W> {
    fn read_cell(cell: &SheetCell<'_>, faults: &mut Faults) -> Self::Part {
        let word = cell.parse_word(W::ALL, W::as_str, faults);
        word.unwrap_or(W::INITIAL)
    }

    fn write_cell(part: &Self::Part, cells: &mut TouchpointTableWriter) -> io::Result<()> {
        cells.write_word(Some(part.as_str()))
    }
}

impl CellFieldKind for YesNo {
    fn read_cell(cell: &SheetCell<'_>, faults: &mut Faults) -> Self::Part {
        cell.parse_flag(faults).unwrap_or_default()
    }

    fn write_cell(part: &Self::Part, cells: &mut TouchpointTableWriter) -> io::Result<()> {
        cells.write_flag(*part)
    }
}

impl<const MIN: i32, const MAX: i32> CellFieldKind for BoundedInteger<MIN, MAX> {
    fn read_cell(cell: &SheetCell<'_>, faults: &mut Faults) -> Self::Part {
        cell.parse_integer(faults)
    }

    fn write_cell(part: &Self::Part, cells: &mut TouchpointTableWriter) -> io::Result<()> {
        cells.write_integer(*part)
    }
}

impl CellFieldKind for MonthlyRate {
    fn read_cell(cell: &SheetCell<'_>, faults: &mut Faults) -> Self::Part {
        cell.parse_number(faults)
    }

    fn write_cell(part: &Self::Part, cells: &mut TouchpointTableWriter) -> io::Result<()> {
        cells.write_number(*part)
    }
}

impl CellFieldKind for NameList {
    fn read_cell(cell: &SheetCell<'_>, faults: &mut Faults) -> Self::Part {
        cell.parse_list(faults)
    }

    fn write_cell(part: &Self::Part, cells: &mut TouchpointTableWriter) -> io::Result<()> {
        cells.write_list(part)
    }
}

impl CellFieldKind for EvidenceItems {
    fn read_cell(cell: &SheetCell<'_>, faults: &mut Faults) -> Self::Part {
        let text = cell.parse_text(faults).unwrap_or_default();
        split_items(&text).map(parse_evidence_item).collect()
    }

    fn write_cell(part: &Self::Part, cells: &mut TouchpointTableWriter) -> io::Result<()> {
        cells.write_evidence(part)
    }
}

/// A label, with its link in angle brackets where it has one.
fn parse_evidence_item(item: &str) -> EvidenceItem {
    let linked = item
        .strip_suffix('>')
        .and_then(|item| split_item_at(item, '<'));
    let (label, link) = linked.map_or((item, None), |(label, link)| (label, Some(link)));
    EvidenceItem {
        label: unescape_item(label.trim()),
        link: link.map(unescape_item),
    }
}
