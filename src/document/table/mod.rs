//! A blueprint's touchpoints as a table for spreadsheets: a row a touchpoint, in order, with its phase before it and
//! the departments that answer for it behind it. What a table says goes the way of a document.
//!
//! A column that is absent keeps what is there; an empty cell clears it. The cell of a role names departments that have
//! it: who holds it already, or is offered it, stays as it is, and a new name is proposed; `sales!` says outright that it
//! is accepted. Who is not named keeps what it has, unless the import says that the column is complete. A list is written
//! `WEB | APP`; a backslash stands before a bar, a backslash or a `<` in an item. Evidence with a link is written
//! `Leaflet <https://…>`. In what is written out a department that is only asked is `sales?`.

mod import;
mod read;
mod write;

use entity::words::Role;

pub use import::import;
pub use read::Table;
pub use write::write;

/// The columns, in order, as they are written. All but the phase's and the roles' are fields of a touchpoint in a
/// document.
const COLUMNS: &[&str] = &[
    PHASE,
    PHASE_NAME,
    STAGE,
    "key",
    "name",
    "lane",
    "customerAction",
    "channels",
    "audience",
    "initiator",
    "contactsPerMonth",
    "emotion",
    "employeeEmotion",
    "importanceCustomer",
    "importanceOrganisation",
    "usage",
    "usageReason",
    "momentOfTruth",
    "essential",
    "expectedMinutes",
    "basis",
    "evidence",
    "systems",
    "note",
    "accountable",
    "responsible",
    "consulted",
    "informed",
];

const PHASE: &str = "phase";
const PHASE_NAME: &str = "phaseName";
const STAGE: &str = "stage";

/// The roles in the order of their columns, which come last.
const ROLES: [Role; 4] = [
    Role::Accountable,
    Role::Responsible,
    Role::Consulted,
    Role::Informed,
];

/// What the column of a role is called.
const fn heading(role: Role) -> &'static str {
    match role {
        Role::Accountable => "accountable",
        Role::Responsible => "responsible",
        Role::Consulted => "consulted",
        Role::Informed => "informed",
    }
}

/// Behind the key of a department that is asked and has not accepted.
const ASKED: char = '?';

/// Behind the key of a department that has accepted, as the sheet says outright.
const SETTLED: char = '!';
