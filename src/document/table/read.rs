//! Reads a table: each row becomes what is said of a touchpoint, of its phase and of its departments. It looks nothing
//! up.

use std::{borrow::Cow, collections::HashSet, io::BufRead};

use entity::words::{Lane, ResponsibilityStatus, Role, Stage};

use super::{
    cell_field::CellFieldKind,
    columns::{ASKED, COLUMNS, PHASE, PHASE_NAME, ROLES, SETTLED, STAGE, role_heading},
    made_key::{KeptThings, MadeKey},
};
use crate::{
    blueprint::MOST_TOUCHPOINTS,
    document::{
        blueprint::{ResponsibilityPatch, TouchpointPatch},
        catalogue::fold_key,
        part::PatchField,
    },
    error::{Result, UserErrorCode},
    fields::{kinds, touchpoint::touchpoint_fields},
    input::Faults,
    sheet::{CellRef, SheetCell, SheetColumns, SheetReader, SheetRow},
    text::quote_for_message,
};

/// What a table says, and where.
#[derive(Debug, Default)]
pub struct TouchpointTable {
    pub(super) columns: SheetColumns,
    /// The phases that rows name, in the order of their first rows.
    pub(super) phases: Vec<NamedPhase>,
    /// For each touchpoint what its row says of its phase.
    pub(super) row_phases: Vec<Option<NamedPhase>>,
    /// One a row.
    pub(super) touchpoints: Vec<TouchpointPatch>,
    pub(super) responsibilities: Vec<ResponsibilityPatch>,
    /// The roles whose columns name everybody, so that who is not named holds the role no longer.
    pub(super) complete: Vec<Role>,
    /// The roles whose columns are there.
    pub(super) roles: Vec<Role>,
    /// For each touchpoint the key that was made from its name, where the row gives none.
    pub(super) made: Vec<Option<MadeKey>>,
    /// The rows of the touchpoints.
    pub(super) rows: Vec<SheetRow>,
    /// For each responsibility the number of its row.
    pub(super) row_of: Vec<usize>,
}

/// A phase as rows name it.
#[derive(Clone, Debug)]
pub(super) struct NamedPhase {
    pub key: String,
    /// The key as it was made from the name, where no row gives one.
    pub made: Option<MadeKey>,
    pub name: Option<(String, CellRef)>,
    pub stage: Option<(Stage, CellRef)>,
    /// The number of its first row.
    pub row: usize,
}

impl TouchpointTable {
    /// Reads a table, with every fault of its cells.
    pub fn read(source: impl BufRead) -> Result<Self> {
        let most = usize::try_from(MOST_TOUCHPOINTS).unwrap_or(usize::MAX);
        let mut reader = SheetReader::open(source, most)?;
        let mut faults = Faults::default();
        let columns = reader.columns(COLUMNS, &mut faults);
        let has = |role: &Role| columns.has(role_heading(*role));
        let roles = ROLES.into_iter().filter(has).collect();
        let mut table = Self {
            columns,
            roles,
            ..Self::default()
        };
        for row in &mut reader {
            table.read_row(row?, &mut faults);
        }
        table.tell_apart(&KeptThings::default(), &mut faults);
        faults.in_order_of_lines().check()?;
        Ok(table)
    }

    /// The columns of these roles name everybody who has them. A role whose column is absent is left out, or everybody
    /// would lose it.
    #[must_use]
    pub fn treat_roles_as_complete(mut self, roles: &[Role]) -> Self {
        let there = roles.iter().filter(|role| self.roles.contains(role));
        self.complete = there.copied().collect();
        self
    }

    fn read_row(&mut self, row: SheetRow, faults: &mut Faults) {
        let mut line = TableRow {
            row: &row,
            columns: &self.columns,
            faults,
        };
        let Some((key, made)) = line.read_or_make_key("key", "name") else {
            let place = self.columns.cell_ref(&row, "key");
            let message = "A touchpoint needs a key, or a name to make one from.";
            return place.add_fault(UserErrorCode::Required, message, faults);
        };
        let phase = line.read_phase();
        let said = phase.as_ref().map(|phase| phase.key.clone());
        self.touchpoints
            .push(line.read_touchpoint(key.clone(), said));
        for role in &self.roles {
            let departments = line.read_departments(*role);
            let said = departments
                .into_iter()
                .map(|(department, status)| ResponsibilityPatch {
                    touchpoint: key.clone(),
                    department,
                    role: *role,
                    status: PatchField(status),
                    tasks: PatchField(None),
                    person: PatchField(None),
                });
            self.responsibilities.extend(said);
        }
        self.row_of
            .resize(self.responsibilities.len(), self.rows.len());
        let row_of_phase = self.rows.len();
        self.row_phases.push(phase.map(|phase| NamedPhase {
            row: row_of_phase,
            ..phase
        }));
        self.made.push(made);
        self.rows.push(row);
    }
}

/// Adds what another row says of a phase, which has to be the same.
pub(super) fn add_to_phase(phase: &mut NamedPhase, said: NamedPhase, faults: &mut Faults) {
    phase.row = phase.row.min(said.row);
    set_or_add_mismatch_fault(&mut phase.name, said.name, |name| name.clone(), faults);
    set_or_add_mismatch_fault(
        &mut phase.stage,
        said.stage,
        |stage| stage.as_str().to_owned(),
        faults,
    );
}

/// Takes what is said where nothing was said yet; something else than what was said is a fault.
fn set_or_add_mismatch_fault<T: PartialEq>(
    now: &mut Option<(T, CellRef)>,
    said: Option<(T, CellRef)>,
    spelled: fn(&T) -> String,
    faults: &mut Faults,
) {
    match (&*now, said) {
        (Some((first, at)), Some((value, place))) if *first != value => {
            let message = format!(
                "On line {} this phase has \"{}\" here.",
                at.line,
                quote_for_message(&spelled(first))
            );
            place.add_fault(UserErrorCode::Invalid, message, faults);
        }
        (None, said) => *now = said,
        _ => {}
    }
}

/// A row that is being read.
struct TableRow<'r> {
    row: &'r SheetRow,
    columns: &'r SheetColumns,
    faults: &'r mut Faults,
}

impl TableRow<'_> {
    /// What a column says; an absent one nothing, which keeps what is there.
    fn read_field<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&SheetCell<'_>, &mut Faults) -> T,
    ) -> PatchField<T> {
        let cell = self.columns.cell(self.row, name);
        PatchField(cell.map(|cell| read(&cell, self.faults)))
    }

    /// What a column says that cannot be cleared.
    fn read_required_field<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&SheetCell<'_>, &mut Faults) -> Option<T>,
    ) -> PatchField<T> {
        let said = self.read_field(name, |cell, faults| {
            if cell.is_empty() {
                let message = "This cannot be empty.";
                cell.place
                    .add_fault(UserErrorCode::Required, message, faults);
            }
            read(cell, faults)
        });
        PatchField(said.0.flatten())
    }

    fn read_text(&mut self, name: &str) -> PatchField<Option<String>> {
        self.read_field(name, |cell, faults| {
            cell.parse_text(faults).map(Cow::into_owned)
        })
    }

    /// A key, or one made from the name where none is given.
    fn read_or_make_key(&mut self, name: &str, from: &str) -> Option<(String, Option<MadeKey>)> {
        if let Some(key) = self.read_text(name).0.flatten() {
            return Some((key.trim().to_owned(), None));
        }
        let cell = self.columns.cell(self.row, from)?;
        // Its faults are told where it is read for itself.
        let name = cell.parse_text(&mut Faults::default())?;
        let made = MadeKey::from_name(&name);
        Some((made.base.clone(), Some(made)))
    }

    /// The phase; nothing where the table has no column that says which.
    fn read_phase(&mut self) -> Option<NamedPhase> {
        let key = self.read_or_make_key(PHASE, PHASE_NAME);
        let name = self.read_text(PHASE_NAME).0.flatten();
        let stage = self.read_field(STAGE, |cell, faults| {
            cell.parse_word(Stage::ALL, Stage::as_str, faults)
        });
        let stage = stage.0.flatten();
        let Some((key, made)) = key else {
            let message = "This cannot be empty.";
            let place = self.columns.cell_ref(self.row, PHASE);
            if self.columns.has(PHASE) {
                place.add_fault(UserErrorCode::Required, message, self.faults);
            }
            return None;
        };
        let at = |name| self.columns.cell_ref(self.row, name);
        Some(NamedPhase {
            key,
            made,
            name: name.map(|name| (name.trim().to_owned(), at(PHASE_NAME))),
            stage: stage.map(|stage| (stage, at(STAGE))),
            row: 0,
        })
    }

    fn read_touchpoint(&mut self, key: String, phase: Option<String>) -> TouchpointPatch {
        macro_rules! patch {
            ([]
                { $($(#[$_doc:meta])* $field:ident $name:literal: $kind:ty { $($_facts:tt)* })* }
                { $($(#[$_then_doc:meta])* $then:ident $then_name:literal: $then_kind:ty { $($_then_facts:tt)* })* }
            ) => {
                TouchpointPatch {
                    key,
                    phase: PatchField(phase),
                    name: self.read_required_field("name", |cell, faults| {
                        cell.parse_text(faults).map(Cow::into_owned)
                    }),
                    lane: self.read_required_field("lane", |cell, faults| {
                        cell.parse_word(Lane::ALL, Lane::as_str, faults)
                    }),
                    // In the order of the columns, so that faults are.
                    $($field: self.read_field($name, <$kind as CellFieldKind>::read_cell),)*
                    channels: self.read_field("channels", <kinds::NameList as CellFieldKind>::read_cell),
                    audience: self.read_field("audience", <kinds::NameList as CellFieldKind>::read_cell),
                    $($then: self.read_field($then_name, <$then_kind as CellFieldKind>::read_cell),)*
                }
            };
        }
        touchpoint_fields!(patch)
    }

    /// The departments in the column of a role, each with what is said outright of the handshake.
    fn read_departments(&mut self, role: Role) -> Vec<(String, Option<ResponsibilityStatus>)> {
        let named = self.read_field(role_heading(role), |cell, faults| {
            let named: Vec<_> = cell.parse_list(faults).iter().map(|key| parse_department(key)).collect();
            let mut met = HashSet::new();
            if let Some((twice, _)) = named.iter().find(|(key, _)| !met.insert(fold_key(key))) {
                let message = format!("The department {} is named twice.", quote_for_message(twice));
                cell.place.add_fault(UserErrorCode::Duplicate, message, faults);
            }
            let accepted = Some(ResponsibilityStatus::Accepted);
            let settled = named.iter().filter(|(_, status)| *status == accepted);
            if role == Role::Accountable && settled.count() > 1 {
                let message = "One department is accountable at a touchpoint: only one key has an exclamation mark after it.";
                cell.place.add_fault(UserErrorCode::Conflict, message, faults);
            }
            named
        });
        named.0.unwrap_or_default()
    }
}

/// A department as a cell names it.
fn parse_department(item: &str) -> (String, Option<ResponsibilityStatus>) {
    let marked = |mark| item.strip_suffix(mark).map(|key| key.trim().to_owned());
    match (marked(SETTLED), marked(ASKED)) {
        (Some(key), _) => (key, Some(ResponsibilityStatus::Accepted)),
        (None, Some(key)) => (key, Some(ResponsibilityStatus::Proposed)),
        (None, None) => (item.to_owned(), None),
    }
}
