//! The columns of the table: their headings, their order, and the marks after a department's key.

use entity::words::Role;

use crate::fields::touchpoint::touchpoint_fields;

macro_rules! headings {
    ([]
        { $($(#[$_doc:meta])* $_field:ident $name:literal: $_kind:ty { $($_facts:tt)* })* }
        { $($(#[$_then_doc:meta])* $_then:ident $then_name:literal: $_then_kind:ty { $($_then_facts:tt)* })* }
    ) => {
        /// The headings in their order. All but the phase's and the roles' are fields of a touchpoint in a document.
        pub(super) const COLUMNS: &[&str] = &[
            PHASE, PHASE_NAME, STAGE, "key", "name", "lane",
            $($name,)*
            "channels", "audience",
            $($then_name,)*
            "accountable", "responsible", "consulted", "informed",
        ];
    };
}
touchpoint_fields!(headings);

pub(super) const PHASE: &str = "phase";
pub(super) const PHASE_NAME: &str = "phaseName";
pub(super) const STAGE: &str = "stage";

/// The roles in the order of their columns, which come last.
pub(super) const ROLES: [Role; 4] = [
    Role::Accountable,
    Role::Responsible,
    Role::Consulted,
    Role::Informed,
];

/// What the column of a role is called.
pub(super) const fn role_heading(role: Role) -> &'static str {
    match role {
        Role::Accountable => "accountable",
        Role::Responsible => "responsible",
        Role::Consulted => "consulted",
        Role::Informed => "informed",
    }
}

/// After the key of a department that is asked and has not accepted.
pub(super) const ASKED: char = '?';

/// After the key of a department that has accepted, as the sheet says outright.
pub(super) const SETTLED: char = '!';
