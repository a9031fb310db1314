//! The document of a whole organisation, version 1: everything but accounts, feedback and the audit log, by keys and
//! natural keys. Only the command line reads and writes it.
//!
//! It is imported into a database that holds none of it yet (`import`): first what journeys share (`shared_rows`), then
//! each blueprint the way its own document goes, with who answered for what since when (`history`), then the values of
//! KPIs (`values`), and in the end what is archived is put away. Out it is one step (`export`).
//!
//! Archived phases and touchpoints, corrected values, dismissals of findings and the search texts are not in it.

mod export;
mod history;
mod import;
mod schema;
mod shared_rows;
mod values;

pub use self::{
    export::export_organisation,
    import::{OrganisationImportOptions, import_organisation},
    schema::{FORMAT, OrganisationInput},
};
pub(super) use import::{import_organisation_into, refuse_unless_database_empty};
