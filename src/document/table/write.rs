//! Writes the touchpoints of a document as a table.

use std::{collections::HashMap, io};

use entity::words::{ResponsibilityStatus, Role};

use super::columns::{ASKED, COLUMNS, ROLES};
use crate::{
    document::blueprint::{Document, EvidenceItem, PhasePart, TouchpointPart},
    error::{Error, Result},
    sheet::{BETWEEN, Dialect, Writer, escaped},
};

/// The departments at each touchpoint, by its key and their role, as a cell writes them.
type DepartmentsByRole<'d> = HashMap<(&'d str, Role), Vec<String>>;

/// The table of a blueprint, all columns of it.
pub fn write(document: &Document, dialect: Dialect) -> Result<String> {
    let bytes = bytes(document, dialect).map_err(Error::internal)?;
    String::from_utf8(bytes).map_err(Error::internal)
}

fn bytes(document: &Document, dialect: Dialect) -> io::Result<Vec<u8>> {
    let mut cells = TouchpointCells(Writer::new(Vec::new(), dialect, COLUMNS)?);
    let phases: HashMap<&str, &PhasePart> = document
        .phases
        .iter()
        .map(|phase| (phase.key.as_str(), phase))
        .collect();
    let mut held = DepartmentsByRole::new();
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
        cells.text(phase.map(|phase| phase.name.as_str()))?;
        cells.word(phase.map(|phase| phase.stage.as_str()))?;
        cells.touchpoint(touchpoint)?;
        for role in ROLES {
            let departments = held.remove(&(touchpoint.key.as_str(), role));
            cells.list(&departments.unwrap_or_default())?;
        }
        cells.0.end_row()?;
    }
    cells.0.finish()
}

/// The cells of a row, each by what it is made of.
struct TouchpointCells(Writer<Vec<u8>>);

impl TouchpointCells {
    fn text(&mut self, text: Option<&str>) -> io::Result<()> {
        self.0.text(text.unwrap_or_default())
    }

    fn word(&mut self, word: Option<&str>) -> io::Result<()> {
        self.0.plain(word.unwrap_or_default())
    }

    fn whole(&mut self, number: Option<i32>) -> io::Result<()> {
        let text = number.map(|number| number.to_string());
        self.word(text.as_deref())
    }

    fn number(&mut self, number: Option<f64>) -> io::Result<()> {
        match number {
            Some(number) => self.0.number(number),
            None => self.0.empty(),
        }
    }

    /// Excel writes TRUE and FALSE in the language that it is set up in; these words stay as they are.
    fn flag(&mut self, flag: bool) -> io::Result<()> {
        self.0.plain(if flag { "yes" } else { "no" })
    }

    fn list(&mut self, items: &[String]) -> io::Result<()> {
        let items: Vec<String> = items.iter().map(|item| escaped(item)).collect();
        self.0.text(&items.join(BETWEEN))
    }

    fn evidence(&mut self, evidence: &[EvidenceItem]) -> io::Result<()> {
        let items = evidence.iter().map(|item| {
            let label = escaped(&item.label);
            item.link.as_ref().map_or_else(
                || label.clone(),
                |link| format!("{label} <{}>", escaped(link)),
            )
        });
        let items: Vec<String> = items.collect();
        self.0.text(&items.join(BETWEEN))
    }

    /// The fields of a touchpoint, in the order of the columns.
    fn touchpoint(&mut self, touchpoint: &TouchpointPart) -> io::Result<()> {
        self.0.plain(&touchpoint.key)?;
        self.text(Some(&touchpoint.name))?;
        self.word(Some(touchpoint.lane.as_str()))?;
        self.text(touchpoint.customer_action.as_deref())?;
        self.list(&touchpoint.channels)?;
        self.list(&touchpoint.audience)?;
        self.word(touchpoint.initiator.map(entity::words::Initiator::as_str))?;
        self.number(touchpoint.contacts_per_month)?;
        self.whole(touchpoint.emotion)?;
        self.whole(touchpoint.employee_emotion)?;
        self.whole(touchpoint.importance_customer)?;
        self.whole(touchpoint.importance_organisation)?;
        self.word(Some(touchpoint.usage.as_str()))?;
        self.text(touchpoint.usage_reason.as_deref())?;
        self.flag(touchpoint.moment_of_truth)?;
        self.flag(touchpoint.essential)?;
        self.whole(touchpoint.expected_minutes)?;
        self.word(Some(touchpoint.basis.as_str()))?;
        self.evidence(&touchpoint.evidence)?;
        self.list(&touchpoint.systems)?;
        self.text(touchpoint.note.as_deref())
    }
}
