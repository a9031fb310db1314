//! Writes the touchpoints of a document as a table.

use std::{collections::HashMap, io};

use entity::words::{ResponsibilityStatus, Role};

use super::{
    cell_field::CellFieldKind,
    cells::TouchpointTableWriter,
    columns::{ASKED, COLUMNS, ROLES},
};
use crate::{
    document::blueprint::{Document, PhasePart, TouchpointPart},
    error::{Error, Result},
    fields::{kinds, touchpoint::touchpoint_fields},
    sheet::{CsvWriter, Dialect},
};

/// The departments at each touchpoint, by its key and their role, as a cell writes them.
type DepartmentsByTouchpointAndRole<'d> = HashMap<(&'d str, Role), Vec<String>>;

/// The table of a blueprint, all columns of it.
pub fn touchpoint_csv_text(document: &Document, dialect: Dialect) -> Result<String> {
    let bytes = touchpoint_csv_bytes(document, dialect).map_err(Error::internal)?;
    String::from_utf8(bytes).map_err(Error::internal)
}

fn touchpoint_csv_bytes(document: &Document, dialect: Dialect) -> io::Result<Vec<u8>> {
    let mut cells = TouchpointTableWriter(CsvWriter::new(Vec::new(), dialect, COLUMNS)?);
    let phases: HashMap<&str, &PhasePart> = document
        .phases
        .iter()
        .map(|phase| (phase.key.as_str(), phase))
        .collect();
    let mut held = DepartmentsByTouchpointAndRole::new();
    for part in &document.responsibilities {
        let asked = part.status == ResponsibilityStatus::Proposed;
        let mark = if asked {
            ASKED.to_string()
        } else {
            String::new()
        };
        held.entry((part.touchpoint.as_str(), part.role))
            .or_default()
            .push(format!("{}{mark}", part.department));
    }
    for touchpoint in &document.touchpoints {
        let phase = phases.get(touchpoint.phase.as_str());
        cells.0.plain(&touchpoint.phase)?;
        cells.write_text(phase.map(|phase| phase.name.as_str()))?;
        cells.write_word(phase.map(|phase| phase.stage.as_str()))?;
        write_touchpoint_fields(touchpoint, &mut cells)?;
        for role in ROLES {
            let departments = held.remove(&(touchpoint.key.as_str(), role));
            cells.write_list(&departments.unwrap_or_default())?;
        }
        cells.0.end_row()?;
    }
    cells.0.finish()
}

/// The fields of a touchpoint, in the order of the columns.
fn write_touchpoint_fields(
    part: &TouchpointPart,
    cells: &mut TouchpointTableWriter,
) -> io::Result<()> {
    macro_rules! fields {
        ([]
            { $($(#[$_doc:meta])* $field:ident $_name:literal: $kind:ty { $($_facts:tt)* })* }
            { $($(#[$_then_doc:meta])* $then:ident $_then_name:literal: $then_kind:ty { $($_then_facts:tt)* })* }
        ) => {
            $(<$kind as CellFieldKind>::write_cell(&part.$field, cells)?;)*
            cells.write_list(&part.channels)?;
            cells.write_list(&part.audience)?;
            $(<$then_kind as CellFieldKind>::write_cell(&part.$then, cells)?;)*
        };
    }
    cells.0.plain(&part.key)?;
    cells.write_text(Some(&part.name))?;
    cells.write_word(Some(part.lane.as_str()))?;
    touchpoint_fields!(fields);
    Ok(())
}
